"""The story of a connection that several points saw: what left one, never reached the other, or was made between.

Points are called A, B, C, in the order in which they were named. Every statement carries the frames of each point.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer.judge.verdict import Verdict
from analyzer.segment import FIN, RST, SYN
from analyzer.units import format_duration
from analyzer.vantage.joint import Fate, Why
from analyzer.words.model import Line, Section, Story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.track.flow import Side
    from analyzer.vantage.clock import Piece
    from analyzer.vantage.joint import Change, Crossing, JointFlow, JointProbe, Lone, Point

SIDES: Final[tuple[Side, Side]] = ("a", "b")
MOST_LINES: Final = 60
"""This many packets a story lists."""

WHY: Final = {
    Why.SEEN: "",
    Why.RUNNING: "the capture of {missing} goes on, and does not have it",
    Why.NOTHING_LATER: "the capture of {missing} has nothing later, so it is only assumed that it still ran",
    Why.NOTHING_EARLIER: "the capture of {missing} has nothing earlier, so it is only assumed that it already ran",
    Why.ACKNOWLEDGED: "its receiver acknowledged it, so the capture of {missing} missed it",
    Why.ANSWERED: "it was answered from beyond {missing}, whose capture missed it",
    Why.NOT_ACKNOWLEDGED: "its receiver acknowledged less afterwards",
    Why.SENDER_GOES_ON: "its sender goes on behind it, so the capture of {missing} missed it",
    Why.FITS_SENDER: "IP ID or timestamp fit its sender, so the capture of {missing} most likely missed it",
    Why.UNLIKE_SENDER: "its TTL differs from that of its sender's other packets here",
    Why.ENDED: "the capture of {missing} had ended",
    Why.NOT_BEGUN: "the capture of {missing} had not begun",
    Why.HOLE: "the capture of {missing} has a hole there",
    Why.DROPPED: "the capture of {missing} dropped packets, and does not say which",
    Why.REGROUPED: "its data is there in other pieces",
    Why.ORDER: "nothing tells which point is nearer to which end",
}
"""What a fate rests on."""

OPTIONS: Final = {
    2: "the maximum segment size",
    3: "window scaling",
    4: "SACK permitted",
    5: "SACK",
    8: "timestamps",
    30: "Multipath TCP",
    34: "TCP Fast Open",
}

VERDICTS: Final = {
    "closed": "Closed by both ends",
    "half_closed": "Half-closed when the captures ended",
    "closing": "Being closed when the captures ended",
    "silent": "Silent when the captures ended",
    "open": "Open when the captures ended",
    "unestablished": "Never established",
    "undetermined": "Undetermined",
}


def letter(point: int) -> str:
    """Return what a point is called."""
    return chr(ord("A") + point) if point < 26 else f"P{point}"


def frames_of(crossing: Crossing) -> str:
    """Return the frames of a packet at all points that saw it: ``A 18, B 16``."""
    return ", ".join(f"{letter(sight.point)} {sight.frame}" for sight in crossing.seen)


def clock_words(point: Point) -> str:
    """Say how a point's clock stands to that of the first."""
    if point.clock is None:
        return "its clock cannot be compared: it shares no packet with the others"
    if not point.clock.first.samples:
        return "its clock is the reference" if point.leg == 0 else "the same clock"
    piece = point.clock.first
    words = f"its clock is {_offset(piece)}"
    if piece.drift:
        words += f", and runs {abs(piece.drift) * 1e6:.0f} ppm {'fast' if piece.drift > 0 else 'slow'}"
        words += f" ({piece.drift_low * 1e6:+.0f} to {piece.drift_high * 1e6:+.0f})"
    for before, behind in zip(point.clock.pieces, point.clock.pieces[1:], strict=False):
        step_ns = behind.offset_ns - (before.offset_ns + round(before.drift * (behind.at_ns - before.at_ns)))
        words += f"; it was then set {'forward' if step_ns > 0 else 'back'} by {format_duration(abs(step_ns))}"
    return words


def _offset(piece: Piece) -> str:
    """Say how far a clock is ahead, with bounds."""
    value = piece.offset_ns
    if piece.low_ns is None or piece.high_ns is None:
        bound = "packets of one direction only: how far exactly is not known"
        return f"about {format_duration(abs(value))} {'ahead' if value >= 0 else 'behind'} ({bound})"
    half = format_duration((piece.high_ns - piece.low_ns + 1) // 2)
    if piece.low_ns <= 0 <= piece.high_ns:
        return f"the same within {half}"
    exact = f"{abs(value) / 1e9:.6f} s" if abs(value) >= 1_000_000_000 else format_duration(abs(value))
    return f"{exact} {'ahead' if value > 0 else 'behind'}, within {half}"


class _Teller:
    """What a story needs again and again."""

    def __init__(self, flow: JointFlow, points: Sequence[Point], start_ns: int) -> None:
        self.flow, self.points, self.start_ns = flow, points, start_ns
        first = flow.parts[0]
        self.record = first.judged.record
        started = [part.side(side) for part in flow.parts if (side := part.judged.record.initiator)]
        self.initiator: Side | None = started[0] if started else None

    def name(self, side: Side) -> str:
        """Return what an end is called."""
        if self.initiator is None:
            return str(self.record.endpoint(side))
        return "the client" if side == self.initiator else "the server"

    def place(self, crossing: Crossing) -> str:
        """Return between which points it happened."""
        if crossing.between is None:
            return ""
        one, other = crossing.between
        return f"between {letter(one)} and {letter(other)}"

    def one_host(self) -> bool:
        """Say whether one capture has all points."""
        return len({self.points[part.point].capture for part in self.flow.parts}) == 1

    def missing(self, crossing: Crossing) -> str:
        """Return the point that a fate is about."""
        if crossing.between is not None:
            one, other = crossing.between
            return letter(other if crossing.fate is Fate.LOST or _has(crossing, one) else one)
        return letter(crossing.missed_at[0]) if crossing.missed_at else ""

    def why(self, crossing: Crossing) -> str:
        """Return what a fate rests on, as a part of a sentence; empty for what was seen everywhere."""
        return WHY[crossing.why].format(missing=self.missing(crossing))


def _has(crossing: Crossing, point: int) -> bool:
    return any(sight.point == point for sight in crossing.seen)


def joint_story(flow: JointFlow, points: Sequence[Point], start_ns: int) -> Story:
    """Tell what happened to a connection, as all points together show it."""
    t = _Teller(flow, points, start_ns)
    sections = [
        Section("What became of the probes", tuple(_probe_lines(t))),
        Section("Who ended it", tuple(_ending_lines(t))),
        Section("Other packets", tuple(_packet_lines(t))),
        Section("What each end believes", tuple(_beliefs(t))),
        Section("What changed on the way", tuple(_change_lines(t))),
        Section("What the captures do not show", tuple(_doubts(t))),
    ]
    return Story(_title(t), _headline(t), tuple(section for section in sections if section.lines))


def _title(t: _Teller) -> str:
    arrow = "and" if t.initiator is None else "to"
    a: Side = "b" if t.initiator == "b" else "a"
    b: Side = "a" if a == "b" else "b"
    way = ""
    if t.flow.way:
        shown = t.flow.way if a == "a" else t.flow.way[::-1]
        way = f", by way of {_listed([letter(point) for point in shown])}"
    return f"Connection {t.flow.number}: {t.record.endpoint(a)} {arrow} {t.record.endpoint(b)}{way}"


def _listed(names: list[str]) -> str:
    """Return names as a list in words."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _headline(t: _Teller) -> str:
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
        said.append(
            f"{letter(t.flow.parts[0].point)} and {letter(t.flow.parts[-1].point)} are one host, before and behind it."
        )
    return " ".join(said)


def _ending_clause(t: _Teller) -> str:
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
        text += f", and {_fate_words(t, crossing)}" if ending.proven else f"; its RST {_fate_words(t, crossing)}"
    return text + "."


def _fate_words(t: _Teller, crossing: Crossing) -> str:
    """Say what became of a packet."""
    if crossing.fate is Fate.LOST:
        return f"was {'' if crossing.proven else 'most likely '}lost {t.place(crossing)}"
    if crossing.fate is Fate.MADE:
        return f"was {'' if crossing.proven else 'most likely '}made {t.place(crossing)}"
    if crossing.fate is Fate.NOT_CAPTURED:
        missed = _listed([letter(point) for point in crossing.missed_at])
        return f"passed {missed}, which did not capture it"
    if crossing.fate is Fate.UNPROVEN:
        return f"is only at {_listed([letter(sight.point) for sight in crossing.seen])}, and nothing tells why"
    return "passed all points"


OUTCOMES: Final = {
    "answered": "{n} answered",
    "answer_lost": "{n} arrived, but the answer was lost {where}",
    "lost": "{n} lost {where}",
    "unanswered": "{n} arrived and got no answer that was captured",
    "reset": "{n} answered with a RST",
    "made": "{n} made {where}",
    "unproven": "{n} of unproven fate",
}


def _probe_clause(t: _Teller) -> str:
    """Sum up the probes."""
    found: Counter[tuple[str, str]] = Counter()
    for probe in t.flow.probes:
        told = probe.answer if probe.outcome == "answer_lost" and probe.answer else probe.crossing
        found[probe.outcome, t.place(told)] += 1
    parts = [OUTCOMES[outcome].format(n=count, where=where) for (outcome, where), count in found.items()]
    many = len(t.flow.probes)
    return f"{many} {'probe' if many == 1 else 'probes'}: {', '.join(parts)}."


def _line(t: _Teller, crossing: Crossing, text: str) -> Line:
    return Line(f"{text} [frame {frames_of(crossing)}]", (), crossing.first.ts_ns - t.start_ns)


def _probe_lines(t: _Teller) -> Iterator[Line]:
    told: set[object] = set()
    for probe in t.flow.probes[:MOST_LINES]:
        yield Line(_probe_words(t, probe, told), (), probe.crossing.first.ts_ns - t.start_ns)
    if len(t.flow.probes) > MOST_LINES:
        yield Line(f"{len(t.flow.probes) - MOST_LINES} more probes are in the JSON report.")


def _probe_words(t: _Teller, probe: JointProbe, told: set[object]) -> str:
    crossing = probe.crossing
    text = f"probe from {t.name(crossing.sender)}"
    if probe.certainty != "certain":
        text = f"{probe.certainty} {text}"
    frames = f" [frame {frames_of(crossing)}]"
    if crossing.fate is not Fate.BOTH:
        text += f" {_fate_words(t, crossing)}{frames}{_because(t, crossing, told)}"
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
    return f"{text}; {kind} {_fate_words(t, answer)}{frames}{_because(t, answer, told)}"


def _because(t: _Teller, crossing: Crossing, told: set[object]) -> str:
    """Say what a fate rests on, where that was not said just before."""
    why = t.why(crossing)
    if not why or (crossing.fate, why) in told:
        return ""
    told.add((crossing.fate, why))
    return f": {why}"


def _ending_lines(t: _Teller) -> Iterator[Line]:
    told: set[object] = set()
    for crossing in t.flow.resets[:MOST_LINES]:
        sender = t.name(crossing.sender)
        ending = t.flow.ending
        if crossing is ending.crossing and ending.by in SIDES and ending.proven:
            first = letter(crossing.first.point)
            text = f"RST from {sender}: it left on its side of {first}, the point nearest to it"
            if crossing.fate is not Fate.BOTH:
                text += f", and {_fate_words(t, crossing)}{_because(t, crossing, told)}"
        else:
            text = f"RST in the name of {sender} {_fate_words(t, crossing)}{_because(t, crossing, told)}"
        yield _line(t, crossing, text)


def _packet_lines(t: _Teller) -> Iterator[Line]:
    told: set[object] = set()
    probes = {id(probe.crossing) for probe in t.flow.probes} | {id(probe.answer) for probe in t.flow.probes}
    others = [
        crossing
        for crossing in t.flow.notable
        if crossing.fate is not Fate.BOTH and not crossing.flags & RST and id(crossing) not in probes
    ]
    for crossing in others[:MOST_LINES]:
        text = (
            f"{_kind(crossing)} from {t.name(crossing.sender)} {_fate_words(t, crossing)}{_because(t, crossing, told)}"
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


def _beliefs(t: _Teller) -> Iterator[Line]:
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


def _change_lines(t: _Teller) -> Iterator[Line]:
    first = t.flow.parts[0]
    for part in t.flow.parts[1:]:
        for side in SIDES:
            before = first.judged.record.endpoint(first.side(side))
            behind = part.judged.record.endpoint(part.side(side))
            if before != behind:
                yield Line(
                    f"{t.name(side)[0].upper()}{t.name(side)[1:]} is {before} at {letter(first.point)} and {behind} at "
                    f"{letter(part.point)}: its address was translated."
                )
    for change in t.flow.changes:
        yield Line(_change_words(t, change))


def _change_words(t: _Teller, change: Change) -> str:
    one, other = (letter(point) for point in change.points)
    sender, many = t.name(change.sender), f"{change.count} {'packet' if change.count == 1 else 'packets'}"
    frames = f" [frame {one} {change.frames[0]}, {other} {change.frames[1]}]" if change.frames else ""
    where = f"from {sender} between {one} and {other}"
    if change.what == "ttl" and change.before is not None and change.behind is not None:
        hops = change.before - change.behind
        if hops > 0:
            return f"{hops} {'router' if hops == 1 else 'routers'} passed on {many} {where}.{frames}"
        return f"The TTL of {many} {where} was raised from {change.before} to {change.behind}.{frames}"
    if change.what == "option_stripped":
        return f"The option {_option(change.option)} was taken out of {many} {where}.{frames}"
    if change.what == "option_added":
        return f"The option {_option(change.option)} was added to {many} {where}.{frames}"
    if change.what == "payload":
        return f"The data of {many} {where} was altered.{frames}"
    if change.what == "ip_id":
        return f"The IP ID of {many} {where} was changed.{frames}"
    names = {
        "mss": "maximum segment size",
        "window": "window",
        "window_scale": "window scale",
        "timestamps": "timestamp",
    }
    verb = "clamped" if change.what == "mss" and (change.before or 0) > (change.behind or 0) else "changed"
    values = f" (first from {change.before} to {change.behind})"
    return f"The {names[change.what]} of {many} {where} was {verb}{values}.{frames}"


def _option(kind: int | None) -> str:
    return OPTIONS.get(kind or 0, f"of kind {kind}")


def _doubts(t: _Teller) -> Iterator[Line]:
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


def lone_words(lone: Lone) -> str:
    """Say of a flow that one point saw that the others did not."""
    record = lone.judged.record
    text = f"{record.a} and {record.b} (flow {record.number} of {letter(lone.point)})"
    if lone.why == "proxy" and lone.other_point is not None:
        return (
            f"{text} carries the same data as flow {lone.other} of {letter(lone.other_point)}, with numbers of its "
            "own: most likely a proxy between them has two connections"
        )
    if lone.why == "renumbered" and lone.other_point is not None:
        return (
            f"{text} has other sequence numbers as flow {lone.other} of {letter(lone.other_point)}: a box between them "
            "rewrites them, so packets cannot be matched"
        )
    return f"{text} was seen only at {letter(lone.point)}"
