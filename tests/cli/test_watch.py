"""``keepalive watch``: events as they come, the table, the report at the end, and what can go wrong."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from analyzer.analyzing import analyze
from analyzer.cli import watch as verb
from tests.loopback import connected, exchange, host, probe_every_second, send_datagrams, within  # noqa: F401

ROOT = Path(__file__).parents[2]
live = pytest.mark.live
PATIENCE_S = 120
"""No program of a test runs for longer."""


class Running:
    """A ``keepalive watch`` that runs as a program, in the namespace of the test."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "analyzer", "watch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0", "COLUMNS": "100"},
            **options,
        )
        self._patience = threading.Timer(PATIENCE_S, self.process.kill)
        self._patience.start()
        self.err = self.process.stderr.readline()
        assert "; stop with Ctrl-C" in self.err, self.err + self.process.stderr.read()

    def line(self, words):
        """Wait for a line with these words on stdout."""
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(f"{words} did not come: {self.process.stderr.read()}")

    def stop(self, number=signal.SIGINT):
        """Send a signal and return status, stdout and stderr."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self._patience.cancel()
        return self.process.returncode, out, self.err + err


@live
def test_events_come_as_they_happen_and_the_report_at_the_end(host, tmp_path):  # noqa: F811
    """Probes, FIN and verdict are lines while they happen; Ctrl-C ends with the report; the file gives the same."""
    running = Running("-i", "lo", "-w", str(tmp_path / "out.pcap"), "tcp", "port", "4001")
    with connected() as (client, server):
        probe_every_second(server)
        client.sendall(b"howdy")
        assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  flow 0: 127.0.0.1:\d+ \(client\) to 127", running.line("flow 0:"))
        assert "answered in" in running.line("server probes")
        client.shutdown(socket.SHUT_WR)
        assert "client FIN-WAIT-1, server CLOSE-WAIT" in running.line("client sends FIN")
        assert "the server has not" in running.line("half_closed: the client has closed its side")
        status, out, err = running.stop()

    assert 0 == status
    assert "1 flow: 1 half_closed" in out
    assert "watching lo ((tcp port 4001) or arp or icmp or icmp6); stop with Ctrl-C" in err
    assert f" packets are in {tmp_path / 'out.pcap'}" in err


@live
def test_the_json_is_that_of_the_file(host, tmp_path):  # noqa: F811
    """With --json there is nothing but the report, equal to that of the packets, but for the path."""
    path = str(tmp_path / "out.pcap")
    running = Running("-i", "lo", "--json", "-w", path)
    exchange()
    send_datagrams(3)
    status, out, _ = running.stop(signal.SIGTERM)
    again = subprocess.run(
        [sys.executable, "-m", "analyzer", "report", "--json", path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout
    seen, read = json.loads(out), json.loads(again)

    assert (0, "lo", path) == (status, seen["captures"][0].pop("path"), read["captures"][0].pop("path"))
    assert read == seen
    assert ["closed"] == [flow["ending"]["verdict"] for flow in seen["flows"]]


@live
def test_json_lines_are_events_then_flows(host):  # noqa: F811
    """Each line is an object: what happened, at last each flow as the report has it."""
    running = Running("--port", "4001", "--jsonl", "--sockets")
    with connected() as (client, server):
        client.sendall(b"howdy")
        client.shutdown(socket.SHUT_WR)
        assert server.recv(9)
        first = [json.loads(running.line("{")) for _ in range(3)]
        _, out, err = running.stop()
    rest = [json.loads(line) for line in out.splitlines()]

    assert ["flow", "fin", "verdict"] == [each["event"] for each in first]
    assert "CLOSE-WAIT" == first[2]["kernel"]["b"]["state"]
    assert str(os.getpid()) in first[2]["kernel"]["b"]["holders"]
    assert ["report"] == [each["event"] for each in rest]
    assert rest[0]["ending"]["verdict"] in {"closing", "half_closed"}  # as long as the stop took
    assert "the kernel of this host sent 0 keepalive probes meanwhile (TcpExtTCPKeepAlive); 0 were captured" in err


@live
def test_processes_and_the_kernels_states_are_told(host):  # noqa: F811
    """With --sockets lines name the process that holds a socket; the kernel's count is beside ours at the end."""
    running = Running("--port", "4001", "--sockets")
    with connected() as (client, server):
        probe_every_second(server)
        client.sendall(b"howdy")
        client.close()
        line = running.line("server probes, after")
        server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)  # no probe may come while it stops
        _, _, err = running.stop()

    # on a busy machine the kernel is asked later, which is said
    assert re.search(rf"; kernel(?: [\d.]+ m?s later)?: server CLOSE-WAIT, pid {os.getpid()} \(", line), line
    counts = re.search(r"sent (\d+) keepalive probes meanwhile \(TcpExtTCPKeepAlive\); (\d+) were captured", err)
    assert int(counts[1]) == int(counts[2]) >= 1


@live
def test_what_the_host_says_is_kept_beside_the_packets(host, tmp_path, keepalive):  # noqa: F811
    """A pcapng file of -w holds traffic and the kernel's own view together, which explain tells below the story."""
    kept = tmp_path / "kept.pcapng"
    running = Running("--port", "4001", "--sockets", "-w", str(kept))
    with connected() as (client, server):
        probe_every_second(server)
        client.sendall(b"howdy")
        client.close()
        running.line("server probes, after")
        running.stop()
    told = " ".join(keepalive("explain", kept).out.split())

    assert "What the host's own kernel said" in told
    assert re.search(rf"server CLOSE-WAIT; keepalive timer, [\d.]+ s to go; open in process {os.getpid()} \(", told)
    assert re.search(r"net\.ipv4\.tcp_keepalive_time = \d+", told)
    assert re.search(r"grew meanwhile: TCPKeepAlive by [1-9]", told)


@live
def test_a_terminal_gets_a_table(host):  # noqa: F811
    """On a terminal flows are drawn with states and countdown, and the report comes when it is taken away."""
    shown, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "analyzer", "watch", "--port", "4001", "--sockets"],
        stdout=terminal,
        stderr=terminal,
        stdin=terminal,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0", "COLUMNS": "100", "TERM": "xterm"},
    )
    os.close(terminal)
    drawn = ""

    def read(pattern):
        """Wait until something was drawn, in whichever of the pictures since the last time."""
        nonlocal drawn
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, drawn)):
            assert time.monotonic() < deadline, drawn
            if select.select([shown], [], [], 0.1)[0]:
                drawn += os.read(shown, 65536).decode(errors="replace")
        drawn = drawn[found.end() :]

    try:
        read("no flow probes or is half-closed yet")
        with connected() as (client, server):
            probe_every_second(server)
            client.sendall(b"howdy")
            read(r"\d+ probes?, \d+ answered")
            read("next in")
            client.close()
            read(r"server CLOSE-WAIT, seen, held by pid \d")
            process.send_signal(signal.SIGINT)
            read("1 flow: 1 (half_closed|closing)")  # the FIN may have come within the last second
            process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        os.close(shown)

    assert 0 == process.returncode


@live
def test_a_count_and_a_duration_end_it(host, keepalive):  # noqa: F811
    """After so many packets, or so many seconds, the report comes by itself."""
    ended = threading.Event()
    sender = threading.Thread(target=_send_inside, args=(host, ended))
    sender.start()
    try:
        counted = keepalive("watch", "-i", "lo", "-c", "5", "-n")
    finally:
        ended.set()
        sender.join()
    timed = keepalive("watch", "--duration", "0.2", "--json")

    assert (0, 0) == (counted.status, timed.status)
    assert "no TCP in 5 frames" in counted.out
    assert [] == json.loads(timed.out)["flows"]


def _send_inside(host, ended):  # noqa: F811
    """Send datagrams until somebody has seen enough of them."""
    with host.inside():
        while not ended.wait(0.05):
            send_datagrams(1)


@live
def test_fail_on_is_the_exit_status(host):  # noqa: F811
    """A verdict that was named makes the status 1, and it is said which flow met it."""
    running = Running("--port", "4001", "--fail-on", "closed")
    exchange()
    status, _, err = running.stop()

    assert 1 == status
    assert re.search(r"keepalive: --fail-on: flow 0 \(127\.0\.0\.1:\d+ and 127\.0\.0\.1:4001\) is closed", err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "nope0"], "keepalive: cannot capture on nope0: there is no such interface. There are: "),
        (["-c", "0"], "keepalive watch: argument -c: 0 is not a number from 1 on"),
        (["--duration", "soon"], "argument --duration: soon is not a number of seconds"),
        (["--duration", "-1"], "argument --duration: -1 is not a number of seconds"),
        (["--port", "http"], "argument --port: http is not a port number"),
        (["--fail-on", "dead"], "--fail-on: no verdict, finding or cause is called dead"),
        (["-w", "README.md"], "README.md exists; --force overwrites it"),
    ],
)
def test_mistakes_are_usage_errors(keepalive, arguments, message):
    """A wrong option is told in one line, with status 2, before anything is captured."""
    outcome = keepalive("watch", *arguments)

    assert 2 == outcome.status
    assert message in outcome.err
    assert "" == outcome.out


@live
def test_a_wrong_filter_is_a_usage_error(keepalive):
    """Libpcap's reason is shown, with status 2."""
    outcome = keepalive("watch", "-i", "lo", "tcp", "prot", "80")

    assert 2 == outcome.status
    assert 'the filter "tcp prot 80" is wrong: ' in outcome.err


@live
def test_a_file_that_cannot_be_written_is_an_error(keepalive):
    """A folder that is not there is told, with status 2."""
    outcome = keepalive("watch", "-i", "lo", "-w", "/nowhere/out.pcap")

    assert 2 == outcome.status
    assert "/nowhere/out.pcap: cannot be written (No such file or directory)" in outcome.err


def test_without_privilege_the_status_is_three(keepalive, monkeypatch):
    """What is not permitted has a status of its own, and the remedy in the message."""

    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("scapy.arch.linux.L2ListenSocket", refuse)
    outcome = keepalive("watch", "-i", "lo")

    assert 3 == outcome.status
    assert "cannot capture on lo: capturing is not permitted. " in outcome.err


def test_sockets_are_asked_on_linux_only(keepalive, monkeypatch):
    """Elsewhere the option is refused, not ignored."""
    monkeypatch.setattr("analyzer.sockets.available", lambda: False)
    outcome = keepalive("watch", "--sockets")

    assert (2, True) == (outcome.status, "--sockets asks the Linux kernel" in outcome.err)


@live
def test_packets_on_a_full_disk_are_lost_and_the_report_is_not(host, tmp_path):  # noqa: F811
    """The file ends, with a warning that says how many packets are in it, the capture goes on, and the status tells."""
    folder = host.start("sleep", "60")  # somebody to own the mount
    run = ["nsenter", "-t", str(folder.pid), "-n", "unshare", "-m", "sh", "-c"]
    script = (
        "mount -t tmpfs -o size=8k none /mnt && "
        f"{sys.executable} -m analyzer watch -i lo --json -s 65535 -w /mnt/out.pcap -c 40; status=$?; "
        f"cp /mnt/out.pcap {tmp_path}/kept.pcap; exit $status"
    )
    process = subprocess.Popen(
        [*run, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0"},
    )
    assert "stop with Ctrl-C" in process.stderr.readline()
    send_datagrams(40, b"x" * 1000)
    out, err = process.communicate(timeout=PATIENCE_S)
    (capture,) = json.loads(out)["captures"]

    told = re.search(r"No space left on device\); it ends with frame ([1-9]\d?), the capture went on", err)
    kept = analyze(str(tmp_path / "kept.pcap")).captures[0]

    assert (2, 40) == (process.returncode, capture["frames"])
    assert (int(told[1]), []) == (kept.frames, kept.warnings)
    assert f"{kept.frames} packets are in /mnt/out.pcap" in err
    assert capture["warnings"]


@live
def test_a_moment_of_half_closure_is_no_event_and_a_lasting_one_is(host):  # noqa: F811
    """Connections that end in order are not told; one that stays half-closed is, and then also that it closed."""
    running = Running("--port", "4001")
    exchange()
    with connected() as (client, server):
        client.shutdown(socket.SHUT_WR)
        first = running.line("flow")
        running.line("half_closed: ")
        server.close()
        running.line("closed: Closed by both ends")
    status, out, _ = running.stop()

    assert 0 == status
    assert "flow 1: " in first
    assert "flow 0: " not in out


class Scraped:
    """A ``keepalive watch --metrics`` that runs as a program."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "analyzer", "watch", "-i", "lo", "--port", "4001", "--metrics", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0"},
        )
        self.url = self.process.stderr.readline().removeprefix("keepalive: metrics: ").strip()
        self.process.stderr.readline()

    def samples(self):
        """Scrape, and return what is there by name and labels."""
        from prometheus_client.parser import text_string_to_metric_families

        with urlopen(self.url, timeout=PATIENCE_S) as answer:
            text = answer.read().decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def wait_for(self, condition):
        """Scrape until a condition holds."""
        end_s = time.monotonic() + PATIENCE_S
        while not condition(found := self.samples()):
            assert time.monotonic() < end_s, found
            time.sleep(0.05)
        return found


@live
def test_metrics_are_scraped(host):  # noqa: F811
    """While it runs, Prometheus is answered on the loopback address: live flows, then those that are over."""
    pytest.importorskip("prometheus_client")
    watch = Scraped()
    try:
        assert watch.url.startswith("http://127.0.0.1:")
        with connected() as (client, _):
            client.sendall(b"howdy")
            client.shutdown(socket.SHUT_WR)
            found = watch.wait_for(lambda each: each["keepalive_ends_live", "FIN-WAIT-2"] == 1)
            assert 1 == found["keepalive_ends_live", "CLOSE-WAIT"]
            assert found["keepalive_tcp_segments_total",] >= 6
        watch.wait_for(
            lambda each: each["keepalive_flows_live", "closed"] + each["keepalive_flows_live", "aborted"] == 1
        )
    finally:
        watch.process.send_signal(signal.SIGINT)
        watch.process.communicate(timeout=PATIENCE_S)


@live
def test_a_real_prometheus_scrapes(host, tmp_path):  # noqa: F811
    """Prometheus itself takes what is answered."""
    pytest.importorskip("prometheus_client")
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus")
    watch = Scraped()
    (tmp_path / "p.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: keepalive\n  static_configs:\n"
        f"  - targets: ['{watch.url.split('/')[2]}']\n"
    )
    server = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={tmp_path}/p.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            "--web.listen-address=127.0.0.1:9099",
            "--log.level=error",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end_s = time.monotonic() + PATIENCE_S
        found = []
        while not found:
            assert time.monotonic() < end_s
            time.sleep(0.2)
            with (
                contextlib.suppress(OSError),
                urlopen("http://127.0.0.1:9099/api/v1/query?query=keepalive_flows_live", timeout=5) as answer,
            ):
                found = json.load(answer)["data"]["result"]
        assert {"closed", "open", "half_closed"} <= {each["metric"]["verdict"] for each in found}
    finally:
        for process in (server, watch.process):
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("where", ["x", "1.2.3.4", "127.0.0.1:", ":99999", "-1"])
def test_an_address_that_is_none_is_said(where, capsys):
    """--metrics takes a port, or an address and a port."""
    from analyzer.cli.options import MisuseError

    with pytest.raises(MisuseError, match="expected a port"):
        verb._address(where)
    assert ("127.0.0.1", 9105) == verb._address("9105")
    assert ("::1", 9105) == verb._address("[::1]:9105")
