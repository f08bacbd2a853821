"""A short run of every fuzz target, bounded by counts, and that fuzzing would notice what it is there for."""

import ctypes
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture.frame import FRAME
from analyzer.capture.headers import decode
from analyzer.segment import SEGMENT, SegmentBatch
from tests.fuzz import guided, run, seeds, targets
from tests.fuzz.guard import PAGE, GuardedPages, guarded
from tests.traffic import captures

SHORT = {"decode": 150_000, "framing": 2048, "tracker": 256, "whole": 512, "text": 256, "share": 256}
"""Executions of each target: about a minute together on two slow cores."""
SEED = 20190612
KILLED = (-signal.SIGSEGV, -signal.SIGBUS)
"""What becomes of a process that touches a forbidden page: Linux, macOS."""


@pytest.fixture(autouse=True)
def _compiled_and_guarded():
    """Skip where nothing can be compiled."""
    pytest.importorskip("numba")


def status_of_child(action):
    """Run something in a child and return how it ended."""
    child = run.fork()
    if child == 0:
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def decode_one(octets, *, claimed, at_end):
    """Decode one frame between guard pages, compiled, whatever its length is said to be; its outcome counts."""
    guarded = GuardedPages()
    frames = np.zeros(1, dtype=FRAME)
    frames["at"] = guarded.put(5, octets, at_end=at_end)
    frames["captured"] = frames["original"] = claimed
    frames["link_type"] = 1
    rows, numbers = np.zeros(1, dtype=SEGMENT), np.zeros(3, dtype=np.int64)
    return decode.compiled(guarded.octets, frames, 1, 1, rows, numbers.copy(), numbers, 0)


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_a_short_run_finds_nothing(target):
    """This many executions of each target end with nothing found."""
    assert (True, "") == ((ran := run.run_child(target, SEED, 0, SHORT[target]))[0] >= SHORT[target], ran[1])


@settings(max_examples=60, deadline=None)
@given(captures(30), st.integers(0, 1 << 32))
def test_disturbed_sequences_keep_the_books(rows, seed):
    """Whatever is repeated, lost, swapped or moved to a limit, plain and compiled agree, and the invariants hold."""
    if len(rows):
        rows = targets.disturbed(rows, np.random.default_rng(seed))
    batches = [SegmentBatch(rows, len(rows))]

    plain, compiled = targets.tracked(batches, jit=False, seed=1), targets.tracked(batches, jit=True, seed=seed)
    by_plain, by_compiled = targets.judged([plain, compiled])

    assert by_plain == by_compiled


@pytest.mark.parametrize("target", sorted(guided.TARGETS))
def test_what_coverage_led_fuzzing_begins_with_holds(target):
    """Every seed passes its target of atheris, and so do no octets at all."""
    for octets in [b"", *guided.corpora()[target][:12]]:
        guided.TARGETS[target](octets)


@pytest.mark.slow
def test_coverage_led_fuzzing_runs():
    """Atheris runs a target as often as it is told, and comes to an end."""
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "tests.fuzz.guided", "framing", "-runs=2000", "-seed=1"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], check=False, capture_output=True, text=True, timeout=300
    )

    assert (0, ["2000"]) == (done.returncode, re.findall(r"(?m)^Done (\d+) runs", done.stderr))


@pytest.mark.parametrize("at_end", [True, False])
def test_a_frame_between_guard_pages_is_decoded(at_end):
    """A whole frame flush with either end of its page gives a row."""
    octets, _ = seeds.frames()[0]

    assert (1, 0, 0) == decode_one(octets, claimed=len(octets), at_end=at_end)


def test_reading_one_octet_too_far_kills():
    """Compiled code that believes a frame to be longer than it is dies at the guard page."""
    octets, _ = seeds.frames()[1]
    cut = octets[:33]

    assert status_of_child(lambda: decode_one(cut, claimed=len(octets), at_end=True)) in KILLED


@pytest.mark.parametrize("index", [0, -1])
def test_memory_before_the_first_and_behind_the_last_page_is_forbidden(index):
    """Pages next to data cannot be read, the outermost included."""
    guarded = GuardedPages()
    flat = np.frombuffer(guarded._memory, dtype=np.uint8)
    at = int(guarded.starts[index]) + (-1 if index == 0 else PAGE)

    assert status_of_child(lambda: flat[at] + 1) in KILLED


@pytest.mark.parametrize("at", [-3, -1, 3, 5])
def test_a_table_is_guarded_too(at):
    """Reading a record before or behind a table, where its pages end, kills."""
    table = guarded(np.zeros(3, dtype=[("all", np.uint8, PAGE)]))
    begin = table.ctypes.data

    assert status_of_child(lambda: ctypes.string_at(begin + at * PAGE, 1)) in KILLED


def test_a_difference_between_plain_and_compiled_is_found(monkeypatch):
    """A run of a target whose plain twin says something else ends with its seed and batch."""
    monkeypatch.setattr(targets.segment, "bare", lambda *_: 1, raising=False)
    ran, failed = run.run_child("decode", SEED, 3, 1)

    assert 0 == ran
    assert failed.startswith(f"batch 3 of seed {SEED}: FoundError: ")
    assert failed.endswith(f"--seed {SEED} --batch 3")
