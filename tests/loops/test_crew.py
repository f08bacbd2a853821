"""Loops compiled side by side, in processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from analyzer.loops import canary, crew, machine
from analyzer.loops.crew import Crew
from analyzer.loops.rehearsal import Part, rehearsed
from tests.loops.test_rehearsal import sing

pytest.importorskip("numba")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def kept(monkeypatch):
    """What is kept of what a crew makes: loops and types, in order."""
    names = []
    monkeypatch.setattr(machine, "keep", lambda loop, types, _: names.append((loop, types)))
    return names


def test_a_crew_makes_what_runs_here(kept):
    """The canary's loops come back as machine code, and do what plain ones do."""
    parts = rehearsed(sing)
    crew = Crew(parts)
    made = {part.name: crew.made(part.loop, part.types) for part in parts}
    crew.wait()
    numbers = np.arange(5)
    records = np.array([(2, 3, 4)], dtype=canary.RECORD)
    returns_one = machine._loaded(*made["returns_one"], (records[0], numbers))

    assert 12 == returns_one(records[0], numbers)
    assert {(part.loop, part.types) for part in parts} == set(kept)
    assert (3, 3) == crew.progress()
    assert not crew.working


def test_what_nobody_was_asked_for_is_not_waited_for(kept):
    """A loop that the crew does not have is compiled by whoever wants it."""
    (part, *_) = rehearsed(sing)
    crew = Crew([part])

    assert crew.made("some.other.loop", part.types) is None
    assert crew.made(part.loop, "int") is None
    crew.wait()


def test_what_cannot_be_made_is_left_to_others(kept):
    """Types that are others in the other process, and a process that fails, give nothing, and do not hang."""
    (part, *_) = rehearsed(sing)
    strange = Part(part.module, part.name, "strange types", part.arguments)
    crew = Crew([strange])

    assert crew.made(strange.loop, strange.types) is None
    crew.wait()
    assert [] == kept


@pytest.mark.parametrize("how", ["dismissed", "killed"])
def test_a_crew_that_ends_early_holds_nobody_up(kept, how):
    """Whoever waits for a loop learns that it is not to be had."""
    parts = rehearsed(sing)
    crew = Crew(parts)
    if how == "dismissed":
        crew.dismiss()
    else:
        for process in crew._processes:
            os.kill(process.pid, signal.SIGKILL)
        crew.wait()

    assert not crew.working
    assert all(crew.made(part.loop, part.types) is None or (part.loop, part.types) in kept for part in parts)
    assert all(process.returncode is not None for process in crew._processes)


def test_where_no_process_can_be_started_nobody_waits(kept, monkeypatch):
    """Without an interpreter that is known by name everything is left to the process itself."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    parts = rehearsed(sing)
    crew = Crew(parts)
    crew.wait()

    assert [None] * 3 == [crew.made(part.loop, part.types) for part in parts]


def test_the_largest_come_first_and_what_may_not_be_needed_last(monkeypatch):
    """A crew begins with what takes longest, with all that is inlined in it; once it is called, all the same."""
    parts = rehearsed(sing)
    monkeypatch.setattr(crew.Crew, "_start", lambda *_: None)
    first, second, third = sorted(parts, key=crew._size, reverse=True)
    leaving = Crew(parts, last=[first])

    assert [first, second, third] == list(Crew(parts)._waiting)
    assert [second, third, first] == list(leaving._waiting)
    leaving.wait()
    assert leaving.made(first.loop, first.types) is None
    assert [first, second, third] == list(leaving._waiting)


def test_the_processes_end_with_whoever_started_them(tmp_path):
    """A process that was killed leaves no compiler behind, in the middle of a loop or not."""
    code = (
        "import time; from analyzer.analyzing import rehearse_pcap\n"
        "from analyzer.loops.crew import Crew; from analyzer.loops.rehearsal import rehearsed\n"
        "print(*[each.pid for each in Crew(rehearsed(rehearse_pcap))._processes], flush=True); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KEEPALIVE_CACHE_DIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(each) for each in parent.stdout.readline().split()]
        parent.kill()

    assert pids
    deadline = time.monotonic() + 30
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, pids))


def runs(pid):
    """Say whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
