"""Which flows are alike: all that a record holds is the same but for addresses, numbers of frames, and when they began.

Floods and scans are a hundred thousand flows of a handful of shapes, and what is said of one is said of all. A shape is
a digest, equal for flows that are alike; what differs stands beside it, as numbers: the frames of a flow in order, and
its ports. What another flow is called is left out too: the one that a segment concerns which a NAT let pass, or the
same connection on the other side of a translation. So whoever has told one flow can tell the others by putting in their
numbers (``report.patterns``).

When the capture ended is left out, as it differs for each flow; whoever asks for it (``Traced``) needs that too.

It must not judge.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.later import Field, Later
from analyzer.segment import NONE
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from analyzer.judge.facts import Facts
    from analyzer.judge.table import Table

MOST_ROWS: Final = 6
"""Flows with more rows in one of their tables are like no other."""
DIGEST: Final = 16
"""How many bytes tell shapes apart."""
MOST_FRAMES: Final = 16
"""So are those with more frames: a filter that would name so many joins some, by how far apart they are."""
TABLES: Final = (
    "probes", "zero_window_probes", "heartbeats", "farewells", "not_probes", "fins", "repeated_fins", "resets",
    "challenges", "late", "resent", "standstills", "turns", "windows", "changes",
)  # fmt: skip
"""Tables of a flow that are part of its shape; one with ICMP errors, which name their sender, is like no other."""
LENGTHS: Final = frozenset(
    {
        "gap_ns", "idle_ns", "answer_ns", "silence_ns", "survived_ns", "trial_ns", "period_ns", "period_low_ns",
        "period_high_ns", "slowest_ns", "limit_ns", "safe_ns", "fatal_ns", "passed_ns",
        "counted_ns",
    }
)  # fmt: skip
"""Columns of nanoseconds that are no instants."""
FRAMES: Final = frozenset(
    {"frame", "silence_from", "silence_to", "trial_from", "trial_to", "answers_probe", "quotes_probe"}
)
"""Columns of frame numbers, beside those that end so."""
NAMED: Final = {"stray": ("side", "role", "what"), "twin": ("side", "is_first")}
"""Fields of FLOW that name another flow, which are its number plus 1 or 0, and what else is known of it; of one flow at
most one is alike.
"""
END: Final = "end_ns"
LEFT_OUT: Final = frozenset({"number", END})


@dataclass(frozen=True, slots=True)
class Likeness:
    """The shape of a flow, and what else there is to know of it."""

    shape: bytes
    until: bytes
    """How long after its first segment the capture ended for it."""
    frames: tuple[int, ...]
    """All its frames that a record names, in order."""


@dataclass(frozen=True, slots=True)
class Likenesses:
    """Those of some flows, in columns."""

    shapes: Sequence[bytes]
    group: NDArray[np.int64]
    """The place of each flow's shape among the shapes; -1 if it is like no other."""
    until_ns: NDArray[np.int64]
    frames: NDArray[np.int64]
    """A row of MOST_FRAMES for each flow, 0 behind its last."""

    def of(self, at: int) -> Likeness | None:
        """Return the likeness of one flow; None if it is like no other."""
        shape = self.shape_of(at)
        if shape is None:
            return None
        frames = self.frames[at]
        return Likeness(shape, self.until_of(at), tuple(frames[frames > 0].tolist()))

    def shape_of(self, at: int) -> bytes | None:
        """Return the shape of one flow; None if it is like no other."""
        group = int(self.group[at])
        return None if group < 0 else self.shapes[group]

    def until_of(self, at: int) -> bytes:
        """Return how long after the first segment of one flow the capture ended for it, as ``Likeness`` has it."""
        return int(self.until_ns[at]).to_bytes(8, "little", signed=True)


class _End(Field):
    """Until when a flow could have been heard; that somebody asked is noted."""

    def __get__(self, record: Later, owner: type[Later]) -> int:
        """Return the instant."""
        Traced.asked.append(True)
        end_ns: int = super().__get__(record, owner)
        return end_ns


class Traced(Later):
    """A record that notes whether somebody asks until when the flow could have been heard."""

    asked: list[bool] = []  # noqa: RUF012 - what a record of a NamedTuple cannot hold


setattr(Traced, END, _End(END))


def likenesses(
    facts: Facts, more: Iterable[tuple[str, NDArray[np.int64]]], endings: Table, wanted: NDArray[np.int64] | None = None
) -> Likenesses:
    """Return the likeness of each flow, or of the ``wanted`` at these places: the others are like no other.

    ``more`` are other columns on which what is said of a flow depends.
    """
    first_ns = facts.flows.columns["first_ns"]
    group, few = np.full(len(facts), -1), np.zeros((len(facts), MOST_FRAMES), dtype=np.int64)
    until_ns = facts.flows.columns["end_ns"] - first_ns
    at = np.arange(len(facts)) if wanted is None else wanted
    at = at[_simple(facts)[at]]
    for name in TABLES:
        at = at[np.diff(getattr(facts, name).start)[at] <= MOST_ROWS]
    if not len(at):
        return Likenesses((), group, until_ns, few)
    others: list[NDArray[np.int64]] = [column[at] for _, column in more]
    frames: list[NDArray[np.int64]] = []
    first_ns = first_ns[at]
    for table in (facts.flows, *facts.endpoints, endings):
        for name, column in table.columns.items():
            _sort_in(name, column[at], first_ns, others, frames)
    for name in TABLES:
        table = getattr(facts, name)
        counts = np.diff(table.start)[at]
        others.append(counts)
        for row in range(int(counts.max())):
            there = counts > row
            places = (table.start[:-1][at] + row)[there]
            for field, values in table.columns.items():
                column = np.full(len(at), NONE)
                column[there] = values[places]
                _sort_in(field, column, first_ns, others, frames)
    strayed = (facts.flow["stray"] != 0)[at]
    frames.append(np.where(strayed, facts.flow["stray_frame"][at], 0))
    others.append(np.where(strayed, facts.flow["stray_ns"][at] - first_ns, NONE))
    for name, parts in NAMED.items():
        _sort_in_named(facts, at, name, parts, others)
    shown = [column for column in frames if (column > 0).any()]
    ranked, ordered, distinct = _ranked(np.stack(shown, axis=1))
    ranks = iter(ranked.T)
    others += [next(ranks) if (column > 0).any() else column - 1 for column in frames]
    few[at, : ordered.shape[1]] = ordered[:, :MOST_FRAMES]
    close = (np.diff(few[at], axis=1) == 1) @ (1 << np.arange(few.shape[1] - 1))
    group[at], shapes = _grouped([*others, close, distinct], np.flatnonzero(distinct <= MOST_FRAMES))
    return Likenesses(shapes, group, until_ns, few)


def _grouped(columns: list[NDArray[np.int64]], places: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[bytes]]:
    """Return which rows of columns, of those at these places, are equal: the group of each, a digest of each group's.

    Rows are told apart by sums that nobody can foresee; one whose sum is by chance that of others is like no other.
    Most columns are the same in all rows, and are looked at no further.
    """
    group = np.full(len(columns[0]), -1)
    some = [column[places] for column in columns]
    rows = np.column_stack([np.zeros(len(places), dtype=np.int64), *(c for c in some if (c != c[:1]).any())])
    factors = np.frombuffer(os.urandom(8 * rows.shape[1]), dtype=np.int64) | 1
    _, first, own = np.unique(rows @ factors, return_index=True, return_inverse=True)
    group[places] = np.where((rows == rows[first[own]]).all(axis=1), own, -1)
    whole = np.column_stack([column[first] for column in some])
    return group, [blake2b(row.tobytes(), digest_size=DIGEST).digest() for row in whole]


def _simple(facts: Facts) -> NDArray[np.bool_]:
    """Say which flows have to do with nothing beside them but one other flow: no host, ICMP error, hole or filter."""
    flow = facts.flow
    alone = (sum((flow[name] != 0).astype(np.int64) for name in NAMED) <= 1) & (flow["new_syn_ack_frame"] == 0)
    alone &= np.diff(facts.icmp_errors.start) == 0
    return np.asarray(alone & ~facts.has_beside & ~facts.is_captured_in_part, dtype=np.bool_)


def _sort_in_named(
    facts: Facts, at: NDArray[np.int64], name: str, parts: Sequence[str], others: list[NDArray[np.int64]]
) -> None:
    """Put what is known of the flow that one of NAMED names where it belongs, but for what that is called."""
    flow = facts.flow
    has = flow[name] != 0
    others += [np.where(has, 1 + flow[f"{name}_{part}"].astype(np.int64), 0)[at] for part in parts]
    for side in SIDES:
        same = (flow[f"{name}_hi"] == flow[f"{side}_hi"]) & (flow[f"{name}_lo"] == flow[f"{side}_lo"])
        others.append((has & same).astype(np.int64)[at])


def _sort_in(
    name: str,
    column: NDArray[np.int64],
    first_ns: NDArray[np.int64],
    others: list[NDArray[np.int64]],
    frames: list[NDArray[np.int64]],
) -> None:
    """Put a column where it belongs: among frames, or, instants counted from the flow's first segment, the others."""
    if name in LEFT_OUT:
        return
    if name in FRAMES or name.endswith("_frame"):
        frames.append(column)
    elif name.endswith("_ns") and name not in LENGTHS:
        others.append(np.where(column == NONE, NONE, column - first_ns))
    else:
        others.append(column)


def _ranked(frames: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for a row of frames a flow: the place of each among the distinct ones, those in order, how many they are.

    What is no frame (0 or less) is its own place, below zero.
    """
    order = np.argsort(frames, axis=1, kind="stable")
    ordered = np.take_along_axis(frames, order, axis=1)
    new = np.ones(ordered.shape, dtype=np.bool_)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    new &= ordered > 0
    places = np.where(ordered > 0, np.cumsum(new, axis=1) - 1, ordered - 1)
    ranks = np.empty_like(frames)
    np.put_along_axis(ranks, order, places, axis=1)
    distinct = new.sum(axis=1)
    front = np.argsort(~new, axis=1, kind="stable")  # the distinct ones to the front, in order
    first = np.where(np.arange(frames.shape[1]) < distinct[:, None], np.take_along_axis(ordered, front, axis=1), 0)
    return ranks, first, distinct
