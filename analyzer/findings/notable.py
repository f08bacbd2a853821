"""Which flows have something to say, decided over columns: what is listed, told, and searched for findings.

It must not know a finding, or look at a SEEN row.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.farewells import ANSWERED, PORTS, SAID_BY_EITHER
from analyzer.judge.protocols import POLLS
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.tolerances import BEAT_LENGTH_PLAY
from analyzer.track.beats import is_awaited
from analyzer.track.uncaptured import HOLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch

LONG_NS: Final = 60_000_000_000
"""The shortest idle time after which some box on the way ends a connection (field guide 6); less is no news."""
LONG_CLOSED_NS: Final = 10_000_000_000
"""No program that reads leaves its receive window closed this long."""
HANGING: Final = 2
"""Sent again so often without effect, it is no accident."""
PINGS: Final = (17, 39, 46)
"""Bytes of HTTP/2's PING: 9 of header and 8 (RFC 9113 6.7), within TLS 1.3 another 22, within TLS 1.2 (AES-GCM) 29."""
OF_OTHERS: Final = 2
"""``refused_for`` of a train: the refusal names something else than pings."""
FAREWELL_NS: Final = 1_000_000_000
"""Who says why it closes does so this soon after."""
FAREWELL_MOST_OCTETS: Final = 1_024
"""... in no more octets,"""
FAREWELL_MOST_SEGMENTS: Final = 2_048
"""... and of flows that have no heartbeats those with more segments are not read for it."""
BY_SERVICE, BY_SERVICE_ANSWERED, BY_EITHER = 1, 2, 3
"""Who gives reasons: the service, whose word is the last; the service, which is answered; either end."""
AMQP_CLOSE_OK: Final = 12
"""Bytes of AMQP's answer to a close."""
SAYS_WHY: Final = np.zeros(1 << 16, dtype=np.int8)
"""By port who gives reasons, 0 where nobody is known to."""
for _port, _protocol in PORTS.items():
    _answered = BY_SERVICE_ANSWERED if _protocol in ANSWERED else BY_SERVICE
    SAYS_WHY[_port] = BY_EITHER if _protocol in SAID_BY_EITHER else _answered
BEATS_OVERDUE: Final = 3
BEATS_OVERDUE_NS: Final = 3_000_000_000
"""How many of the longest distances have passed where heartbeats stopped, and how much time."""


def is_notable(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Say which flows have something to say.

    Probes of either kind, an ending other than closed, open or refused, a long silence, a window that is closed or was
    for long, something sent again and again, or that never came, an ICMP error, a RST that ended nothing, what a NAT
    let pass, heartbeats that were not answered or ceased, or what keeps us from telling.
    """
    eventful = (probe_sum(batch, "probes") + probe_sum(batch, "undecided") > 0) | hangs(batch, winners)
    eventful |= (batch.ending["icmp_errors"] > 0) | (batch.ending["ignored"] > 0)
    left_idle = (batch.flow["active_ns"] >= 0) & (batch.ends_ns - batch.flow["active_ns"] >= LONG_NS)
    eventful |= left_idle & has_verdict(winners, Verdict.OPEN)
    eventful |= (batch.flow["silence_ns"] >= LONG_NS) | (batch.flow["cut"] > 0) | (batch.flow["backwards"] > 0)
    eventful |= batch.flow["stray"] > 0
    return eventful | ~has_verdict(winners, Verdict.CLOSED, Verdict.OPEN, Verdict.UNESTABLISHED)


def hangs(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Say in which flows somebody waits, or did for long: a window is closed, data or heartbeats are sent in vain."""
    is_open = has_verdict(winners, Verdict.OPEN)
    found = probe_sum(batch, "zero_window") > 0
    for run in (batch.run_a, batch.run_b):
        found |= (run["shut_ns"] >= LONG_CLOSED_NS) & is_open
    for end in (batch.a, batch.b):
        found |= (end["window_shut_frame"] > 0) & is_open
        again = (end["unacked_ns"] >= 0) | (end["fin_acked_frame"] > 0)
        found |= again & (end["resent"] >= HANGING)
    return found | _awaits_data(batch) | _beats_in_vain(batch, is_open)


def _awaits_data(batch: FlowBatch) -> NDArray[np.bool_]:
    """Say of which flows an end still waits for data that was skipped, of which few have any."""
    skipped: NDArray[np.bool_] = batch.flow["odd_kind"] == HOLE
    at = np.flatnonzero(skipped)
    if len(at):
        is_b = batch.flow["odd_side"][at] == 1
        since, una = (np.where(is_b, batch.b[name][at], batch.a[name][at]) for name in ("unacked_ns", "snd_una"))
        skipped[at] = (since >= 0) & (una == batch.flow["odd_from"][at])
    return skipped


def may_be_notable(batch: FlowBatch) -> NDArray[np.bool_]:
    """Say which flows may turn out to have something to say once heartbeats are named, or data is read.

    Those whose heartbeats are as long as HTTP/2's PING, in clear or in TLS, and whose other end said something else
    behind the last: it may have refused them. And those of which an end said something behind the last heartbeat, right
    before it closed: it may have said why.
    """
    found = may_have_said_why(batch)
    if not len(batch.trains):
        return found
    trains, at = _trains_in(batch)
    for side, peer in enumerate((batch.b, batch.a)):
        mine = (trains["side"] == side) & (trains["due"] == 1) & np.isin(trains["length"], PINGS)
        own, of = trains[mine], at[mine]
        if len(own):
            longer = peer["data_len"][of] > own["answer_len"] + BEAT_LENGTH_PLAY
            more = (peer["data_frame"][of] != own["answer_frame"]) | longer
            found[of[more & (peer["data_ns"][of] >= own["last_ns"])]] = True
    for end in (batch.a, batch.b):
        last_ns, closed_ns = end["data_ns"][at], end["fin_ns"][at]
        behind = (last_ns > trains["last_ns"]) & (end["data_frame"][at] != trains["answer_frame"])
        found[
            at[behind & (end["fin_frame"][at] > 0) & (closed_ns >= last_ns) & (closed_ns - last_ns < FAREWELL_NS)]
        ] = True
    return found


def may_have_said_why(batch: FlowBatch) -> NDArray[np.bool_]:
    """Say of which flows without heartbeats an end may have said why it ends them: their last data is read for it.

    Those of a service that may say so, of not too many segments, where an end closed or reset the connection right
    behind data of its own, and until then had said the last where nobody answers that.
    """
    found = np.zeros(len(batch), dtype=np.bool_)
    few = batch.a["segments"].astype(np.int64) + batch.b["segments"] <= FAREWELL_MOST_SEGMENTS
    ends = (batch.a, batch.b)
    for service, port in enumerate(("a_port", "b_port")):
        says = SAYS_WHY[batch.flow[port]]
        at = np.flatnonzero((says > 0) & few)
        for side in (service, 1 - service):
            own, peer = ends[side], ends[1 - side]
            said, fin = own["data_frame"][at], own["fin_frame"][at]
            answered = peer["data_frame"][at]
            unheard = (fin > 0) & (answered > fin)  # it read nothing any more
            last = (said > answered) | unheard | (says[at] > BY_SERVICE)
            length = own["data_len"][at]
            long = (says[at] != BY_SERVICE_ANSWERED) | (length > AMQP_CLOSE_OK)
            small = (said > 0) & (length <= FAREWELL_MOST_OCTETS)
            may = (says[at] == BY_EITHER) | (side == service)
            found[at[_closes(batch, at, side) & last & long & small & may]] = True
    for side in (0, 1):
        found |= _answers_a_ping_so(batch, side) & few
    return found & ~np.isin(batch.flow["number"], batch.trains["number"]) if len(batch.trains) else found


def _answers_a_ping_so(batch: FlowBatch, side: int) -> NDArray[np.bool_]:
    """Say where an end said its last behind what is as long as HTTP/2's PING in clear, which may refuse it, and closed.

    Servers refuse the third PING, by default (gRPC): that is too early for a train of heartbeats.
    """
    own, peer = (batch.a, batch.b)[side], (batch.a, batch.b)[1 - side]
    lasts = (peer["data_frame"] > 0) & (own["data_frame"] > peer["data_frame"])
    small = (own["data_len"] >= PINGS[0]) & (own["data_len"] <= FAREWELL_MOST_OCTETS)
    at = np.flatnonzero(lasts & small & (peer["data_len"] == PINGS[0]))
    found = np.zeros(len(batch), dtype=np.bool_)
    found[at] = _closes(batch, at, side)
    return found


def _closes(batch: FlowBatch, at: NDArray[np.int64], side: int) -> NDArray[np.bool_]:
    """Say in which of the flows at these indices an end closed or reset the connection right behind its own data."""
    own = (batch.a, batch.b)[side]
    data_ns = own["data_ns"][at]
    since_ns = own["fin_ns"][at] - data_ns
    closed = (own["fin_frame"][at] > 0) & (since_ns >= 0) & (since_ns < FAREWELL_NS)
    reset = (batch.ending["reset_row"][at] >= 0) & (batch.ending["reset_side"][at] == side)
    closes: NDArray[np.bool_] = closed | (reset & (batch.flow["last_ns"][at] - data_ns < FAREWELL_NS))
    return closes


def _trains_in(batch: FlowBatch) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Return the trains of the flows of a batch, and the index of each one's flow."""
    if not (len(batch.trains) and len(batch)):  # where a selection leaves no flow, trains of others may be left
        return batch.trains[:0], np.zeros(0, dtype=np.int64)
    number = np.asarray(batch.flow["number"])
    order = np.argsort(number, kind="stable")
    place = np.minimum(np.searchsorted(number, batch.trains["number"], sorter=order), len(number) - 1)
    at = order[place]
    mine = number[at] == batch.trains["number"]  # a batch may have trains of other flows, too
    return batch.trains[mine], at[mine]


def _beats_in_vain(batch: FlowBatch, is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say in which flows heartbeats were not answered, or refused, or none came for much too long.

    Or an end said why it ends the connection.
    """
    found = np.zeros(len(is_open), dtype=np.bool_)
    trains, at = _trains_in(batch)
    if not len(trains):
        return found
    ended_ns = np.where(is_open, batch.ends_ns, batch.flow["last_ns"])[at]
    overdue_ns = np.maximum(BEATS_OVERDUE * trains["high_ns"], BEATS_OVERDUE_NS)
    several = trains["unanswered"] > 1
    unanswered = (trains["due"] == 1) & (trains["unanswered"] > 0) & (several | ~is_awaited(trains, ended_ns))
    refused = (trains["refused_frame"] > 0) & (trains["refused_for"] != OF_OTHERS)
    refused |= trains["said"] > 0
    lapsed = (trains["due"] == 1) & (trains["missed"] > trains["unanswered"]) & ~np.isin(trains["protocol"], POLLS)
    unanswered |= lapsed
    found[at[unanswered | refused | (ended_ns - trains["last_ns"] > overdue_ns)]] = True
    return found


def probe_sum(batch: FlowBatch, name: str) -> NDArray[np.int64]:
    """Return one count of the probes of both ends; none of a flow that is another one under other addresses."""
    both = batch.run_a[name].astype(np.int64) + batch.run_b[name]
    return np.where(batch.flow["twin_is_first"] == 1, 0, both)


def has_verdict(winners: NDArray[np.signedinteger[Any]], *words: Verdict) -> NDArray[np.bool_]:
    """Say which flows have one of these verdicts."""
    chosen: NDArray[np.bool_] = _among(words)[winners]
    return chosen


@cache
def _among(words: tuple[Verdict, ...]) -> NDArray[np.bool_]:
    """Return for each row of VERDICTS whether it gives one of these verdicts."""
    return np.array([rule.verdict in words for rule in VERDICTS])
