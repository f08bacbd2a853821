"""Which hosts sent probes, added up batch by batch.

A capture of millions of flows may have a hundred thousand clients that probe: they are columns.

It must not hold a word for the user, or look at a SEEN row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import address_text
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.survey.overview import CaptureSummary
    from analyzer.track.batch import FlowBatch

NS_PER_MINUTE: Final = 60_000_000_000

HOST: Final = np.dtype(
    [("capture", np.int64), ("hi", np.int64), ("lo", np.int64), ("flows", np.int64), ("probes", np.int64)]
)
SAME: Final = ("lo", "hi", "capture")
SUMS: Final = ("flows", "probes")

UNSETTLED: Final = 8192
"""This many entries, or as many as there are hosts, may wait before equal ones become one."""


@dataclass(frozen=True, slots=True)
class ProbingHost:
    """What one address sent in probes."""

    capture: int
    address: str
    flows: int
    probes: int
    per_minute: float
    """Over the whole capture."""


class HostSums:
    """Probes by capture and sender."""

    def __init__(self, settled: NDArray[np.void] | None = None) -> None:
        """Start with none, or with these."""
        self._settled = np.zeros(0, dtype=HOST) if settled is None else settled
        self._new: list[NDArray[np.void]] = []
        self._waiting = 0

    def add(self, capture: int, batch: FlowBatch) -> None:
        """Add the probes of finished flows; a flow between two ports of one host counts once for it.

        One that is another flow under other addresses (NAT) does not count.
        """
        both = (batch.run_a["probes"] > 0) & (batch.run_b["probes"] > 0)
        same = both & (batch.flow["a_hi"] == batch.flow["b_hi"]) & (batch.flow["a_lo"] == batch.flow["b_lo"])
        for side, run in zip(SIDES, (batch.run_a, batch.run_b), strict=True):
            sent = np.flatnonzero((run["probes"] > 0) & (batch.flow["twin_is_first"] == 0))
            entries = np.zeros(len(sent), dtype=HOST)
            entries["capture"], entries["probes"] = capture, run["probes"][sent]
            entries["hi"], entries["lo"] = batch.flow[f"{side}_hi"][sent], batch.flow[f"{side}_lo"][sent]
            entries["flows"] = 1 if side == "a" else ~same[sent]
            self._enter(entries)

    def merge(self, other: HostSums, at: int) -> None:
        """Add the sums of another analysis, whose captures come after the first ``at`` of this one."""
        entries = other.settled().copy()
        entries["capture"] += at
        self._enter(entries)

    def copy(self) -> HostSums:
        """Return sums that go their own way."""
        return HostSums(self.settled())

    def listed(self, captures: Sequence[CaptureSummary], most: int | None = None) -> list[ProbingHost]:
        """Return the hosts of each capture, the most talkative first; at most so many."""
        hosts = self.settled()
        if most is not None and most < len(hosts):
            # with as many probes, the address as text comes first: all that may do are named
            order = np.lexsort((-hosts["probes"], hosts["capture"]))
            last = hosts[order[most - 1]]
            equal = (hosts["capture"] == last["capture"]) & (hosts["probes"] >= last["probes"])
            hosts = hosts[(hosts["capture"] < last["capture"]) | equal]
        named = [
            ProbingHost(capture, address_text(high, low), flows, probes, _per_minute(probes, captures[capture]))
            for capture, high, low, flows, probes in hosts.tolist()
        ]
        return sorted(named, key=lambda host: (host.capture, -host.probes, host.address))[:most]

    def total(self) -> tuple[int, int]:
        """Return how many hosts there are, and how many probes they sent."""
        hosts = self.settled()
        return len(hosts), int(hosts["probes"].sum())

    def settled(self) -> NDArray[np.void]:
        """Return a HOST for each address of a capture, in no order that means anything."""
        if self._new:
            entries = np.concatenate([self._settled, *self._new])
            entries = entries[np.lexsort([entries[name] for name in SAME])]
            changes = np.logical_or.reduce([np.diff(entries[name]) != 0 for name in SAME])
            starts = np.flatnonzero(np.concatenate(([len(entries) > 0], changes)))
            self._settled = entries[starts]
            for name in SUMS:
                self._settled[name] = np.add.reduceat(entries[name], starts) if len(starts) else 0
            self._new, self._waiting = [], 0
        return self._settled

    def _enter(self, entries: NDArray[np.void]) -> None:
        self._new.append(entries)
        self._waiting += len(entries)
        if self._waiting >= max(UNSETTLED, len(self._settled)):
            self.settled()


def _per_minute(count: int, capture: CaptureSummary) -> float:
    duration_ns = capture.duration_ns
    return count * NS_PER_MINUTE / duration_ns if duration_ns > 0 else 0.0
