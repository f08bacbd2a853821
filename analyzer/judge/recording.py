"""Makes the ``FlowRecord`` of one flow from its row of a FlowBatch.

On demand: a capture of a million flows has a million rows, but only the flows that somebody looks at become records.

It must not judge: no verdict, no inference about timers, no words.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.connection import StateChange
from analyzer.judge.facts import Facts
from analyzer.judge.record import (
    Challenge,
    EndpointFacts,
    Fin,
    FlowRecord,
    IcmpError,
    Identity,
    Late,
    NewSyn,
    NotProbe,
    Probe,
    Resent,
    Reset,
    Translation,
    Untranslated,
    WindowChange,
    ZeroWindowProbe,
)
from analyzer.track.flow import SIDES, endpoints_of
from analyzer.track.untranslated import INSIDE, LONE, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.judge.record import Row
    from analyzer.judge.table import Table
    from analyzer.track.awake import Hole
    from analyzer.track.batch import FlowBatch
    from analyzer.track.flow import Endpoint

ROWS_AT_ONCE: Final = 4096
"""Rows of flows whose records are made together, at most; or those of one flow that has more."""
FLOWS_AT_ONCE: Final = 512
ROLES: Final = {OUTSIDE: "outside", LONE: "lone", INSIDE: "inside"}

IDENTITY: Final = (
    "ip_version", "a_hi", "a_lo", "a_port", "b_hi", "b_lo", "b_port", "twin", "twin_hi", "twin_lo", "twin_port",
    "twin_side", "twin_is_first", "stray", "stray_hi", "stray_lo", "stray_port", "stray_side", "stray_role",
    "stray_frame", "new_syn_frame", "new_syn_ns", "new_syn_ack_frame", "new_syn_side",
)  # fmt: skip
"""Of FLOW, what says who a flow is, and which others it has to do with."""


def _names(record: type[Any], *left_out: str) -> tuple[str, ...]:
    """Return the names of a class's fields, in order."""
    names = record._fields if hasattr(record, "_fields") else tuple(field.name for field in fields(record))
    return tuple(name for name in names if name not in left_out)


_PROBE: Final = _names(Probe)
_ZERO_WINDOW: Final = _names(ZeroWindowProbe)
_NOT_PROBE: Final = _names(NotProbe)
_FIN: Final = _names(Fin, "again")
_RESET: Final = tuple(
    part for name in _names(Reset) for part in (("own_ttl_low", "own_ttl_high") if name == "own_ttl" else (name,))
)
_CHALLENGE: Final = _names(Challenge)
_LATE: Final = _names(Late)
_ICMP_ERROR: Final = _names(IcmpError)
_RESENT: Final = _names(Resent)
_WINDOW: Final = _names(WindowChange)
_CHANGE: Final = _names(StateChange)
_ENDPOINT: Final = tuple(
    part for name in _names(EndpointFacts) for part in (("ttl_low", "ttl_high") if name == "ttl" else (name,))
)
_OWN_TTL_AT: Final = _RESET.index("own_ttl_low")
_TTL_AT: Final = _ENDPOINT.index("ttl_low")


def build(batch: FlowBatch, index: int) -> FlowRecord:
    """Return the record of the flow in row ``index`` of a batch."""
    return next(build_each(batch, [index]))


def build_each(batch: FlowBatch, indices: Sequence[int]) -> Iterator[FlowRecord]:
    """Yield the records of some flows of a batch: what numpy costs is paid once for many.

    The rows of flows are taken together, at most ROWS_AT_ONCE, or one flow that has more.
    """
    picked = np.array(indices, dtype=np.int64)
    for part in parts_of(np.diff(batch.start)[picked]):
        yield from records(Facts((batch, picked[part])))


def parts_of(sizes: NDArray[np.int64], *, rows: int = ROWS_AT_ONCE, flows: int = FLOWS_AT_ONCE) -> Iterator[slice]:
    """Yield which flows to take together of some that have so many rows: not more than these, or one that has more."""
    first = held = 0
    for at, size in enumerate(sizes.tolist()):
        if at > first and (held + size > rows or at - first == flows):
            yield slice(first, at)
            first, held = at, 0
        held += size
    if first < len(sizes):
        yield slice(first, len(sizes))


def records(facts: Facts) -> Iterator[FlowRecord]:
    """Yield the records of flows."""
    flows = facts.flows
    scalars = {name: flows.values(name) for name in flows.columns}
    a, b = (_endpoints(table) for table in facts.endpoints)
    parts: dict[str, list[Any]] = {
        "probes": facts.probes.made(Probe, _PROBE),
        "zero_window_probes": facts.zero_window_probes.made(ZeroWindowProbe, _ZERO_WINDOW),
        "not_probes": facts.not_probes.made(NotProbe, _NOT_PROBE),
        "fins": _fins(facts),
        "resets": facts.resets.made(_reset, _RESET),
        "challenges": facts.challenges.made(Challenge, _CHALLENGE),
        "late": facts.late.made(Late, _LATE),
        "icmp_errors": facts.icmp_errors.made(IcmpError, _ICMP_ERROR),
        "resent": facts.resent.made(Resent, _RESENT),
        "windows": facts.windows.made(WindowChange, _WINDOW),
        "changes": facts.changes.made(StateChange, _CHANGE),
    }
    states = list(zip(scalars.pop("state_a"), scalars.pop("state_b"), strict=True))
    for at, (flow, (holes, lost)) in enumerate(zip(_identities(facts), facts.captured(), strict=True)):
        ends = endpoints_of(flow)
        first, last = scalars["first_frame"][at], scalars["last_frame"][at]
        yield FlowRecord(
            a=ends[0],
            b=ends[1],
            holes=_holes(holes, first, last),
            facts_a=a[at],
            facts_b=b[at],
            translation=_translation(flow),
            untranslated=_untranslated(flow),
            new_syn=_new_syn(flow),
            states=states[at],
            lost=lost,
            **{name: column[at] for name, column in scalars.items()},
            **{name: part[at] for name, part in parts.items()},
        )


def identities(facts: Facts) -> Iterator[Identity]:
    """Yield who flows are: what needs no record."""
    flows = facts.flows
    tags, firsts, lasts = (flows.values(name) for name in ("tag", "first_frame", "last_frame"))
    errors = facts.icmp_errors.made(IcmpError, _ICMP_ERROR)
    for flow, tag, first, last, quoted in zip(_identities(facts), tags, firsts, lasts, errors, strict=True):
        yield Identity(*endpoints_of(flow), tag, first, last, quoted, _translation(flow))


def _identities(facts: Facts) -> list[Row]:
    """Return of each flow what IDENTITY names."""
    columns = [facts.flow[name].tolist() for name in IDENTITY]
    return [dict(zip(IDENTITY, values, strict=True)) for values in zip(*columns, strict=True)]


def _endpoints(table: Table) -> list[EndpointFacts]:
    """Return what was seen of one end of each flow."""

    def facts(*values: Any) -> EndpointFacts:  # noqa: ANN401 - the values of fields in order
        return EndpointFacts(*_paired(values, _TTL_AT))

    return [one for (one,) in table.made(facts, _ENDPOINT)]


def _reset(*values: Any) -> Reset:  # noqa: ANN401 - the values of fields in order
    return Reset(*_paired(values, _OWN_TTL_AT))


def _paired(values: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    """Return values of which those at a place and behind it are one: a pair, or None."""
    pair = None if values[at] is None else values[at : at + 2]
    return (*values[:at], pair, *values[at + 2 :])


def _fins(facts: Facts) -> list[tuple[Fin, ...]]:
    """Return the FINs of each flow, with the frames in which each was sent again."""
    found: list[tuple[Fin, ...]] = facts.fins.made(Fin, _FIN)
    again = facts.repeated_fins
    if not len(again):
        return found
    frames = again.made(lambda *row: row, ("sender", "frame"))
    return [
        tuple(replace(fin, again=tuple(frame for side, frame in rows if side == fin.sender)) for fin in fins)
        for fins, rows in zip(found, frames, strict=True)
    ]


def _holes(holes: tuple[Hole, ...], first: int, last: int) -> tuple[Hole, ...]:
    """Return the holes of the capture that a flow lived through, and the first one behind its last frame."""
    behind = [hole for hole in holes if hole.from_frame >= last][:1]
    return (*(hole for hole in holes if first < hole.to_frame and hole.from_frame < last), *behind)


def _new_syn(flow: Row) -> NewSyn | None:
    if flow["new_syn_ack_frame"] == 0:
        return None
    side, names = SIDES[flow["new_syn_side"]], ("new_syn_frame", "new_syn_ns", "new_syn_ack_frame")
    return NewSyn(side, *(flow[name] for name in names))


def _translation(flow: Row) -> Translation | None:
    if flow["twin"] == 0:
        return None
    side = SIDES[flow["twin_side"]]
    return Translation(flow["twin"] - 1, side, _elsewhere(flow, "twin"), is_first=bool(flow["twin_is_first"]))


def _untranslated(flow: Row) -> Untranslated | None:
    if flow["stray"] == 0:
        return None
    side = SIDES[flow["stray_side"]]
    role = ROLES[flow["stray_role"]]
    return Untranslated(role, flow["stray"] - 1, side, _elsewhere(flow, "stray"), flow["stray_frame"])


def _elsewhere(flow: Row, name: str) -> Endpoint:
    """Return what the end that the fields ``name_*`` of a FLOW are about is called in another flow."""
    side = flow[f"{name}_side"]
    renamed = flow | {f"{SIDES[side]}_{part}": flow[f"{name}_{part}"] for part in ("hi", "lo", "port")}
    return endpoints_of(renamed)[side]
