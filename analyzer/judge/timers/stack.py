"""Which family of TCP implementations sent the probes: by their form and by their rhythm.

It must not know options, or how long any of them is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.timers.gaps import (
    ANSWERED,
    SPARE,
    STARTS,
    UNANSWERED,
    agree,
    backs_off,
    clearly_longer,
    copy_gap,
    shortest,
)
from analyzer.judge.timers.lateness import ILLUMOS, LINUX, ONE_OCTET, UNKNOWN, XNU
from analyzer.label.outcome import ANSWER_ACK
from analyzer.loops.loop import loop
from analyzer.segment import NONE
from analyzer.tolerances import GAP_LEAST_NS

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

BARE_HEADER: Final = 20
"""Octets of a TCP header without options."""


@loop
def stack_of(prober: Record, sent: Rows, gaps: Rows, room: int, counts: Numbers, near: bool) -> int:
    """Return the family of TCP implementations that the form and the rhythm of the probes show."""
    octets = 0
    sure = 0
    bare = 0
    count = prober["stop"] - prober["first"]
    for at in range(prober["first"], prober["stop"]):
        probe = sent[at]
        octets += 1 if probe["payload_len"] != 0 else 0
        sure += 1 if probe["suspected"] == 0 else 0
        bare += 1 if probe["header_len"] == BARE_HEADER else 0
    if octets == count:
        if sure == 0:  # the byte may be new data
            return UNKNOWN
        first = UNANSWERED * room
        return ILLUMOS if backs_off(gaps, first, first + counts[UNANSWERED]) else ONE_OCTET
    if prober["timestamps"] != 0 and bare == count:
        return XNU
    if octets > 0:
        return UNKNOWN
    # away from the prober lost probes look the same
    waits = near and waits_interval(gaps, room, counts)
    return LINUX if waits or ignores_peer_probes(prober, sent) else UNKNOWN


@loop
def ignores_peer_probes(prober: Record, sent: Rows) -> bool:
    """Say whether a probe came right after the prober had received, and answered, one of the peer's.

    Any received segment restarts the clock of BSD and macOS; on Linux an empty probe is dropped before it does.
    """
    for at in range(prober["peer_first"], prober["peer_stop"]):
        theirs = sent[at]
        if theirs["answer"] != ANSWER_ACK or theirs["payload_len"] != 0 or theirs["answer_frame"] == NONE:
            continue
        first = prober["first"]
        stop = prober["stop"]
        while first < stop:
            middle = (first + stop) // 2
            if sent[middle]["then_ns"] < theirs["ts_ns"] + GAP_LEAST_NS:
                first = middle + 1
            else:
                stop = middle
        last = first - 1
        late = last >= prober["first"] and sent[last]["then_ns"] > theirs["ts_ns"]
        if late and sent[last]["then_frame"] > theirs["answer_frame"]:
            return True
    return False


@loop
def waits_interval(gaps: Rows, room: int, counts: Numbers) -> bool:
    """Say whether answered probes come evenly, and clearly later than a train begins: that waits for the interval."""
    if counts[STARTS] == 0 or counts[ANSWERED] < 2:
        return False
    stop = room + counts[ANSWERED]
    short = shortest(gaps, room, stop)
    spare = SPARE * room
    copy_gap(gaps, spare, short)
    gaps[spare]["ns"] = gaps[short]["least_ns"]
    for at in range(room, stop):
        if not agree(gaps[short], gaps[at]):
            return False
        gaps[spare]["ns"] = min(gaps[spare]["ns"], gaps[at]["least_ns"])
    return clearly_longer(gaps[spare], gaps[shortest(gaps, 0, counts[STARTS])])
