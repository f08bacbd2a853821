"""The idle time that most likely was set, where the gaps leave only bounds.

The first probe of a connection comes when the idle time has passed since its peer was last heard, if keepalive was on
by then: a timer that runs already finds out how long the connection has been idle, and waits for the rest
(Linux tcp_keepalive_timer). Only keepalive that is set up later makes that gap longer than the idle time. So one such
gap bounds it, and says what it most likely is.

It must not say anything that the bounds exclude.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.timers.lateness import UNKNOWN, late
from analyzer.tolerances import OPTION_LEAST_NS, S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.settings import Settings

LONGEST_S: Final = 7200
"""Beyond the default of all systems nobody sets whole seconds on purpose."""


class Likely(NamedTuple):
    """A whole number of seconds, and the gap that shows it."""

    value_ns: int
    gap_ns: int
    """From the last segment of the peer that was not keepalive to the first probe."""


def likely_idle(settings: Settings, probes: Sequence[Probe]) -> Likely | None:
    """Return the idle time that is most likely, of a prober whose connection was captured from the handshake on.

    ``probes`` are all of that prober, in order. None where the gaps tell a value, where another gap contradicts, or
    where more than one whole number of seconds fits.
    """
    idle, first = settings.idle, probes[0]
    if idle is None or idle.value_ns is not None or idle.low_ns > OPTION_LEAST_NS or settings.changes:
        return None
    if first.idle_ns is None or first.frame not in idle.frames or first.certainty == "suspected":
        return None
    most_ns = idle.high_ns if settings.period is None else min(idle.high_ns, settings.period.high_ns)
    value_ns = whole_seconds(most_ns, first.idle_ns)
    return None if value_ns is None else Likely(value_ns, first.idle_ns)


def whole_seconds(most_ns: int, gap_ns: int) -> int | None:
    """Return the timer of whole seconds, no longer than ``most_ns``, that alone may have filled a gap, or None."""
    highest_s = most_ns // S
    if not 0 < highest_s <= LONGEST_S or gap_ns - highest_s * S > late(highest_s * S, UNKNOWN):
        return None
    below = highest_s - 1
    if below > 0 and gap_ns - below * S <= late(below * S, UNKNOWN):
        return None
    return highest_s * S
