"""Whether loops run compiled: the environment decides, else the caller's judgement of size, if it can be done at all.

``KEEPALIVE_JIT=0`` forbids it, ``KEEPALIVE_JIT=1`` asks for it, ``KEEPALIVE_JIT=numba`` too, through numba's own way of
calling; otherwise large captures are worth it. Where the compiler is missing, was never tested, or makes code that is
wrong, everything runs plain, with the same results, and that is told once.

This module must not know what any loop computes.
"""

from __future__ import annotations

import os
import threading
from typing import Final

from analyzer.loops import canary, machine, versions
from analyzer.loops.notices import tell

FORCED: Final = ("1", machine.BY_NUMBA)
COST: Final = "so loops run as plain Python: the same results, but a large capture takes tens of times as long"

_ONE_AT_A_TIME = threading.Lock()
_READY: list[bool] = []


def jit_allowed() -> bool:
    """Say whether the environment lets large captures be compiled for."""
    return os.environ.get(machine.JIT_VARIABLE, "") != "0"


def jit_wanted(*, large: bool, asked: bool | None = None) -> bool:
    """Say whether to run compiled loops; what the caller was ``asked`` for goes before environment and size."""
    if asked is not None:
        return asked and ready()
    return (os.environ.get(machine.JIT_VARIABLE, "") in FORCED or large) and jit_allowed() and ready()


def ready() -> bool:
    """Say whether compiled loops can be had here and work; found out once, and told if not."""
    with _ONE_AT_A_TIME:
        if not _READY:
            reason = _trouble()
            if reason:
                tell(f"{reason}, {COST}")
            _READY.append(not reason)
        return _READY[0]


def _trouble() -> str:
    """Return why compiled loops cannot be used; nothing if they can."""
    if reason := versions.unfit():
        return reason
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
