"""One capture point over several workers: each reads all files, and follows the flows of its own pairs of hosts.

By pairs and not by flows, so that a connection, the ones before and behind it between the same hosts, and ICMP errors
about it stay together. What tells of hosts beside the flows (ARP, other protocols) every shard hears; what other flows
of a host tell, only the shard that has them: causes that rest on it may be missing (docs/fleet.md).

It must not know what a flow is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.segment import SegmentBatch

MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many."""

    index: int
    count: int

    def of(self, batch: SegmentBatch) -> SegmentBatch:
        """Return a batch with only the rows of this shard; the others are still frames."""
        rows = batch.rows
        ends = [rows[f"{end}_lo"].astype(np.uint64) + rows[f"{end}_hi"].astype(np.uint64) * MULTIPLIER for end in ENDS]
        low, high = np.minimum(*ends), np.maximum(*ends)
        mixed = (low * MULTIPLIER + high) * MULTIPLIER
        own = np.flatnonzero((mixed >> np.uint64(33)) % np.uint64(self.count) == np.uint64(self.index))
        return replace(batch, rows=rows[own])


ENDS: Final = ("src", "dst")
