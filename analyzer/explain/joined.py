"""The story of a connection that several points saw: what left one, never reached the other, or was made between.

Points are called A, B, C, in the order in which they were named. Every statement carries the frames of each point.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer.explain.changed import change_lines
from analyzer.explain.crossings import JointTeller, fate_words, listed
from analyzer.explain.points import frames_of, letter
from analyzer.judge.verdict import Verdict
from analyzer.segment import FIN, RST, SYN
from analyzer.vantage.joint import Fate, Why
from analyzer.words.model import Line, Section, Story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing, JointFlow, JointProbe, Point

SIDES: Final[tuple[Side, Side]] = ("a", "b")
MOST_LINES: Final = 60
"""This many packets a story lists."""

VERDICTS: Final = {
    "closed": "Closed by both ends",
    "half_closed": "Half-closed when the captures ended",
    "closing": "Being closed when the captures ended",
    "silent": "Silent when the captures ended",
    "open": "Open when the captures ended",
    "unestablished": "Never established",
    "undetermined": "Undetermined",
}


def joint_story(flow: JointFlow, points: Sequence[Point], start_ns: int) -> Story:
    """Tell what happened to a connection, as all points together show it."""
    t = JointTeller(flow, points, start_ns)
    sections = [
        Section("What became of the probes", tuple(_probe_lines(t))),
        Section("Who ended it", tuple(_ending_lines(t))),
        Section("Other packets", tuple(_packet_lines(t))),
        Section("What each end believes", tuple(_beliefs(t))),
        Section("What changed on the way", tuple(change_lines(t))),
        Section("What the captures do not show", tuple(_doubts(t))),
    ]
    return Story(_title(t), _headline(t), tuple(section for section in sections if section.lines))


def _title(t: JointTeller) -> str:
    arrow = "and" if t.initiator is None else "to"
    a: Side = "b" if t.initiator == "b" else "a"
    b: Side = "a" if a == "b" else "b"
    way = ""
    if t.flow.way:
        shown = t.flow.way if a == "a" else t.flow.way[::-1]
        way = f", by way of points {listed([letter(point) for point in shown])}"
    return f"Connection {t.flow.number}: {t.record.endpoint(a)} {arrow} {t.record.endpoint(b)}{way}"


def _headline(t: JointTeller) -> str:
    said = [_ending_clause(t)]
    if t.flow.probes:
        said.append(_probe_clause(t))
    counts, of_probes = t.flow.counts, sum(probe.crossing.fate is Fate.LOST for probe in t.flow.probes)
    ending = t.flow.ending.crossing
    lost = counts["lost"] - of_probes - (ending is not None and ending.fate is Fate.LOST)
    answers = {id(probe.answer) for probe in t.flow.probes if probe.answer and probe.answer.fate is Fate.LOST}
    lost -= len(answers)
    if lost:
        said.append(f"{lost} {'other ' if t.flow.probes else ''}{'packet was' if lost == 1 else 'packets were'} lost.")
    if t.one_host():
        first, last = (letter(t.flow.parts[at].point) for at in (0, -1))
        said.append(f"Points {first} and {last} are the two sides of one host.")
    return " ".join(said)


def _ending_clause(t: JointTeller) -> str:
    ending, flow = t.flow.ending, t.flow
    crossing = ending.crossing
    if crossing is None:
        return VERDICTS.get(ending.verdict, ending.verdict) + "."
    sender = t.name(crossing.sender)
    likely = "" if ending.proven else "Most likely "
    if ending.by == "between":
        where = t.place(crossing) or f"beyond {letter(crossing.first.point)}"
        lead = f"{likely}something {where} reset the connection in the name of {sender}"
        return f"{lead[0].upper()}{lead[1:]}; {sender} did not send that RST."
    gave_up = ending.verdict == Verdict.TIMED_OUT.value
    arrived = crossing.fate is Fate.BOTH
    did = (
        "gave up"
        if gave_up
        else "reset the connection when a probe came"
        if "probe" in ending.verdict
        else "aborted it"
    )
    text = f"{sender[0].upper()}{sender[1:]} {did}"
    if ending.proven:
        text += ": the RST is its own"
    if flow.way and not arrived:
        text += f", and {fate_words(t, crossing)}" if ending.proven else f"; its RST {fate_words(t, crossing)}"
    return text + "."


OUTCOMES: Final = {
    "answered": "{n} answered",
    "answer_lost": "{n} arrived, but the answer was lost {where}",
    "lost": "{n} lost {where}",
    "unanswered": "{n} arrived and got no answer that was captured",
    "reset": "{n} answered with a RST",
    "made": "{n} made {where}",
    "unproven": "{n} of unproven fate",
}


def _probe_clause(t: JointTeller) -> str:
    """Sum up the probes."""
    found: Counter[tuple[str, str]] = Counter()
    for probe in t.flow.probes:
        told = probe.answer if probe.outcome == "answer_lost" and probe.answer else probe.crossing
        found[probe.outcome, t.place(told) if "{where}" in OUTCOMES[probe.outcome] else ""] += 1
    parts = [OUTCOMES[outcome].format(n=count, where=where) for (outcome, where), count in found.items()]
    many = len(t.flow.probes)
    return f"{many} {'probe' if many == 1 else 'probes'}: {', '.join(parts)}."


def _line(t: JointTeller, crossing: Crossing, text: str) -> Line:
    return Line(f"{text} [frame {frames_of(crossing)}]", (), crossing.first.ts_ns - t.start_ns)


def _probe_lines(t: JointTeller) -> Iterator[Line]:
    told: set[object] = set()
    for probe in t.flow.probes[:MOST_LINES]:
        yield Line(_probe_words(t, probe, told), (), probe.crossing.first.ts_ns - t.start_ns)
    if len(t.flow.probes) > MOST_LINES:
        yield Line(f"{len(t.flow.probes) - MOST_LINES} more probes are in the JSON report.")


def _probe_words(t: JointTeller, probe: JointProbe, told: set[object]) -> str:
    crossing = probe.crossing
    text = f"probe from {t.name(crossing.sender)}"
    if probe.certainty != "certain":
        text = f"{probe.certainty} {text}"
    frames = f" [frame {frames_of(crossing)}]"
    if crossing.fate is not Fate.BOTH:
        text += f" {fate_words(t, crossing)}{frames}{_because(t, crossing, told)}"
    elif len(crossing.seen) > 1:
        text += f" reached {letter(crossing.seen[-1].point)}{frames}"
    else:
        text += frames
    answer = probe.answer
    if answer is None:
        return text + ("; no answer was captured" if crossing.fate is not Fate.LOST else "")
    kind = "a RST" if answer.flags & RST else "the answer"
    frames = f" [frame {frames_of(answer)}]"
    if answer.fate is Fate.BOTH:
        return f"{text}; {kind} came back{frames}"
    return f"{text}; {kind} {fate_words(t, answer)}{frames}{_because(t, answer, told)}"


def _because(t: JointTeller, crossing: Crossing, told: set[object]) -> str:
    """Say what a fate rests on, where that was not said just before."""
    why = t.why(crossing)
    if not why or (crossing.fate, why) in told:
        return ""
    told.add((crossing.fate, why))
    return f": {why}"


def _ending_lines(t: JointTeller) -> Iterator[Line]:
    told: set[object] = set()
    for crossing in t.flow.resets[:MOST_LINES]:
        sender = t.name(crossing.sender)
        ending = t.flow.ending
        if crossing is ending.crossing and ending.by in SIDES and ending.proven:
            first = letter(crossing.first.point)
            text = f"RST from {sender}: it left on its side of {first}, the point nearest to it"
            if crossing.fate is not Fate.BOTH:
                text += f", and {fate_words(t, crossing)}{_because(t, crossing, told)}"
        else:
            whose = "from" if _left_its_sender(t, crossing) else "in the name of"
            text = f"RST {whose} {sender} {fate_words(t, crossing)}{_because(t, crossing, told)}"
        yield _line(t, crossing, text)


def _left_its_sender(t: JointTeller, crossing: Crossing) -> bool:
    """Say whether a packet passed the point nearest to its sender: then nothing between the points made it."""
    return bool(t.flow.way) and crossing.first.point == t.flow.nearest(crossing.sender).point


def _packet_lines(t: JointTeller) -> Iterator[Line]:
    told: set[object] = set()
    probes = {id(probe.crossing) for probe in t.flow.probes} | {id(probe.answer) for probe in t.flow.probes}
    others = [
        crossing
        for crossing in t.flow.notable
        if crossing.fate is not Fate.BOTH and not crossing.flags & RST and id(crossing) not in probes
    ]
    for crossing in others[:MOST_LINES]:
        text = (
            f"{_kind(crossing)} from {t.name(crossing.sender)} {fate_words(t, crossing)}{_because(t, crossing, told)}"
        )
        yield _line(t, crossing, text)
    if len(others) > MOST_LINES:
        yield Line(f"{len(others) - MOST_LINES} more packets are in the JSON report.")


def _kind(crossing: Crossing) -> str:
    if crossing.flags & SYN:
        return "SYN"
    if crossing.payload_len:
        octets = "byte" if crossing.payload_len == 1 else "bytes"
        return f"{crossing.payload_len} {octets} of data"
    return "FIN" if crossing.flags & FIN else "ACK"


def _beliefs(t: JointTeller) -> Iterator[Line]:
    if not t.flow.way or t.one_host():
        return
    for side in SIDES:
        part = t.flow.nearest(side)
        judged = part.judged
        state = judged.record.states[0 if part.side(side) == "a" else 1]
        name = t.name(side)
        verdict = judged.ending.verdict.value.replace("_", " ")
        yield Line(
            f"{name[0].upper()}{name[1:]} was last in {state.value}; alone, the capture nearest to it "
            f"({letter(part.point)}) would read as: {verdict}."
        )


def _doubts(t: JointTeller) -> Iterator[Line]:
    if not t.flow.way:
        yield Line(
            "Which point is nearer to which end: no router passed between them, and the times of both directions do "
            "not tell. So what is missing at a point cannot be called lost or made."
        )
    for point in {crossing.between for crossing in t.flow.notable if crossing.why is Why.NOTHING_LATER}:
        if point is not None:
            yield Line(
                f"Whether the capture of {letter(point[1])} still ran: it has nothing later than what was lost. "
                "Any other traffic in it would show that it did."
            )
    for number in sorted({place for crossing in t.flow.notable for place in crossing.between or ()}):
        if t.points[number].dropped:
            yield Line(
                f"{letter(number)} dropped {t.points[number].dropped} packets while capturing, so that what it lacks "
                "need not have been lost."
            )
