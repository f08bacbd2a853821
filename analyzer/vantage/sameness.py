"""Whether a packet is the same at two points, beyond addresses, TTL and IP ID.

It must not know what a difference is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.sighting import Columns

HEAD: Final = 16
"""Minimum number of bytes that are compared."""


def differs(one: Columns | NDArray[np.void], other: Columns | NDArray[np.void]) -> NDArray[np.bool_]:
    """Say of pairs of sightings whether a packet is another behind, beyond addresses, TTL and IP ID."""
    different = one["window"] != other["window"]
    whole = (one["options_cut"] == 0) & (other["options_cut"] == 0)
    for name in ("mss", "window_scale", "tsval"):
        both = (one[name] != ABSENT) & (other[name] != ABSENT)
        different |= whole & both & (one[name] != other[name])
    for each in (one, other):
        whole &= (each["options"] != 0) | (each["header_len"] == 20)
    different |= whole & (one["options"] != other["options"])
    as_long = (one["captured"] == other["captured"]) & (one["captured"] > 0)
    different |= as_long & (one["digest"] != other["digest"])
    cut = ~as_long & (np.minimum(one["captured"], other["captured"]) >= HEAD)
    changed: NDArray[np.bool_] = different | (cut & (one["head"] != other["head"]))
    return changed
