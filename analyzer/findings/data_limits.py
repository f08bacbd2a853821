"""Whether an end closed just when a time limit would run out: one that counts data alone, or any packet.

The first shows where probes were answered meanwhile, the second where a RST came unasked. It must not know whose limit
that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.signatures import MIDDLEBOXES, ROUND_S, Behaviour
from analyzer.label.outcome import Answer
from analyzer.label.reset import ResetKind
from analyzer.tolerances import ANSWER_RST_NS
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask

LEAST_S: Final = 30
"""Closes after shorter pauses are everyday life."""
LIMITS_S: Final = tuple(sorted({360, 400, *(s for s in ROUND_S if s >= LEAST_S), *(box.idle_s for box in MIDDLEBOXES)}))
"""Limits that people choose, or that known boxes have."""
LIMITS_NS: Final = np.array(LIMITS_S) * NS_PER_S
EARLY_NS: Final = NS_PER_S // 20
LATE_NS: Final = NS_PER_S
"""A close comes so much sooner, or later, than the limit: the way there, and how often a program looks."""
AT_LIMIT: Final = (Behaviour.RST_AT_LIMIT, Behaviour.SILENT_OR_RST)
"""What boxes do that may send a RST when their limit runs out, and not only to the next packet."""
PROBED: Final = 2
"""So many answered probes show that keepalive ran meanwhile."""


def idle_limit_of(case: Case) -> tuple[int, int, int] | None:
    """Return how long nothing had passed before such a RST of one flow, since which frame, and the limit; or None."""
    record, reset = case.record, case.own_reset
    if reset is None or record.silence_from is None or record.silence_to is None or record.backwards:
        return None
    quiet = reset.ts_ns - max(case.facts.last_ns or 0, case.peer_facts.last_ns or 0)
    limit = limit_ns(quiet)
    spans = record.silence_from < reset.frame <= record.silence_to and 0 <= record.silence_ns - quiet <= LATE_NS
    return (quiet, record.silence_from, limit) if limit is not None and spans else None


def boxes_at(limit_ns: int) -> str:
    """Return the known boxes that may send a RST when such a limit runs out, by name."""
    fits = (box for box in MIDDLEBOXES if box.behaviour in AT_LIMIT and not box.half_closed)
    return ", ".join(box.name for box in fits if box.idle_s * NS_PER_S == limit_ns)


def limit_ns(quiet_ns: int) -> int | None:
    """Return the limit that runs out after such a time without data, or None."""
    limit = int(_limits_at(np.array([quiet_ns]))[0])
    return limit if limit >= 0 else None


def quiet_ns(f: Flows) -> Column:
    """Return how long no data had passed when it closed, the first of both, by FIN or RST; -1 if it did not."""
    fin, peer_fin = f.own("fin_frame"), f.peer("fin_frame")
    closed = (fin > 0) & ((peer_fin == 0) | (fin < peer_fin))
    # one without ACK says that its sender knows no connection: it counts where nothing just before asked for it
    unasked = f.ending("reset_ns") - f.ending("heard_a_ns" if f.side else "heard_b_ns") > ANSWER_RST_NS
    aborted = f.own_reset & (f.reset_has_ack | unasked) & (f.ending("answers_row") < 0) & (fin == 0) & (peer_fin == 0)
    aborted &= f.ending("reset_kind") != ResetKind.GAVE_UP
    at_ns = np.where(closed, f.own("fin_ns"), np.where(aborted, f.ending("reset_ns"), -1))
    data_ns = np.maximum.reduce([f.own("data_ns"), f.own("resent_ns"), f.peer("data_ns"), f.peer("resent_ns")])
    outstanding = (f.own("unacked_ns") >= 0) & (f.own("fin_frame") == 0)
    known = (at_ns >= 0) & (data_ns >= 0) & (data_ns < at_ns) & ~outstanding
    return np.where(known, at_ns - data_ns, -1)


def _limits_at(quiet_ns: Column) -> Column:
    """Return the limit that runs out after each of such times without data, -1 for none."""
    # of limits that begin no later than this, the last is also the one that ends last
    which = np.searchsorted(LIMITS_NS - EARLY_NS, quiet_ns, side="right") - 1
    fits = (which >= 0) & (quiet_ns <= LIMITS_NS[which] + LATE_NS)
    return np.where(fits, LIMITS_NS[which], -1)


def closed_at_a_data_limit(f: Flows) -> Mask:
    """It closed when no data had passed for a time that limits have, though probes were answered since, two or more."""
    quiet = quiet_ns(f)
    at_limit = _limits_at(quiet) >= 0
    at_limit &= ~waited_for_a_reply(f) & (f.flow("backwards") == 0)
    if not at_limit.any():
        return at_limit
    data_ns = np.maximum.reduce([f.own("data_ns"), f.own("resent_ns"), f.peer("data_ns"), f.peer("resent_ns")])
    asked = (f.probing | f.from_peer.probing) & (f.seen("answer") == Answer.ACK) & (f.seen("ts_ns") > f.of_row(data_ns))
    until_ns = f.of_row(data_ns + np.maximum(quiet, 0))
    awake = np.ones(len(f), dtype=np.bool_)
    kept = asked & (f.seen("ts_ns") < until_ns)
    first, last = f.first_of(kept), f.last_of(kept)
    there = np.flatnonzero(first >= 0)
    awake[there] = f.columns.is_awake(first[there], last[there])
    probes = f.probing | f.from_peer.probing
    in_vain = probes & (f.seen("answer") == Answer.NONE) & (f.seen("ts_ns") < until_ns)
    # where the last ones stayed unanswered, it may have closed because nobody answers
    answered_to_the_end = f.last_of(in_vain) < last
    return at_limit & awake & answered_to_the_end & (f.count_rows(kept) >= PROBED)


def reset_at_an_idle_limit(f: Flows) -> Mask:
    """The RST that ended the flow came when nothing, no probe either, had passed for a time that limits have."""
    quiet = f.ending("reset_ns") - np.maximum(f.own("last_ns"), f.peer("last_ns"))
    unasked = f.own_reset & (f.ending("answers_row") < 0) & (f.ending("reset_kind") != ResetKind.GAVE_UP)
    # the longest silence goes on behind it, to another RST, where a box sends one to each end
    unasked &= (f.flow("silence_from") < f.ending("reset_frame")) & (f.flow("silence_to") >= f.ending("reset_frame"))
    unasked &= (f.flow("silence_ns") >= quiet) & (f.flow("silence_ns") - quiet <= LATE_NS)
    unasked &= (f.own("fin_frame") == 0) & (f.peer("fin_frame") == 0) & (f.flow("backwards") == 0)
    mask: Mask = unasked & (_limits_at(quiet) >= 0)
    return mask


def nothing_was_owed(f: Flows) -> Mask:
    """Before it all data was acknowledged, the request answered, and no heartbeat of its sender unanswered."""
    acknowledged = (f.own("unacked_ns") < 0) & (f.peer("unacked_ns") < 0)
    opened = (f.own("syn_frame") > 0) & (f.own("syn_had_ack") == 0)
    replied = np.where(opened, f.peer("data_ns") >= f.own("data_ns"), f.own("data_ns") >= f.peer("data_ns"))
    mask: Mask = acknowledged & replied & (f.own("data_ns") >= 0) & (f.beats("unanswered") == 0)
    return mask


def is_reset_at_an_idle_limit(f: Flows) -> Mask:
    """It came just when a limit of idle time would run out, and nothing was owed."""
    return f.once(reset_at_an_idle_limit) & f.once(nothing_was_owed)


def no_idle_limit_ran_out(f: Flows) -> Mask:
    """It did not come, with nothing owed, just when a limit of idle time would run out."""
    return ~is_reset_at_an_idle_limit(f)


def waited_for_a_reply(f: Flows) -> Mask:
    """It opened the connection and sent the last data itself: it waited for a reply."""
    opened = (f.own("syn_frame") > 0) & (f.own("syn_had_ack") == 0)
    return opened & (f.own("data_ns") > f.peer("data_ns"))


def is_abort_at_a_data_limit(f: Flows) -> Mask:
    """That RST came just when no data had passed for a time that limits have, though probes were answered since."""
    return f.once(closed_at_a_data_limit) & (f.own("fin_frame") == 0)


def no_data_limit_ran_out(f: Flows) -> Mask:
    """It did not come just when a time limit that counts data alone would run out."""
    return ~is_abort_at_a_data_limit(f)
