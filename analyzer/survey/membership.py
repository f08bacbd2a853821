"""Which flow a frame belongs to: rows of frames that matter, claimed by the flows as these finish.

The tracker keeps no frame, so somebody who comes with frame numbers (a display filter's, Wireshark's labels) has to
catch their rows while batches pass. A row waits here until its flow finishes; addresses, ports and tag say which flow
it may be of, and of several incarnations the one whose first frame came last before it.

It must not know why a frame matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.segment import empty_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch
    from analyzer.track.batch import FlowBatch

NO_FLOW: Final = -1
BOUNDS: Final = ("frame", "ts_ns")
"""What a row is claimed by."""
MULTIPLIERS: Final = tuple(map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)))
MOST_HEARD: Final = 4
"""So many flows of the same addresses are looked at, from the one that began last before a frame backwards."""
FRAME_BITS: Final = 40
"""A frame number has fewer, so that a flow's rank and a frame fit one word."""


class Membership:
    """The rows of some frames, until their flows claim them."""

    def __init__(self, frames: NDArray[np.int64], *, columns: tuple[str, ...] | None = None) -> None:
        """Look out for these frames, numbers ascending; keep of their rows all, or besides BOUNDS only ``columns``."""
        self._frames = frames
        self._columns = [*BOUNDS, *columns] if columns is not None else []
        self._waiting: list[NDArray[np.void]] = []
        self._keys: list[NDArray[np.uint64]] = []

    def also(self, frames: NDArray[np.int64]) -> None:
        """Look out for more frames, all above those before."""
        self._frames = np.concatenate([self._frames, frames])

    def see(self, batch: SegmentBatch) -> None:
        """Keep the rows of a batch that are looked out for; has to come before the batch is tracked."""
        rows = batch.rows
        if not len(rows) or not len(self._frames):
            return
        at = np.searchsorted(self._frames, rows["frame"])
        wanted = self._frames[np.minimum(at, len(self._frames) - 1)] == rows["frame"]
        if wanted.any():
            picked = rows[wanted]
            self._keys.append(identity(picked, "src", "dst"))
            self._waiting.append(picked[self._columns] if self._columns else picked)

    def claim(self, batch: FlowBatch) -> tuple[NDArray[np.void], NDArray[np.int64]]:
        """Return the rows that belong to these finished flows, by flow and frame, and each one's index in the batch."""
        if not self._waiting or not len(batch):
            return empty_rows(0), np.zeros(0, dtype=np.int64)
        rows, keys = np.concatenate(self._waiting), np.concatenate(self._keys)
        owner = owners(batch, keys, rows["frame"], rows["ts_ns"])
        rest = owner == NO_FLOW
        self._waiting, self._keys = [rows[rest]], [keys[rest]]
        rows, owner = rows[~rest], owner[~rest]
        order = np.lexsort((rows["frame"], owner))
        return rows[order], owner[order]


def identity(rows: NDArray[Any], one: str, other: str) -> NDArray[np.uint64]:
    """Return a number for the two ends of each row and its tag, the same in both directions."""
    return endpoints(rows, one, other) + rows["tag"].astype(np.uint64) * MULTIPLIERS[2]


def endpoints(rows: NDArray[Any], one: str, other: str) -> NDArray[np.uint64]:
    """Return a number for the two ends of each row, whatever their tag."""
    return _end(rows, one) + _end(rows, other)


def owners(
    batch: FlowBatch, keys: NDArray[np.uint64], frames: NDArray[np.int64], times_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each of some frames, whose identity is known, the index of its flow in a batch, or NO_FLOW.

    An ICMP error may come behind a flow's last segment; it is the flow's until the addresses are used anew.
    """
    flow = batch.flow
    known, rank = np.unique(identity(flow, "a", "b"), return_inverse=True)
    order = np.lexsort((flow["first_frame"], rank))
    begins = (rank[order].astype(np.int64) << FRAME_BITS) + flow["first_frame"][order]
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    word = (at.astype(np.int64) << FRAME_BITS) + frames
    before = np.searchsorted(begins, word, side="right") - 1
    owner = np.full(len(keys), NO_FLOW, dtype=np.int64)
    left = np.flatnonzero(known[at] == keys)
    for _ in range(MOST_HEARD):
        left = left[before[left] >= 0]
        found = order[before[left]]
        left, found = left[rank[found] == at[left]], found[rank[found] == at[left]]
        reused_ns = flow["reused_ns"][found]
        holds = (frames[left] <= flow["last_frame"][found]) | (reused_ns < 0) | (times_ns[left] < reused_ns)
        owner[left[holds]] = found[holds]
        left = left[~holds]
        if not len(left):
            break
        # an older one may still be heard when a newer one has begun, and even ended (half_open)
        before[left] -= 1
    return owner


def _end(rows: NDArray[Any], side: str) -> NDArray[np.uint64]:
    """Stir address and port of one end (64-bit words that wrap around, as splitmix64)."""
    state = np.zeros(len(rows), dtype=np.uint64)
    for field in ("hi", "lo", "port"):
        state = (state ^ rows[f"{side}_{field}"].astype(np.int64).view(np.uint64)) * MULTIPLIERS[0]
        state = (state ^ (state >> np.uint64(29))) * MULTIPLIERS[1]
    return state ^ (state >> np.uint64(32))
