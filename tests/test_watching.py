"""Watching an interface: the same flows as from the file, and a look at any time."""

import ast
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import analyzer
from analyzer import watching
from analyzer.analyzing import SYN
from analyzer.capture import FrameDecoder
from analyzer.loops import machine, notices, versions
from analyzer.report import export
from analyzer.segment import SegmentBatch, empty_rows
from tests.loopback import connected, exchange, host, probe_every_second, send_datagrams, within  # noqa: F401
from tests.planted import plant

pytestmark = pytest.mark.live


@contextlib.contextmanager
def running(watch):
    """Let a watch run in a thread of its own."""
    thread = threading.Thread(target=lambda: [None for _ in watch.run(0.02)])
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()


def exported(analysis, path):
    """Return an analysis as the JSON report has it, with another path."""
    parts = []
    export.write_json(analysis.captures, analysis, analysis.totals, parts.append, several=False)
    whole = json.loads("".join(parts))
    whole["captures"][0]["path"] = path
    return whole


def test_a_view_has_what_happened_so_far(host):  # noqa: F811
    """While the capture runs, flows are seen in the state they are in, and more is seen later."""
    with analyzer.watch(ports=[4001]) as watch, running(watch):
        with connected() as (client, _):
            client.sendall(b"howdy")
            assert watch.catch_up()
            before = [flow.verdict for flow in watch.view().flows]
            client.shutdown(socket.SHUT_WR)
            assert watch.catch_up()
            between = [flow.verdict for flow in watch.view().flows]
            later = [flow.verdict for flow in watch.view(time.time_ns() + 2_000_000_000).flows]
        assert watch.catch_up()
        after = [flow.verdict for flow in watch.view().flows]

    assert [["open"], ["closing"], ["half_closed"]] == [before, between, later]
    assert after != between


def test_live_and_from_the_file_is_the_same_report(host, tmp_path):  # noqa: F811
    """The JSON of a watch equals that of the packets it wrote, but for the path."""
    path = str(tmp_path / "out.pcap")
    with analyzer.watch(write=path) as watch, running(watch):
        send_datagrams(5)
        with connected() as (client, server):
            probe_every_second(server)
            client.sendall(b"howdy")
            server.recv(10)
            client.shutdown(socket.SHUT_WR)
            within(lambda: watch.view().totals.probes_after_fin >= 1)
    live = watch.finish()

    assert live.totals.probes >= 1
    assert exported(analyzer.analyze(path), "here") == exported(live, "here")


def test_silence_can_be_counted_to_the_end_of_the_watch(host):  # noqa: F811
    """A watch that waited after the last frame may say so; the packets alone cannot."""
    with analyzer.watch(ports=[4001]) as watch, running(watch):
        exchange()
        time.sleep(0.3)
    waited = watch.finish(until_now=True)
    (flow,) = waited.flows

    assert flow.judged.record.end_ns - flow.judged.record.last_ns >= 250_000_000


class Quiet:
    """An interface on which nothing passes; each batch takes a tenth of a second of a clock that nobody waits for."""

    path, jit, format, start_ns, link_types, warnings = "lo", False, "live", None, (), ()
    dropped = 0
    filters = ()

    def __init__(self):
        self.now_s = 0.0

    def monotonic(self):
        """The clock."""
        return self.now_s

    def batches(self, _):
        """Yield empty batches for ten seconds."""
        while self.now_s < 10:
            self.now_s += 0.1
            yield SegmentBatch(empty_rows(0), 0)

    def close(self):
        """Let go of nothing."""


@pytest.mark.parametrize(("look_s", "least", "most"), [(0, 35, 50), (0.05, 25, 40), (1, 2, 3)])
def test_who_takes_long_to_look_looks_seldom(look_s, least, most, monkeypatch):
    """At most a quarter of the time goes by with looking, so that packets are taken in time."""
    reader = Quiet()
    monkeypatch.setattr(watching, "time", reader)
    looks = 0
    with watching.Watching(reader) as watch:
        for _ in watch.run(0.2):
            looks += 1
            reader.now_s += look_s

    assert least <= looks <= most
    assert looks * look_s <= 10 / 3


def test_flows_that_are_over_stay_in_the_view(host, monkeypatch):  # noqa: F811
    """What the tracker let go of is still shown, once."""
    monkeypatch.setattr(watching, "SWEEP_S", 0)
    monkeypatch.setattr("analyzer.track.tracker.LINGER_NS", 1)
    with analyzer.watch(ports=[4001]) as watch, running(watch):
        exchange()
        send_datagrams(1)
        exchange()
        within(lambda: watch.catch_up() and len(watch.view()) == 2)
        within(lambda: len(watch.result) >= 1)
        numbers = [flow.number for flow in watch.view().flows]
    watch.finish()

    assert [0, 1] == numbers == [flow.number for flow in watch.result.flows]


def test_only_what_has_something_to_say_is_kept(host):  # noqa: F811
    """A watch for a report counts uneventful flows and forgets them."""
    with analyzer.watch(ports=[4001], keep_all=False) as watch, running(watch):
        exchange()
    result = watch.finish()

    assert (0, 1) == (len(result), result.totals.flows)


def test_finishing_and_closing_twice_is_harmless(host):  # noqa: F811
    """The result stays what it was."""
    watch = analyzer.watch(ports=[4001])
    with watch, running(watch):
        exchange()
    first = watch.finish()
    watch.stop()
    watch.close()

    assert first is watch.finish() is watch.view()
    assert 1 == len(first)


def test_a_limit_ends_the_run(host):  # noqa: F811
    """Run ends by itself at the limit, and the flows are those of so many packets."""
    with analyzer.watch(limit=4) as watch:
        exchange()
        for _ in watch.run():
            pass

    assert 4 == watch.finish().captures[0].frames


@pytest.mark.slow
def test_a_watch_becomes_compiled_when_it_gets_busy(host, monkeypatch):  # noqa: F811
    """Under load another process compiles the loops, and the watch goes on with them, without losing a flow."""
    monkeypatch.setenv("KEEPALIVE_JIT", "")
    watching.compile_all()
    monkeypatch.setattr(watching, "_all_compiled", lambda: False)
    monkeypatch.setattr(watching, "BUSY", 50)
    monkeypatch.setattr(watching, "_compile_elsewhere", lambda: subprocess.Popen(["true"]))
    with analyzer.watch() as watch, running(watch), connected() as (client, _):
        client.sendall(b"howdy")
        within(lambda: send_datagrams(60) or watch.reader.jit)
        client.sendall(b"again")
        assert watch.catch_up(30)
    (flow,) = watch.finish().flows

    assert 10 == flow.judged.record.facts_a.payload_bytes


def test_compiled_loops_that_cannot_be_had_are_done_without(host, monkeypatch):  # noqa: F811
    """If the other process fails, the watch stays plain, and asks no more."""
    calls = []
    monkeypatch.setenv("KEEPALIVE_JIT", "")
    monkeypatch.setattr(watching, "BUSY", 50)
    monkeypatch.setattr(watching, "_all_compiled", lambda: False)
    monkeypatch.setattr(watching, "_compile_elsewhere", lambda: calls.append(1) or subprocess.Popen(["false"]))
    with analyzer.watch() as watch, running(watch):
        within(lambda: send_datagrams(60) or calls)
        for _ in range(5):
            send_datagrams(60)
            assert watch.catch_up()

    assert (False, [1]) == (watch.reader.jit, calls)


def test_a_process_that_still_compiles_is_ended_with_the_watch(host, monkeypatch):  # noqa: F811
    """Nothing is left running behind a watch that was closed."""
    child = []
    monkeypatch.setenv("KEEPALIVE_JIT", "")
    monkeypatch.setattr(watching, "BUSY", 50)
    monkeypatch.setattr(watching, "_all_compiled", lambda: False)
    monkeypatch.setattr(
        watching, "_compile_elsewhere", lambda: child.append(subprocess.Popen(["sleep", "60"])) or child[0]
    )
    with analyzer.watch() as watch, running(watch):
        within(lambda: send_datagrams(60) or child)

    assert child[0].poll() is not None


@pytest.mark.slow
def test_all_loops_can_be_compiled_ahead(monkeypatch):
    """Compiling ahead leaves a mark that the next watch goes by."""
    monkeypatch.setenv("KEEPALIVE_JIT", "")
    (machine.store().folder / watching.MARK).unlink(missing_ok=True)
    before = watching._all_compiled()
    watching.compile_all()

    assert [False, True] == [before, watching._all_compiled()]


@pytest.mark.slow
def test_the_process_that_compiles_runs_nothing_from_the_current_folder(tmp_path, monkeypatch):
    """Modules, programs and settings beside a capture are not run or obeyed, not even where the cache is relative."""
    monkeypatch.setenv("KEEPALIVE_JIT", "")
    witness = plant(tmp_path)
    monkeypatch.chdir(tmp_path)
    child = watching._compile_elsewhere()

    assert 0 == child.wait(120)
    assert not witness.exists()


def test_the_process_that_compiles_imports_from_where_this_one_does_but_not_from_here(tmp_path, monkeypatch):
    """The current folder and relative ones are left out, however they came to be on the path."""
    monkeypatch.chdir(tmp_path)
    machine.store()
    monkeypatch.setattr(sys, "path", ["", "below", str(tmp_path), str(tmp_path / "gone"), *sys.path])
    monkeypatch.setattr(subprocess, "Popen", lambda words, **options: (words, options["cwd"]))
    (_, safe, _, code), folder = watching._compile_elsewhere()
    path = ast.literal_eval(code.partition("sys.path[:] = ")[2].partition(";")[0])

    assert ("-P", "/") == (safe, folder)
    assert str(Path(analyzer.__file__).parents[1]) == path[0]
    assert str(tmp_path / "gone") in path
    assert not {"", "below", str(tmp_path)} & set(path)


def test_without_a_folder_for_code_a_watch_stays_plain(host, monkeypatch):  # noqa: F811
    """No process is started whose work nobody could take over, and it is told."""
    told = {}
    monkeypatch.setattr(notices, "_TOLD", told)
    monkeypatch.setenv("KEEPALIVE_JIT", "")
    monkeypatch.setattr(watching, "BUSY", 50)
    monkeypatch.setattr(machine, "store", lambda: None)
    monkeypatch.setattr(watching, "_compile_elsewhere", None)
    with analyzer.watch() as watch, running(watch):
        within(lambda: send_datagrams(60) or told)

    assert not watch.reader.jit
    assert [watching.NOT_COMPILED] == list(told)


def test_what_loops_are_compiled_on_is_a_syn():
    """The frame that runs through every loop is one that reaches the tracker."""
    decoder = FrameDecoder()
    decoder.add(SYN, 1, 1)
    batch = decoder.take()

    assert [0x02] == batch.rows["flags"].tolist()
    assert [(4001, 4002)] == batch.rows[["src_port", "dst_port"]].tolist()


def test_without_a_compiler_nothing_counts_as_compiled(monkeypatch):
    """Where numba is missing, code that is in the cache is not asked for."""
    monkeypatch.setattr(versions, "installed", lambda _: None)

    assert not watching._all_compiled()
    assert not watching._can_compile_elsewhere()
    monkeypatch.setattr(watching, "ready", lambda: False)
    with pytest.raises(SystemExit):
        watching.compile_all()
