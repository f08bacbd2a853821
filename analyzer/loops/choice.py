"""Whether loops run compiled: the environment decides, else the caller's judgement of size, if it can be done at all.

What is not compiled yet takes some seconds, once: a crew does that (``crew``), for all loops that a rehearsal finds.
What is large, but read plainly in less time than that, is read plainly meanwhile.

``KEEPALIVE_JIT=0`` forbids it, ``KEEPALIVE_JIT=1`` asks for it, ``KEEPALIVE_JIT=numba`` too, through numba's own way of
calling; otherwise large captures are worth it. Where the compiler is missing, was never tested, or makes code that is
wrong, everything runs plain, with the same results, and that is told once.

This module must not know what any loop computes.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from analyzer.loops import canary, machine, shipped, versions
from analyzer.loops.notices import tell
from analyzer.loops.rehearsal import rehearsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.loops.crew import Crew
    from analyzer.loops.rehearsal import Part

FORCED: Final = ("1", machine.BY_NUMBA)
COST: Final = "so loops run as plain Python: the same results, but a large capture takes tens of times as long"

_ONE_AT_A_TIME = threading.Lock()
_READY: list[bool] = []


def jit_allowed() -> bool:
    """Say whether the environment lets large captures be compiled for."""
    return os.environ.get(machine.JIT_VARIABLE, "") != "0"


def jit_wanted(*, large: bool, huge: bool = True, asked: bool | None = None) -> bool:
    """Say whether to run compiled loops; what the caller was ``asked`` for goes before environment and size.

    ``large`` are captures for which compiled loops pay once they are there, ``huge`` those that are worth waiting for
    them. Of one that is large, but not huge, one may ask again while it is read.
    """
    if asked is not None:
        return asked and ready()
    if os.environ.get(machine.JIT_VARIABLE, "") in FORCED:
        # who rehearses is within ``ready``, and would wait for itself
        return machine.rehearsing() or ready()
    return large and jit_allowed() and (huge or at_hand()) and ready()


def ready() -> bool:
    """Say whether compiled loops can be had here and work; found out once, and told if not.

    Waits for what that takes, but not for all loops: a loop that is called is waited for then. A rehearsal, which is
    part of finding out, waits for nothing: its loops run plain in place of compiled ones.
    """
    if machine.rehearsing():
        return True
    with _ONE_AT_A_TIME:
        if not _READY:
            reason = _trouble()
            if reason:
                tell(f"{reason}, {COST}")
            _READY.append(not reason)
        return _READY[0]


def at_hand() -> bool:
    """Say whether ``ready`` takes no time; if not, a crew that leaves one processor to us begins to see to it."""
    if machine.rehearsing():
        return True
    with _ONE_AT_A_TIME:
        if _READY or versions.unfit():
            return True
        crew = _crew(behind=True)
        return crew is None or not crew.working


def kept() -> bool:
    """Say whether all loops of the rehearsals lie here as machine code; looks only, and begins nothing."""
    if shipped.is_there():
        return True
    store = machine.store()
    return store is not None and store.kept(COMPLETE) is not None


def rehearse_with(*runs: Callable[[], object]) -> None:
    """Take these as rehearsals: they call, compiled, all loops that reading takes; the first those most take."""
    _REHEARSALS[:] = runs


def progress() -> tuple[int, int] | None:
    """Return how many loops are compiled, of how many; None while none are being compiled."""
    crew = next(iter(_CREWS), None)
    if crew is not None and crew.working:
        return crew.progress()
    return (0, 1) if machine.compiling() else None


def finish() -> None:
    """Wait until all loops are compiled that are being compiled."""
    for crew in _CREWS:
        if crew is not None:
            crew.wait()


_REHEARSALS: list[Callable[[], object]] = []
_CREWS: list[Crew | None] = []
"""The crew of this process, once it was thought of; None if none is needed."""
COMPLETE: Final = "rehearsed"
"""What the cache has once all loops of the rehearsal are in it."""


def _crew(*, behind: bool = False) -> Crew | None:
    """Return the crew that compiles what is not kept, having started it; None if there is nothing to do for one."""
    if not _CREWS:
        _CREWS.append(_started_crew(behind=behind))
    return _CREWS[0]


def _started_crew(*, behind: bool) -> Crew | None:
    if not _REHEARSALS or os.environ.get(machine.JIT_VARIABLE) == machine.BY_NUMBA or kept():
        return None
    needed, last = _rehearsals()
    missing = [part for part in (*needed, *last) if machine.kept(part.loop, part.types) is None]
    if missing:
        from analyzer.loops.crew import Crew  # with what processes need, which takes a while to import

        crew = Crew(missing, last=last, behind=behind)
        machine.helped_by(crew.made)
        return crew
    store = machine.store()
    if store is not None:
        store.keep(COMPLETE, {}, b"")
    return None


def wanted() -> list[Part]:
    """Return all loops that the rehearsals call."""
    needed, last = _rehearsals()
    return [*needed, *last]


def _rehearsals() -> tuple[list[Part], list[Part]]:
    """Return the loops that reading takes, and those that only some captures do."""
    needed, *more = [rehearsed(run) for run in (_first, *_REHEARSALS[1:])]
    return needed, list(dict.fromkeys(part for parts in more for part in parts if part not in needed))


def _first() -> None:
    canary.sings()
    _REHEARSALS[0]()


def _trouble() -> str:
    """Return why compiled loops cannot be used; nothing if they can."""
    if reason := versions.unfit():
        return reason
    _crew()
    reason = _song()
    if not reason:
        return ""
    # what was kept may be to blame
    machine.distrust()
    canary.begin_anew()
    if again := _song():
        return again
    tell(f"compiled code that was kept is not used, and compiled anew: {reason}")
    return ""


def _song() -> str:
    """Return what is wrong with what the canary does; nothing if it sings."""
    try:
        return "" if canary.sings() else "compiled code gives wrong results"
    except Exception as error:  # noqa: BLE001 - a compiler may fail in any way, and plain loops do without it
        return f"compiling does not work ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
