"""Where an end's packets came another way from then on: with another TTL, or from another station.

It must not say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.segment import NOTE_TCP, RST

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Column = NDArray[Any]


def turned(column: Callable[[str], Column], owner: Column) -> Column:
    """Return the rows, one of each end at most, from which on its packets have another TTL or station.

    Of SEEN rows, flow by flow, each row's flow given. Not where they come now this way and now that.
    """
    end = 2 * owner + column("side")
    ttl, mac = column("ttl"), column("src_mac")
    own = (column("is_copy") == 0) & (column("note") == NOTE_TCP) & (column("flags") & RST == 0)
    low, before = column("ttl_low"), column("own_mac")
    by_ttl = own & (low >= 0) & (low == column("ttl_high")) & (ttl >= 0) & (ttl != low)
    by_mac = own & (before >= 0) & (mac >= 0) & (mac != before)
    count = int(end.max()) + 1 if len(end) else 0
    first = np.full(count, len(end), dtype=np.int64)
    np.minimum.at(first, end[by_ttl | by_mac], np.flatnonzero(by_ttl | by_mac))
    at = first[first < len(end)]
    behind = own & (np.arange(len(end)) > first[end])
    where = np.minimum(first, max(len(end) - 1, 0))[end]
    other = behind & ((ttl != ttl[where]) | (mac != mac[where]))
    back = np.bincount(end[other], minlength=count) > 0
    return np.sort(at[~back[end[at]]])
