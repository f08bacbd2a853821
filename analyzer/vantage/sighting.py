"""``SIGHTING``: a segment as one point saw it: what must be the same elsewhere, what may have changed, and its flow.

It must not know other points.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from analyzer.loops.loop import freeze, intrinsic, loop, records, thaw
from analyzer.segment import ABSENT, ACK, FIN, NOTE_TCP, RST, SYN
from analyzer.track.observe import TOLD_COPY, TOLD_FLOW, TOLD_KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch
    from analyzer.untyped import Numbers, Record, Rows

SIGHTING: Final = np.dtype(
    [
        ("ts_ns", np.int64),  # by the point's own clock
        ("frame", np.int64),
        ("flow", np.int64),  # number of the flow among those of the point
        ("key", np.int64),  # of what no box on the way changes, see ``keys_of``
        ("seq", np.int64),
        ("ack", np.int64),  # 0 without ACK
        ("tsval", np.int64),  # ABSENT without timestamps
        ("options", np.int64),
        ("digest", np.uint32),  # of the data, see ``capture.contents``
        ("head", np.uint32),
        ("captured", np.int32),
        ("mss", np.int32),
        ("payload_len", np.int32),
        ("window", np.int32),
        ("ip_id", np.int32),
        ("tsecr", np.uint32),  # 0 without timestamps, or without ACK
        ("link", np.int32),  # a word of the interface and the station that it came from there, see ``sight``
        ("ttl", np.int16),
        ("flags", np.int16),
        ("header_len", np.int16),
        ("window_scale", np.int8),
        ("side", np.int8),  # 0 if a of that flow sent it, 1 if b did
        ("options_cut", np.int8),
        ("ip_version", np.int8),
        ("copy", np.int8),  # 1 for a second capture of a packet that is there with the same addresses
        (
            "kept",
            np.int8,
        ),  # 1 if the tracker keeps it as evidence: a probe, its answer, whatever is out of the ordinary
    ],
    align=True,
)

NO_CONTENT: Final = np.dtype(
    [("options", "i8"), ("digest", "u4"), ("head", "u4"), ("captured", "i4"), ("mss", "i4")], align=True
)
"""Of frames that nobody looked into, as of text."""
KEPT_FLAGS: Final = SYN | FIN | RST | ACK
"""The flags that no box changes without making another segment; PSH and ECN bits may be."""

SPLITMIX: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
MULTIPLIERS: Final = np.array(SPLITMIX, dtype=np.uint64)
"""SplitMix64's."""
WORD: Final = (1 << 64) - 1
SECRET: Final = np.frombuffer(os.urandom(8), dtype=np.uint64)
SECRET_WORD: Final = int(SECRET.view(np.int64)[0])
"""Of this process, and as loops take it; it decides where something lies in a table, and nothing that is told."""


def sightings_of(batch: SegmentBatch, told: NDArray[np.int64], *, jit: bool) -> NDArray[np.void]:
    """Return the SIGHTING records of a batch: of its segments, second captures of a packet among them.

    ``told`` is what ``Tracker.take_told`` says of its rows.
    """
    count = len(batch.rows)
    found = records(SIGHTING, count, jit=jit)
    rows, inside = thaw(batch.rows, jit=jit), thaw(_contents_of(batch), jit=jit)
    made = sight.choose(jit=jit)(rows, inside, told if jit else told.tolist(), count, found)
    seen: NDArray[np.void] = freeze(found[:made], SIGHTING)
    return seen


class Unwritten:
    """The sightings of a batch, which compiled loops write where they are wanted; a copy costs as much as writing."""

    def __init__(self, batch: SegmentBatch, told: NDArray[np.int64]) -> None:
        """Take what ``sightings_of`` does."""
        self.made_of = batch.rows, _contents_of(batch), told

    @property
    def highest(self) -> int:
        """The highest number of a flow."""
        return int(self.made_of[2].max()) // TOLD_FLOW

    def __len__(self) -> int:
        """Return how many there are at most."""
        return len(self.made_of[0])


def _contents_of(batch: SegmentBatch) -> NDArray[np.void]:
    if batch.contents is not None:
        return batch.contents
    contents = np.zeros(len(batch.rows), dtype=NO_CONTENT)
    contents["mss"] = ABSENT
    return contents


@intrinsic("make_hash", multipliers=SPLITMIX)
def hashed(high: int, low: int, rest: int) -> int:
    """Return a hash of ``high * 2**32 + low`` and a third word, as ``mixed`` does."""
    value = ((high << 32 | low & WORD) * SPLITMIX[0] + (rest & WORD) * SPLITMIX[1]) & WORD
    value = ((value ^ (value >> 30)) * SPLITMIX[1]) & WORD
    value = ((value ^ (value >> 27)) * SPLITMIX[2]) & WORD
    value ^= value >> 31
    return value - (1 << 64) if value >> 63 else value


@loop
def sight(rows: Rows, contents: Rows, told: Numbers, count: int, seen: Rows) -> int:
    """Write a SIGHTING of each of ``count`` rows that is a segment of a flow; return how many."""
    made = 0
    for i in range(count):
        if told[i] >= 0 and rows[i]["note"] == NOTE_TCP:
            write(rows[i], contents[i], told[i], seen[made])
            made += 1
    return made


@loop
def write(row: Record, content: Record, told: int, at: Record) -> None:
    """Write the SIGHTING of a segment."""
    at["ts_ns"] = row["ts_ns"]
    at["frame"] = row["frame"]
    at["seq"] = row["seq"]
    at["ack"] = row["ack"] if row["flags"] & ACK else 0
    at["tsval"] = row["tsval"]
    at["tsecr"] = row["tsecr"] if row["flags"] & ACK and row["tsecr"] > 0 else 0
    at["payload_len"] = row["payload_len"]
    at["window"] = row["window"]
    at["ip_id"] = row["ip_id"]
    at["ttl"] = row["ttl"]
    at["flags"] = row["flags"]
    at["header_len"] = row["header_len"]
    at["window_scale"] = row["window_scale"]
    at["options_cut"] = row["options_cut"]
    at["ip_version"] = row["ip_version"]
    at["flow"] = told // TOLD_FLOW
    at["side"] = told & 1
    at["copy"] = 1 if told & TOLD_COPY else 0
    at["kept"] = 1 if told & TOLD_KEPT else 0
    at["digest"] = content["digest"]
    at["head"] = content["head"]
    at["options"] = content["options"]
    at["captured"] = content["captured"]
    at["mss"] = content["mss"]
    at["key"] = hashed(row["seq"], at["ack"], row["payload_len"] * 256 + (row["flags"] & KEPT_FLAGS))
    # the same for all that one station sent on one captured interface
    at["link"] = hashed(0, row["src_mac"], row["interface"]) & 0x7FFFFFFF


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


def scattered(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers that are the same where these are, for tables of this process.

    Whoever writes a capture can choose keys that fall into one slot, but not what becomes of them here.
    """
    return mixed(numbers.view(np.uint64), SECRET)


def ends_of(seen: Columns) -> NDArray[np.int64]:
    """Return the number behind the last byte that a segment takes, SYN and FIN counted, modulo 2**32."""
    extra = ((seen["flags"] & SYN) > 0).astype(np.int64) + ((seen["flags"] & FIN) > 0)
    ends: NDArray[np.int64] = (seen["seq"] + seen["payload_len"] + extra) & 0xFFFFFFFF
    return ends


WHOLE: Final = np.dtype((np.void, SIGHTING.itemsize))


def together(pieces: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Return records one behind the other, copied whole: numpy goes field by field."""
    return np.concatenate([np.zeros(0, dtype=WHOLE), *(piece.view(WHOLE) for piece in pieces)]).view(SIGHTING)


class Columns:
    """Sightings, or some of them, column by column: of some, only those that are asked for are gathered, each once.

    It is read like an array of SIGHTING records, whose fields lie too far apart to be gone through many times.
    """

    def __init__(self, seen: NDArray[np.void] | Columns, picked: NDArray[Any] | None = None) -> None:
        """Take sightings, or those of them that are ``picked``, by indices or a mask."""
        if isinstance(seen, np.ndarray):
            seen = seen if picked is None else seen[picked]
            self._columns = {name: np.ascontiguousarray(seen[name]) for name in SIGHTING.names or ()}
            self._from: Columns | None = None
            self._count = len(seen)
            return
        if picked is not None and picked.dtype == np.bool_:
            picked = np.flatnonzero(picked)
        self._from, self._picked = seen, picked
        self._columns = {}
        self._count = len(seen) if picked is None else len(picked)

    @classmethod
    def of(cls, pieces: Sequence[NDArray[np.void]]) -> Columns:
        """Return all of some pieces, in order of frames, and nothing copied twice."""
        frame = np.concatenate([np.zeros(0, dtype=np.int64), *(each["frame"] for each in pieces)])
        order = np.argsort(frame, kind="stable")
        made = cls(np.zeros(0, dtype=SIGHTING))
        made._count = len(frame)
        for name, none in made._columns.items():
            made._columns[name] = np.concatenate([none, *(each[name] for each in pieces)])[order]
        return made

    def each_its_own(self) -> Columns:
        """Return the same sightings, none of which is a second capture of another."""
        made = Columns(self)
        made._columns["copy"] = np.zeros(len(self), dtype=SIGHTING["copy"])
        return made

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, what: str) -> NDArray[Any]: ...

    @overload
    def __getitem__(self, what: NDArray[Any]) -> Columns: ...

    def __getitem__(self, what: str | NDArray[Any]) -> NDArray[Any] | Columns:
        """Return a column by name, or sightings by their indices or a mask."""
        if isinstance(what, np.ndarray):
            return Columns(self, what)
        column = self._columns.get(what)
        if column is None:
            assert self._from is not None
            whole = self._from[what]
            column = self._columns[what] = whole if self._picked is None else whole[self._picked]
        return column
