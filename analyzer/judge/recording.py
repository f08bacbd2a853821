"""Makes the ``FlowRecord`` of one flow from its row of a FlowBatch.

On demand: a capture of a million flows has a million rows, but only the flows that somebody looks at become records.

It must not judge: no verdict, no inference about timers, no words.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from analyzer.judge.connection import StateChange
from analyzer.judge.events import (
    Challenge,
    EndpointFacts,
    Fin,
    IcmpError,
    Late,
    NewSyn,
    Resent,
    Reset,
    Standstill,
    Translation,
    Turn,
    Untranslated,
    WindowChange,
)
from analyzer.judge.facts import Facts
from analyzer.judge.later import Fields, Later
from analyzer.judge.portions import portions
from analyzer.judge.probe import Farewell, Heartbeats, NotProbe, Probe, ZeroWindowProbe
from analyzer.judge.record import FlowRecord, Names
from analyzer.track.flow import SIDES, Endpoint, address_of, endpoints_of
from analyzer.track.untranslated import DATA, EMPTY, FINISH, INSIDE, LONE, OUTSIDE, PROBE, RESET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.judge.record import Row
    from analyzer.judge.table import Table
    from analyzer.track.awake import Hole
    from analyzer.track.batch import FlowBatch
    from analyzer.track.flow import Side

T = TypeVar("T")

STRAYS: Final = {RESET: "rst", FINISH: "fin", DATA: "data", EMPTY: "ack", PROBE: "probe"}
ROLES: Final = {OUTSIDE: "outside", LONE: "lone", INSIDE: "inside"}

IDENTITY: Final = (
    "ip_version", "a_hi", "a_lo", "a_port", "b_hi", "b_lo", "b_port", "twin", "twin_hi", "twin_lo", "twin_port",
    "twin_side", "twin_is_first", "stray", "stray_hi", "stray_lo", "stray_port", "stray_side", "stray_role",
    "stray_frame", "stray_ns", "stray_what", "new_syn_frame", "new_syn_ns", "new_syn_ack_frame", "new_syn_side",
)  # fmt: skip
"""Of FLOW, what says who a flow is, and which others it has to do with."""


def _names(record: type[Any], *left_out: str) -> tuple[str, ...]:
    """Return the names of a class's fields, in order."""
    names = record._fields if hasattr(record, "_fields") else tuple(field.name for field in fields(record))
    return tuple(name for name in names if name not in left_out)


_PROBE: Final = _names(Probe)
_ZERO_WINDOW: Final = _names(ZeroWindowProbe)
_HEARTBEATS: Final = _names(Heartbeats)
_FAREWELL: Final = _names(Farewell)
_NOT_PROBE: Final = _names(NotProbe)
_FIN: Final = _names(Fin, "again", "again_ns")
_RESET: Final = _names(Reset)
_CHALLENGE: Final = _names(Challenge)
_LATE: Final = _names(Late)
_ICMP_ERROR: Final = _names(IcmpError)
_RESENT: Final = _names(Resent)
_STANDSTILL: Final = _names(Standstill)
_TURN: Final = _names(Turn)
_WINDOW: Final = _names(WindowChange)
_CHANGE: Final = _names(StateChange)
_FLOW: Final = FlowRecord._fields


def build(batch: FlowBatch, index: int) -> FlowRecord:
    """Return the record of the flow in row ``index`` of a batch."""
    return next(build_each(batch, [index]))


def build_each(batch: FlowBatch, indices: Sequence[int]) -> Iterator[FlowRecord]:
    """Yield the records of some flows of a batch, made many at a time."""
    picked = np.array(indices, dtype=np.int64)
    for part in portions(np.diff(batch.start)[picked]):
        yield from records(Facts((batch, picked[part])))


def records(facts: Facts, make: type[FlowRecord] = FlowRecord) -> Iterator[FlowRecord]:
    """Yield the records of flows, of this class."""
    known = Fields(partial(_field, facts))
    if issubclass(make, Later):
        return map(make, repeat(known), range(len(facts)))
    return map(make, *(known[name] for name in _FLOW))


def _field(facts: Facts, name: str) -> Sequence[Any]:
    """Return a field of the records of flows."""
    maker = _MAKERS.get(name)
    return facts.flows.values(name) if maker is None else maker(facts)


def names(facts: Facts) -> Names:
    """Return who flows are: what needs no record."""
    flows, errors = facts.flows.columns, facts.icmp_errors
    last = flows["last_frame"].copy()
    np.maximum.at(last, np.repeat(np.arange(len(facts)), np.diff(errors.start)), errors.columns["frame"])
    a, b = _addresses(facts)
    a_port, b_port = (facts.flow[f"{side}_port"].tolist() for side in SIDES)
    return Names(
        a,
        b,
        a_port,
        b_port,
        flows["tag"].tolist(),
        flows["levels"].tolist(),
        flows["first_frame"].tolist(),
        last.tolist(),
    )


def translations(facts: Facts) -> list[Translation | None]:
    """Return what flows are called on the other side of an address translation, None of most."""
    return _of_some(facts, "twin", _translation)


def _addresses(facts: Facts) -> tuple[list[str], list[str]]:
    """Return the addresses of endpoints a and b of each flow; the text of each is made once."""
    version = facts.flow["ip_version"].tolist()
    a, b = (
        list(zip(*(facts.flow[f"{side}_{part}"].tolist() for part in ("hi", "lo")), version, strict=True))
        for side in SIDES
    )
    known = {each: address_of(*each) for each in {*a, *b}}
    return [known[each] for each in a], [known[each] for each in b]


def _ends(facts: Facts) -> tuple[list[Endpoint], list[Endpoint]]:
    """Return endpoints a and b of each flow."""
    a, b = (
        list(map(Endpoint, addresses, facts.flow[f"{side}_port"].tolist()))
        for side, addresses in zip(SIDES, _addresses(facts), strict=True)
    )
    return a, b


def _of_some(facts: Facts, field: str, make: Callable[[Row], T]) -> list[T | None]:
    """Return what is made of the flows that have a field of FLOW, which are few, and None for the others."""
    found: list[T | None] = [None] * len(facts)
    for at in np.flatnonzero(facts.flow[field]).tolist():
        found[at] = make({name: int(facts.flow[name][at]) for name in IDENTITY})
    return found


def _endpoints(table: Table) -> list[EndpointFacts]:
    """Return what was seen of one end of each flow."""
    pairs = _pairs(table, "ttl")
    values = {name: pairs if name == "ttl" else table.values(name) for name in EndpointFacts._fields}
    return list(map(EndpointFacts, *values.values()))


def _resets(table: Table) -> list[tuple[Reset, ...]]:
    """Return the RSTs of each flow."""
    if not len(table):
        return table.made(Reset, ())
    pairs = _pairs(table, "own_ttl")
    values = {name: pairs if name == "own_ttl" else table.values(name) for name in _RESET}
    return table.sorted_in(list(map(Reset, *values.values())))


def _pairs(table: Table, name: str) -> list[tuple[int, int] | None]:
    """Return two columns as one, of pairs or None."""
    both = zip(table.values(f"{name}_low"), table.values(f"{name}_high"), strict=True)
    return [None if low is None else (low, high) for low, high in both]


def _fins(facts: Facts) -> list[tuple[Fin, ...]]:
    """Return the FINs of each flow, with the frames in which each was sent again."""
    found: list[tuple[Fin, ...]] = facts.fins.made(Fin, _FIN)
    again = facts.repeated_fins
    if not len(again):
        return found
    each = again.made(lambda *row: row, ("sender", "frame", "ts_ns"))
    return [tuple(_again(fin, rows) for fin in fins) for fins, rows in zip(found, each, strict=True)]


def _again(fin: Fin, rows: Sequence[tuple[Side, int, int]]) -> Fin:
    """Return a FIN with when its sender sent it again."""
    mine = [(frame, ts_ns) for side, frame, ts_ns in rows if side == fin.sender]
    return replace(fin, again=tuple(frame for frame, _ in mine), again_ns=tuple(ts_ns for _, ts_ns in mine))


def _holes(captured: tuple[tuple[Hole, ...], int, tuple[str, ...]], first: int, last: int) -> tuple[Hole, ...]:
    """Return the holes of the capture that a flow lived through, and the first one behind its last frame."""
    holes = captured[0]
    if not holes:
        return ()
    behind = [hole for hole in holes if hole.from_frame >= last][:1]
    return (*(hole for hole in holes if first < hole.to_frame and hole.from_frame < last), *behind)


def _new_syn(flow: Row) -> NewSyn:
    side, names = SIDES[flow["new_syn_side"]], ("new_syn_frame", "new_syn_ns", "new_syn_ack_frame")
    return NewSyn(side, *(flow[name] for name in names))


def _translation(flow: Row) -> Translation:
    side = SIDES[flow["twin_side"]]
    return Translation(flow["twin"] - 1, side, _elsewhere(flow, "twin"), is_first=bool(flow["twin_is_first"]))


def _untranslated(flow: Row) -> Untranslated:
    side = SIDES[flow["stray_side"]]
    role = ROLES[flow["stray_role"]]
    what = STRAYS[flow["stray_what"]]
    return Untranslated(
        role, flow["stray"] - 1, side, _elsewhere(flow, "stray"), flow["stray_frame"], flow["stray_ns"], what
    )


def _elsewhere(flow: Row, name: str) -> Endpoint:
    """Return what the end that the fields ``name_*`` of a FLOW are about is called in another flow."""
    side = flow[f"{name}_side"]
    renamed = flow | {f"{SIDES[side]}_{part}": flow[f"{name}_{part}"] for part in ("hi", "lo", "port")}
    return endpoints_of(renamed)[side]


def _made(table: str, make: Callable[..., T], names: Sequence[str]) -> Callable[[Facts], Sequence[Any]]:
    """Return what makes the rows of a table of each flow."""
    return lambda facts: getattr(facts, table).made(make, names)


def _states(facts: Facts) -> list[Any]:
    return list(zip(*(facts.flows.values(f"state_{side}") for side in SIDES), strict=True))


def _all_holes(facts: Facts) -> list[tuple[Hole, ...]]:
    frames = (facts.flows.values(name) for name in ("first_frame", "last_frame"))
    return list(map(_holes, facts.captured(), *frames))


def _beside(facts: Facts) -> list[Any]:
    """Return what is known beside each flow; nothing where the clock was set back: all of it is of times."""
    known: list[Any] = facts.testimony()
    backwards = facts.flows.values("backwards")
    if not any(backwards):
        return known
    back = [any(hole.to_ns < hole.from_ns for hole in holes) for holes in _all_holes(facts)]
    return [None if unsure else each for each, unsure in zip(known, back, strict=True)]


_MAKERS: Final[dict[str, Callable[[Facts], Sequence[Any]]]] = {
    "a": lambda facts: _ends(facts)[0],
    "b": lambda facts: _ends(facts)[1],
    "facts_a": lambda facts: _endpoints(facts.endpoints[0]),
    "facts_b": lambda facts: _endpoints(facts.endpoints[1]),
    "probes": _made("probes", Probe, _PROBE),
    "zero_window_probes": _made("zero_window_probes", ZeroWindowProbe, _ZERO_WINDOW),
    "heartbeats": _made("heartbeats", Heartbeats, _HEARTBEATS),
    "farewells": _made("farewells", Farewell, _FAREWELL),
    "not_probes": _made("not_probes", NotProbe, _NOT_PROBE),
    "fins": _fins,
    "resets": lambda facts: _resets(facts.resets),
    "challenges": _made("challenges", Challenge, _CHALLENGE),
    "late": _made("late", Late, _LATE),
    "icmp_errors": _made("icmp_errors", IcmpError, _ICMP_ERROR),
    "resent": _made("resent", Resent, _RESENT),
    "standstills": _made("standstills", Standstill, _STANDSTILL),
    "turns": _made("turns", Turn, _TURN),
    "windows": _made("windows", WindowChange, _WINDOW),
    "changes": _made("changes", StateChange, _CHANGE),
    "states": _states,
    "holes": _all_holes,
    "lost": lambda facts: [lost for _, lost, _ in facts.captured()],
    "filters": lambda facts: [filters for _, _, filters in facts.captured()],
    "translation": translations,
    "untranslated": lambda facts: _of_some(facts, "stray", _untranslated),
    "new_syn": lambda facts: _of_some(facts, "new_syn_ack_frame", _new_syn),
    "beside": _beside,
    "lapse": lambda facts: facts.lapses(),
}
"""What makes a field of a record that is no column of its flow."""
