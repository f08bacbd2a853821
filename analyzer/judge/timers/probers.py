"""What is needed to infer settings: of one flow from its record, of many at once from their facts.

It must not infer anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.record import other
from analyzer.judge.table import ANSWERS, RESET_KINDS
from analyzer.judge.timers.gaps import is_near
from analyzer.judge.timers.measuring import HOLE, PROBER, SENT
from analyzer.label.outcome import SUSPECTED
from analyzer.segment import NONE
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.judge.events import Reset
    from analyzer.judge.facts import Facts
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.table import Table
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side
    from analyzer.untyped import Numbers, Rows

    Column = NDArray[np.int64]

GAVE_UP: Final = RESET_KINDS.index("gave_up")
_ANSWERS: Final = {word: number for number, word in enumerate(ANSWERS)}
_SUSPECTED: Final = "suspected"


@dataclass(frozen=True, slots=True)
class Probers:
    """Endpoints that sent probes, with all that is needed of their flows, as loops take it."""

    probers: Rows
    sent: Rows
    stirs: Numbers
    doubts: Numbers
    holes: Rows


# one flow ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_record(record: FlowRecord, ending: Ending, side: Side) -> Probers:
    """Return one endpoint of a flow, which sent probes, as plain loops take it."""
    peer = other(side)
    own, theirs = record.probes_from(side), record.probes_from(peer)
    stirs = [probe.ts_ns for probe in theirs] + [reset.ts_ns for reset in record.resets if reset.sender == peer]
    again = [each.frame for each in record.resent if each.sender == peer]
    again += [each.frame for each in record.not_probes if each.sender == peer]
    facts, opposite = record.facts(side), record.facts(peer)
    opened = record.facts(record.initiator) if record.initiator is not None else None
    if opened is None or record.facts_a.missed or record.facts_b.missed:
        opened_count, opened_ns, opened_ack_ns = 0, None, None
    else:
        opened_count, opened_ns, opened_ack_ns = opened.syn_count, opened.syn_ns, opened.ack_ns
    low, high = facts.ttl or (None, None)
    reset = give_up(record, ending, side)
    prober = {
        "first": 0,
        "stop": len(own),
        "peer_first": len(own),
        "peer_stop": len(own) + len(theirs),
        "stir_first": 0,
        "stir_stop": len(stirs),
        "doubt_first": 0,
        "doubt_stop": len(again),
        "hole_first": 0,
        "hole_stop": len(record.holes),
        "handshake": int(record.starts_with == "handshake"),
        "first_ns": record.first_ns or 0,
        "backwards": record.backwards or 0,
        "opened_count": opened_count or 0,
        "opened_ns": _or_none(opened_ns),
        "opened_ack_ns": _or_none(opened_ack_ns),
        "peer_count": opposite.syn_count or 0,
        "peer_ns": _or_none(opposite.syn_ns),
        "peer_ack_frame": _or_none(opposite.ack_frame),
        "ttl_low": _or_none(low),
        "ttl_high": _or_none(high),
        "timestamps": int(bool(record.facts_a.timestamps or record.facts_b.timestamps)),
        "reset_frame": NONE if reset is None else reset.frame,
        "reset_ns": NONE if reset is None else reset.ts_ns,
    }
    by_time = sorted(own, key=lambda probe: probe.ts_ns)
    sent = list(map(_sent, (*own, *theirs), (*by_time, *theirs)))
    holes = [{"from_frame": hole.from_frame, "to_frame": hole.to_frame} for hole in record.holes]
    return Probers([prober], sent, sorted(stirs), sorted(again), holes)


def _sent(probe: Probe, then: Probe) -> dict[str, int]:
    return {
        "frame": probe.frame,
        "ts_ns": probe.ts_ns,
        "payload_len": probe.payload_len or 0,
        "suspected": int(probe.certainty == _SUSPECTED),
        "idle_ns": _or_none(probe.idle_ns),
        "idle_frame": _or_none(probe.idle_frame),
        "unheard": int(bool(probe.unheard)),
        "answer": _ANSWERS[probe.answer],
        "answer_frame": _or_none(probe.answer_frame),
        "answer_ns": _or_none(probe.answer_ns),
        "header_len": probe.header_len or 0,
        "then_ns": then.ts_ns,
        "then_frame": then.frame,
    }


def _or_none(value: int | None) -> int:
    return NONE if value is None else value


def give_up(record: FlowRecord, ending: Ending, side: Side) -> Reset | None:
    """Return the RST with which this endpoint itself gave up; what came from between is not its own."""
    if ending.by != side:
        return None
    reset = record.ending_reset
    return reset if reset is not None and reset.sender == side and reset.kind == "gave_up" else None


def passed_no_router(record: FlowRecord, side: Side) -> bool:
    """Say whether the observer sits on the prober's own network: what it sees coming, the prober got."""
    low, high = record.facts(side).ttl or (None, None)
    return is_near(_or_none(low), _or_none(high))


# many ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_facts(facts: Facts, endings: Table) -> tuple[Probers, Column]:
    """Return all endpoints of flows that sent probes, and the slot of each: twice the flow's place, and the side."""
    count = 2 * len(facts)
    slot = _slots(facts.probes)
    counts = np.bincount(slot, minlength=count)
    starts = np.concatenate(([0], np.cumsum(counts)))
    slots = np.flatnonzero(counts)
    flow, side, peer = slots // 2, slots % 2, slots ^ 1
    stirs, stir_starts = _sorted_in(
        count, [(_slots(table) ^ 1, table.columns["ts_ns"]) for table in (facts.probes, facts.resets)]
    )
    doubts, doubt_starts = _sorted_in(
        count, [(_slots(table) ^ 1, table.columns["frame"]) for table in (facts.resent, facts.not_probes)]
    )
    holes, hole_starts = _holes(facts)
    flows, ends = facts.flows.columns, [table.columns for table in facts.endpoints]

    def of(name: str, which: Column) -> Column:
        found: Column = np.where(which == 0, ends[0][name][flow], ends[1][name][flow])
        return found

    initiator = flows["initiator"][flow]
    known = (initiator != NONE) & (ends[0]["missed"][flow] == 0) & (ends[1]["missed"][flow] == 0)
    reset_frame, reset_ns = _give_up(facts, endings)
    columns = {
        "first": starts[slots],
        "stop": starts[slots + 1],
        "peer_first": starts[peer],
        "peer_stop": starts[peer + 1],
        "stir_first": stir_starts[slots],
        "stir_stop": stir_starts[slots + 1],
        "doubt_first": doubt_starts[slots],
        "doubt_stop": doubt_starts[slots + 1],
        "hole_first": hole_starts[0][flow],
        "hole_stop": hole_starts[1][flow],
        "handshake": (flows["starts_with"][flow] == 1).astype(np.int64),
        "first_ns": flows["first_ns"][flow],
        "backwards": flows["backwards"][flow],
        "opened_count": np.where(known, of("syn_count", initiator), 0),
        "opened_ns": np.where(known, of("syn_ns", initiator), NONE),
        "opened_ack_ns": np.where(known, of("ack_ns", initiator), NONE),
        "peer_count": of("syn_count", 1 - side),
        "peer_ns": of("syn_ns", 1 - side),
        "peer_ack_frame": of("ack_frame", 1 - side),
        "ttl_low": of("ttl_low", side),
        "ttl_high": of("ttl_high", side),
        "timestamps": ends[0]["timestamps"][flow] | ends[1]["timestamps"][flow],
        "reset_frame": reset_frame[slots],
        "reset_ns": reset_ns[slots],
    }
    probers = _table(PROBER, len(slots), columns)
    return Probers(probers, _sent_in(facts.probes, slot), stirs, doubts, holes), slots


def _table(dtype: np.dtype[Any], count: int, columns: dict[str, Column]) -> NDArray[np.void]:
    """Return a table of columns."""
    table = np.empty(count, dtype=dtype)
    for name, column in columns.items():
        table[name] = column
    return table


def _slots(table: Table) -> Column:
    """Return the slot of each row of a table that has senders."""
    flow = np.repeat(np.arange(len(table.start) - 1), np.diff(table.start))
    found: Column = 2 * flow + table.columns["sender"]
    return found


def _sorted_in(count: int, parts: Sequence[tuple[Column, Column]]) -> tuple[Column, Column]:
    """Return numbers by slot and in order, and where those of each slot begin; one more entry at the end."""
    slots = np.concatenate([slots for slots, _ in parts])
    numbers = np.concatenate([numbers for _, numbers in parts])
    order = np.lexsort((numbers, slots))
    starts = np.concatenate(([0], np.cumsum(np.bincount(slots, minlength=count))))
    return numbers[order], starts


def _sent_in(probes: Table, slot: Column) -> NDArray[np.void]:
    """Return probes by slot, each with the one that has its place by time."""
    columns = probes.columns
    order, by_time = np.argsort(slot, kind="stable"), np.lexsort((columns["ts_ns"], slot))
    made = ("suspected", "then_ns", "then_frame")
    found = {name: columns[name][order] for name in SENT.names or () if name not in made}
    found["suspected"] = (columns["certainty"][order] == SUSPECTED).astype(np.int64)
    found |= {"then_ns": columns["ts_ns"][by_time], "then_frame": columns["frame"][by_time]}
    return _table(SENT, len(order), found)


def _holes(facts: Facts) -> tuple[NDArray[np.void], tuple[Column, Column]]:
    """Return where captures were not awake, and from where to where those of each flow's lie."""
    held = list(facts.awake())
    counts = [count for _, count in held]
    stops = np.cumsum([len(holes) for holes, _ in held])
    firsts = stops - [len(holes) for holes, _ in held]
    every = [(hole.from_frame, hole.to_frame) for holes, _ in held for hole in holes]
    return np.array(every, dtype=HOLE), (np.repeat(firsts, counts), np.repeat(stops, counts))


def _give_up(facts: Facts, endings: Table) -> tuple[Column, Column]:
    """Return frame and time of the RST with which the endpoint of each slot gave up (``give_up``), NONE of most."""
    frame, ts_ns = np.full(2 * len(facts), NONE), np.full(2 * len(facts), NONE)
    resets = facts.resets.columns
    flow = np.repeat(np.arange(len(facts)), np.diff(facts.resets.start))
    ended = np.flatnonzero(resets["accepted_end"] != 0)
    ended = ended[np.concatenate(([True], flow[ended][1:] != flow[ended][:-1]))] if len(ended) else ended
    own = (resets["kind"][ended] == GAVE_UP) & (endings.columns["by"][flow[ended]] == resets["sender"][ended])
    at = ended[own]
    slot = 2 * flow[at] + resets["sender"][at]
    frame[slot], ts_ns[slot] = resets["frame"][at], resets["ts_ns"][at]
    return frame, ts_ns
