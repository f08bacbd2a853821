"""Which data of an end was acknowledged by the other end's kernel and left unanswered by its program, for how long.

Seen at the point nearest to who is asked: between that point and its program nothing is captured, so a wait that shows
there is not one of the way between the points. Only ends that took turns before are looked at: who asks opened the
connection, or, where no SYN was captured, is the one whose data the other answers sooner than it goes on itself.

It must not know why a program does not answer, or whether it has to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.segment import FIN, RST
from analyzer.seqnum import HALF
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S
from analyzer.vantage import lacking
from analyzer.vantage.joint import Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing
    from analyzer.vantage.packets import Packets

LEAST_NS: Final = NS_PER_S
"""Who waits for less is not told of."""
LONGER: Final = 10
"""So many times as long as the slowest other answer a wait must be."""
LEAST_TURNS: Final = 2
"""So many answers must have come before: else nothing shows that they take turns."""
MASK: Final = (1 << 32) - 1


class _Turn(NamedTuple):
    """What one end sent before the other sent anything: its last packet, and the first of the other's."""

    asked: int
    answered: int
    took_ns: int


class _Seen(NamedTuple):
    """The packets of a flow at one point, as that point had them."""

    rows: tuple[int, ...]
    """In order of time there."""
    at_ns: tuple[int, ...]
    new: tuple[bool, ...]
    """Whether a packet bears data that its end had not sent there before."""
    ahead: tuple[int | None, int | None]
    """The end of all that each end sent there."""


def wait_of(p: Packets, crossing: Callable[[int], Crossing], initiator: Side | None) -> Wait | None:
    """Return the wait of who asks, if there is one; ``initiator`` is who opened the connection."""
    if not p.order or p.by_rhythm:
        return None
    for side in SIDES if initiator is None else (initiator,):
        asker = SIDES.index(side)
        found = _wait(p, asker, crossing, is_sure=initiator is not None)
        if found is not None:
            return found
    return None


def _wait(p: Packets, asker: int, crossing: Callable[[int], Crossing], *, is_sure: bool) -> Wait | None:
    point = p.order[-1 if asker == 0 else 0]
    seen = _seen(p, point)
    turns = list(_turns(p, seen, asker))
    if len(turns) < LEAST_TURNS:
        return None
    asked = _left_open(p, seen, asker)
    others = sorted(turn.took_ns for turn in turns)
    until: int | None
    if asked is None:
        worst = max(turns, key=_took_ns)
        asked, until, waited_ns, ended = worst.asked, worst.answered, others.pop(), "answered"
    else:
        until, until_ns, ended = _until(p, seen, asker, asked, point)
        waited_ns = until_ns - int(p.at_ns[asked, point])
    if len(others) < LEAST_TURNS or waited_ns < max(LEAST_NS, LONGER * max(others)):
        return None
    if not is_sure and max(others) >= min((turn.took_ns for turn in _turns(p, seen, 1 - asker)), default=0):
        return None  # either may be who asks
    acked = _acknowledged(p, seen, asker, asked)
    if acked is None or _hears_more(p, seen, asker) or not _is_whole(p, point, int(p.at_ns[asked, point]), waited_ns):
        return None
    return Wait(
        asker=SIDES[asker],
        point=point,
        asked=crossing(asked),
        acked=crossing(acked),
        until=None if until is None else crossing(until),
        waited_ns=waited_ns,
        acked_ns=int(p.at_ns[acked, point] - p.at_ns[asked, point]),
        ended=ended,
        others=len(others),
        slowest_ns=max(others),
    )


def _took_ns(turn: _Turn) -> int:
    return turn.took_ns


def _seen(p: Packets, point: int) -> _Seen:
    here = np.flatnonzero(p.has[:, point])
    rows = here[np.argsort(p.at_ns[here, point], kind="stable")].tolist()
    ahead: list[int | None] = [None, None]
    new = []
    for row in rows:
        side, end = int(p.side[row]), int(p.end[row]) & MASK
        before = ahead[side]
        goes_on = before is None or 0 < (end - before) & MASK < HALF
        new.append(bool(goes_on and p.payload_len[row]))
        if goes_on:
            ahead[side] = end
    return _Seen(tuple(rows), tuple(p.at_ns[rows, point].tolist()), tuple(new), (ahead[0], ahead[1]))


def _turns(p: Packets, seen: _Seen, asker: int) -> Iterator[_Turn]:
    """Yield what an end sent and the other then did, as the point saw it."""
    asked: tuple[int, int] | None = None
    for row, at_ns, is_new in zip(seen.rows, seen.at_ns, seen.new, strict=True):
        if is_new and p.side[row] == asker:
            asked = row, at_ns
        elif is_new and asked is not None:
            yield _Turn(asked[0], row, at_ns - asked[1])
            asked = None


def _left_open(p: Packets, seen: _Seen, asker: int) -> int | None:
    """Return the last data of an end, if no data of the other came behind it."""
    last = next((row for row, is_new in zip(seen.rows[::-1], seen.new[::-1], strict=True) if is_new), None)
    return last if last is not None and p.side[last] == asker else None


def _until(p: Packets, seen: _Seen, asker: int, asked: int, point: int) -> tuple[int | None, int, str]:
    """Return until when nothing came in answer: the first FIN or RST of either end, else the end of the capture."""
    behind = seen.rows[seen.rows.index(asked) + 1 :]
    for row in behind:
        if p.flags[row] & (FIN | RST):
            what = "reset" if p.flags[row] & RST else "fin"
            whose = "asker" if p.side[row] == asker else "asked"
            return row, int(p.at_ns[row, point]), f"{what}_of_{whose}"
    return None, max(p.points[point].last_ns, seen.at_ns[-1]), "capture"


def _acknowledged(p: Packets, seen: _Seen, asker: int, asked: int) -> int | None:
    """Return the first packet of the other end, no RST, that acknowledges all of what was asked."""
    end = int(p.end[asked]) & MASK
    behind = seen.rows[seen.rows.index(asked) + 1 :]
    own = (row for row in behind if p.side[row] != asker and p.ack[row] >= 0 and not p.flags[row] & RST)
    return next((row for row in own if (int(p.ack[row]) - end) & MASK < HALF), None)


def _hears_more(p: Packets, seen: _Seen, asker: int) -> bool:
    """Say whether an end acknowledged more of the other's than the point has."""
    ahead = seen.ahead[1 - asker]
    own = [row for row in seen.rows if p.side[row] == asker and p.ack[row] >= 0 and not p.flags[row] & RST]
    return ahead is None or any(0 < (int(p.ack[row]) - ahead) & MASK < HALF for row in own)


def _is_whole(p: Packets, point: int, from_ns: int, waited_ns: int) -> bool:
    """Say whether nothing shows that the capture lacks what passed meanwhile."""
    where = p.points[point]
    until_ns = from_ns + waited_ns
    holes = (*where.holes_ns, *where.gaps_ns)
    if where.dropped or any(low < until_ns and high > from_ns for low, high in holes):
        return False
    return lacking.anywhere(p, point) is None
