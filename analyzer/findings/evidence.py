"""What a finding brings along: the frames that show it, and the numbers its words need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.farewells import is_of_heartbeats
from analyzer.judge.protocols import is_poll
from analyzer.tolerances import BACKOFF_PART, BEAT_PROMPT_NS, RESENT_LEAST, RESENT_LONG, RESENT_MOST_NS
from analyzer.track.beats import SLOW_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.probe import Heartbeats, Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side


def frames_of(*parts: int | Iterable[int] | None) -> tuple[int, ...]:
    """Return frame numbers, each once and in order; None stands for a frame that is not known."""
    found: set[int] = set()
    for part in parts:
        if isinstance(part, int):
            found.add(part)
        elif part is not None:
            found.update(part)
    return tuple(sorted(found))


def numbers_of(probes: Iterable[Probe]) -> tuple[int, ...]:
    """Return the frames of probes."""
    return tuple(probe.frame for probe in probes)


def known(**values: int | str | None) -> dict[str, int | str]:
    """Return what is known of a finding's data: None is left out."""
    return {key: value for key, value in values.items() if value is not None}


def count_answered(probes: Iterable[Probe]) -> int:
    """Return how many probes were answered, by ACK or data."""
    return sum(probe.answered for probe in probes)


def end_ns(case: Case) -> int:
    """Return when the flow ended, or the capture did."""
    return case.reset.ts_ns if case.reset is not None else case.record.end_ns


def train_of(record: FlowRecord, side: Side) -> Heartbeats | None:
    """Return the train of an end that says most, as ``Flows.beats`` tells."""
    trains = [train for train in record.heartbeats if train.sender == side]

    def says(train: Heartbeats) -> tuple[bool, int, bool, int, int]:
        due = train.answered is not None
        like = [each for each in trains if each.protocol == train.protocol and (each.answered is not None) == due]
        current = not any(each.first_frame > train.last_frame for each in like)
        return due, train.unanswered or 0, current, train.sent, train.first_frame

    return max(trains, key=says, default=None)


def surely_train_of(case: Case, side: Side) -> Heartbeats:
    """Return the same of a flow that is known to have one."""
    found = train_of(case.record, side)
    assert found is not None
    return found


def ended_by(case: Case, side: Side) -> tuple[str | None, int | None, int]:
    """Return by what that end ended the connection, in which frame and when: else when the capture ended."""
    fin, reset = case.record.fin_of(side), case.reset
    if fin is not None:
        return "FIN", fin.frame, fin.ts_ns
    if reset is not None and reset.sender == side:
        return "RST", reset.frame, reset.ts_ns
    return None, None, case.record.end_ns


def in_vain(case: Case, side: Side) -> Evidence:
    """What was answered, what was not, and how long that end waited.

    What the ends agreed on is left out: it is how long the other end may wait for heartbeats, not this one for answers.
    """
    train = surely_train_of(case, side)
    how, closed, until_ns = ended_by(case, side)
    return frames_of(train.answer_frame, train.silent_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        period_ns=train.period_ns,
        bytes=train.payload_len,
        answered=train.answered,
        unanswered=train.unanswered,
        acked=train.acked,
        slowest_ns=train.slowest_ns,
        answer_frame=train.answer_frame,
        silent_frame=train.silent_frame,
        last_frame=train.last_frame,
        closed_frame=closed,
        closed_by=how,
        waited_ns=until_ns - (train.silent_ns or 0),
        **said_by(case, side),
    )


def said_by(case: Case, side: Side) -> dict[str, int | str]:
    """Return that end's farewell as data of a finding, if its reason is that heartbeats, or answers, stayed away."""
    return next(
        (
            {"said": farewell.said, "said_frame": farewell.frame}
            for farewell in case.record.farewells
            if farewell.sender == side and is_of_heartbeats(farewell.said)
        ),
        {},
    )


def resent_in_vain_ns(case: Case) -> int | None:
    """Return since when an end had retransmitted in vain when it sent its RST, three times or more; else None.

    Nothing of the peer came since the data was sent.
    """
    facts, reset = case.facts, case.own_reset
    if reset is None or facts.unacked_ns is None or facts.resent_ns is None or facts.resent < RESENT_LEAST:
        return None
    return None if (case.peer_facts.active_ns or 0) > facts.unacked_ns else reset.ts_ns - facts.unacked_ns


def gave_up_resending(case: Case) -> int | None:
    """Return how long behind its last retransmission an end sent its RST, if that is when the next was due; else None.

    Nothing of the peer came since the data was sent. Each wait is twice as long as the one before (RFC 6298 5.5): k of
    them are 2^k - 1 times the first, so the next is by one first wait longer than all of them. Behind so many that the
    longest wait was reached (60 s or 64 s) it is no longer than that.
    """
    facts, reset = case.facts, case.own_reset
    if resent_in_vain_ns(case) is None:
        return None
    assert reset is not None
    assert facts.unacked_ns is not None
    assert facts.resent_ns is not None
    waited_ns, before_ns = reset.ts_ns - facts.resent_ns, facts.resent_ns - facts.unacked_ns
    due_ns = before_ns + before_ns // (2**facts.resent - 1)
    if facts.resent >= RESENT_LONG:
        due_ns = min(due_ns, RESENT_MOST_NS)
    return waited_ns if abs(waited_ns - due_ns) <= due_ns // BACKOFF_PART else None


def given_up_on(case: Case) -> Heartbeats | None:
    """Return the heartbeats of the end that is looked at whose last ones got no answer before it sent its RST."""
    train, reset = train_of(case.record, case.side), case.own_reset
    if train is None or reset is None or not train.unanswered or train.silent_ns is None or is_poll(train.protocol):
        return None
    least_ns = max(SLOW_ANSWERS * (train.slowest_ns or 0), BEAT_PROMPT_NS)
    return train if reset.ts_ns - train.silent_ns >= least_ns else None
