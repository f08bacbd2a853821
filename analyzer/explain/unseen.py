"""Probes that a capture most likely lacks: a prober that waited just as long as several of its usual waits.

It must not count them among what was captured, nor name where they were lost.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.findings.kinds import pauses
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import count, duration

if TYPE_CHECKING:
    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

AGREEING: Final = 2
"""So many waits show what is usual."""
EVENLY: Final = 8
"""Waits that differ by no more than such a part of one are equal: Linux's timers run late by up to an eighth."""
MOST_PART: Final = 3
"""Where no packet is known to be dropped, fewer than such a part of the waits are so long."""


def unseen_probes(t: Teller) -> list[Line]:
    """Return how many probes of each end are most likely missing, and where."""
    if t.find(pauses.PAUSED.code) or t.find(pauses.SLEPT.code):
        return []  # then the prober itself was silent
    return [line for side in SIDES for line in _of(t, side)]


def _of(t: Teller, side: Side) -> list[Line]:
    waits = [
        (late.gap_ns, early, late)
        for early, late in pairwise(t.probes(side))
        if early.answer == "ack" and not late.first_of_train and late.gap_ns is not None
    ]
    if not waits:
        return []
    idle_ns = [probe.idle_ns for probe in t.probes(side) if probe.first_of_train and probe.idle_ns]
    usual_ns = sorted(ns for ns, _, _ in waits)[(len(waits) - 1) // 2]
    if sum(abs(ns - usual_ns) * EVENLY <= usual_ns for ns, _, _ in waits) < AGREEING:
        return []
    missing = [
        (ns, round(ns / usual_ns) - 1, early, late)
        for ns, early, late in waits
        if round(ns / usual_ns) > 1
        and abs(ns - round(ns / usual_ns) * usual_ns) * EVENLY <= usual_ns
        and t.record.is_awake(early.frame, late.frame)
        # as long as its idle time is what it waits after an answer that reached it, where others did not
        and not any(abs(ns - idle) * EVENLY <= idle for idle in idle_ns)
    ]
    few = len(missing) * MOST_PART < len(waits)
    if not missing or not (few or t.record.lost):
        return []  # idle time and interval may alternate where answers get lost
    return [Line(_text(t, side, usual_ns, missing), tuple(each.frame for _, _, *ends in missing for each in ends))]


def _text(t: Teller, side: Side, usual_ns: int, missing: list[tuple[int, int, Probe, Probe]]) -> str:
    number = sum(more for _, more, _, _ in missing)
    longest_ns, _, _, late = max(missing, key=lambda each: each[0])
    at = f"before frame {late.frame:,}" + (f" ({count(len(missing) - 1, 'more time')} likewise)" if missing[1:] else "")
    lacks = "dropped while capturing" if t.record.lost else "lost before this point, or not captured"
    return (
        f"How many probes {t.the(side)} sent. It usually waits {duration(usual_ns)}, but {duration(longest_ns)}, a"
        f" multiple of that, passed {at}: most likely {count(number, 'more probe')} came in between and"
        f" {'is' if number == 1 else 'are'} not in this capture ({lacks})."
    )
