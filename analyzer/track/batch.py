"""``FlowBatch``: some flows as columns, with all their SEEN rows labelled; what leaves the tracker.

It must not know how flows are kept, or what any verdict is.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np

from analyzer.label.answers import match_answers
from analyzer.label.midstream import by_number, settle_midstream
from analyzer.label.outcome import OCTET
from analyzer.label.overlapping import by_round_trip
from analyzer.label.reset import ENDING, settle_resets
from analyzer.label.reset_acceptance import receive, receptions_for
from analyzer.label.rules import classify
from analyzer.label.sender import SENDER
from analyzer.label.trains import RUN, add_up
from analyzer.label.zero_window import settle_zero_window
from analyzer.loops.loop import freeze, loop, pick, records, thaw
from analyzer.loops.packed import PackedRows
from analyzer.track.beats import TRAINS
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.habits import compare_again
from analyzer.track.lapsed import LAPSE
from analyzer.track.seen import SEEN
from analyzer.track.testimony import TESTIMONY
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.track.awake import Hole
    from analyzer.untyped import Foreign, Numbers, Record, Rows

T = TypeVar("T")
Of = ParamSpec("Of")


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """Some flows, as columns: the same row of each array is the same flow."""

    flow: NDArray[np.void]
    """FLOW records."""
    a: NDArray[np.void]
    """ENDPOINT records of the endpoints that sent first."""
    b: NDArray[np.void]
    """ENDPOINT records of the others."""
    run_a: NDArray[np.void]
    """RUN records: the probes of a."""
    run_b: NDArray[np.void]
    """RUN records: the probes of b."""
    ending: NDArray[np.void]
    """ENDING records: RSTs and ICMP errors."""
    seen: NDArray[np.void]
    """SEEN rows of all these flows, flow by flow, in order."""
    start: NDArray[np.int64]
    """Where each flow's rows begin in ``seen``; one more entry at the end."""
    end_ns: int
    """The capture's time when this was taken."""
    holes: tuple[Hole, ...] = ()
    """Where the capture was not awake."""
    lost: int = 0
    """Packets that were dropped while capturing, known by then, at no known time; the holes have the others."""
    filters: tuple[str, ...] = ()
    """Expressions that packets had to pass to be captured, known by then."""
    beside: NDArray[np.void] = dataclasses.field(default_factory=lambda: np.empty(0, dtype=TESTIMONY))
    """TESTIMONY records, two a flow, of those that somebody may ask about; may have others' too."""
    lapsed: NDArray[np.void] = dataclasses.field(default_factory=lambda: np.empty(0, dtype=LAPSE))
    """LAPSE records of those flows that lost probes together with others; may have others' too."""
    trains: NDArray[np.void] = dataclasses.field(default_factory=lambda: np.empty(0, dtype=TRAINS))
    """TRAINS records, the trains of heartbeats of these flows, in any order; may have others' too."""

    known: dict[object, Any] | None = dataclasses.field(default=None, compare=False, repr=False)
    """What ``once`` worked out, if these are columns."""

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.flow)

    def once(self, fact: Callable[Concatenate[FlowBatch, Of], T], *of: Of.args, **more: Of.kwargs) -> T:
        """Return ``fact(self, *of)``; of columns, which several ask for the same, it is worked out once."""
        if self.known is None:
            return fact(self, *of, **more)
        if (fact, of) not in self.known:
            self.known[fact, of] = fact(self, *of, **more)
        found: T = self.known[fact, of]
        return found

    def rows(self, index: int) -> NDArray[np.void]:
        """Return the SEEN rows of one flow."""
        return self.seen[self.start[index] : self.start[index + 1]]

    @property
    def ends_ns(self) -> NDArray[np.int64]:
        """Until when each flow could have been heard.

        To ``end_ns``, to where another took its addresses, or to the first hole behind its last frame; to its last
        segment, if packets are missing there.
        """
        return self.once(FlowBatch._ends_ns)

    def _ends_ns(self) -> NDArray[np.int64]:
        reused_ns = self.flow["reused_ns"]
        ends_ns = np.where(reused_ns >= 0, reused_ns, self.end_ns)
        back = [hole for hole in self.holes if hole.to_ns < hole.from_ns]
        if back and self.end_ns <= max(hole.from_ns for hole in back):
            # the clock was set back, and is not where it was before: when the capture ended by it is not known
            behind = (self.flow["last_frame"] >= back[-1].to_frame) & (reused_ns < 0)
            ends_ns = np.where(behind, self.flow["last_ns"], ends_ns)
        for hole in reversed(self.holes):
            last_frame, last_ns = self.flow["last_frame"], self.flow["last_ns"]
            ends_ns = np.where(last_frame < hole.to_frame, last_ns, ends_ns)
            ends_ns = np.where(last_frame <= hole.from_frame, hole.from_ns, ends_ns)
        return ends_ns

    def awake_since(self, since_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return instants of each flow, those before a hole that the flow outlived put to where the capture went on."""
        for hole in self.holes:
            outlived = (since_ns <= hole.stands_until_ns) & (self.flow["last_frame"] >= hole.to_frame)
            since_ns = np.where(outlived, hole.to_ns, since_ns)
        return since_ns

    def may_lack(self, since_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of which flows packets may be missing since an instant of each, by drop counters."""
        lacking = np.full(len(self), self.lost > 0)
        ends_ns = self.ends_ns
        for hole in self.holes:
            if hole.packets:
                lacking |= (since_ns < hole.to_ns) & (ends_ns > hole.from_ns)
        return lacking

    def with_holes(self, holes: tuple[Hole, ...], lost: int = 0) -> FlowBatch:
        """Return the same of a capture that was not always awake: a silence across a hole is none."""
        for hole in holes:
            across = (self.flow["silence_from"] < hole.to_frame) & (hole.from_frame < self.flow["silence_to"])
            for field in ("silence_ns", "silence_from", "silence_to"):
                self.flow[field][across] = 0
            for name in ("trial", "survived"):
                lapsed = (self.flow[f"{name}_from"] < hole.to_frame) & (hole.from_frame < self.flow[f"{name}_to"])
                for part in ("ns", "from", "to"):
                    self.flow[f"{name}_{part}"][lapsed] = 0
        return replace(self, holes=holes, lost=lost, known=None)

    def trains_of(self, picked: NDArray[np.int64]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
        """Return the TRAINS records of the flows at these indices, flow by flow, and the place of each among these.

        A flow that is picked twice has them twice.
        """
        order = np.argsort(self.trains["number"], kind="stable")
        known, wanted = self.trains["number"][order], self.flow["number"][picked]
        first = np.searchsorted(known, wanted)
        count = np.searchsorted(known, wanted, side="right") - first
        owner = np.repeat(np.arange(len(picked)), count)
        of_its = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        trains: NDArray[np.void] = pick(self.trains, order[first[owner] + of_its])
        return trains, owner

    def packed(self) -> FlowBatch:
        """Return the same with its rows packed: only ``rows`` and what needs no rows may be asked of it."""
        known, wanted = self.beside["flow"], self.flow["number"]
        place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
        beside = pick(self.beside, np.sort(place[known[place] == wanted]) if len(known) else place[:0])
        return replace(self, seen=cast("NDArray[np.void]", PackedRows(self.seen, self.start)), beside=beside)

    def by_columns(self, picked: NDArray[np.int64] | None = None) -> FlowBatch:
        """Return the same flows, or only those at these indices, to ask columns of: by names alone.

        A column is copied when it is first asked for, and nothing else is: one by one its values lie hundreds of octets
        apart, and most are asked for several times. Of rows only ``start[:-1]`` may be asked.
        """
        apart: dict[str, Any] = {
            name: Columns(getattr(self, name), picked) for name in ("flow", "a", "b", "run_a", "run_b", "ending")
        }
        start = self.start if picked is None else np.append(self.start[:-1][picked], self.start[-1])
        return replace(self, **apart, start=start, known={})

    def take(self, picked: NDArray[np.int64], *, rows: bool = True) -> FlowBatch:
        """Return only the flows at these indices, with their rows unless nobody will look at one."""
        counts = (self.start[1:] - self.start[:-1])[picked] * rows
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        of_these = np.repeat(self.start[:-1][picked] - start[:-1], counts) + np.arange(start[-1])
        return FlowBatch(
            pick(self.flow, picked),
            pick(self.a, picked),
            pick(self.b, picked),
            pick(self.run_a, picked),
            pick(self.run_b, picked),
            pick(self.ending, picked),
            pick(self.seen, of_these),
            start,
            self.end_ns,
            self.holes,
            self.lost,
            self.filters,
            self.beside,
            self.lapsed,
            self.trains,
        )


class Columns:
    """The columns of records, or of some of them, each copied once."""

    def __init__(self, records: NDArray[np.void], picked: NDArray[np.int64] | None) -> None:
        """Stand for the records at these indices, or for all."""
        self._records = records
        self._picked = picked
        self._known: dict[str, Foreign] = {}

    def __len__(self) -> int:
        """Return how many these are."""
        return len(self._records if self._picked is None else self._picked)

    def __getitem__(self, name: str) -> Foreign:
        """Return one of their columns."""
        column = self._known.get(name)
        if column is None:
            whole = self._records[name]
            column = self._known[name] = np.ascontiguousarray(whole) if self._picked is None else whole[self._picked]
        return column


def labelled(
    flow: NDArray[np.void],
    a: NDArray[np.void],
    b: NDArray[np.void],
    seen: NDArray[np.void],
    start: NDArray[np.int64],
    end_ns: int,
    habits: Rows,
    *,
    jit: bool,
) -> FlowBatch:
    """Classify the rows of finished flows and fold them; ``habits`` is what is known of hosts by now."""
    classify(seen)
    rows = thaw(seen, jit=jit)
    run_a = records(RUN, len(flow), jit=jit)
    run_b = records(RUN, len(flow), jit=jit)
    ending = records(ENDING, len(flow), jit=jit)
    starts, order, firsts = (each if jit else each.tolist() for each in (start, *by_number(seen, start)))
    senders = records(SENDER, 2, jit=jit)
    ends = (thaw(a, jit=jit), thaw(b, jit=jit))
    parts = (thaw(flow, jit=jit), *ends)
    settle.choose(jit=jit)(
        rows, starts, order, firsts, *parts, receptions_for(jit=jit), senders, habits, run_a, run_b, ending
    )
    return FlowBatch(
        flow,
        freeze(ends[0], ENDPOINT),
        freeze(ends[1], ENDPOINT),
        freeze(run_a, RUN),
        freeze(run_b, RUN),
        freeze(ending, ENDING),
        freeze(rows, SEEN),
        start,
        end_ns,
    )


@loop
def settle(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    rows: Rows,
    start: Numbers,
    order: Numbers,
    order_start: Numbers,
    flows: Rows,
    a: Rows,
    b: Rows,
    receptions: Numbers,
    senders: Rows,
    habits: Rows,
    run_a: Rows,
    run_b: Rows,
    ending: Rows,
) -> None:
    """Fold every flow's rows.

    In this order: a RST that is taken closes the wait for answers; what a RST says, and what it answers, needs the
    probes; the sums need all of it. ``order`` and ``order_start`` are from ``midstream.by_number``, ``receptions`` is
    ``receptions_for``; ``senders`` is room for two SENDER records,
    ``habits`` what is known of hosts.
    """
    for i in range(len(ending)):
        first = start[i]
        stop = start[i + 1]
        if first == stop:
            run_a[i]["first_row"] = -1
            run_b[i]["first_row"] = -1
            run_a[i]["heard_ns"] = b[i]["last_ns"]
            run_b[i]["heard_ns"] = a[i]["last_ns"]
            ending[i]["reset_row"] = -1
            ending[i]["answers_row"] = -1
            ending[i]["heard_a_ns"] = a[i]["last_ns"]
            ending[i]["heard_b_ns"] = b[i]["last_ns"]
            continue
        receive(rows, first, stop, a[i], b[i], receptions)
        match_answers(rows, first, stop)
        settle_midstream(rows, order, order_start[i], order_start[i + 1])
        by_round_trip(rows, first, stop, a[i], b[i])
        for side in range(2):
            settle_zero_window(rows, first, stop, side)
        uncount_octets(rows, first, stop, a[i], b[i])
        if flows[i]["reset_count"] > 0:
            compare_again(habits, rows, first, stop, flows[i])
        settle_resets(rows, first, stop, a[i], b[i], senders, ending[i])
        add_up(rows, first, stop, ending[i]["heard_a_ns"], ending[i]["heard_b_ns"], run_a[i], run_b[i])


@loop
def uncount_octets(rows: Rows, start: int, stop: int, a: Record, b: Record) -> None:
    """Take the octet of a probe out of its sender's data, where it was counted because nothing before was captured."""
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] != OCTET or row["snd_nxt"] > row["seq"]:
            continue
        end = a if row["side"] == 0 else b
        end["payload"] -= 1
        if end["first_data_frame"] == row["frame"]:
            end["first_data_frame"] = 0
            end["first_data_ns"] = -1
