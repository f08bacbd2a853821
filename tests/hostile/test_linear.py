"""Twice as many frames cost twice as much, whatever they are: counted in calls of functions, not in seconds."""

import contextlib
import cProfile
import io

import pytest

from analyzer.cli import main
from tests.hostile.floods import FLOODS, flood

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
