"""Whether two captures are one, or copies of parts of one, or one is in the other: then both tell no more than one.

Two points are never passed by packets of both directions after exactly the same time, and a copy keeps all times or
moves them all alike. It must not know flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.sighting import Columns

LEAST: Final = 3
"""So many packets both must have."""
TWICE: Final = 1.25
"""So many times as many of the same packets has what holds another point's, too."""
TICKS_NS: Final = (1_000_000, 1_000, 1)
"""How exact times may be: to the millisecond, microsecond or nanosecond."""
NAMES: Final = ("ts_ns", "key", "ttl", "ip_id")
"""What is the same of a packet in a copy of its capture."""


def are_copies(one: Columns, other: Columns) -> bool:
    """Say whether two captures are the same where both ran: packets, TTLs, IP IDs, and times to the nanosecond.

    A capture of all interfaces of a host has the times of that of one of them, but more packets: it is no copy.
    """
    first, second = _once(one), _once(other)
    _, here, there = np.intersect1d(first["key"], second["key"], assume_unique=True, return_indices=True)
    mine, yours = first[here], second[there]
    tick_ns = max(_tick_ns(one), _tick_ns(other))
    if len(mine) < LEAST or not (mine["side"] != mine["side"][0]).any():
        return len(one) > 0 and len(other) > 0 and _alike(one, other, 0, tick_ns)  # by what is repeated, and not moved
    moved_ns = mine["ts_ns"] // tick_ns - yours["ts_ns"] // tick_ns
    return np.ptp(moved_ns) == 0 and _alike(one, other, int(moved_ns[0]), tick_ns)


def is_within(one: Columns, other: Columns) -> bool:
    """Say whether each packet of one capture is in the other too, at the same instant, and many there once more.

    So it is in what was put together of the captures of several points. A capture of another program at the same point
    may have some that this one missed, but none twice.
    """
    if not len(other):
        return False
    mine = one[(one["ts_ns"] >= other["ts_ns"].min()) & (one["ts_ns"] <= other["ts_ns"].max())]
    if len(mine) < LEAST or not (mine["side"] != mine["side"][0]).any():
        return False
    held_then = other[(other["ts_ns"] >= mine["ts_ns"].min()) & (other["ts_ns"] <= mine["ts_ns"].max())]
    columns = [np.concatenate([mine[name], other[name]]).astype(np.int64) for name in NAMES]
    kinds = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].ravel()
    own, held = (np.bincount(each, minlength=len(kinds)) for each in (kinds[: len(mine)], kinds[len(mine) :]))
    more = int(np.isin(held_then["key"], mine["key"]).sum()) >= TWICE * len(mine)
    return more and bool((own <= held).all())


def _tick_ns(seen: Columns) -> int:
    """Return how exact the times of a capture are, in nanoseconds: a copy in another form may have cut them."""
    return next(tick_ns for tick_ns in TICKS_NS if not (seen["ts_ns"] % tick_ns).any())


def _alike(one: Columns, other: Columns, moved: int, tick_ns: int) -> bool:
    """Say whether two captures have the same packets while both ran, those of ``one`` ``moved`` ticks later."""
    ticks = one["ts_ns"] // tick_ns, other["ts_ns"] // tick_ns + moved
    low, high = max(int(each.min()) for each in ticks), min(int(each.max()) for each in ticks)
    ran = [(each >= low) & (each <= high) for each in ticks]
    rows = [seen[at] for seen, at in zip((one, other), ran, strict=True)]
    if len(rows[0]) != len(rows[1]) or len(rows[0]) < LEAST or not (rows[0]["side"] != rows[0]["side"][0]).any():
        return False
    mine, yours = (
        each[np.lexsort((each["ip_id"], each["key"], when[at]))]
        for each, when, at in zip(rows, ticks, ran, strict=True)
    )
    return all(np.array_equal(mine[name], yours[name]) for name in ("key", "ttl", "ip_id"))


def _once(seen: Columns) -> Columns:
    """Return the packets that a capture has once."""
    _, at, times = np.unique(seen["key"], return_index=True, return_counts=True)
    chosen: NDArray[np.int64] = at[times == 1]
    return seen[chosen]
