"""Lays out the story of a flow: headline, tick rows, then each section with the frames that bear it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import explain
from analyzer.report import filter_commands
from analyzer.report.screen import Screen, printable
from analyzer.report.ticks import Mark, drawn, legend, span, tick_rows
from analyzer.units import Clock, Zero, format_date, format_instant
from analyzer.values import dataclass
from analyzer.words.model import Story
from analyzer.words.teller import frames_label, frames_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.objects import Object
    from analyzer.words.model import Line

INDENT: Final = "  "
LOOK: Final = "To look for yourself"
WIDEST: Final = 20
"""The widest list of frames in the column of a timeline."""
JOINED: Final = "Frames are numbered as in the files joined: mergecap -a -w JOINED.pcapng FILE..."


@dataclass(frozen=True, slots=True)
class ToldStory(Story):
    """A story that prints as ``keepalive explain`` tells it, and shows as a page in a notebook."""

    text: str
    markup: str

    def __str__(self) -> str:
        """Return the story as text."""
        return self.text

    def _repr_html_(self) -> str:
        return self.markup


def told_story(judged: JudgedFlow, start_ns: int) -> ToldStory:
    """Return the story of a flow in words."""
    from analyzer.report.html import story_html

    plain = explain.story(judged, start_ns)
    return ToldStory(
        plain.title,
        plain.headline,
        plain.sections,
        text="\n".join(story(judged, start_ns, Screen())).rstrip(),
        markup=story_html(judged, start_ns, "", pictures=False),
    )


def story(
    judged: JudgedFlow,
    start_ns: int,
    screen: Screen,
    *,
    capture: str | None = None,
    joined: bool = False,
    live: bool = False,
) -> Iterator[str]:
    """Yield the lines of a flow's story; ``capture`` names the file where there are several.

    If it was ``joined`` from rotated files, the filters say how to have these as one. Of a ``live`` capture there is no
    file to look at with filters.
    """
    told = explain.story(judged, start_ns)
    title = told.title if capture is None else f"{printable(capture)}: {told.title}"
    yield from screen.wrap(title, indent=INDENT, first="", style="heading")
    yield from screen.wrap(when_text(start_ns), style="dim")
    yield ""
    yield from screen.wrap(told.headline)
    yield ""
    yield from ticks(judged, screen, start_ns)
    for section in told.sections:
        yield screen.paint(section.heading, "heading")
        when = {
            line.at_ns: format_instant(start_ns + line.at_ns, start_ns)
            for line in section.lines
            if line.at_ns is not None
        }
        at_width = max(map(len, when.values()), default=0)
        frame_width = max(
            (len(frames_column(line.frames)) for line in section.lines if line.at_ns is not None), default=0
        )
        for line in section.lines:
            yield from _line(line, screen, when, at_width, frame_width)
        yield ""
    if not live:
        yield from look(judged, screen, joined=joined)


def when_text(start_ns: int, whose: str = "the capture") -> str:
    """Return which instant the times count from, or whose clock they are; nothing where no calendar has it."""
    clock = start_ns.clock if isinstance(start_ns, Zero) else Clock.RELATIVE
    date = format_date(start_ns, clock)
    if date is None:
        return ""
    if clock is Clock.RELATIVE:
        return f"Times count from {whose}'s first frame, {date}."
    return f"Times are those of {'UTC' if clock is Clock.UTC else 'this machine'}; {whose} begins at {date}."


def look(judged: JudgedFlow, screen: Screen, *, joined: bool = False) -> Iterator[str]:
    """Yield the filter by which Wireshark shows the flow; the page and the JSON have one for each finding, too."""
    yield screen.paint(LOOK, "heading")
    if joined:
        yield from screen.wrap(JOINED, indent=INDENT * 2, first=f"{INDENT}- ")
    label, text = filter_commands.to_copy(judged)[0]
    yield from screen.wrap(f"{label}: {text}", indent=INDENT * 2, first=f"{INDENT}- ")
    yield ""


def ticks(judged: JudgedFlow, screen: Screen, start_ns: int) -> Iterator[str]:
    """Yield the tick rows of a flow over the whole width, with their key; when they end is said as in the timeline."""
    end = format_instant(span(judged)[1], start_ns)
    used: set[Mark] = set()
    for index, (side, row) in enumerate(tick_rows(judged, max(screen.width - len(INDENT) - 3 - len(end), 8))):
        used.update(row)
        yield f"{INDENT}{side} {drawn(row, screen)}" + (f" {end}" if index == 0 else "")
    if used:
        yield from legend(used, screen, INDENT + "  ")
        yield ""


def story_object(judged: JudgedFlow, start_ns: int) -> Object:
    """Return the story as JSON: the field ``story`` that ``explain --json`` adds to a flow."""
    told: Story = explain.story(judged, start_ns)
    return {
        "story": {
            "title": told.title,
            "headline": told.headline,
            "sections": [
                {
                    "heading": section.heading,
                    "lines": [{"text": line.text, "frames": list(line.frames)} for line in section.lines],
                }
                for section in told.sections
            ],
        }
    }


def frames_column(frames: Sequence[int]) -> str:
    """Return frames for the column of a timeline: a long list is counted, so that it does not squeeze the text."""
    listed = frames_text(frames) if frames else ""
    return listed if len(listed) <= WIDEST else f"{len(set(frames))} of {min(frames)}-{max(frames)}"


def _line(line: Line, screen: Screen, when: dict[int, str], at_width: int, frame_width: int) -> Iterator[str]:
    frames = frames_column(line.frames)
    if line.at_ns is None:
        text = f"{line.text} [{frames_label(line.frames)}]" if frames else line.text
        yield from screen.wrap(text, indent=INDENT * 2, first=INDENT + "- ")
        return
    lead = f"{INDENT}{when[line.at_ns]:>{at_width}}  {frames:>{frame_width}}  "
    yield from screen.wrap(line.text, indent=" " * len(lead), first=lead)
