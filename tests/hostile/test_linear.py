"""Twice as many frames cost twice as much, whatever they are: counted in calls of functions, not in seconds."""

import contextlib
import cProfile
import io
import tracemalloc

import pytest

from analyzer.capture import open_capture
from analyzer.capture.window import Window
from analyzer.cli import main
from analyzer.track import leaps, tracker
from tests.hostile.floods import FLOODS, OTHERS, TEXTS, flood, text_flood
from tests.vantages import ACK, PSH, World, keepalive

FEW, FRAMES = 40, 250
TOLERANCE = 1.0215
"""What grows with the square, and takes as much as all else of 11,600 frames, is found."""


@pytest.fixture(autouse=True)
def _plain_in_pieces(monkeypatch):
    """Run plain loops, over several pieces of what is read."""
    monkeypatch.setenv("KEEPALIVE_JIT", "0")
    monkeypatch.setattr(leaps, "CHUNK_PLAIN", 128)


def calls_of(arguments):
    """How many functions, built-in ones too, a run of the command calls."""
    profile = cProfile.Profile()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        profile.enable()
        with contextlib.suppress(SystemExit):
            main(arguments)
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def growth(runs, frames=FRAMES):
    """How much more twice as many frames cost, over what they cost if each costs the same; runs by number of frames."""
    calls_of(runs[FEW])  # what is imported and made once
    few, once, twice = (calls_of(runs[count]) for count in (FEW, frames, 2 * frames))
    return (twice - few) / (once - few) / ((2 * frames - FEW) / (frames - FEW))


@pytest.mark.parametrize("arguments", [("report",), ("report", "--jsonl"), ("explain",)], ids=" ".join)
@pytest.mark.parametrize("kind", FLOODS)
def test_twice_the_frames_take_twice_the_calls(kind, arguments, tmp_path):
    """No part of a run grows with the square of what it reads."""
    verb, *more = arguments
    runs = {}
    for count in (FEW, FRAMES, 2 * FRAMES):
        path = tmp_path / f"{count}.pcap"
        path.write_bytes(flood(kind, count))
        runs[count] = [verb, str(path), *more]

    assert growth(runs) < TOLERANCE


@pytest.mark.parametrize("kind", OTHERS)
def test_twice_the_frames_of_other_kinds_take_twice_the_calls(kind, tmp_path):
    """Nor does it for other floods."""
    runs = {}
    for count in (FEW, FRAMES, 2 * FRAMES):
        path = tmp_path / f"{count}.pcap"
        path.write_bytes(flood(kind, count))
        runs[count] = ["report", str(path), "--json"]

    assert growth(runs) < TOLERANCE


@pytest.mark.parametrize("missed", ["B", ""], ids=["not captured", "lost"])
def test_twice_what_a_point_lacks_of_a_connection_takes_twice_the_calls(missed, tmp_path):
    """Nor does what becomes of packets of both ends that one of two points has alone."""
    runs = {}
    for count in (FEW, 150, 300):
        made = World()
        ends = dict(zip("ab", keepalive(made, probes=2), strict=True))
        ends = {"a": ends["a"] + 31, "b": ends["b"] + 1}
        for at in range(count):
            sender, peer = "ab"[at % 2], "ba"[at % 2]
            fate = "both" if missed else "lost"
            made.send(9 + at / 100, sender, ACK | PSH, ends[sender], ends[peer], b"data", fate=fate, missed=missed)
            ends[sender] += 4
        made.send(99, "a", ACK, ends["a"], ends["b"])
        (tmp_path / str(count)).mkdir()
        runs[count] = ["join", *made.write(tmp_path / str(count)), "--json"]

    assert growth(runs, 150) < TOLERANCE


def test_flows_that_are_not_shown_are_not_concluded(tmp_path):
    """What both sides of a translation show is looked into of the flows that a report tells of, and of no others."""
    runs = {}
    for count in (FRAMES, 2 * FRAMES):
        path = tmp_path / f"{count}.pcap"
        path.write_bytes(flood("probes before and behind a translation", count))
        runs[count] = ["report", str(path)]
    once, twice = (calls_of(arguments) for arguments in runs.values())

    assert twice - once < 500 * FRAMES  # three times as many where each is concluded


def test_a_clock_that_leaps_all_the_time_is_not_looked_into_for_ever(tmp_path, monkeypatch):
    """When as many holes are known as are told apart, segments are taken many at a time again."""
    path = tmp_path / "back.pcap"
    path.write_bytes(flood("a clock that goes back", 1200))
    parts = []
    taken = tracker.Tracker._parts
    monkeypatch.setattr(
        tracker.Tracker, "_parts", lambda self, batch: (parts.append(1) or x for x in taken(self, batch))
    )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main(["report", str(path)])

    assert 64 < len(parts) < 100


@pytest.mark.parametrize("form", [("--csv",), ("--parquet", "OUT", "--force")], ids=" ".join)
def test_flows_that_are_alike_are_written_for_less(form, tmp_path):
    """Twice as many flows that are alike take at most twice the calls in every form, because few of them are judged."""
    pytest.importorskip("pyarrow")
    runs = {}
    for count in (FEW, FRAMES, 2 * FRAMES):
        path = tmp_path / f"{count}.pcap"
        path.write_bytes(flood("a RST of each flow", count))
        runs[count] = ["report", str(path), *(str(tmp_path / "out") if word == "OUT" else word for word in form)]

    assert growth(runs) < TOLERANCE


@pytest.mark.parametrize("kind", TEXTS)
def test_twice_the_text_takes_twice_the_calls(kind, tmp_path):
    """No part of reading text, or of what follows, grows with the square of it."""
    runs = {}
    for count in (FEW, FRAMES, 2 * FRAMES):
        path = tmp_path / f"{count}.txt"
        path.write_text(text_flood(kind, count), encoding="utf-8")
        runs[count] = ["explain", str(path)]

    assert growth(runs) < TOLERANCE


@pytest.mark.parametrize("kind", FLOODS)
def test_twice_the_frames_are_shared_with_twice_the_calls(kind, tmp_path):
    """Nor does any part of making and reading a copy."""
    runs = {}
    for count in (FEW, FRAMES, 2 * FRAMES):
        path = tmp_path / f"{count}.pcap"
        path.write_bytes(flood(kind, count))
        runs[count] = ["share", str(path), str(tmp_path / str(count)), "--force"]

    assert growth(runs) < TOLERANCE
    assert (tmp_path / str(2 * FRAMES)).exists()


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if kind not in {"names", "flows"}])
def test_reading_text_takes_no_more_memory_for_more_of_it(kind, tmp_path, monkeypatch):
    """What is kept of lines that were read is nothing, but for names and connections, of which so many are kept."""
    monkeypatch.setitem(Window.__init__.__kwdefaults__, "chunk", 1 << 13)  # far less than the file
    peaks = []
    for count in (600, 1800):
        path = tmp_path / f"{count}.txt"
        path.write_text(text_flood(kind, count), encoding="utf-8")
        with open_capture(path, jit=False) as reader:
            tracemalloc.start()
            for _ in reader.batches(200):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert peaks[1] < 1.1 * peaks[0]
