"""The text of ``keepalive join``: the points and their clocks, then connection by connection what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.crossings import listed
from analyzer.explain.halves import halves_story, proxy_words
from analyzer.explain.joined import joint_story
from analyzer.explain.points import clock_words, letter, lone_words, point_name
from analyzer.report.screen import printable
from analyzer.report.story_text import when_text
from analyzer.units import format_instant
from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.report.screen import Screen
    from analyzer.vantage.joint import Halves, Joined, JointFlow, Lone, Point
    from analyzer.words.model import Line

INDENT: Final = "  "
TOLD: Final = 10
"""This many connections are told."""
LONE: Final = 10


def text(joined: Joined, screen: Screen, *, limit: int | None = None, flows: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield the lines; ``limit`` is how many connections are told, ``flows`` which alone."""
    yield from header(joined, screen)
    eventful = sorted(set(flows)) or joined.eventful
    most = len(eventful) if limit == 0 else limit or TOLD
    for flow in joined.each(eventful[:most]):
        yield from story(joined, flow, screen)
    more = 0 if flows else joined.more
    if len(eventful) + more > most:
        rest = count(len(eventful) + more - most, "more connection")
        yield from screen.wrap(f"{rest}: --limit 0 tells all, --flow N one of them.")
    quiet = 0 if flows else len(joined.flows) - len(eventful) - more
    if quiet:
        yield from screen.wrap(quiet_words(quiet))
    for pair in joined.halves:
        if not flows or {pair.front.joint, pair.back.joint} & set(flows):
            yield from _halves(joined, pair, screen)
    told = [] if flows else alone(joined)
    if told:
        yield ""
        for lone in told[:LONE]:
            yield from screen.wrap(f"{lone_words(lone)}.")
        if len(told) > LONE:
            yield from screen.wrap(f"{len(told) - LONE} more flows were seen at one point only.")


def quiet_words(quiet: int) -> str:
    """Say of how many connections nothing is told."""
    goes = "goes" if quiet == 1 else "go"
    told = f"{count(quiet, 'connection')} passed all points without loss"
    return f"{told}, and ended in order or {goes} on."


def point_words(points: Sequence[Point], number: int) -> str:
    """Say what a point is, how much it has, and how its clock stands."""
    point = points[number]
    name = printable(point_name(points, number))
    return f"{letter(number)}: {name}: {count(point.frames, 'frame')}; {clock_words(point)}"


def alone(joined: Joined) -> list[Lone]:
    """Return flows of one point of which no other carries the same."""
    told = {(half.point, half.number) for pair in joined.halves for half in (pair.front, pair.back)}
    return [each for each in joined.lone if (each.point, each.number) not in told]


def _halves(joined: Joined, pair: Halves, screen: Screen) -> Iterator[str]:
    """Yield the story of two connections that carry the same."""
    told = halves_story(joined, pair)
    yield from screen.wrap(told.title, indent=INDENT, first="", style="heading")
    yield ""
    yield from screen.wrap(told.headline)
    for section in told.sections:
        yield from _lines(section.lines, screen, joined.zero)


def header(joined: Joined, screen: Screen) -> Iterator[str]:
    """Yield the points."""
    for number in range(len(joined.points)):
        yield from screen.wrap(point_words(joined.points, number), indent=INDENT, first="")
    if when := when_text(joined.zero, letter(0)):
        yield from screen.wrap(when)
    for note in joined.notes:
        yield from screen.wrap(f"Note: {printable(note)}.", indent=INDENT, first="")
    yield ""


def story(joined: Joined, flow: JointFlow, screen: Screen) -> Iterator[str]:
    """Yield the story of one connection."""
    told = joint_story(flow, joined.points, joined.zero)
    yield from screen.wrap(told.title, indent=INDENT, first="", style="heading")
    yield ""
    yield from screen.wrap(f"{told.headline} {proxy_words(joined, flow.number)}".rstrip())
    yield ""
    for section in told.sections:
        yield screen.paint(section.heading, "heading")
        yield from _lines(section.lines, screen, joined.zero)
        yield ""


def both_sides(flow: JointFlow, points: Sequence[Point], screen: Screen, start_ns: int) -> Iterator[str]:
    """Yield what both sides of the capturing host show of a connection; ``start_ns`` is where its story counts from."""
    told = joint_story(flow, points, start_ns, own=False)
    yield screen.paint("Before and behind this host", "heading")
    yield from screen.wrap(both_sides_words(flow, points), indent=INDENT * 2, first=f"{INDENT}- ")
    for section in told.sections:
        yield from screen.wrap(f"{section.heading}:", indent=INDENT * 2, first=f"{INDENT}- ")
        yield from _lines(section.lines, screen, start_ns, lead=INDENT * 2)
    yield ""


def both_sides_words(flow: JointFlow, points: Sequence[Point]) -> str:
    """Say what both sides of the capturing host show together."""
    ends = {
        part.point: " and ".join(str(part.judged.record.endpoint(part.side(side))) for side in ("a", "b"))
        for part in flow.parts
    }
    if len(set(ends.values())) == 1:
        where = f"twice, at points {listed([letter(point) for point in ends])}"
    else:
        where = f"as {', '.join(f'{names} at {letter(point)}' for point, names in ends.items())}"
    return f"The connection was captured {where}. {joint_story(flow, points, points[0].first_ns, own=False).headline}"


def _lines(lines: Sequence[Line], screen: Screen, start_ns: int, lead: str = INDENT) -> Iterator[str]:
    """Yield the lines of a section, the instants of those that have one below each other."""
    said = [None if line.at_ns is None else format_instant(start_ns + line.at_ns, start_ns) for line in lines]
    width = max((len(text) for text in said if text is not None), default=0)
    for line, text in zip(lines, said, strict=True):
        first = f"{lead}- " if text is None else f"{lead}{text:>{width}}  "
        yield from screen.wrap(line.text, indent=f"{lead}{INDENT}" if text is None else " " * len(first), first=first)
