"""Marks, kept in a file and merged by frame."""

import tracemalloc

import numpy as np
import pytest

from analyzer.wireshark.mark_store import HELD, MARK, Marks


def marks_at(frames, whats=0):
    """A mark for each frame."""
    marks = np.zeros(len(frames), dtype=MARK)
    marks["frame"], marks["what"], marks["flow"] = frames, whats, np.asarray(frames) * 3
    return marks


@pytest.mark.parametrize("run", [1, 7, 100, 10_000])
def test_marks_come_by_frame_and_kind(run):
    """However few are sorted at a time, and however they came, all marks come out in order, once each."""
    frames = np.random.default_rng(1).integers(1, 2000, 5000)
    marks = marks_at(frames, frames % 7)
    with Marks(run) as kept:
        for at in range(0, len(marks), 13):
            kept.add(marks[at : at + 13])
        found = list(kept)

    assert marks[np.lexsort((marks["what"], marks["frame"]))].tolist() == found


def test_long_runs_are_read_on():
    """A run is read part by part, beside another."""
    with Marks(2 * HELD + 1) as kept:
        kept.add(marks_at(np.arange(0, 4 * HELD + 2, 2)))
        kept.add(marks_at(np.arange(1, 4 * HELD + 2, 2)))
        found = [mark[0] for mark in kept]

    assert [*range(4 * HELD + 2)] == found


def test_no_marks_are_nothing():
    """Without marks nothing comes out."""
    with Marks() as kept:
        kept.add(marks_at([]))

        assert [] == list(kept)


def test_memory_does_not_grow_with_their_number():
    """Four times the marks take no more memory, in or out."""
    peaks = []
    for count in (100_000, 400_000):
        tracemalloc.start()
        with Marks(1 << 12) as kept:
            for at in range(0, count, 1000):
                kept.add(marks_at(np.arange(at, at + 1000)))
            assert count == sum(1 for _ in kept)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < peaks[0] * 1.5
