"""The story of a connection that several points saw: what left one, never reached the other, or was made between.

Points are called A, B, C, in the order in which they were named. Every statement carries the frames of each point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.changed import change_lines
from analyzer.explain.crossings import JointTeller, fate_words, listed
from analyzer.explain.joint_beside import beside_lines
from analyzer.explain.joint_box import box_lines
from analyzer.explain.joint_headline import headline
from analyzer.explain.joint_left import left_lines
from analyzer.explain.joint_meaning import meaning_lines
from analyzer.explain.joint_own import advice_lines, own_lines, settings_lines
from analyzer.explain.joint_strays import stray_ending, stray_lines
from analyzer.explain.joint_waits import wait_lines
from analyzer.explain.points import frame_of, frames_of, letter
from analyzer.judge.verdict import Verdict
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.track.flow import SIDES
from analyzer.vantage.joint import Fate, Why
from analyzer.words.model import Line, Section, Story
from analyzer.words.teller import count, frames_text, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing, JointFlow, JointProbe, Point

UNPLACED: Final = (Why.LINK, Why.ORDER)
"""Why nothing tells on which side of a point a packet was made."""
MOST_LINES: Final = 60
"""This many packets a story lists."""


def joint_story(flow: JointFlow, points: Sequence[Point], start_ns: int, *, own: bool = True) -> Story:
    """Tell what happened to a connection, as all points together show it.

    Without what it shows of its ends by its ``own``, where the story of one capture stands beside it.
    """
    t = JointTeller(flow, points, start_ns)
    sections = [
        Section(
            "What it means",
            (*stray_lines(t), *(box_lines(t) if own else ()), *meaning_lines(t), *left_lines(t), *wait_lines(t)),
        ),
        Section("What the ends did", tuple(own_lines(t)) if own else ()),
        Section("What to change", tuple(advice_lines(t)) if own else ()),
        Section("What passed beside it", tuple(beside_lines(t))),
        Section("What became of the probes", tuple(_probe_lines(t))),
        Section("Who ended it", tuple(_ending_lines(t))),
        Section("Other packets", tuple(_packet_lines(t))),
        Section("What each end believes", tuple(_beliefs(t))),
        Section("What changed on the way", tuple(change_lines(t))),
        Section("Keepalive settings, inferred", tuple(settings_lines(t)) if own else ()),
        Section("What the captures do not show", tuple(_doubts(t))),
    ]
    return Story(_title(t), headline(t, own=own), tuple(section for section in sections if section.lines))


def _title(t: JointTeller) -> str:
    arrow = "and" if t.initiator is None else "to"
    a: Side = "b" if t.initiator == "b" else "a"
    b: Side = "a" if a == "b" else "b"
    way = ""
    if t.flow.way:
        shown = t.flow.way if a == "a" else t.flow.way[::-1]
        way = f", by way of points {listed([letter(point) for point in shown])}"
    return f"Connection {t.flow.number}: {t.record.endpoint(a)} {arrow} {t.record.endpoint(b)}{way}"


def _line(t: JointTeller, same: Sequence[Crossing], text: str) -> Line:
    """Return a line about a packet, or about one that was sent again and again."""
    frames = f"frame {frames_of(same[0])}" if len(same) == 1 else f"frames {_frames_of_all(same)}"
    return Line(f"{text} [{frames}]", (), same[0].first.ts_ns - t.start_ns)


def _frames_of_all(crossings: Sequence[Crossing]) -> str:
    """Return the frames of packets by point: ``A 18-21, 28; B 18-21, 28``."""
    by_point: dict[int, list[int]] = {}
    for crossing in crossings:
        for sight in crossing.seen:
            by_point.setdefault(sight.point, []).append(sight.frame)
    return "; ".join(f"{letter(point)} {frames_text(frames)}" for point, frames in by_point.items())


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
        if stray := next((each for each in t.flow.strays if each.crossing is crossing and not each.anew), None):
            text = stray_ending(t, stray)
        elif crossing is ending.crossing and ending.by in SIDES and ending.proven:
            first = letter(crossing.first.point)
            text = f"RST from {sender}: it left on its side of {first}, the point nearest to it"
            if crossing.fate is not Fate.BOTH:
                text += f", and {fate_words(t, crossing)}{_because(t, crossing, told)}"
        else:
            whose = "from" if _left_its_sender(t, crossing) else "in the name of"
            text = f"RST {whose} {sender} {fate_words(t, crossing)}{_because(t, crossing, told)}"
        yield _line(t, [crossing], text)


def _left_its_sender(t: JointTeller, crossing: Crossing) -> bool:
    """Say whether a RST passed the point nearest to its sender, looking like its sender's: then nothing else made it.

    One that looks strange there came from a box beyond that point, and so may one of which only its order is known.
    """
    if not t.flow.way or crossing.first.point != t.flow.nearest(crossing.sender).point or crossing.why in UNPLACED:
        return False
    ending = t.flow.ending
    if crossing is ending.crossing and ending.by not in SIDES:
        return False
    if any(stray.crossing is crossing and not stray.anew for stray in t.flow.strays):
        return False
    there = t.flow.nearest(crossing.sender).judged.record.resets
    return not any(reset.strange for reset in there if reset.frame == crossing.first.frame)


def _packet_lines(t: JointTeller) -> Iterator[Line]:
    told: set[object] = set()
    probes = {id(probe.crossing) for probe in t.flow.probes} | {id(probe.answer) for probe in t.flow.probes}
    others = [
        crossing
        for crossing in t.flow.notable
        if crossing.fate is not Fate.BOTH and not crossing.flags & RST and id(crossing) not in probes
    ]
    alike = list(_alike(others))
    for same in alike[:MOST_LINES]:
        crossing, last = same[0], same[-1]
        text = f"{_kind(crossing)} from {t.name(crossing.sender)} {fate_words(t, crossing)}"
        if len(same) > 1:
            text += f", {times(len(same))}, the last at {t.instant(last.first.ts_ns)}"
        because = [why.removeprefix(": ") for each in same if (why := _because(t, each, told))]
        text += f": {', and '.join(because)}" if because else ""
        yield _line(t, same, text)
    if len(alike) > MOST_LINES:
        more = sum(map(len, alike[MOST_LINES:]))
        yield Line(f"{count(more, 'more packet')} {'is' if more == 1 else 'are'} in the JSON report.")


def _alike(crossings: Sequence[Crossing]) -> Iterator[list[Crossing]]:
    """Yield packets in order of time, those that are one sent again, with the same fate, together."""
    found: dict[object, list[Crossing]] = {}
    for crossing in crossings:
        again = crossing.payload_len or crossing.flags & (SYN | FIN)
        sent = (crossing.sender, crossing.seq, crossing.payload_len, crossing.flags & (SYN | FIN))
        seen = tuple(sight.point for sight in crossing.seen)
        fate = (crossing.fate, crossing.between, crossing.missed_at, crossing.proven, seen)
        found.setdefault((sent, fate) if again else id(crossing), []).append(crossing)
    yield from found.values()


def _kind(crossing: Crossing) -> str:
    if crossing.flags & SYN:
        return "SYN,ACK" if crossing.flags & ACK else "SYN"
    if crossing.payload_len:
        octets = "byte" if crossing.payload_len == 1 else "bytes"
        return f"{crossing.payload_len} {octets} of data"
    return "FIN" if crossing.flags & FIN else "ACK"


def _beliefs(t: JointTeller) -> Iterator[Line]:
    if not t.flow.way or t.one_host():
        return
    for side in SIDES:
        part = t.flow.nearest(side)
        verdict = part.judged.ending.verdict.value.replace("_", " ")
        point = letter(part.point)
        yield Line(f"{_state(t, side)}; alone, the capture nearest to it ({point}) would read as: {verdict}.")


def _state(t: JointTeller, side: Side) -> str:
    """Say what an end was last in, as far as the point nearest to it can show: what passed there need not arrive."""
    part = t.flow.nearest(side)
    record, point, name = part.judged.record, letter(part.point), t.name(side)
    state = record.states[0 if part.side(side) == "a" else 1].value
    reset = record.ending_reset
    if reset is None and state == "CLOSED" and part.judged.ending.verdict is Verdict.CLOSED:
        return f"{name[0].upper()}{name[1:]} is in {state} if the ACK of its FIN that passed {point} reached it"
    if reset is None or record.states[0] is not record.states[1]:
        return f"By what passed {point}, {name} was last in {state}"
    if part.side(reset.sender) != side:
        return f"{name[0].upper()}{name[1:]} is in {state} if the RST that passed {point} reached it"
    crossing = next((each for each in t.flow.resets if each.frame_at(part.point) == reset.frame), None)
    if crossing is not None and _left_its_sender(t, crossing):
        return f"By what passed {point}, {name} was last in {state}"
    return f"What {name} was last in is not known: the RST in its name at {point} need not be its own"


def _doubts(t: JointTeller) -> Iterator[Line]:
    if not t.flow.way:
        yield Line(
            "Which point is nearer to which end: no router passed between them, and the times of both directions do "
            "not tell. So what is missing at a point cannot be called lost or made."
        )
    for one, other in t.flow.tied:
        yield Line(
            f"Whether {letter(one)} or {letter(other)} is nearer to which end: nothing tells. So what one alone has "
            "cannot be called lost or made."
        )
    for point in {crossing.between for crossing in t.flow.notable if crossing.why is Why.NOTHING_LATER}:
        if point is not None:
            last = t.instant(t.points[point[1]].last_ns)
            yield Line(
                f"Whether the capture of {letter(point[1])} still ran, and so whether what it lacks at its end was "
                f"lost: it has nothing later than {last}. Any other traffic in it would show that it did."
            )
    lacking = {t.missing(crossing): crossing.lacks for crossing in t.flow.notable if crossing.lacks is not None}
    for missing, lacks in sorted(lacking.items()):
        yield Line(
            f"The capture of {missing} lacks packets that passed {missing} by all that is known, frame "
            f"{frame_of(lacks)} for one, and says of none that it was dropped: what else it lacks need not have been "
            "lost."
        )
    for number in sorted({place for crossing in t.flow.notable for place in crossing.between or ()}):
        if t.points[number].dropped:
            yield Line(
                f"{letter(number)} dropped {t.points[number].dropped} packets while capturing, so that what it lacks "
                "need not have been lost."
            )
