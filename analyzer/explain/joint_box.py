"""What a box between several points most likely is, or did, that reset a connection in the name of an end.

That it did is proven by the points; what kind of box, where it stands, and whether an idle limit ran out, is what the
capture nearest to it infers. What that says of a silence must not be told where another point has what it lacks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.explain.part_teller import PartTeller
from analyzer.explain.points import frames_at
from analyzer.findings.kinds import foreign_reset
from analyzer.words.model import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.judge.judged import Finding
    from analyzer.vantage.joint import Part


def box_lines(t: JointTeller) -> Iterator[Line]:
    """Yield what sent the RST that ended the connection, if something between the points did, and why."""
    for part, finding in box_findings(t):
        for line in foreign_reset.box_lines(PartTeller(t, part), finding):
            yield Line(f"{line.text} {frames_at(part.point, line.frames)}")


def box_findings(t: JointTeller) -> Iterator[tuple[Part, Finding]]:
    """Yield the finding about that RST, of the first point that has it."""
    ending = t.flow.ending
    if ending.crossing is None or ending.by != "between" or ending.stray is not None:
        return
    for part in t.flow.parts:
        finding = part.judged.finding(foreign_reset.FROM_BETWEEN.code)
        reset = part.judged.record.ending_reset
        if finding is None or reset is None or ending.crossing.frame_at(part.point) != reset.frame:
            continue
        yield part, finding if _was_silent(t, finding) else _without_silence(finding)
        return


def _without_silence(finding: Finding) -> Finding:
    known = {name: value for name, value in finding.data.items() if name not in foreign_reset.OF_SILENCE}
    return replace(finding, data=known)


def _was_silent(t: JointTeller, finding: Finding) -> bool:
    """Say whether no point has a packet of the time in which a capture has none."""
    reset = t.flow.ending.crossing
    assert reset is not None
    silence_ns = max(_number(finding, "silence_ns"), _number(finding, "quiet_ns"), _number(finding, "half_silence_ns"))
    from_ns = reset.first.ts_ns - silence_ns
    asked = {id(probe.crossing) for probe in t.flow.probes if probe.answer is reset}
    elsewhere = (each for each in t.flow.notable if each is not reset and id(each) not in asked)
    return not any(from_ns < each.first.ts_ns < reset.first.ts_ns for each in elsewhere)


def _number(finding: Finding, name: str) -> int:
    value = finding.data.get(name, 0)
    return value if isinstance(value, int) else 0
