"""``SIGHTING``: a segment as one point saw it: what must be the same elsewhere, what may have changed, and its flow.

It must not know other points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, ACK, FIN, NOTE_TCP, RST, SYN
from analyzer.track.observe import TOLD_COPY, TOLD_FLOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch

SIGHTING: Final = np.dtype(
    [
        ("ts_ns", np.int64),  # by the point's own clock
        ("frame", np.int64),
        ("flow", np.int64),  # number of the flow among those of the point
        ("key", np.int64),  # of what no box on the way changes, see ``keys_of``
        ("seq", np.int64),
        ("ack", np.int64),  # 0 without ACK
        ("tsval", np.int64),  # ABSENT without timestamps
        ("digest", np.int64),  # of the data, see ``capture.contents``
        ("head", np.int64),
        ("options", np.int64),
        ("captured", np.int32),
        ("mss", np.int32),
        ("payload_len", np.int32),
        ("window", np.int32),
        ("ip_id", np.int32),
        ("ttl", np.int16),
        ("flags", np.int16),
        ("header_len", np.int16),
        ("window_scale", np.int8),
        ("side", np.int8),  # 0 if a of that flow sent it, 1 if b did
        ("options_cut", np.int8),
        ("ip_version", np.int8),
        ("copy", np.int8),  # 1 for a second capture of a packet that is there with the same addresses
    ],
    align=True,
)

KEPT_FLAGS: Final = SYN | FIN | RST | ACK
"""The flags that no box changes without making another segment; PSH and ECN bits may be."""

MULTIPLIERS: Final = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)
"""SplitMix64's."""


def sightings_of(batch: SegmentBatch, told: NDArray[np.int64]) -> NDArray[np.void]:
    """Return the SIGHTING records of a batch: of its segments, second captures of a packet among them.

    ``told`` is what ``Tracker.take_told`` says of its rows.
    """
    picked = np.flatnonzero((told >= 0) & (batch.rows["note"] == NOTE_TCP))
    rows = batch.rows[picked]
    seen = np.zeros(len(rows), dtype=SIGHTING)
    same = ("ts_ns", "frame", "seq", "tsval", "payload_len", "window", "ip_id", "ttl", "flags", "header_len")
    for name in (*same, "window_scale", "options_cut", "ip_version"):
        seen[name] = rows[name]
    seen["ack"] = np.where(rows["flags"] & ACK, rows["ack"], 0)
    seen["flow"], seen["side"] = told[picked] // TOLD_FLOW, told[picked] & 1
    seen["copy"] = (told[picked] & TOLD_COPY) > 0
    seen["mss"] = ABSENT
    if batch.contents is not None:
        contents = batch.contents[picked]
        for name in ("digest", "head", "options", "captured", "mss"):
            seen[name] = contents[name]
    seen["key"] = keys_of(seen)
    return seen


def keys_of(seen: NDArray[np.void]) -> NDArray[np.int64]:
    """Return of each sighting a word that is the same wherever the packet is seen.

    It is made of the numbers, the length of the data, and SYN, FIN, RST and ACK.
    """
    word = (seen["seq"].astype(np.uint64) << np.uint64(32)) | seen["ack"].astype(np.uint64)
    rest = (seen["payload_len"].astype(np.uint64) << np.uint64(8)) | (seen["flags"] & KEPT_FLAGS).astype(np.uint64)
    return mixed(word, rest)


def mixed(word: NDArray[np.uint64], rest: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return a hash of two words (the finish of SplitMix64)."""
    with np.errstate(over="ignore"):
        hashed = word * MULTIPLIERS[0] + rest * MULTIPLIERS[1]
        hashed = (hashed ^ (hashed >> np.uint64(30))) * MULTIPLIERS[1]
        hashed = (hashed ^ (hashed >> np.uint64(27))) * MULTIPLIERS[2]
        hashed ^= hashed >> np.uint64(31)
    keys: NDArray[np.int64] = hashed.view(np.int64)
    return keys


def ends_of(seen: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the number behind the last octet that a segment takes, SYN and FIN counted, modulo 2**32."""
    extra = ((seen["flags"] & SYN) > 0).astype(np.int64) + ((seen["flags"] & FIN) > 0)
    ends: NDArray[np.int64] = (seen["seq"] + seen["payload_len"] + extra) & 0xFFFFFFFF
    return ends
