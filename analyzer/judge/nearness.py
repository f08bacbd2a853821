"""How soon the host of an end answers at this point, and what came too soon to be from so far away.

A host answers no sooner than its packets take to come: its handshake and its answers to probes show how long that is at
the least. What bears its name and came in a small part of that time was sent by something nearer.

It must not say what that is.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.label.distance import hops
from analyzer.tolerances import ANSWER_RST_NS, MS, NEARER, NEARER_BY_HANDSHAKE, NEARER_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.events import IcmpError, Reset
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side


class Whence(Enum):
    """Where something comes from that bears an end's address."""

    AS_FAR = "as_far"
    """It came over the distance of that end's packets, or took as long."""
    NEARER = "nearer"
    """It came too soon."""
    ELSEWHERE = "elsewhere"
    """It came over another distance."""
    UNKNOWN = "unknown"


ALIKE: Final = 2
"""Who took at least this part of the least time came from about as far."""

LATE_TIMES: Final = 4
LATE_NS: Final = 200 * MS
"""A kernel sends a RST at once: one that takes so many times the round trip, and this more, was hardly asked for."""


def opening_ns(record: FlowRecord, side: Side) -> int | None:
    """Return how long an end took to answer in the handshake, at this point; None if unseen, or asked for twice."""
    opener = record.initiator
    if opener is None:
        return None
    asked, answered = record.facts(other(side)), record.facts(side)
    answered_ns = answered.ack_ns if side == opener else answered.syn_ns
    if asked.syn_count != 1 or asked.syn_ns is None or answered_ns is None or answered_ns < asked.syn_ns:
        return None
    return answered_ns - asked.syn_ns


def soonest_ns(record: FlowRecord, side: Side, before: int) -> tuple[int, int] | None:
    """Return the least time in which an end answered before a frame, and how many times less is surely too soon.

    A handshake alone says less: the host, or a radio on the way, may have had to wake up first.
    """
    opening = opening_ns(record, side)
    answers = [
        probe.answer_ns
        for probe in record.probes_from(other(side))
        if probe.answered and probe.answer_ns is not None and probe.answer_ns > 0 and (probe.answer_frame or 0) < before
    ]
    if answers:
        return min([*answers, *([] if opening is None else [opening])]), NEARER
    return None if opening is None else (opening, NEARER_BY_HANDSHAKE)


def is_too_soon(record: FlowRecord, side: Side, took_ns: int, before: int) -> bool:
    """Whether an end cannot have answered so soon, by all that it answered before a frame."""
    known = soonest_ns(record, side, before)
    return known is not None and known[0] - took_ns >= NEARER_NS and took_ns * known[1] <= known[0]


def is_as_late(record: FlowRecord, side: Side, took_ns: int, before: int) -> bool:
    """Whether an answer took about as long as an end's others, or longer, where that is long enough to tell."""
    known = soonest_ns(record, side, before)
    return known is not None and known[0] >= NEARER_NS and took_ns * ALIKE >= known[0]


def is_late(took_ns: int, soonest: int) -> bool:
    """Whether an answer took so much longer than the soonest that the way alone does not explain it."""
    return took_ns > soonest * LATE_TIMES + LATE_NS


def reset_took_ns(record: FlowRecord, reset: Reset) -> int | None:
    """Return how long after what it may answer a RST came; None if nothing came from the other end just before."""
    asked = next((probe.ts_ns for probe in record.probes if probe.frame == reset.answers_probe), None)
    if asked is None:
        asked = record.facts(other(reset.sender)).last_ns
    if asked is None or not 0 <= reset.ts_ns - asked <= ANSWER_RST_NS:
        return None
    return reset.ts_ns - asked


def errors_come_from(record: FlowRecord, side: Side, errors: Sequence[IcmpError]) -> Whence:
    """Return where ICMP errors come from that bear the address of an end, about what the other end sent.

    The delay is counted from what was sent last before each, so that it is the shortest that fits.
    """
    sent = [probe.ts_ns for probe in record.probes_from(other(side))]
    sent += [again.ts_ns for again in record.resent if again.sender == other(side)]
    outstanding = record.facts(other(side)).unacked_ns
    sent += [] if outstanding is None else [outstanding]
    took = [min((e.ts_ns - ts_ns for ts_ns in sent if ts_ns <= e.ts_ns), default=None) for e in errors]
    if took and all(t is not None and is_too_soon(record, side, t, errors[0].frame) for t in took):
        return Whence.NEARER
    if took and all(t is not None and is_as_late(record, side, t, errors[0].frame) for t in took):
        return Whence.AS_FAR
    own = record.facts(side).ttl
    if own is None or min(own) < 0 or any(error.ttl < 0 for error in errors):
        return Whence.UNKNOWN
    nearest, farthest = sorted(hops(ttl) for ttl in own)
    same = all(nearest <= hops(error.ttl) <= farthest for error in errors)
    return Whence.AS_FAR if same else Whence.ELSEWHERE


def answers_nothing(record: FlowRecord, reset: Reset) -> bool:
    """Whether a RST without ACK, of an end that had sent no FIN, answers nothing that was captured."""
    if reset.has_ack or record.is_unseen(other(reset.sender)) or record.fin_of(reset.sender) is not None:
        return False
    return reset.answers_probe is None and reset_took_ns(record, reset) is None


def answers_from_nearer(record: FlowRecord, side: Side) -> tuple[Probe, ...]:
    """Return the probes whose answers came from nearer than an end: much sooner than it answered the handshake.

    Only where its packets changed their distance, too, and more than one answer shows it.
    """
    opening, own = opening_ns(record, side), record.facts(side).ttl
    if opening is None or own is None or min(own) < 0 or hops(own[0]) == hops(own[1]):
        return ()
    found = [
        probe
        for probe in record.probes_from(other(side))
        if probe.answer == "ack"
        and probe.answer_ns is not None
        and opening - probe.answer_ns >= NEARER_NS
        and 0 <= probe.answer_ns * NEARER_BY_HANDSHAKE <= opening
    ]
    return tuple(found) if len(found) > 1 else ()
