"""Whether an end that retransmits in vain has given up, which Linux does without a packet (``tcp_retransmit_timer``).

A timer that waits twice as long each time (RFC 6298 5.5) says when the next retransmission is due. Where the capture
goes on well beyond that and has none, there was none.

It must not say why, or hold a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.judge.events import Resent
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side

LEAST: Final = 3
"""This many retransmissions, before their distances show a timer that waits twice as long each time."""
RTO_MOST_NS: Final = 120_000_000_000
"""No wait is longer (Linux TCP_RTO_MAX; RFC 6298 2.5 wants 60 s at least)."""


def longest_row(record: FlowRecord, side: Side) -> tuple[Resent, ...]:
    """Return the longest row of retransmissions of an end each of which waited about twice as long; () below LEAST."""
    sent = [each for each in record.resent if each.sender == side]
    best: tuple[Resent, ...] = ()
    row = sent[:1]
    for at in range(1, len(sent)):
        wait_ns = sent[at].ts_ns - sent[at - 1].ts_ns
        before_ns = sent[at - 1].ts_ns - row[-2].ts_ns if len(row) > 1 else wait_ns // 2
        row = [*row, sent[at]] if 7 * before_ns < 4 * wait_ns < 9 * before_ns else [sent[at - 1], sent[at]]
        best = max(best, tuple(row), key=len)
    return best if len(best) >= LEAST else ()


def gave_up_ns(record: FlowRecord, side: Side) -> int | None:
    """Return when the next retransmission of an end was due that never came, or None.

    None also where something may have been missed, or where the distances do not double.
    """
    since_ns = record.facts(side).unacked_ns
    if since_ns is None or record.lost or record.holes or record.backwards:
        return None
    sent = [each.ts_ns for each in record.resent if each.sender == side and each.ts_ns >= since_ns]
    if len(sent) < LEAST or len(sent) != record.facts(side).resent:
        return None
    before_ns, wait_ns = sent[-2] - sent[-3], sent[-1] - sent[-2]
    if not 7 * before_ns < 4 * wait_ns < 9 * before_ns and wait_ns < RTO_MOST_NS:
        return None
    next_ns = min(2 * wait_ns, RTO_MOST_NS + RTO_MOST_NS // 8)
    late_ns = sent[-1] + next_ns + next_ns // 2
    return sent[-1] + next_ns if record.end_ns > late_ns else None
