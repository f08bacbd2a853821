"""The SEEN rows of one flow as its record is made from them: few as dicts, many a few at a time.

Which rows a record says something of, and which columns it asks for, is decided here. What they say is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.record import NOT_PROBE_WORDS, PROBE_KINDS
from analyzer.label.rules import Kind, opens_window, shuts_window
from analyzer.segment import FIN, NOTE_TCP, RST
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.judge.record import Row
    from analyzer.untyped import Foreign

COLUMNS: Final = (
    "frame", "ts_ns", "side", "kind", "seq", "snd_nxt", "payload_len", "window", "flags", "header_len", "ttl",
    "ttl_low", "ttl_high", "ip_id", "icmp", "idle_frame", "ack", "peer_nxt", "certainty", "doubt", "answer",
    "answer_row", "answers_row", "rcv_nxt", "peer_fin_seq", "gap_ns", "idle_ns", "train", "after_fin", "reset_kind",
    "stranger", "reception", "receiver_state", "own_last_ns", "peer_last_ns", "own_active_ns", "peer_active_ns",
    "own_active_frame", "peer_active_frame", "note", "provocation", "provoked",
)  # fmt: skip
"""Of SEEN, what a record is made from."""
AT_ONCE: Final = 4096
"""Rows taken as Python values at a time."""
TOLD: Final = np.isin(
    np.arange(len(Kind)),
    (
        *(*PROBE_KINDS, *NOT_PROBE_WORDS, Kind.ZERO_WINDOW_PROBE, Kind.RESET, Kind.ICMP_ERROR),
        *(Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION, Kind.CHALLENGE_ACK),
    ),
)
"""By kind, whether a record says something of a row."""


class FewRows:
    """The rows of one flow as dicts of Python ints, many times faster to read field by field than numpy records."""

    def __init__(self, raw: NDArray[np.void], rows: list[Row], times: tuple[list[int], list[int]]) -> None:
        """Take the rows as they are, those of which a record says something, and frame and time of all."""
        self.raw = raw
        self._rows = rows
        self.frame, self.ts_ns = times

    def of(self, *kinds: Kind) -> Iterator[Row]:
        """Yield the rows of these kinds in order."""
        return (row for row in self._rows if row["kind"] in kinds)

    def moves(self) -> Iterator[Row]:
        """Yield the rows that close or open their sender's window."""
        return (row for row in self._rows if row["moves"])

    def fins(self) -> Iterator[Row]:
        """Yield the rows that are FINs."""
        return (row for row in self._rows if row["fin"])


class ManyRows:
    """The same of a flow that has many: as dicts a few at a time, because they take some ten times as much memory."""

    def __init__(self, rows: NDArray[np.void]) -> None:
        """Take the rows of one flow."""
        self.raw = self._rows = rows
        self.frame, self.ts_ns = rows["frame"], rows["ts_ns"]

    def of(self, *kinds: Kind) -> Iterator[Row]:
        """Yield the rows of these kinds in order."""
        return _some(self._rows, np.flatnonzero(np.isin(np.arange(len(Kind)), kinds)[self._rows["kind"]]))

    def moves(self) -> Iterator[Row]:
        """Yield the rows that close or open their sender's window."""
        return _some(self._rows, np.flatnonzero(moves_window(self._rows)))

    def fins(self) -> Iterator[Row]:
        """Yield the rows that are FINs."""
        return _some(self._rows, np.flatnonzero(_is_fin(self._rows)))


FlowRows = FewRows | ManyRows


def rows_of(each: list[NDArray[np.void]]) -> list[FlowRows]:
    """Return the rows of flows in the form that suits how many these are."""
    if sum(map(len, each)) > AT_ONCE:
        return [ManyRows(rows) for rows in each]
    # as octets: numpy compares all fields of records that it joins
    opaque = np.dtype((np.void, SEEN.itemsize))
    whole = np.concatenate([np.ascontiguousarray(rows).view(opaque) for rows in each]).view(SEEN)
    moves, fins = moves_window(whole), _is_fin(whole)
    told = np.flatnonzero(moves | fins | TOLD[whole["kind"]])
    ends = np.cumsum([len(rows) for rows in each])
    stops = np.searchsorted(told, ends).tolist()
    dicts = list(_some(whole, told))
    for row, is_move, is_fin in zip(dicts, moves[told].tolist(), fins[told].tolist(), strict=True):
        row["moves"], row["fin"] = is_move, is_fin
    frame, ts_ns = whole["frame"].tolist(), whole["ts_ns"].tolist()
    found: list[FlowRows] = []
    first = start = 0
    for raw, stop, end in zip(each, stops, ends.tolist(), strict=True):
        own = dicts[start:stop]
        for row in own:
            row["at"] -= first
        found.append(FewRows(raw, own, (frame[first:end], ts_ns[first:end])))
        first, start = end, stop
    return found


def _is_fin(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    is_fin: NDArray[np.bool_] = ((rows["flags"] & (FIN | RST)) == FIN) & (rows["note"] == NOTE_TCP)
    return is_fin


def _some(rows: NDArray[np.void], picked: NDArray[np.int64]) -> Iterator[Row]:
    """Yield some rows, with the columns that a record is made from and their place ``at``.

    As dicts of Python ints, because these are many times faster to read field by field than numpy records; of a few
    rows at a time, because they take some ten times as much memory.
    """
    for first in range(0, len(picked), AT_ONCE):
        part = picked[first : first + AT_ONCE]
        columns = [part.tolist(), *(rows[name][part].tolist() for name in COLUMNS)]
        yield from (dict(zip(("at", *COLUMNS), values, strict=True)) for values in zip(*columns, strict=True))


def moves_window(rows: Foreign) -> Foreign:
    """Say which segments, whatever kind they are for other properties, close or open their sender's window.

    ``rows`` are SEEN records, or their columns by name.
    """
    of_the_sender = (rows["note"] == NOTE_TCP) & (rows["is_copy"] == 0) & (rows["flags"] & RST == 0)
    return of_the_sender & (shuts_window(rows) | opens_window(rows))
