"""What explanations are made of: plain text in parts, for any renderer; no markup, no width, no colour."""

from __future__ import annotations

from analyzer.values import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One statement, and the frames that bear it out."""

    text: str
    frames: tuple[int, ...] = ()
    at_ns: int | None = None
    """In a timeline: when, counted from the capture's first frame."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to one flow, in words; the most important section first."""

    title: str
    headline: str
    sections: tuple[Section, ...]

    def section(self, heading: str) -> Section | None:
        """Return the section with this heading, or None."""
        return next((section for section in self.sections if section.heading == heading), None)


@dataclass(frozen=True, slots=True)
class LongText:
    """What ``keepalive rules CODE`` prints about a verdict or a finding."""

    title: str
    meaning: str
    why: str
    """Why it matters."""
    change: str
    """What to change."""
    doubt: str
    """What would make it wrong."""
    source: str
