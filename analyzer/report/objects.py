"""What the JSON has of each thing, as plain objects: captures, flows, findings, causes, witnesses, limits, sums.

Time leaves as float seconds from the capture's first frame, exact to the nanosecond; every name carries its unit.

It must not know how an object is written, or which flows are.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from analyzer import explain
from analyzer.judge.signatures import of_end
from analyzer.report import filter_commands
from analyzer.report.flow_fields import FLOW, Form, Group, Made, Rows
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S, seconds
from analyzer.words.teller import Teller
from analyzer.words.witnesses import says

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.judge.events import Translation
    from analyzer.judge.judged import Finding, JudgedFlow, Witness
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.count import Count
    from analyzer.judge.timers.settings import Settings
    from analyzer.judge.timers.timer import Timer
    from analyzer.report.flow_fields import Item, Leaf
    from analyzer.survey.limits import IdleLimit, Trial
    from analyzer.survey.overview import CaptureSummary, Totals
    from analyzer.survey.settings_in_use import SettingsInUse
    from analyzer.track.awake import Hole
    from analyzer.untyped import Foreign, Json

Object = dict[str, Any]


def capture_object(capture: CaptureSummary) -> Object:
    """Return what is said of one capture point."""
    names = [file_name(path) for path in capture.paths]
    return {
        **({"path": names[0]} if len(names) == 1 else {"paths": names}),
        **({"first_frames": [part.first_frame for part in capture.parts]} if len(names) > 1 else {}),
        "format": capture.format,
        "link_types": capture.link_types,
        "start": None if capture.start_ns is None else instant(capture.start_ns),
        "frames": capture.frames,
        "tcp_segments": capture.tcp_segments,
        "duration_s": seconds(capture.duration_ns),
        "skipped": capture.skipped,
        "warnings": capture.warnings,
        "dropped": capture.dropped,
        "filters": capture.filters,
        "holes": [hole_object(hole, capture.start_ns or 0) for hole in capture.holes],
        **({} if capture.stopped_after is None else {"stopped_after": capture.stopped_after}),
    }


def hole_object(hole: Hole, start_ns: int) -> Object:
    """Return a stretch in which the capture was not awake."""
    return {
        "from_frame": hole.from_frame,
        "to_frame": hole.to_frame - hole.to_end,
        "from_s": seconds(hole.from_ns - start_ns),
        "to_s": seconds(hole.to_ns - start_ns),
        "why": hole.why,
        "packets": hole.packets or None,
    }


def limit_object(limit: IdleLimit) -> Object:
    """Return what trials say about a limit of idle time."""
    return {
        "capture": limit.capture,
        "service": None if limit.service is None else str(limit.service),
        "hosts": None if limit.hosts is None else list(limit.hosts),
        "half_closed": limit.half_closed,
        "survived": _trial(limit.longest),
        "died": _trial(limit.shortest),
        "hard": limit.is_hard,
        "failed_later": limit.failed_later,
        "fits": [box.name for box in limit.fits],
        "probe_every_s": limit.advised_s,
    }


def _trial(trial: Trial | None) -> Object | None:
    """Return the silence that bounds a limit, and how many trials there were of its kind."""
    if trial is None:
        return None
    return {
        "flows": trial.count,
        "silence_s": seconds(trial.ns),
        "flow": trial.flow,
        "from_frame": trial.from_frame,
        "to_frame": trial.to_frame,
    }


def summary_object(
    totals: Totals, found: Counter[str], limits: Sequence[IdleLimit] = (), settings: SettingsInUse | None = None
) -> Object:
    """Return the sums over all flows; ``findings`` counts those of the flows that were written."""
    return {
        "flows": totals.flows,
        "flows_with_probes": totals.flows_with_probes,
        "probes": totals.probes,
        "probes_answered": totals.probes_answered,
        "probes_after_fin": totals.probes_after_fin,
        "zero_window_probes": totals.zero_window_probes,
        "not_probes": dict(sorted(totals.not_probes.items())),
        "half_closed": totals.close_wait,
        "verdicts": totals.verdicts,
        "findings": dict(sorted(found.items())),
        "idle_limits": [limit_object(limit) for limit in limits],
        "settings": None if settings is None else settings_in_use_object(settings),
    }


def settings_in_use_object(settings: SettingsInUse) -> Object:
    """Return which keepalive settings flows have, and of how many flows that is known."""
    return {
        "flows": settings.flows,
        "asked": settings.asked,
        "in_use": [
            {
                "idle_s": _duration(row.idle_ns),
                "interval_s": _duration(row.interval_ns),
                "count": row.count,
                "flows": row.flows,
                "hosts": len(row.hosts),
                "services": len(row.services),
                "shortest_gap_s": _duration(row.shortest_ns),
                "longest_gap_s": _duration(row.longest_ns),
            }
            for row in settings.rows
        ],
    }


def flow_object(judged: JudgedFlow, start_ns: int) -> Object:
    """Return one flow; instants count from ``start_ns``."""
    record = judged.record
    parts = {"flow": record, "a": record.facts_a, "b": record.facts_b, "ending": judged.ending}
    made: dict[str, Callable[[], Json]] = {
        "translated": partial(translated, record),
        **{
            f"settings_{side}": partial(settings_object, judged.settings(side), opens=judged.record.opens(side))
            for side in SIDES
        },
        "findings": lambda: [finding_object(finding, judged) for finding in judged.findings],
        "cause": partial(cause_object, judged),
        "witnesses": lambda: [witness_object(witness, judged, start_ns) for witness in judged.witnesses],
        **{what: partial(make, record) for what, make in NAMED.items()},
    }

    def filled(items: Sequence[Item]) -> Object:
        found: Object = {}
        for item in items:
            if isinstance(item, Made):
                found[item.name] = made[item.what]()
            elif isinstance(item, Group):
                found[item.name] = filled(item.items)
            elif isinstance(item, Rows):
                found[item.name] = [_leaves(item.items, row, start_ns) for row in getattr(record, item.table)]
            elif item.if_ is not None and getattr(parts[item.part], item.if_) is None:
                found |= {item.name: None} if item.name else {}
            else:
                leaves = _leaves(item.items, parts[item.part], start_ns)
                found |= {item.name: leaves} if item.name else leaves
        return found

    return filled(FLOW)


def _leaves(items: Sequence[Leaf], part: object, start_ns: int) -> Object:
    """Return the values of a part of a flow."""
    return {item.name: _VALUES[item.form](getattr(part, item.field), start_ns) for item in items}


def plain_value(value: Foreign, _: int) -> Json:
    """Return a word or a number; a state or verdict as its word."""
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


_VALUES: Final[dict[Form, Callable[[Any, int], Json]]] = {
    Form.PLAIN: plain_value,
    Form.NOT_ZERO: lambda value, _: value or None,
    Form.SIDE: lambda value, _: SIDES[value],
    Form.LENGTH: lambda value, _: _duration(value),
    Form.INSTANT: lambda ts_ns, start_ns: None if ts_ns is None else seconds(ts_ns - start_ns),
    Form.PAIR: plain_value,
}
NAMED: Final[dict[str, Callable[[FlowRecord], str]]] = {
    "a": lambda record: str(record.a),
    "b": lambda record: str(record.b),
    "wireshark": filter_commands.wireshark,
    "tcpdump": filter_commands.tcpdump,
}
"""What every flow is called, and its filters."""


def cause_object(judged: JudgedFlow) -> Object | None:
    """Return the surest cause, and what fits as well."""
    if judged.cause is None:
        return None
    cause, *others = judged.causes
    return {
        "code": cause.code,
        "certainty": cause.certainty.value,
        "frames": list(cause.frames),
        "instead": [other.code for other in others],
    }


def witness_object(witness: Witness, judged: JudgedFlow, start_ns: int) -> Object:
    """Return what bears on a flow's end from beside it."""
    return {
        "kind": witness.kind,
        "about": witness.about,
        "frames": list(witness.frames),
        "time_s": seconds(witness.ts_ns - start_ns),
        "says": witness.says,
        "detail": says(Teller(judged, start_ns), witness),
    }


def translated(record: FlowRecord) -> Object | None:
    """Return what a flow is called on the other side of an address translation, or None."""
    return None if record.translation is None else translation_object(record.translation)


def translation_object(there: Translation) -> Object:
    """Return what a flow is called on the other side."""
    return {"flow": there.flow, "side": there.side, "address": str(there.endpoint), "counted_there": there.is_first}


def instant(ts_ns: int) -> str:
    """Return an instant as ISO 8601 in UTC, to the nanosecond."""
    whole_s, rest_ns = divmod(ts_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(whole_s, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"


def file_name(path: str) -> str:
    """Return a file's name as valid Unicode: bytes that are no UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _duration(ns: int | None) -> float | None:
    return None if ns is None else seconds(ns)


def settings_object(settings: Settings | None, *, opens: bool | None = None) -> Object | None:
    """Return what is inferred of an endpoint's socket options, or None."""
    if settings is None:
        return None
    return {
        "idle_s": _timer(settings.idle),
        "interval_s": _timer(settings.interval),
        "count": _count(settings.count),
        "period_s": _timer(settings.period),
        "changes": changes_objects(settings),
        "stack": settings.stack,
        "families": list(of_end(settings.families, opens=opens)),
    }


def changes_objects(settings: Settings) -> list[Object]:
    """Return what is inferred of timers that were set anew."""
    return [
        {
            "what": f"{change.name}_s",
            "until_frame": change.until_frame,
            "before": _timer(change.before),
            "after": _timer(change.after),
        }
        for change in settings.changes
    ]


def _timer(timer: Timer | None) -> Object | None:
    if timer is None:
        return None
    return {
        "value": _duration(timer.value_ns),
        "low": seconds(timer.low_ns),
        "high": seconds(timer.high_ns),
        "observations": timer.observations,
        "frames": list(timer.frames),
    }


def _count(count: Count | None) -> Object | None:
    if count is None:
        return None
    return {
        "value": count.value,
        "low": count.low,
        "high": count.high,
        "observations": count.observations,
        "frames": list(count.frames),
        "gave_up_after": count.gave_up_after,
    }


def finding_object(finding: Finding, judged: JudgedFlow) -> Object:
    """Return a finding with its words."""
    record = judged.record
    return finding_entry(
        finding,
        explain.detail(finding, judged),
        filter_commands.finding_wireshark(record, finding),
        filter_commands.finding_tcpdump(record, finding),
    )


def finding_entry(finding: Finding, detail: str, wireshark: str, tcpdump: str) -> Object:
    """Return a finding with these words and filters."""
    return {
        "code": finding.code,
        "about": finding.about,
        "frames": list(finding.frames),
        "detail": detail,
        "data": dict(_in_seconds(finding.data)),
        "filters": {"wireshark": wireshark, "tcpdump": tcpdump},
    }


def _in_seconds(data: dict[str, int | str]) -> Iterator[tuple[str, int | float | str]]:
    for name, value in data.items():
        if name.endswith("_ns") and isinstance(value, int):
            yield f"{name.removesuffix('_ns')}_s", seconds(value)
        else:
            yield name, value
