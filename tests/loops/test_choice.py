"""Whether loops run compiled."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from analyzer.loops import canary, choice, machine, notices, shipped, versions
from analyzer.loops.choice import jit_wanted

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A process that has not found out yet, with a cache of its own and nothing that came along; what it tells."""
    told = {}
    monkeypatch.setattr(shipped, "_here", lambda: None)
    monkeypatch.setattr(choice, "_READY", [])
    monkeypatch.setattr(choice, "_REHEARSALS", [])
    monkeypatch.setattr(choice, "_CREWS", [])
    monkeypatch.setattr(machine, "_HELPERS", [])
    monkeypatch.setattr(notices, "_TOLD", told)
    monkeypatch.setattr(machine, "store", lambda: None)
    monkeypatch.setattr(machine, "_DISTRUSTED", type(machine._DISTRUSTED)())
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    canary.begin_anew()
    yield told
    canary.begin_anew()


@pytest.mark.parametrize(
    ("value", "large", "expected"),
    [
        (None, True, True),
        (None, False, False),
        ("0", True, False),
        ("1", False, True),
        ("numba", False, True),
        ("", True, True),
        ("yes", False, False),
    ],
)
def test_the_environment_overrules_the_size(monkeypatch, value, large, expected):
    """KEEPALIVE_JIT=0 forbids compilation, =1 and =numba force it, anything else leaves it to the size."""
    monkeypatch.setattr(choice, "ready", lambda: True)
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    if value is not None:
        monkeypatch.setenv("KEEPALIVE_JIT", value)

    assert expected == jit_wanted(large=large)


@pytest.mark.parametrize("works", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_a_caller_who_asks_is_obeyed_where_it_works(monkeypatch, asked, works):
    """An argument goes before size and environment; what does not work here is not done for anybody."""
    monkeypatch.setattr(choice, "ready", lambda: works)
    monkeypatch.setenv("KEEPALIVE_JIT", str(int(not asked)))

    assert (asked and works) == jit_wanted(large=not asked, asked=asked)


def test_a_rehearsal_does_not_wait_for_what_it_is_part_of(monkeypatch, fresh):
    """A loop that is called in a rehearsal runs compiled where that is forced, and does not ask anew whether it can."""
    monkeypatch.setenv(machine.JIT_VARIABLE, "1")
    monkeypatch.setattr(machine, "rehearsing", lambda: True)
    monkeypatch.setattr(choice, "ready", lambda: pytest.fail("waits for itself"))

    assert jit_wanted(large=False)


def test_what_is_not_large_asks_for_no_compiler(monkeypatch, fresh):
    """Nobody is told of a missing compiler who would not have used it."""
    monkeypatch.setattr(versions, "installed", lambda _: None)

    assert not jit_wanted(large=False)
    assert {} == fresh


def test_a_missing_compiler_is_told_once(monkeypatch, fresh):
    """Without numba everything runs plain, and it is said what that costs."""
    monkeypatch.setattr(versions, "installed", lambda _: None)

    assert [False, False] == [jit_wanted(large=True) for _ in range(2)]
    assert [f"numba is not installed, {choice.COST}"] == list(fresh)


def test_a_compiler_that_cannot_be_imported_is_told(monkeypatch, fresh):
    """What numba raises when it is imported, such as that numpy is too new, is passed on in one line."""
    pytest.importorskip("numba")
    monkeypatch.setitem(sys.modules, "analyzer.loops.compiler", None)
    monkeypatch.delattr("analyzer.loops.compiler", raising=False)

    assert not jit_wanted(large=True)
    (sentence,) = fresh
    assert "compiling does not work (ModuleNotFoundError: import of analyzer.loops.compiler halted" in sentence


def test_compiled_code_that_is_wrong_is_not_run(monkeypatch, fresh):
    """If what the canary does differs from its plain twin, everything runs plain."""
    monkeypatch.setattr(canary, "sings", lambda: False)

    assert not jit_wanted(large=True)
    assert [f"compiled code gives wrong results, {choice.COST}"] == list(fresh)


def test_kept_code_that_is_wrong_is_compiled_anew(monkeypatch, fresh):
    """If the canary sings once nothing that was kept is used, only that is distrusted."""
    monkeypatch.setattr(canary, "sings", machine._DISTRUSTED.is_set)

    assert jit_wanted(large=True)
    assert ["compiled code that was kept is not used, and compiled anew: compiled code gives wrong results"] == list(
        fresh
    )


def test_without_numba_and_llvmlite_a_report_is_the_same(tmp_path):
    """Where neither can be imported, a capture that would be compiled for gives the same report, and one sentence."""
    code = (
        "import sys\n"
        "from importlib import metadata\n"
        "sys.modules['numba'] = sys.modules['llvmlite'] = None\n"
        "asked = metadata.version\n"
        "def version(name):\n"
        "    if name in ('numba', 'llvmlite'):\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return asked(name)\n"
        "metadata.version = version\n"
        "from analyzer.cli import command\n"
        "command()\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, "report", CAPTURES / "founding_go_fin60.pcap"],
            env={"KEEPALIVE_JIT": jit, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        for jit in ("0", "1")
    ]

    assert runs[0].stdout == runs[1].stdout
    assert ["", f"keepalive: numba is not installed, {choice.COST}\n"] == [run.stderr for run in runs]


def touch():
    """Call one of the canary's loops compiled: a rehearsal of a program that has no other."""
    canary.returns_one.compiled(np.array([(1, 2, 3)], canary.RECORD)[0], np.arange(3))


@pytest.fixture
def crews(monkeypatch, fresh):
    """The crews that are put together: the names of their loops, and whether they leave a processor to us."""
    together = []

    class Idle:
        working = True

        def __init__(self, parts, *, last, behind):
            together.append(([part.name for part in parts], [part.name for part in last], behind))

        def made(self, *_):
            return None

        def progress(self):
            return 1, 3

    monkeypatch.setattr("analyzer.loops.crew.Crew", Idle)
    monkeypatch.setattr(machine, "_HELPERS", [])
    monkeypatch.setattr(choice, "_REHEARSALS", [touch, touch])
    return together


def test_a_first_run_puts_a_crew_together(crews):
    """Loops that are not kept, the canary's and those of rehearsals, are compiled side by side, which shows."""
    pytest.importorskip("numba")
    assert choice.progress() is None
    assert jit_wanted(large=True)
    assert jit_wanted(large=True)

    assert [(["returns_several", "returns_one", "returns_nothing"], [], False)] == crews
    assert (1, 3) == choice.progress()


def test_what_is_read_plainly_in_less_time_is_read_plainly_meanwhile(crews):
    """A large capture that is not huge waits for no compiler: a crew works behind, until its loops are there."""
    pytest.importorskip("numba")
    assert not jit_wanted(large=True, huge=False)
    assert [True] == [behind for _, _, behind in crews]

    choice._CREWS[0].working = False
    assert jit_wanted(large=True, huge=False)
    assert 1 == len(crews)


@pytest.mark.parametrize("forced", ["1", ""])
def test_a_rehearsal_waits_for_nothing(crews, monkeypatch, forced):
    """What is rehearsed asks, too, whether loops run compiled: it is told so at once, and rehearses them."""
    pytest.importorskip("numba")
    monkeypatch.setenv("KEEPALIVE_JIT", forced)
    answers = []

    def rehearse():
        answers.append((jit_wanted(large=True, huge=False), jit_wanted(large=False)))
        touch()

    monkeypatch.setattr(choice, "_REHEARSALS", [rehearse])
    asking = threading.Thread(target=lambda: answers.append(jit_wanted(large=True)), daemon=True)
    asking.start()
    asking.join(120)

    assert not asking.is_alive()
    assert [(True, bool(forced)), True] == answers


def test_no_crew_where_all_is_kept(crews, monkeypatch):
    """Where every loop is kept none is needed, and the next process need not rehearse to know."""
    pytest.importorskip("numba")
    marks = {}

    class Store:
        def kept(self, name):
            return marks.get(name)

        def keep(self, name, about, code):
            marks[name] = about, code

    monkeypatch.setattr(machine, "kept", lambda *_: ({}, b""))
    monkeypatch.setattr(machine, "store", Store)
    assert not choice.kept()
    assert choice.at_hand()
    assert [] == crews
    assert {choice.COMPLETE: ({}, b"")} == marks
    assert choice.kept()

    choice._CREWS.clear()
    monkeypatch.setattr(choice, "rehearsed", lambda *_: pytest.fail("rehearsed again"))
    assert choice.at_hand()
    assert [] == crews
