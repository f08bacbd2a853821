"""What a packet had before a stretch of the way and has not behind it: hops, window, MSS, options, numbers, data.

It must not know fates.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, SYN
from analyzer.vantage.joint import Change
from analyzer.vantage.sameness import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.track.flow import Side
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import WovenFlow

FIELDS: Final = (("window", "window"), ("mss", "mss"), ("window_scale", "window_scale"), ("tsval", "timestamps"))
"""Fields that boxes rewrite, and what that is called."""
OPTIONS: Final = 63


def changes_of(
    woven: WovenFlow, table: NDArray[np.int64], side: NDArray[np.int64], seen: Sequence[Columns]
) -> tuple[tuple[Change, ...], NDArray[np.bool_]]:
    """Return what changed between neighbouring points, and which packets did beyond TTL, addresses and IP ID.

    ``table`` has the sightings of the flow's packets at each point, ``side`` who sent them.
    """
    changed = np.zeros(len(table), dtype=np.bool_)
    found: list[Change] = []
    points = woven.way or tuple(part[0] for part in woven.parts)
    sides: tuple[Side, Side] = ("a", "b")
    for which, sender in enumerate(sides):
        way = points if which == 0 else points[::-1]
        for first, second in pairwise(way):
            rows = np.flatnonzero((side == which) & (table[:, first] >= 0) & (table[:, second] >= 0))
            if not len(rows):
                continue
            one, other = seen[first][table[rows, first]], seen[second][table[rows, second]]
            for change, at in _between(sender, (first, second), one, other):
                found.append(change)
                if change.what not in ("ttl", "ip_id"):
                    changed[rows[at]] = True
    return tuple(found), changed


def _between(
    sender: Side, points: tuple[int, int], one: Columns, other: Columns
) -> Iterator[tuple[Change, NDArray[np.int64]]]:
    """Yield what differs between packets before and behind, and in which."""

    def change(what: str, at: NDArray[np.int64], before: int, behind: int, option: int | None = None) -> Change:
        frames = int(one["frame"][at[0]]), int(other["frame"][at[0]])
        return Change(what, sender, points, len(at), before, behind, frames, option)

    ttl = np.flatnonzero((one["ttl"] > 0) & (other["ttl"] > 0) & (one["ttl"] != other["ttl"]))
    if len(ttl):
        yield change("ttl", ttl, int(one["ttl"][ttl[0]]), int(other["ttl"][ttl[0]])), ttl
    ids = np.flatnonzero((one["ip_id"] >= 0) & (other["ip_id"] >= 0) & (one["ip_id"] != other["ip_id"]))
    if len(ids):
        yield change("ip_id", ids, int(one["ip_id"][ids[0]]), int(other["ip_id"][ids[0]])), ids
    whole = (one["options_cut"] == 0) & (other["options_cut"] == 0)
    for name, what in FIELDS:
        values, theirs = one[name].astype(np.int64), other[name].astype(np.int64)
        both = values != theirs
        if name != "window":  # an option that is missing is another change
            both &= (values != ABSENT) & (theirs != ABSENT) & whole
        at = np.flatnonzero(both)
        if len(at):
            yield change(what, at, int(values[at[0]]), int(theirs[at[0]])), at
    for each in (one, other):  # of text and of what was cut the options are not known
        whole &= (each["options"] != 0) | (each["header_len"] == 20)
    known = whole & ((one["options"] | other["options"]) != 0)
    for gone, what in (
        (one["options"] & ~other["options"], "option_stripped"),
        (other["options"] & ~one["options"], "option_added"),
    ):
        gone = np.where(known, gone, 0)  # noqa: PLW2901
        some = int(np.bitwise_or.reduce(gone))
        for kind in (kind for kind in range(OPTIONS) if some >> kind & 1):
            at = np.flatnonzero(gone & (1 << kind))
            if len(at):
                yield change(what, at, int(one["flags"][at[0]] & SYN), int(other["flags"][at[0]] & SYN), kind), at
    same_length = (one["captured"] == other["captured"]) & (one["captured"] > 0)
    altered = same_length & (one["digest"] != other["digest"])
    cut = ~same_length & (np.minimum(one["captured"], other["captured"]) >= HEAD)
    altered |= cut & (one["head"] != other["head"])
    at = np.flatnonzero(altered)
    if len(at):
        yield change("payload", at, int(one["payload_len"][at[0]]), int(other["payload_len"][at[0]])), at
