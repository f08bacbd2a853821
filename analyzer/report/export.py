"""JSON, JSON lines and CSV, as docs/json-report.md promises and ``schema/report-1.schema.json`` describes.

Time leaves as float seconds from the capture's first frame, exact to the nanosecond; every name carries its unit.
"""

from __future__ import annotations

import csv
import json
import os
from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from analyzer import explain
from analyzer.report import filter_commands
from analyzer.report.columns import FLOW_COLUMNS, PROBE_COLUMNS
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.record import Challenge, EndpointFacts, FlowRecord, Late, Probe, Reset
    from analyzer.judge.timers.count import Count
    from analyzer.judge.timers.inference import Settings
    from analyzer.judge.timers.timer import Timer
    from analyzer.survey.overview import CaptureSummary, Part, Totals
    from analyzer.track.awake import Hole
    from analyzer.untyped import Foreign, Json

SCHEMA: Final = 1

Object = dict[str, Any]


class FlowToExport(Protocol):
    """A flow as it comes from an analysis."""

    @property
    def capture(self) -> int:
        """Index of its capture."""
        ...

    @property
    def judged(self) -> JudgedFlow:
        """The flow with everything that was concluded about it."""
        ...


# ── JSON ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_json(
    captures: list[CaptureSummary],
    flows: Iterable[FlowToExport],
    totals: Totals,
    write: Callable[[str], object],
    *,
    several: bool,
    more: Callable[[JudgedFlow, int], Object] | None = None,
) -> None:
    """Write one object, flow by flow, so that no more than one is in memory; ``more`` adds fields to each."""
    write(f'{{"schema": {SCHEMA},\n "captures": [')
    write(",\n              ".join(_dumps(capture_object(capture)) for capture in captures))
    write('],\n "flows": [')
    found: Counter[str] = Counter()
    separator = "\n  "
    for flow in flows:
        write(separator + _dumps(numbered(flow, captures, several=several, more=more)))
        found.update({finding.code for finding in flow.judged.findings})
        separator = ",\n  "
    write(f'],\n "summary": {_dumps(summary_object(totals, found))}}}\n')


def write_json_line(
    flow: FlowToExport,
    captures: list[CaptureSummary],
    write: Callable[[str], object],
    *,
    several: bool,
    more: Callable[[JudgedFlow, int], Object] | None = None,
) -> None:
    """Write one flow as one line."""
    write(_dumps(numbered(flow, captures, several=several, more=more)) + "\n")


def numbered(
    flow: FlowToExport,
    captures: list[CaptureSummary],
    *,
    several: bool,
    more: Callable[[JudgedFlow, int], Object] | None = None,
) -> Object:
    """Return a flow's object, with the index of its capture if several captures were named."""
    start_ns = captures[flow.capture].start_ns or 0
    entry = flow_object(flow.judged, start_ns)
    if several:
        entry = {"capture": flow.capture, **entry}
    if more:
        entry |= more(flow.judged, start_ns)
    parts = captures[flow.capture].parts
    return with_file_frames(entry, parts) if len(parts) > 1 else entry


def with_file_frames(entry: Json, parts: Sequence[Part]) -> Json:
    """Return an object in which every ``frame`` of a stream of files is joined by ``file`` and ``file_frame``."""
    if isinstance(entry, list):
        return [with_file_frames(item, parts) for item in entry]
    if not isinstance(entry, dict):
        return entry
    out = {key: with_file_frames(value, parts) for key, value in entry.items()}
    frame = entry.get("frame")
    if isinstance(frame, int) and frame > 0:
        at = bisect_right([part.first_frame for part in parts], frame) - 1
        out |= {"file": at, "file_frame": frame - parts[at].first_frame + 1}
    return out


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


def summary_object(totals: Totals, found: Counter[str]) -> Object:
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
    }


def _translated(record: FlowRecord) -> Object | None:
    """Return what a flow is called on the other side of an address translation, or None."""
    there = record.translation
    if there is None:
        return None
    return {"flow": there.flow, "side": there.side, "address": str(there.endpoint), "counted_there": there.is_first}


def flow_object(judged: JudgedFlow, start_ns: int) -> Object:
    """Return one flow; instants count from ``start_ns``."""
    record, ending = judged.record, judged.ending

    def at(ts_ns: int) -> float:
        return seconds(ts_ns - start_ns)

    return {
        "flow": record.number,
        "a": str(record.a),
        "b": str(record.b),
        "tag": record.tag or None,
        "initiator": record.initiator,
        "starts_with": record.starts_with,
        "translated": _translated(record),
        "first_frame": record.first_frame,
        "last_frame": record.last_frame,
        "first_s": at(record.first_ns),
        "last_s": at(record.last_ns),
        "segments": {"a": record.facts_a.segments, "b": record.facts_b.segments},
        "payload_bytes": {"a": record.facts_a.payload_bytes, "b": record.facts_b.payload_bytes},
        "probes": [_probe(probe, start_ns) for probe in record.probes],
        "zero_window_probes": [
            {
                "frame": probe.frame,
                "time_s": at(probe.ts_ns),
                "from": probe.sender,
                "payload_len": probe.payload_len,
                "answer_frame": probe.answer_frame,
            }
            for probe in record.zero_window_probes
        ],
        "not_probes": [
            {"frame": other.frame, "time_s": at(other.ts_ns), "from": other.sender, "is": other.is_}
            for other in record.not_probes
        ],
        "fins": [
            {
                "frame": fin.frame,
                "time_s": at(fin.ts_ns),
                "from": fin.sender,
                "acked_frame": fin.acked_frame,
                "acked_s": None if fin.acked_ns is None else at(fin.acked_ns),
            }
            for fin in record.fins
        ],
        "resets": [_reset(reset, start_ns) for reset in record.resets],
        "challenge_acks": [_challenge(challenge, start_ns) for challenge in record.challenges],
        "late": [_late(late, start_ns) for late in record.late],
        "icmp_errors": [
            {
                "frame": error.frame,
                "time_s": at(error.ts_ns),
                "quotes": error.quotes,
                "ip_version": error.version,
                "type": error.type,
                "code": error.code,
                "quotes_probe": error.quotes_probe,
            }
            for error in record.icmp_errors
        ],
        "copies": record.copies,
        "longest_silence": None
        if record.silence_from is None
        else {
            "duration_s": seconds(record.silence_ns),
            "from_frame": record.silence_from,
            "to_frame": record.silence_to,
        },
        "endpoints": {side: _endpoint(record.facts(side), start_ns) for side in SIDES},
        "settings": {side: _settings(judged.settings(side)) for side in SIDES},
        "states": {side: state.value for side, state in zip(SIDES, record.states, strict=True)},
        "state_changes": [
            {"frame": change.frame, "time_s": at(change.ts_ns), "of": SIDES[change.side], "state": change.state.value}
            for change in record.changes
        ],
        "ending": {
            "verdict": ending.verdict.value,
            "by": ending.by,
            "frame": ending.frame,
            "time_s": None if ending.ts_ns is None else at(ending.ts_ns),
            "rule": ending.rule,
        },
        "findings": [_finding(finding, judged) for finding in judged.findings],
        "filters": {"wireshark": filter_commands.wireshark(record), "tcpdump": filter_commands.tcpdump(record)},
    }


def instant(ts_ns: int) -> str:
    """Return an instant as ISO 8601 in UTC, to the nanosecond."""
    whole_s, rest_ns = divmod(ts_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(whole_s, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"


def file_name(path: str) -> str:
    """Return a file's name as valid Unicode: octets that are no UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _dumps(value: object) -> str:
    """Return JSON in ASCII: whatever a name holds, a terminal shows it as an escape."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def _duration(ns: int | None) -> float | None:
    return None if ns is None else seconds(ns)


def _endpoint(facts: EndpointFacts, start_ns: int) -> Object:
    return {
        "syn_frame": facts.syn_frame,
        "first_data_frame": facts.first_data_frame,
        "last_data_frame": facts.last_data_frame,
        "unacknowledged_since_frame": facts.unacked_frame,
        "unacknowledged_since_s": _offset(facts.unacked_ns, start_ns),
        "retransmissions": facts.resent_total,
        "missed_by_capture": facts.missed,
        "window_zero_since_frame": facts.window_shut_frame,
        "timestamps": facts.timestamps,
        "ttl": None if facts.ttl is None else list(facts.ttl),
    }


def _probe(probe: Probe, start_ns: int) -> Object:
    return {
        "frame": probe.frame,
        "time_s": seconds(probe.ts_ns - start_ns),
        "from": probe.sender,
        "payload_len": probe.payload_len,
        "certainty": probe.certainty,
        "doubt": probe.doubt,
        "gap_s": _duration(probe.gap_ns),
        "idle_s": _duration(probe.idle_ns),
        "train": probe.train,
        "after_fin": probe.after_fin,
        "answer": probe.answer,
        "answer_frame": probe.answer_frame,
        "answer_s": _duration(probe.answer_ns),
    }


def _reset(reset: Reset, start_ns: int) -> Object:
    return {
        "frame": reset.frame,
        "time_s": seconds(reset.ts_ns - start_ns),
        "from": reset.sender,
        "answers_probe": reset.answers_probe,
        "lost_bytes": reset.lost_bytes,
        "kind": reset.kind,
        "reception": reset.reception,
        "receiver_state": reset.receiver_state,
        "challenge_frame": reset.challenge_frame,
        "unlike_sender": list(reset.strange),
    }


def _challenge(challenge: Challenge, start_ns: int) -> Object:
    return {
        "frame": challenge.frame,
        "time_s": seconds(challenge.ts_ns - start_ns),
        "from": challenge.sender,
        "drawn_by": challenge.drawn_by,
        "drawn_by_frame": challenge.drawn_frame,
    }


def _late(late: Late, start_ns: int) -> Object:
    return {
        "frame": late.frame,
        "time_s": seconds(late.ts_ns - start_ns),
        "from": late.sender,
        "is": late.is_,
        "payload_len": late.payload_len,
    }


def _settings(settings: Settings | None) -> Object | None:
    if settings is None:
        return None
    return {
        "idle_s": _timer(settings.idle),
        "interval_s": _timer(settings.interval),
        "count": _count(settings.count),
        "period_s": _timer(settings.period),
        "changes": [
            {
                "what": f"{change.name}_s",
                "until_frame": change.until_frame,
                "before": _timer(change.before),
                "after": _timer(change.after),
            }
            for change in settings.changes
        ],
        "stack": settings.stack,
        "families": list(settings.families),
    }


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


def _finding(finding: Finding, judged: JudgedFlow) -> Object:
    record = judged.record
    return {
        "code": finding.code,
        "about": finding.about,
        "frames": list(finding.frames),
        "detail": explain.detail(finding, judged),
        "data": dict(_in_seconds(finding.data)),
        "filters": {
            "wireshark": filter_commands.finding_wireshark(record, finding),
            "tcpdump": filter_commands.finding_tcpdump(record, finding),
        },
    }


def _in_seconds(data: dict[str, int | str]) -> Iterator[tuple[str, int | float | str]]:
    for name, value in data.items():
        if name.endswith("_ns") and isinstance(value, int):
            yield f"{name.removesuffix('_ns')}_s", seconds(value)
        else:
            yield name, value


# ── CSV ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_csv_head(table: str, out: TextIO) -> None:
    """Write the names of the columns of ``flows`` or ``probes``."""
    _writer(out).writerow(FLOW_COLUMNS if table == "flows" else PROBE_COLUMNS)


def write_csv(table: str, flow: FlowToExport, start_ns: int, out: TextIO) -> None:
    """Write the rows of one flow: itself, or its probes."""
    rows = [flow_row(flow, start_ns)] if table == "flows" else list(probe_rows(flow, start_ns))
    names = FLOW_COLUMNS if table == "flows" else PROBE_COLUMNS
    _writer(out).writerows([_plain(row[name]) for name in names] for row in rows)


def flow_row(flow: FlowToExport, start_ns: int) -> Object:
    """Return a flow as one row of FLOW_COLUMNS."""
    judged = flow.judged
    record, ending = judged.record, judged.ending
    row: Object = {
        "capture": flow.capture,
        "flow": record.number,
        "a": str(record.a),
        "b": str(record.b),
        "initiator": record.initiator,
        "starts_with": record.starts_with,
        "first_frame": record.first_frame,
        "last_frame": record.last_frame,
        "first_s": seconds(record.first_ns - start_ns),
        "last_s": seconds(record.last_ns - start_ns),
        "probes_answered": sum(probe.answered for probe in record.probes),
        "probes_after_fin": len(record.probes_after_fin),
        "zero_window_probes": len(record.zero_window_probes),
        "verdict": ending.verdict.value,
        "by": ending.by,
        "ending_frame": ending.frame,
        "ending_s": _offset(ending.ts_ns, start_ns),
        "findings": " ".join(finding.code for finding in judged.findings),
    }
    for side, state in zip(SIDES, record.states, strict=True):
        settings = judged.settings(side)
        row |= {
            f"segments_{side}": record.facts(side).segments,
            f"payload_bytes_{side}": record.facts(side).payload_bytes,
            f"probes_{side}": len(record.probes_from(side)),
            f"idle_{side}_s": _value(settings.idle if settings else None),
            f"interval_{side}_s": _value(settings.interval if settings else None),
            f"count_{side}": settings.count.value if settings and settings.count else None,
            f"fin_{side}_s": _offset(fin.ts_ns if (fin := record.fin_of(side)) else None, start_ns),
            f"state_{side}": state.value,
        }
    return row


def probe_rows(flow: FlowToExport, start_ns: int) -> Iterator[Object]:
    """Yield a flow's probes as rows of PROBE_COLUMNS."""
    record = flow.judged.record
    for probe in record.probes:
        yield {
            "capture": flow.capture,
            "flow": record.number,
            "sender": str(record.endpoint(probe.sender)),
            "receiver": str(record.endpoint("b" if probe.sender == "a" else "a")),
            **_probe(probe, start_ns),
        }


def _writer(out: TextIO) -> Foreign:
    return csv.writer(out, lineterminator="\n")


def _plain(value: object) -> str | int:
    """Return a cell: floats to the nanosecond without exponent, None as nothing."""
    if isinstance(value, float):
        return f"{value:.9f}"
    return "" if value is None else value  # type: ignore[return-value]


def _offset(ts_ns: int | None, start_ns: int) -> float | None:
    return None if ts_ns is None else seconds(ts_ns - start_ns)


def _value(timer: Timer | None) -> float | None:
    return None if timer is None else _duration(timer.value_ns)
