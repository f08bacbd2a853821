"""What several kinds of findings ask of heartbeats: who owes answers, who waits for which, who gave up.

It must not hold a sentence, or know a finding.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.notable import BEATS_OVERDUE, BEATS_OVERDUE_NS
from analyzer.judge.farewells import MISSES, REASONS
from analyzer.judge.protocols import MUTUAL, PATIENCE, POLLS, PROTOCOLS
from analyzer.tolerances import BEAT_LENGTH_PLAY, BEAT_PROMPT_NS, BEAT_TINY_OCTETS
from analyzer.track.beats import SLOW_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.findings.flows import Column, Flows, Mask

IS_POLL: Final = np.zeros(1 + len(PROTOCOLS), dtype=np.bool_)
"""By number of a protocol, 0 for none, whether its heartbeats may be polls."""
IS_POLL[list(POLLS)] = True
IS_MUTUAL: Final = np.zeros(1 + len(PROTOCOLS), dtype=np.bool_)
"""... whether each end beats by itself."""
IS_MUTUAL[list(MUTUAL)] = True
OF_HEARTBEATS: Final = np.zeros(1 + len(REASONS), dtype=np.bool_)
"""By place of a reason that an end gave, 0 for none, whether it says that heartbeats, or answers, stayed away."""
OF_HEARTBEATS[list(MISSES)] = True
SOON: Final = 0
"""The place in PATIENCE of when an end may give up."""
LATE: Final = 1
"""... and of when it should have."""


def of_heartbeats(condition: Callable[[Flows], Mask]) -> Callable[[Flows], Mask]:
    """Mark a condition that holds of no flow without heartbeats: of captures that have none it costs nothing."""

    @wraps(condition)
    def asked(f: Flows) -> Mask:
        return condition(f) if f.columns.has_heartbeats else f.none

    return asked


@of_heartbeats
def owes_answers(f: Flows) -> Mask:
    """Its heartbeats were answered as a rule, in half a period if only their form is known, and are no requests."""
    period_ns = f.beats("sum_ns") // np.maximum(f.beats("gaps"), 1)
    may_wait = (f.beats("protocol") == 0) & (2 * f.beats("slowest_ns") > period_ns)
    return (f.beats("due") == 1) & ~IS_POLL[f.beats("protocol")] & ~may_wait


def ended_first_ns(f: Flows) -> Column:
    """When it closed or reset the connection, -1 if it did not or its peer had done so before."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    closed_ns = np.where((own > 0) & ((peer == 0) | (own < peer)), f.own("fin_ns"), -1)
    reset_ns = f.at_row(f.ending("reset_row"), "ts_ns")
    return np.where(closed_ns >= 0, closed_ns, np.where(f.own_reset & (own == 0) & (peer == 0), reset_ns, -1))


def gave_up_waiting(f: Flows) -> Mask:
    """It closed or reset first, after four times the slowest answer (by form: a period), and gave no other reason."""
    ended_ns = ended_first_ns(f)
    period_ns = f.beats("sum_ns") // np.maximum(f.beats("gaps"), 1)
    least_ns = np.maximum(SLOW_ANSWERS * f.beats("slowest_ns"), BEAT_PROMPT_NS)
    least_ns = np.maximum(least_ns, np.where(f.beats("protocol") == 0, period_ns, 0))
    return (ended_ns >= 0) & (ended_ns - f.beats("silent_ns") >= least_ns) & ~says_otherwise(f)


def overdue_ns(f: Flows, which: int) -> Column:
    """How long behind its last heartbeat its peer may (SOON), or should (LATE), have given up.

    By the rule of the protocol where what the ends agreed on is known, else after three of the longest distances.
    """
    limit_ns, halves = f.beats("limit_ns"), PATIENCE[f.beats("protocol"), which]
    steady_ns = np.maximum(BEATS_OVERDUE * f.beats("high_ns"), BEATS_OVERDUE_NS)
    return np.where(limit_ns > 0, limit_ns * halves // 2, steady_ns)


def may_be_data(f: Flows) -> Mask:
    """Nobody answers them, only their form is known, they have room for data, and the peer does not beat alike.

    What a sensor measures, or a job reports of its progress, comes so as often as heartbeats do, and is over one day.
    """
    own_ns = f.beats("sum_ns") // np.maximum(f.beats("gaps"), 1)
    peer_ns = f.from_peer.beats("sum_ns") // np.maximum(f.from_peer.beats("gaps"), 1)
    as_long = np.abs(f.beats("length") - f.from_peer.beats("length")) <= BEAT_LENGTH_PLAY
    alike = (f.from_peer.beats("count") > 0) & as_long & (8 * np.abs(own_ns - peer_ns) <= own_ns)
    return (f.beats("due") == 0) & (f.beats("protocol") == 0) & (f.beats("length") > BEAT_TINY_OCTETS) & ~alike


@of_heartbeats
def heartbeats_ceased(f: Flows) -> Mask:
    """It had sent heartbeats in a steady rhythm, each answered if answers are due, and after the last nothing more.

    Where the ends agreed to do without them, or they may be data, that they cease means nothing.
    """
    awaited = (f.beats("due") == 1) & ((f.beats("unanswered") > 0) | IS_POLL[f.beats("protocol")])
    polls = (f.beats("due") == 0) & IS_POLL[f.beats("protocol")]
    agreed_off = f.beats("limit_ns") == 0
    due = (f.beats("count") > 0) & ~agreed_off & ~awaited & ~polls & ~may_be_data(f)
    return due & (f.own("data_ns") <= f.beats("last_ns"))


def beats_by_rule(f: Flows) -> Mask:
    """Its heartbeats come by themselves, or what the ends agreed on is known: that they cease means something."""
    return (f.beats("due") == 0) | (f.beats("limit_ns") > 0)


@of_heartbeats
def peers_heartbeats_ceased(f: Flows) -> Mask:
    """Its peer had sent heartbeats, by itself or by an agreed time, and nothing but these at the end."""
    return f.from_peer.once(heartbeats_ceased) & beats_by_rule(f.from_peer)


def gave_up_on_its_peer(f: Flows) -> Mask:
    """It ended the connection first, as late as agreed on or three periods after the last, and gave no other reason."""
    ended_ns = ended_first_ns(f)
    late = ended_ns - f.from_peer.beats("last_ns") >= overdue_ns(f.from_peer, SOON)
    return (ended_ns >= 0) & late & ~says_otherwise(f)


def loses_nothing(f: Flows) -> Mask:
    """Neither end was sending anything again that the other did not acknowledge: the path carried what there was."""
    return (f.own("resent") == 0) & (f.peer("resent") == 0)


def own_reason(f: Flows) -> Column:
    """Why it said that it ends the connection, as a place in ``judge.farewells``, 0 if it did not."""
    if not f.columns.has_heartbeats:
        return np.zeros(len(f), dtype=np.int64)
    known = [(each.beats("said"), each.beats("said_side")) for each in (f, f.from_peer)]
    own = [np.where(side == f.side, said, 0) for said, side in known]
    reason: Column = np.maximum(*own)
    return reason


def says_heartbeats_missed(f: Flows) -> Mask:
    """It said in its protocol that it ends the connection because heartbeats, or answers, stayed away for too long."""
    mask: Mask = OF_HEARTBEATS[own_reason(f)]
    return mask


def says_otherwise(f: Flows) -> Mask:
    """It said in its protocol that it ends the connection for another reason than heartbeats."""
    reason = own_reason(f)
    mask: Mask = (reason > 0) & ~OF_HEARTBEATS[reason]
    return mask
