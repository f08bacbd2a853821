"""Packets that a capture lacks although they passed its point while it ran: then nothing that it lacks is surely lost.

A capture may lose packets of which no counter tells: single ones at random, or some that hang together. Each that is
known to have passed and is not there shows it. That a packet is absent there, too, then proves nothing of it.

It must not know fates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, RST
from analyzer.seqnum import SPACE
from analyzer.vantage import arrival, coverage, doubled, origin
from analyzer.vantage.joint import Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from analyzer.vantage.packets import Packets

SOME: Final = 3
"""So many packets of one end, and none of the other, are of a capture that may see one direction only; so many that are
absent from a hole make it one."""


def passed(p: Packets, row: int, point: int) -> tuple[Why, bool] | None:
    """Say what shows that a packet passed a point behind those that have it, if anything does, and whether surely."""
    if (row, point) not in p.shown:
        p.shown[row, point] = _passed(p, row, point)
    return p.shown[row, point]


def _passed(p: Packets, row: int, point: int) -> tuple[Why, bool] | None:
    way = p.way_of(row)
    back, from_beyond = back_of(p, row), p.seen_at(way[way.index(point) :])
    if (found := arrival.arrived(p, row, point, back & from_beyond)) is not None:
        return found
    if arrival.drew_reset(p, row, from_beyond):
        return Why.ANSWERED, not p.jitter_ns
    own = arrival.arrived(p, row, point, origin.own_of(p, back & ~from_beyond))
    return None if own is None else (own[0], False)


def back_of(p: Packets, row: int) -> NDArray[np.bool_]:
    """Return the packets with which the receiver of one may show that it came."""
    back: NDArray[np.bool_] = (p.side != p.side[row]) & (p.flags & RST == 0) & (p.ack != ABSENT)
    back &= p.ts_ns >= p.ts_ns[row] - p.jitter_ns
    return back


def near(p: Packets, row: int, point: int) -> bool:
    """Say whether a capture lacks what passed it just before or behind a packet: then it tells nothing of that.

    What it lacks because it had not begun, or had ended, says nothing of the time in which it ran.
    """
    for step in (-1, 1):
        at = row + step
        while 0 <= at < len(p.side) and not p.has[at, point] and coverage.ran_there(p, at, point):
            if not p.flags[at] & RST and doubled.like(p, at) is None and _is_lacked(p, at, point):
                return True
            at += step
    return False


def anywhere(p: Packets, point: int) -> tuple[int, int] | None:
    """Return point and frame of a packet that passed a point amid its capture, which lacks it; None if none is known.

    That is the first of the same connection, else of any other, else one of which nothing but its TTL shows that it is
    its sender's, which passes that point.
    """
    if point not in p.lacked:
        absent = [] if p.by_rhythm else _absent(p, point)
        other = p.points[point].lacks
        row = _first(p, point, absent, _is_lacked)
        if row is None and other is None:
            row = _first(p, point, absent, _is_nameless)
        p.lacked[point] = other if row is None else (p.seen_first(row), int(p.frame[row, p.seen_first(row)]))
    return p.lacked[point]


def _first(p: Packets, point: int, rows: Iterable[int], shows: Callable[[Packets, int, int], bool]) -> int | None:
    """Return the first packet that shows something, that is no second capture, and that passed while a capture ran."""
    telling = (row for row in rows if shows(p, row, point) and coverage.ran_there(p, row, point))
    return next((row for row in telling if doubled.like(p, row) is None), None)


def _absent(p: Packets, point: int) -> list[int]:
    """Return the packets that a point lacks and that fell amid its capture, as far as they may show that it does."""
    where = p.points[point]
    absent = ~p.has[:, point] & ~p.regrouped & ~p.doubtful & (p.flags & RST == 0)
    absent &= coverage.amid(p.points, point, p.ts_ns)
    for start, end in where.holes_ns:
        inside = absent & (p.ts_ns >= start) & (p.ts_ns <= end)
        if inside.sum() >= SOME:  # nobody captured meanwhile: fewer may be single ones, of a connection that is quiet
            absent &= ~inside
    rows: list[int] = np.flatnonzero(absent).tolist()
    return rows


def _is_lacked(p: Packets, row: int, point: int) -> bool:
    """Say whether a packet that a point lacks passed it: it was seen on both sides, or one of its ends shows it.

    A point that has nothing of an end sees one direction only, and lacks nothing for that.
    """
    way = p.way_of(row)
    if point not in way or _is_tied(p, row) or not sees(p, point, row):
        return False
    at = [place for place, each in enumerate(way) if p.has[row, each]]
    place = way.index(point)
    if at[0] < place < at[-1]:
        return True
    if place < at[0]:
        seen_at = way[at[0]]
        return origin.goes_on(p, row, point) or (not origin.unlike(p, row, seen_at) and origin.fits(p, row, seen_at))
    return passed(p, row, point) is not None


def _is_nameless(p: Packets, row: int, point: int) -> bool:
    """Say whether a packet that a point before lacks has its sender's TTL, and nothing else that tells whose it is."""
    way, seen_at = p.way_of(row), p.seen_first(row)
    if point not in way or _is_tied(p, row) or not sees(p, point, row):
        return False
    return way.index(point) < way.index(seen_at) and origin.is_nameless(p, row, seen_at)


def _is_tied(p: Packets, row: int) -> bool:
    """Say whether nothing tells which of two points a packet passes first of which one has it."""
    return any(p.has[row, one] != p.has[row, other] for one, other in p.woven.tied)


def sees(p: Packets, point: int, row: int) -> bool:
    """Say whether a point has anything of a packet's sender."""
    return bool((p.has[:, point] & (p.side == p.side[row])).any())


def sees_other_way(p: Packets, point: int, row: int) -> bool:
    """Say whether a point has packets of a packet's receiver alone, as if it saw one direction only."""
    return not sees(p, point, row) and int(p.has[:, point].sum()) >= SOME


def asked_in_vain(p: Packets, row: int, point: int) -> bool:
    """Say whether a packet that a point lacks got no answer, though all that is there did: most likely it was lost.

    Data, a SYN or a FIN was sent again, a probe was followed by another before anything came, behind a RST the receiver
    went on. An ACK asks for nothing.
    """
    mine = p.side == p.side[row]
    theirs = np.flatnonzero(~mine & (p.flags & RST == 0))
    if p.flags[row] & RST:
        return bool((p.ts_ns[theirs] > p.ts_ns[row] + coverage.ANSWER_NS).any())
    if not coverage.asks(p, row):
        return False
    place = int(np.searchsorted(theirs, row))
    since = int(theirs[place - 1]) + 1 if place else 0
    until = int(theirs[place]) if place < len(theirs) else len(p.side)
    asking = since + np.flatnonzero((mine & coverage.all_asking(p))[since:until])
    if until < len(p.side) and p.ts_ns[until] - p.ts_ns[asking[-1]] <= coverage.ANSWER_NS:
        asking = asking[:-1]
    if p.has[asking, point].any():
        return False
    takes = int(p.end[row] - p.seq[row]) % SPACE
    if takes:
        later = np.flatnonzero(mine & (p.sent_in == p.sent_in[row]))
        later = later[later > row]
        return bool((((p.seq[row] - p.seq[later]) % SPACE) < ((p.end[later] - p.seq[later]) % SPACE)).any())
    return bool((asking == row).any())
