"""The JSON of ``keepalive join``, as docs/joining.md promises and ``schema/join-1.schema.json`` describes.

Times are float seconds from the first frame of the first point, by its clock.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from analyzer.explain.crossings import JointTeller
from analyzer.explain.joint_own import own_detail, own_findings
from analyzer.report.export import dumps
from analyzer.report.objects import file_name, instant
from analyzer.track.flow import SIDES
from analyzer.units import seconds
from analyzer.vantage.joint import Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Change, Crossing, Halves, Joined, JointFlow, JointProbe, Lone, Point, Stray, Wait

SCHEMA: Final = 1

Object = dict[str, Any]


def write_json(joined: Joined, write: Callable[[str], object], told: Sequence[int] | None = None) -> None:
    """Write one object, flow by flow: all, or those with the numbers that are ``told``."""
    start_ns = joined.points[0].first_ns
    write(f'{{"schema": {SCHEMA},\n "points": [')
    write(",\n            ".join(dumps(point_object(point)) for point in joined.points))
    write(f'],\n "notes": {dumps(joined.notes)},\n "flows": [')
    sums = Sums()
    for at, flow in enumerate(joined.flows if told is None else joined.each(told)):
        sums.add(flow)
        write(f"{',' if at else ''}\n  {dumps(flow_object(flow, joined.points, start_ns))}")
    write('],\n "halves": [')
    write(",".join("\n  " + dumps(_halves_object(pair)) for pair in joined.halves))
    write('],\n "alone": [')
    write(",".join("\n  " + dumps(_lone_object(lone)) for lone in joined.lone))
    write(f'],\n "summary": {dumps(sums.object(len(joined.flows), len(joined.lone)))}}}\n')


class Sums:
    """What connections add up to."""

    def __init__(self) -> None:
        """Begin with none."""
        self._segments, self._outcomes, self._verdicts = Counter[str](), Counter[str](), Counter[str]()

    def add(self, flow: JointFlow) -> None:
        """Add a connection."""
        self._segments.update(flow.counts)
        self._outcomes.update(probe.outcome for probe in flow.probes)
        self._verdicts[flow.ending.verdict] += 1

    def object(self, flows: int, alone: int) -> Object:
        """Return them; ``flows`` is how many connections there are, told or not."""
        return {
            "flows": flows,
            "alone": alone,
            "segments": dict(self._segments),
            "probes": dict(self._outcomes),
            "verdicts": dict(self._verdicts),
        }


def point_object(point: Point) -> Object:
    """Return what is known of a point."""
    made: Object = {
        "path": file_name(point.path),
        "capture": point.capture,
        "leg": point.leg,
        "start": instant(point.start_ns),
        "frames": point.frames,
        "dropped": point.dropped,
        "clock_by": None if point.clock is None else "data" if point.by_data else "packets",
        "offset_s": None,
        "drift_ppm": None,
        "drift_ppm_low": None,
        "drift_ppm_high": None,
        "steps": [],
    }
    if len(point.paths) > 1:
        made["paths"] = [file_name(path) for path in point.paths]
    if point.clock is None:
        return made
    piece = point.clock.first
    made["offset_s"] = {
        "value": seconds(piece.offset_ns),
        "low": None if piece.low_ns is None or point.clock.by_rhythm else seconds(piece.low_ns),
        "high": None if piece.high_ns is None or point.clock.by_rhythm else seconds(piece.high_ns),
    }
    for name, value in (
        ("drift_ppm", piece.drift),
        ("drift_ppm_low", piece.drift_low),
        ("drift_ppm_high", piece.drift_high),
    ):
        made[name] = round(value * 1e6, 3)
    for before, behind in zip(point.clock.pieces, point.clock.pieces[1:], strict=False):
        told_ns = before.offset_ns + round(before.drift * (behind.at_ns - before.at_ns))
        made["steps"].append({"at": instant(behind.from_ns), "by_s": seconds(behind.offset_ns - told_ns)})
    return made


def flow_object(flow: JointFlow, points: Sequence[Point], start_ns: int) -> Object:
    """Return everything about a connection that several points saw."""
    first = flow.parts[0].judged.record
    started = [part.side(side) for part in flow.parts if (side := part.judged.record.initiator)]
    ending = flow.ending
    return {
        "flow": flow.number,
        "a": str(first.a),
        "b": str(first.b),
        "initiator": started[0] if started else None,
        "parts": [
            {
                "point": part.point,
                "flow": part.flow,
                "a": str(part.judged.record.endpoint(part.side("a"))),
                "b": str(part.judged.record.endpoint(part.side("b"))),
                "verdict": part.judged.ending.verdict.value,
                "cause": None if (cause := part.judged.cause) is None else cause.code,
                "cause_certainty": None if cause is None else cause.certainty.value,
            }
            for part in flow.parts
        ],
        "way": list(flow.way),
        "way_by": flow.way_by or None,
        "tied": [list(pair) for pair in flow.tied],
        "translation": _translation(flow),
        "segments": flow.counts,
        "segments_from": flow.counts_from,
        "delay_s": {
            side: dict(zip(("low", "median", "high"), map(seconds, delays), strict=True))
            for side, delays in flow.delays_ns.items()
        },
        "probes": [_probe_object(probe, start_ns) for probe in flow.probes],
        "resets": [crossing_object(crossing, start_ns) for crossing in flow.resets],
        "packets": [crossing_object(crossing, start_ns) for crossing in flow.notable if crossing.fate is not Fate.BOTH],
        "changes": [_change_object(change) for change in flow.changes],
        "ending": {
            "verdict": ending.verdict,
            "by": ending.by,
            "by_certainty": None if ending.by is None else "proven" if ending.proven else "inferred",
            "between": None if ending.between is None else list(ending.between),
            "point": ending.part.point,
            "frame": ending.crossing.frame_at(ending.part.point)
            if ending.crossing
            else ending.part.judged.ending.frame,
            "time_s": seconds(ending.crossing.first.ts_ns - start_ns) if ending.crossing else None,
        },
        "ends": {side: _belief(flow, side) for side in SIDES},
        "wait": None if flow.wait is None else _wait_object(flow.wait, start_ns),
        "findings": _findings(flow, points, start_ns),
        "strays": [_stray_object(stray, start_ns) for stray in flow.strays],
    }


def _findings(flow: JointFlow, points: Sequence[Point], start_ns: int) -> list[Object]:
    """Return what is found of the ends, each with the point that shows it."""
    t = JointTeller(flow, points, start_ns)
    return [
        {
            "code": finding.code,
            "about": None if finding.about is None else part.side(finding.about),
            "point": part.point,
            "frames": list(finding.frames),
            "detail": own_detail(t, part, finding),
        }
        for part, finding in own_findings(t)
    ]


def _stray_object(stray: Stray, start_ns: int) -> Object:
    """Return a packet that a point has in another connection."""
    return {
        "point": stray.point,
        "flow": stray.flow,
        "sender": str(stray.sender),
        "receiver": str(stray.receiver),
        "about": stray.side,
        "anew": stray.anew,
        "packet": crossing_object(stray.crossing, start_ns),
    }


def _wait_object(wait: Wait, start_ns: int) -> Object:
    """Return how long an end waited for an answer to data that had been delivered."""
    return {
        "by": wait.asker,
        "point": wait.point,
        "wait_s": seconds(wait.waited_ns),
        "ended": wait.ended,
        "asked": crossing_object(wait.asked, start_ns),
        "acknowledged": crossing_object(wait.acked, start_ns),
        "acknowledged_s": seconds(wait.acked_ns),
        "until": None if wait.until is None else crossing_object(wait.until, start_ns),
        "other_answers": wait.others,
        "slowest_other_s": seconds(wait.slowest_ns),
    }


def crossing_object(crossing: Crossing, start_ns: int) -> Object:
    """Return a packet, where it was seen, and what became of it."""
    made: Object = {
        "from": crossing.sender,
        "time_s": seconds(crossing.first.ts_ns - start_ns),
        "seen": [
            {"point": sight.point, "frame": sight.frame, "time_s": seconds(sight.ts_ns - start_ns)}
            for sight in crossing.seen
        ],
        "fate": crossing.fate.value,
        "between": None if crossing.between is None else list(crossing.between),
        "not_captured_at": list(crossing.missed_at),
        "certainty": "proven" if crossing.proven else "likely" if crossing.fate is not Fate.UNPROVEN else None,
        "why": crossing.why.value,
        "seq": crossing.seq,
        "payload_len": crossing.payload_len,
        "flags": crossing.flags,
    }
    if crossing.lacks is not None:
        made["lacks"] = {"point": crossing.lacks[0], "frame": crossing.lacks[1]}
    return made


def _probe_object(probe: JointProbe, start_ns: int) -> Object:
    made = crossing_object(probe.crossing, start_ns)
    made["probe_certainty"] = probe.certainty
    made["outcome"] = probe.outcome
    made["answer"] = None if probe.answer is None else crossing_object(probe.answer, start_ns)
    return made


def _translation(flow: JointFlow) -> Object | None:
    """Return what both ends are called at each part, if that is not the same everywhere."""
    names: dict[Side, list[str]] = {
        side: [str(part.judged.record.endpoint(part.side(side))) for part in flow.parts] for side in SIDES
    }
    moved = [side for side in SIDES if len(set(names[side])) > 1]
    return {"ends": moved, "a": names["a"], "b": names["b"]} if moved else None


def _change_object(change: Change) -> Object:
    return {
        "what": change.what,
        "from": change.sender,
        "between": list(change.points),
        "packets": change.count,
        "before": change.before,
        "behind": change.behind,
        "option": change.option,
        "frames": None if change.frames is None else list(change.frames),
    }


def _belief(flow: JointFlow, side: Side) -> Object:
    part = flow.nearest(side)
    state = part.judged.record.states[0 if part.side(side) == "a" else 1]
    return {"point": part.point, "verdict": part.judged.ending.verdict.value, "state": state.value}


def _halves_object(pair: Halves) -> Object:
    front, back = (
        {
            "point": half.point,
            "flow": half.number,
            "connection": half.joint,
            "a": str(half.flow.judged.record.a),
            "b": str(half.flow.judged.record.b),
            "verdict": half.flow.judged.ending.verdict.value,
        }
        for half in (pair.front, pair.back)
    )
    return {"why": pair.why, "ordered": pair.ordered, "front": front, "back": back}


def _lone_object(lone: Lone) -> Object:
    record = lone.judged.record
    return {
        "point": lone.point,
        "flow": record.number,
        "a": str(record.a),
        "b": str(record.b),
        "verdict": lone.judged.ending.verdict.value,
        "why": lone.why,
        "other_point": lone.other_point,
        "other_flow": lone.other,
    }
