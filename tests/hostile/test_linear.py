"""Twice as many frames cost twice as much, whatever they are: counted in calls of functions, not in seconds."""

import contextlib
import cProfile
import io
import tracemalloc

import pytest

from analyzer.capture import open_capture
from analyzer.capture.window import Window
from analyzer.cli import main
from tests.hostile.floods import FLOODS, TEXTS, flood, text_flood

FRAMES = 1500


def calls_of(arguments):
    """How many functions, built-in ones too, a run of the command calls."""
    profile = cProfile.Profile()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        profile.enable()
        with contextlib.suppress(SystemExit):
            main(arguments)
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("arguments", [("report",), ("report", "--jsonl"), ("explain",)], ids=" ".join)
@pytest.mark.parametrize("kind", FLOODS)
def test_twice_the_frames_take_twice_the_calls(kind, arguments, tmp_path, monkeypatch):
    """No part of a run grows with the square of what it reads."""
    monkeypatch.setenv("KEEPALIVE_JIT", "0")
    paths = [tmp_path / f"{count}.pcap" for count in (FRAMES, 2 * FRAMES)]
    for path, count in zip(paths, (FRAMES, 2 * FRAMES), strict=True):
        path.write_bytes(flood(kind, count))
    verb, *more = arguments
    calls_of([verb, str(paths[0]), *more])  # what is imported and made once
    once, twice = (calls_of([verb, str(path), *more]) for path in paths)

    assert twice < 2.25 * once


@pytest.mark.parametrize("kind", TEXTS)
def test_twice_the_text_takes_twice_the_calls(kind, tmp_path, monkeypatch):
    """No part of reading text, or of what follows, grows with the square of it."""
    monkeypatch.setenv("KEEPALIVE_JIT", "0")
    paths = [tmp_path / f"{count}.txt" for count in (FRAMES, 2 * FRAMES)]
    for path, count in zip(paths, (FRAMES, 2 * FRAMES), strict=True):
        path.write_text(text_flood(kind, count), encoding="utf-8")
    calls_of(["explain", str(paths[0])])
    once, twice = (calls_of(["explain", str(path)]) for path in paths)

    assert twice < 2.25 * once


@pytest.mark.parametrize("kind", FLOODS)
def test_twice_the_frames_are_shared_with_twice_the_calls(kind, tmp_path, monkeypatch):
    """Nor does any part of making and reading a copy."""
    monkeypatch.setenv("KEEPALIVE_JIT", "0")
    paths = [tmp_path / f"{count}.pcap" for count in (FRAMES, 2 * FRAMES)]
    for path, count in zip(paths, (FRAMES, 2 * FRAMES), strict=True):
        path.write_bytes(flood(kind, count))
    calls_of(["share", str(paths[0]), str(tmp_path / "first")])
    once, twice = (calls_of(["share", str(path), str(tmp_path / path.stem)]) for path in paths)

    assert (tmp_path / "3000").exists()
    assert twice < 2.25 * once


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if kind not in {"names", "flows"}])
def test_reading_text_takes_no_more_memory_for_more_of_it(kind, tmp_path, monkeypatch):
    """What is kept of lines that were read is nothing, but for names and connections, of which so many are kept."""
    monkeypatch.setitem(Window.__init__.__kwdefaults__, "chunk", 1 << 14)  # far less than the file
    peaks = []
    for count in (1500, 4500):
        path = tmp_path / f"{count}.txt"
        path.write_text(text_flood(kind, count), encoding="utf-8")
        with open_capture(path, jit=False) as reader:
            tracemalloc.start()
            for _ in reader.batches(500):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert peaks[1] < 1.2 * peaks[0]
