"""An end whose timestamps went back, so that its peer may drop all that it sends (PAWS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.judge.record import other
from analyzer.label.outcome import Answer
from analyzer.label.rules import Kind
from analyzer.segment import NOTE_TCP, RST, SYN
from analyzer.tolerances import OTHER_CLOCK_TICKS
from analyzer.words.model import LongText
from analyzer.words.teller import count, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

LEAST: Final = 3
"""Fewer segments with older timestamps may have been overtaken on the way."""
LASTED_NS: Final = 2_000_000_000
"""So may those of a shorter time: nothing that is overtaken is so late so often."""
REFUSED: Final = 2
"""One lost segment, or one lost answer, shows no refusal."""


def timestamps_went_back(f: Flows) -> Mask:
    """Its last 3 segments or more of those that matter, over 2 s or more, bear a TSval lower by 10,000 or more."""
    old = f.once(_old_rows)
    if not old.any():
        return f.none
    first, last = f.first_of(old), f.last_of(old)
    lasted = f.value_at(last, "ts_ns") - f.value_at(first, "ts_ns") >= LASTED_NS
    return (f.count_rows(old) >= LEAST) & lasted & (f.last_of(_stamped_rows(f)) == last)


def data_stays_unacknowledged(f: Flows) -> Mask:
    """Data with such timestamps was sent again twice or more, and nothing acknowledges it to the capture's end."""
    again = f.once(_old_rows) & f.kind_in(Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION)
    again &= f.seen("ts_ns") >= f.of_row(f.own("unacked_ns"))
    return (f.own("unacked_ns") >= 0) & (f.count_rows(again) >= REFUSED)


def probes_stay_unanswered(f: Flows) -> Mask:
    """Its last probes, two or more, bear such timestamps and got no answer."""
    return f.count_rows(f.once(_old_rows) & f.trailing) >= REFUSED


def answers_echo_the_newer(f: Flows) -> Mask:
    """Two or more of its probes with such timestamps were answered by an ACK that echoes the newest from before."""
    old = f.once(_old_rows) & f.probing & (f.seen("answer") == Answer.ACK)
    at = np.flatnonzero(old)
    if not len(at):
        return f.none
    answer = f.of_row(f.columns.start)[at] + f.seen("answer_row")[at]
    echoes = np.zeros(len(old), dtype=bool)
    echoes[at] = f.seen("tsecr")[answer] == f.seen("own_tsval")[at]
    return f.count_rows(echoes) >= REFUSED


def last_probes_were_answered(f: Flows) -> Mask:
    """At most one of its last probes has no answer."""
    return ~probes_stay_unanswered(f)


def no_such_data_waits(f: Flows) -> Mask:
    """No data with such timestamps was sent again twice or more without being acknowledged."""
    return ~data_stays_unacknowledged(f)


def _stamped_rows(f: Flows) -> Mask:
    """Return which rows of it bear a timestamp and are no SYN or RST."""
    plain = (f.seen("note") == NOTE_TCP) & (f.seen("is_copy") == 0) & (f.seen("flags") & (SYN | RST) == 0)
    return f.mine & plain & (f.seen("tsval") >= 0) & (f.seen("own_tsval") >= 0)


def _old_rows(f: Flows) -> Mask:
    """Return which of these bear one that another clock shows."""
    back = (f.seen("own_tsval") - f.seen("tsval")) & 0xFFFFFFFF
    return _stamped_rows(f) & (back >= OTHER_CLOCK_TICKS) & (back < 1 << 31)


def _data(case: Case) -> Evidence:
    """The data that was sent again."""
    since = case.facts.unacked_ns or 0
    again = [each.frame for each in case.record.resent if each.sender == case.side and each.ts_ns >= since]
    return frames_of(case.facts.unacked_frame, again), known(resent=len(again))


def _silence(case: Case) -> Evidence:
    """The unanswered probes."""
    return frames_of(numbers_of(case.trailing)), known(unanswered=len(case.trailing))


def _echoes(case: Case) -> Evidence:
    """The last probe that was answered, and the answer."""
    last = next(probe for probe in reversed(case.probes) if probe.answer == "ack")
    return frames_of(last.frame, last.answer_frame), known(answer_frame=last.answer_frame)


def _detail(t: Teller, f: Finding) -> str:
    if "resent" in f.data:
        fits = f"That fits that nothing acknowledges data that it sent again {count(number(f, 'resent'), 'time')}"
    elif "unanswered" in f.data:
        fits = f"That may be why its last {count(number(f, 'unanswered'), 'probe')} got no answer"
    else:
        fits = f"{t.start(other(side_of(f)))} echoes the newer ones, so it drops these, and would drop data"
    return (
        f"{t.start(side_of(f))}'s timestamps have gone back: these are much older than those it had sent"
        f" before, and a host that heeds RFC 7323 drops what bears such (PAWS). {fits} (inferred)."
    )


WENT_BACK: Final = FindingKind(
    code="timestamps-went-back",
    rows=(
        Row((timestamps_went_back, data_stays_unacknowledged), _data),
        Row((timestamps_went_back, probes_stay_unanswered, no_such_data_waits), _silence),
        Row((timestamps_went_back, answers_echo_the_newer, no_such_data_waits, last_probes_were_answered), _echoes),
    ),
    text=LongText(
        title="Timestamps went back, and the peer may drop what bears them",
        meaning=(
            "This end's later segments bear timestamps that are much older than those it had sent before on the same"
            " connection, and what bears them has no effect at its peer."
        ),
        why=(
            "A receiver takes a segment with an older timestamp for a leftover from long ago and drops it (PAWS),"
            " mostly with an ACK of what it expects. So probes may be answered although no data gets through."
        ),
        change=(
            "Look at the peer's counter (nstat -az TcpExtPAWSEstab). Find what changes the timestamps: another host"
            " behind the same address (a NAT that gave addresses and port to another, a failover), a host whose clock"
            " started anew, or a box that rewrites the option."
        ),
        doubt="A peer that does not heed timestamps may be silent, or deaf to this data, for another reason.",
        source="RFC 7323 5.2, 5.3; Linux tcp_paws_discard, tcp_validate_incoming",
    ),
    detail=_detail,
    advice=Advice.READER,
)
