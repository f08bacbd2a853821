"""Whether a packet that a point lacks reached its receiver all the same, by what the receiver says and does later.

An acknowledgement, an echoed timestamp, an answer or a RST from beyond shows it; that less is acknowledged later shows
the contrary. It must not know captures: where they ran, what they dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, ACK, FIN, RST, SYN
from analyzer.seqnum import HALF, SPACE
from analyzer.vantage.coverage import EDGE_NS, bound_ns
from analyzer.vantage.joint import Why

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.packets import Packets

    Ints = NDArray[np.int64]

ANSWER_NS: Final = 3_000_000_000
"""An answer to an empty segment comes in this time."""


def arrived(p: Packets, row: int, point: int, back: NDArray[np.bool_]) -> tuple[Why, bool] | None:
    """Say how its receiver's packets ``back`` show that a packet passed the point, if they do, and whether surely.

    An acknowledgement shows that one of the transmissions of what it covers arrived, not which. Of what came so near to
    it that times do not tell the order, it is taken to be the acknowledgement.
    """
    takes = int(p.end[row] - p.seq[row]) % SPACE
    if takes == 0:
        if p.flags[row] & (RST | SYN | FIN):
            return None
        is_there = int(p.ts_ns[row]) <= p.points[point].last_ns  # else it had ended
        if is_there and echoed(p, row, np.flatnonzero(back)):
            return Why.ECHOED, p.covers is None
        if let_probe(p, row, back):
            return Why.REACTED, not p.jitter_ns
        return answered(p, row, back)
    acks = np.flatnonzero(back & of_attempt(p, row) & ((p.ack - p.end[row]) % SPACE < HALF))
    if not len(acks):
        return None
    until_ns = int(p.ts_ns[acks[0]]) + p.jitter_ns
    same = (p.side == p.side[row]) & (p.sent_in == p.sent_in[row]) & (p.ts_ns <= until_ns)
    if covered(p, row, same & p.has[:, point] & (p.at_ns[:, point] <= until_ns), until_ns):
        return None
    same[row] = False
    if not covered(p, row, same, until_ns):
        return Why.ACKNOWLEDGED, True
    if echoed(p, row, acks):
        return Why.ECHOED, p.covers is None
    again = np.flatnonzero(same & ((p.end - p.end[row]) % SPACE < HALF) & (p.end != p.seq))
    told = bool((p.last_tsecr[acks] > 0).any())
    return None if told or (again > row).any() else (Why.ACKNOWLEDGED, False)


def of_attempt(p: Packets, row: int) -> NDArray[np.bool_]:
    """Say which packets acknowledge numbers of the attempt to connect that a packet is of."""
    same: NDArray[np.bool_] = p.acknowledges_in == p.sent_in[row]
    return same


def echoed(p: Packets, row: int, back: Ints) -> bool:
    """Say whether one of these echoes a packet's timestamp, which none of its sender's before has (RFC 7323).

    What was forgotten may have it: then it is only likely. A timestamp that was changed on the way tells nothing.
    """
    own = p.tsval[row][p.has[row]]
    stamp = int(own[0])
    if stamp in (ABSENT, 0) or (own != stamp).any():
        return False
    echoes = back[p.last_tsecr[back] == stamp]
    if not len(echoes):
        return False
    same = (p.side == p.side[row]) & (p.ts_ns <= p.ts_ns[echoes[0]] + p.jitter_ns)
    return int((same & (p.last_tsval == stamp)).sum()) == 1


def let_probe(p: Packets, row: int, back: NDArray[np.bool_]) -> bool:
    """Say whether its receiver probes behind it with one below what it alone acknowledges.

    Nobody probes with something outstanding (RFC 9293, 3.8.4), so that this acknowledgement came.
    """
    if p.ack[row] == ABSENT or p.covers is not None:
        return False
    probes = np.flatnonzero(back & (p.payload_len == 0) & (p.flags & (SYN | FIN | RST) == 0))
    probes = probes[(p.seq[probes] + 1) % SPACE == p.ack[row]]
    probes = probes[p.ts_ns[probes] - p.ts_ns[row] >= p.jitter_ns]
    if not len(probes):
        return False
    until_ns = p.ts_ns[probes[0]] - p.jitter_ns
    same = (p.side == p.side[row]) & (p.ack != ABSENT) & (p.ts_ns <= until_ns)
    same &= (p.ack - p.ack[row]) % SPACE < HALF
    sent = (p.side != p.side[row]) & (p.ts_ns <= until_ns) & (p.end == p.ack[row]) & (p.end != p.seq)
    return int(same.sum()) == 1 and bool(sent.any())


def drew_reset(p: Packets, row: int, from_beyond: NDArray[np.bool_]) -> bool:
    """Say whether a packet drew a RST from beyond: its number is what the packet acknowledged (RFC 9293, 3.10.7.1).

    Such a RST has no ACK, and nothing else of the same sender can have drawn it.
    """
    if p.flags[row] & (RST | SYN) or p.ack[row] == ABSENT:
        return False
    drawn = (p.side != p.side[row]) & (p.flags & (RST | ACK) == RST) & (p.seq == p.ack[row])
    drawn &= from_beyond & (p.ts_ns >= p.ts_ns[row]) & (p.ts_ns - p.ts_ns[row] <= ANSWER_NS)
    at = np.flatnonzero(drawn)
    if not len(at):
        return False
    same = (p.side == p.side[row]) & (p.flags & RST == 0) & (p.ack == p.ack[row])
    until_ns = int(p.ts_ns[at[0]])
    others = same & (p.ts_ns <= until_ns) & (p.ts_ns >= until_ns - ANSWER_NS)
    others[row] = False
    replies = (p.side != p.side[row]) & (p.flags & RST == 0)
    return all(other < row and replies[other:row].any() for other in np.flatnonzero(others).tolist())


def covered(p: Packets, row: int, among: NDArray[np.bool_], until_ns: int) -> bool:
    """Say whether these and what is forgotten have all that a packet took by then, in whatever pieces."""
    at = np.flatnonzero(among & (p.end != p.seq))
    size = int(p.end[row] - p.seq[row]) % SPACE
    begins, lengths = [p.seq[at]], [(p.end[at] - p.seq[at]) % SPACE]
    if p.covers is not None:
        more = p.covers[p.side[row]]
        more = more[more["from_ns"] <= until_ns]
        begins.append(more["from_seq"])
        lengths.append((more["to_seq"] - more["from_seq"]) % SPACE)
    begin = (np.concatenate(begins) - p.seq[row] + HALF) % SPACE - HALF
    stop = begin + np.concatenate(lengths)
    near = np.flatnonzero((begin < size) & (stop > 0))
    near = near[np.argsort(begin[near], kind="stable")]
    reached = np.maximum.accumulate(np.concatenate([[0], stop[near]]))
    gaps = np.flatnonzero(begin[near] > reached[:-1])
    return int(reached[gaps[0]] if len(gaps) else reached[-1]) >= size


def answered(p: Packets, row: int, back: NDArray[np.bool_]) -> tuple[Why, bool] | None:
    """Say whether a probe (one below what the peer acknowledged) was answered by one of these, and whether surely."""
    sent_ns = p.ts_ns[row]
    wanted = (p.seq[row] + 1) % SPACE
    answers = back & (p.ack == wanted) & (p.payload_len == 0) & (p.ts_ns - sent_ns <= ANSWER_NS)
    answers &= p.flags & (SYN | FIN) == 0  # these are sent without being asked
    at = np.flatnonzero(answers)
    if not len(at):
        return None
    # nor the answer to what was sent behind it, whether or not the point has that
    between = (p.ts_ns > sent_ns) & (p.ts_ns < p.ts_ns[at[0]]) & (p.side == p.side[row])
    # it must not be one who asks by itself, nor answer somebody else
    asks = (p.seq[at[0]] + 1) % SPACE == p.ack[row]
    if between.any() or asks:
        return None
    around = np.abs(p.ts_ns - p.ts_ns[at[0]]) <= p.jitter_ns  # in which order they passed is not known
    around &= p.side == p.side[row]
    around[row] = False
    if not p.jitter_ns or not around.any():
        return Why.ANSWERED, True
    return None if (around & ((p.seq + 1) % SPACE == wanted)).any() else (Why.ANSWERED, False)


def not_arrived(p: Packets, row: int, point: int, beyond: tuple[int, ...]) -> bool:
    """Say whether its receiver acknowledges less, although it would have arrived before."""
    takes = int(p.end[row] - p.seq[row]) % SPACE
    if takes == 0:
        return False
    back = of_attempt(p, row) & (p.side != p.side[row]) & (p.ack != ABSENT) & p.has[:, list(beyond)].any(axis=1)
    back &= (p.ts_ns > p.ts_ns[row] + bound_ns(p, row, point)) & ((p.end[row] - p.ack) % SPACE < HALF)
    return bool((back & (p.ack != p.end[row])).any())


def overtaken(p: Packets, row: int, back: NDArray[np.bool_]) -> bool:
    """Say whether its receiver, before it could show that an empty segment came, echoed a later timestamp."""
    stamp = int(p.last_tsval[row])
    if stamp <= 0 or p.end[row] != p.seq[row]:
        return False
    first = np.flatnonzero(back & (p.last_tsecr > stamp))[:1]
    if not len(first):
        return False
    between = back & (p.ts_ns < p.ts_ns[first[0]]) & (p.ts_ns > p.ts_ns[row] + EDGE_NS)
    return not between.any()
