"""How the clock of one point stands to that of another: offset and drift, each with bounds, and steps.

No clock is trusted. A packet that went from one point to the other cannot have arrived before it left: each such packet
bounds the offset from one side, and packets the other way bound it from the other. Over time that is a strip in which a
straight line must lie; all lines that fit are the bounds. Where no line fits because single times are off by
microseconds (processors that do not hand packets over in order, each with its own time), as much is added to the bounds
as makes one fit, and more. Where that would be too much, a clock was set: a new *piece* begins.

It must not know what a packet is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FASTEST: Final = 1e-3
"""No clock that anybody uses drifts by more: 1000 ppm."""
SLACK_NS: Final = 2_000
"""Two times that were cut to microseconds are off by so much."""
JITTER_NS: Final = 1_000_000
"""If times contradict each other by no more on either side, no clock was set: single ones are off."""
ALL_OFF_NS: Final = 100_000
"""Where single times are off, none is trusted to be nearer to the truth."""
BINS: Final = 512
"""This many of the samples of either direction are looked at: of each stretch of time the one that bounds most."""
STRETCHES: Final = 1 << 15
"""Of very many samples, those of either direction that bound most, of each of so many stretches, are as good as all."""
MOST_PIECES: Final = 32
OUTLIERS: Final = 8
"""If so many samples behind one fit without it, that one was no packet of both."""


Fit = tuple[int, int | None, int | None, float, float, float]
"""Offset, its bounds, drift, its bounds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time in which a clock ran evenly against the reference; instants by the clock itself."""

    from_ns: int
    to_ns: int
    at_ns: int
    """For this instant the offsets are."""
    offset_ns: int
    low_ns: int | None
    """Bounds of the offset at ``at_ns``; None where packets of one direction only were seen."""
    high_ns: int | None
    drift: float
    """How much faster than the reference; 1e-6 is one part in a million."""
    drift_low: float
    drift_high: float
    samples: int
    jitter_ns: int = 0
    """How far single times may be off; 0 if none contradicts another."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A point's clock against the reference: what to take from its times."""

    pieces: tuple[Piece, ...]
    by_rhythm: bool = False
    """Whether only the rhythm of what is repeated says how it stands: it may be off by whole intervals of that."""

    def reference_ns(self, ts_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return instants of this clock as the reference would have told them."""
        starts = np.array([piece.from_ns for piece in self.pieces[1:]], dtype=np.int64)
        which = np.searchsorted(starts, ts_ns, side="right")
        at = np.array([piece.at_ns for piece in self.pieces], dtype=np.int64)[which]
        offset = np.array([piece.offset_ns for piece in self.pieces], dtype=np.int64)[which]
        drift = np.array([piece.drift for piece in self.pieces])[which]
        told: NDArray[np.int64] = ts_ns - offset - np.rint(drift * (ts_ns - at)).astype(np.int64)
        return told

    @property
    def first(self) -> Piece:
        """The first piece, which holds from the beginning."""
        return self.pieces[0]

    @property
    def width_ns(self) -> int:
        """How uncertain the offset is, at its surest instants."""
        known = [p.high_ns - p.low_ns for p in self.pieces if p.high_ns is not None and p.low_ns is not None]
        return max(known, default=0)

    @property
    def is_one_way(self) -> bool:
        """Whether packets of one direction only tell its offset, so that it has no bound on one side."""
        return any(piece.samples and (piece.low_ns is None or piece.high_ns is None) for piece in self.pieces)

    @property
    def jitter_ns(self) -> int:
        """How far single times may be off, by what contradicts each other: so near to each other they tell no order."""
        return max(piece.jitter_ns for piece in self.pieces)


THE_REFERENCE: Final = Clock((Piece(0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0),))
"""The clock that the others are compared with."""


def clock_of(there_ns: NDArray[np.int64], here_ns: NDArray[np.int64], way: NDArray[np.int8]) -> Clock:
    """Return how the clock *here* stands to the reference *there*, from packets that were seen by both.

    ``way`` is 1 for a packet that came from there, -1 for one that went there, 0 where nobody knows. At least one.
    """
    order = np.argsort(here_ns, kind="stable")
    there_ns, here_ns, way = there_ns[order], here_ns[order], way[order]
    told = way != 0
    if not told.any():
        middle = np.median(here_ns - there_ns)
        piece = Piece(int(here_ns[0]), int(here_ns[-1]), int(here_ns[0]), int(middle), None, None, 0.0, 0, 0, len(way))
        return Clock((replace(piece, drift_low=-FASTEST, drift_high=FASTEST),))
    there_ns, here_ns, way = there_ns[told], here_ns[told], way[told]
    apart_ns = here_ns - there_ns
    if len(way) > 4 * STRETCHES:
        kept = _bounding(apart_ns, way)
        here_ns, apart_ns, way = here_ns[kept], apart_ns[kept], way[kept]
    pieces: list[Piece] = []
    start = 0
    while start < len(way):
        stop = _reach(here_ns[start:], apart_ns[start:], way[start:]) + start
        if len(pieces) + 1 == MOST_PIECES:
            stop = len(way)
        pieces.append(_piece(here_ns[start:stop], apart_ns[start:stop], way[start:stop]))
        start = stop
    return Clock(_edged(pieces, here_ns, apart_ns))


def _bounding(apart_ns: NDArray[np.int64], way: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the samples, in order of time, that bound most, of stretches of equally many."""
    found = []
    for sign in (1, -1):
        own = np.flatnonzero(way == sign)
        size = -(-len(own) // STRETCHES)
        if size <= 1:
            found.append(own)
            continue
        starts = np.arange(0, len(own), size)
        least = np.minimum.reduceat(sign * apart_ns[own], starts)
        is_least = sign * apart_ns[own] == np.repeat(least, size)[: len(own)]
        found.append(own[is_least])
    return np.sort(np.concatenate(found))


def _edged(pieces: list[Piece], here_ns: NDArray[np.int64], apart_ns: NDArray[np.int64]) -> tuple[Piece, ...]:
    """Move the border between pieces to where the clock was set: packets of one direction do not contradict at once."""
    for at in range(1, len(pieces)):
        before, behind = pieces[at - 1], pieces[at]
        border = int(np.searchsorted(here_ns, behind.from_ns))
        while border > 1 and here_ns[border - 1] > before.from_ns:
            to_old = abs(int(apart_ns[border - 1]) - _told(before, int(here_ns[border - 1])))
            to_new = abs(int(apart_ns[border - 1]) - _told(behind, int(here_ns[border - 1])))
            if to_new >= to_old:
                break
            border -= 1
        pieces[at - 1] = replace(before, to_ns=int(here_ns[border - 1]))
        pieces[at] = replace(behind, from_ns=int(here_ns[border]))
    return tuple(pieces)


def _told(piece: Piece, ts_ns: int) -> int:
    return piece.offset_ns + round(piece.drift * (ts_ns - piece.at_ns))


def _reach(here_ns: NDArray[np.int64], apart_ns: NDArray[np.int64], way: NDArray[np.int8]) -> int:
    """Return how many of the samples, from the first on, one line fits; one that alone does not is passed over."""

    def fits(count: int) -> bool:
        some = here_ns[:count], apart_ns[:count], way[:count]
        return _fit(*some, SLACK_NS) is not None or _fit(*some, JITTER_NS) is not None

    if fits(len(way)):
        return len(way)
    good, bad = 1, len(way)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    rest = np.r_[0:good, good + 1 : min(good + 1 + OUTLIERS, len(way))]
    if len(rest) > good + OUTLIERS // 2 and _fit(here_ns[rest], apart_ns[rest], way[rest], JITTER_NS):
        way[good] = 0  # an outlier, which bounds nothing
        return _reach(here_ns, apart_ns, way)
    return good


def _piece(here_ns: NDArray[np.int64], apart_ns: NDArray[np.int64], way: NDArray[np.int8]) -> Piece:
    """Return the piece that these samples make."""
    at_ns, samples = int(here_ns[0]), int((way != 0).sum())
    jitter_ns = 0
    found = _fit(here_ns, apart_ns, way, SLACK_NS)
    if found is None and (jitter_ns := _jitter_ns(here_ns, apart_ns, way)):
        found = _fit(here_ns, apart_ns, way, jitter_ns)
    if found is None:  # nothing fits: what lies in the middle, and no bounds
        middle = int(np.median(apart_ns))
        return Piece(at_ns, int(here_ns[-1]), at_ns, middle, None, None, 0.0, -FASTEST, FASTEST, samples)
    offset, low, high, drift, drift_low, drift_high = found
    return Piece(at_ns, int(here_ns[-1]), at_ns, offset, low, high, drift, drift_low, drift_high, samples, jitter_ns)


def _jitter_ns(here_ns: NDArray[np.int64], apart_ns: NDArray[np.int64], way: NDArray[np.int8]) -> int:
    """Return how far single times may be off where no line fits: what they contradict each other by, and more.

    That shows how far they are off, less what packets took. 0 if it would be too much.
    """
    least, most = SLACK_NS, JITTER_NS
    best = _fit(here_ns, apart_ns, way, most)
    if best is None:
        return 0
    while most - least > SLACK_NS:
        middle = (least + most) // 2
        found = _fit(here_ns, apart_ns, way, middle)
        best, least, most = (best, middle, most) if found is None else (found, least, middle)
    rest = apart_ns - (best[0] + np.rint(best[3] * (here_ns - here_ns[0]))).astype(np.int64)
    took_ns = max(int(np.median(rest[way > 0]) - np.median(rest[way < 0])), 0)
    return max(ALL_OFF_NS, 4 * most + took_ns)


def _fit(here_ns: NDArray[np.int64], apart_ns: NDArray[np.int64], way: NDArray[np.int8], slack_ns: int) -> Fit | None:
    """Return offset at the first sample, its bounds, drift and its bounds; None if no line fits."""
    base = int(apart_ns[0])
    x = (here_ns - here_ns[0]).astype(np.float64)
    y = (apart_ns - base).astype(np.float64)
    above = _tightest(x[way > 0], y[way > 0] + slack_ns, lowest=True)
    below = _tightest(x[way < 0], y[way < 0] - slack_ns, lowest=False)

    def upper(drift: float) -> float:
        return float((above[1] - drift * above[0]).min()) if len(above[0]) else np.inf

    def lower(drift: float) -> float:
        return float((below[1] - drift * below[0]).max()) if len(below[0]) else -np.inf

    if not len(below[0]):
        return base + round(upper(0.0)) - slack_ns, None, base + round(upper(0.0)), 0.0, -FASTEST, FASTEST
    if not len(above[0]):
        return base + round(lower(0.0)) + slack_ns, base + round(lower(0.0)), None, 0.0, -FASTEST, FASTEST

    def room(drift: float) -> float:
        return upper(drift) - lower(drift)

    best = _peak(room, -FASTEST, FASTEST)
    if room(0.0) >= room(best):
        best = 0.0
    if room(best) < 0:
        return None
    slowest = _edge(room, best, -FASTEST)
    fastest = _edge(room, best, FASTEST)
    drift = 0.0 if slowest <= 0 <= fastest else best
    low = lower(_peak(lambda drift: -lower(drift), slowest, fastest))
    high = upper(_peak(upper, slowest, fastest))
    middle = (upper(drift) + lower(drift)) / 2
    return base + round(middle), base + round(low), base + round(high), drift, slowest, fastest


def _tightest(x: NDArray[np.float64], y: NDArray[np.float64], *, lowest: bool) -> tuple[NDArray[np.float64], ...]:
    """Return the samples that bound most, one of each stretch of time."""
    if len(x) <= BINS:
        return x, y
    bins = np.minimum((x - x[0]) / max(x[-1] - x[0], 1) * BINS, BINS - 1).astype(np.int64)
    order = np.lexsort((y if lowest else -y, bins))
    first = order[np.flatnonzero(np.diff(bins[order], prepend=-1))]
    return x[first], y[first]


def _peak(of: Callable[[float], float], low: float, high: float) -> float:
    """Return where a concave function is highest."""
    for _ in range(100):
        third = (high - low) / 3
        if of(low + third) < of(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2


def _edge(room: Callable[[float], float], inside: float, outside: float) -> float:
    """Return the last drift, going outwards, at which there is room."""
    if room(outside) >= 0:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if room(middle) >= 0 else (inside, middle)
    return inside
