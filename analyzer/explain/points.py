"""What points are called, how their clocks stand to each other, and which flows one alone has, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.units import format_duration
from analyzer.words.teller import frames_label, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.vantage.clock import Piece
    from analyzer.vantage.joint import Crossing, Lone, Point


MOST_STEPS: Final = 4
"""So many steps of a clock are told one by one; one that moved more often was not set as often."""
AT_ONCE_NS: Final = 2_000_000_000
"""Steps so near to each other are one, of the clock that all are compared with."""


def letter(point: int) -> str:
    """Return what a point is called."""
    return chr(ord("A") + point) if point < 26 else f"P{point}"


def point_name(points: Sequence[Point], number: int, *, folder: bool = True) -> str:
    """Return what a point is: its capture (``folder``: as it was named), of rotated files how many, and which leg."""
    point = points[number]
    name = "standard input" if point.path == "-" else point.path if folder else point.path.rsplit("/", 1)[-1]
    more = f" and {len(point.paths) - 1} more as one" if len(point.paths) > 1 else ""
    return f"{name}{more}{leg_name(points, number)}"


def leg_name(points: Sequence[Point], number: int) -> str:
    """Return which leg of its capture a point is, behind a comma; empty if the capture has one."""
    own = points[number]
    has_legs = any(point.leg and point.capture == own.capture for point in points)
    return f", leg {own.leg + 1}" if has_legs else ""


def frame_of(where: tuple[int, int] | None) -> str:
    """Return a frame of a point, as ``A 18``; empty for none."""
    return "" if where is None else f"{letter(where[0])} {where[1]}"


def frames_of(crossing: Crossing) -> str:
    """Return the frames of a packet at all points that saw it: ``A 18, B 16``."""
    return ", ".join(f"{letter(sight.point)} {sight.frame}" for sight in crossing.seen)


def frames_at(point: int, frames: Sequence[int]) -> str:
    """Return frames of a point behind a statement: ``[frame A 3]``, ``[23 of frames A 16-38]``; nothing without any."""
    if not frames:
        return ""
    return "[" + re.sub(r"\b(frames?) ", rf"\1 {letter(point)} ", frames_label(frames)) + "]"


def clock_words(point: Point) -> str:
    """Say how a point's clock stands to that of the first."""
    if point.clock is None:
        return "its clock cannot be compared: it shares no packet with the others"
    if not point.clock.first.samples:
        return "its clock is the reference" if point.leg == 0 else "the same clock"
    piece = point.clock.first
    words = f"its clock is {_by_rhythm(piece) if point.clock.by_rhythm else _offset(piece)}"
    if point.by_data:
        words += " (by data that a proxy passed on: no packet is at both)"
    if piece.drift:
        words += f", and runs {abs(piece.drift) * 1e6:.0f} ppm {'fast' if piece.drift > 0 else 'slow'}"
        words += f" ({piece.drift_low * 1e6:+.0f} to {piece.drift_high * 1e6:+.0f})"
    steps = list(zip(point.clock.pieces, point.clock.pieces[1:], strict=False))
    if len(steps) > MOST_STEPS:
        return f"{words}; it then moved against the reference {len(steps)} times"
    for before, behind in steps:
        step_ns = behind.offset_ns - (before.offset_ns + round(before.drift * (behind.at_ns - before.at_ns)))
        went = "forward" if step_ns > 0 else "back"
        words += f"; it then moved {went} by {format_duration(abs(step_ns))} against the reference"
    return words


def _by_rhythm(piece: Piece) -> str:
    """Say how far a clock is ahead, where only the rhythm of what is repeated tells it."""
    value = piece.offset_ns
    length = f"{format_duration(abs(value))} {'ahead' if value >= 0 else 'behind'}"
    return f"about {length}, or whole intervals of the probes more or less (only their rhythm tells)"


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


def lone_words(lone: Lone) -> str:
    """Say of a flow that one point saw that the others did not."""
    flow = f"{lone.flow.a} and {lone.flow.b} (flow {lone.number} of point {letter(lone.point)})"
    if lone.why == "elsewhere" and lone.other_point is not None:
        there = f"flow {lone.other} of point {letter(lone.other_point)}"
        return f"{flow} has packets that are in {there}, a connection of other ends there"
    return f"{flow} was seen only there"


def clock_notes(points: Sequence[Point]) -> list[str]:
    """Return what is to be said of clocks that moved against the first: two alone do not tell whose was set."""
    first, *others = [point for point in points if point.leg == 0 and point.clock is not None]
    moved = [(point, piece.from_ns) for point in others if point.clock for piece in point.clock.pieces[1:]]
    if not moved:
        return []
    often = {point.path: sum(each is point for each, _ in moved) for point, _ in moved}
    if len(others) == 1:
        ((path, many),) = often.items()
        return [f"the clocks of {first.path} and {path} moved against each other {times(many)}: {_whose(many)}"]
    if len(often) == len(others) and len(set(often.values())) == 1 and _at_once(moved, len(others)):
        return [f"the clock of {first.path} was set {times(len(moved) // len(others))}: all others moved against it"]
    return [
        f"the clock of {path} was set {times(many)}"
        if many <= MOST_STEPS
        else f"the clock of {path} moved against the others {times(many)}: {_whose(many)}"
        for path, many in often.items()
    ]


def _whose(many: int) -> str:
    """Say what clocks that moved so often may be."""
    return "one of them was set" if many <= MOST_STEPS else "a capture does not tell times as packets passed"


def _at_once(moved: Sequence[tuple[Point, int]], clocks: int) -> bool:
    """Say whether all clocks moved at the same instants, by the reference."""
    told_ns = sorted(
        int(point.clock.reference_ns(np.array([from_ns], dtype=np.int64))[0]) for point, from_ns in moved if point.clock
    )
    groups = [told_ns[at : at + clocks] for at in range(0, len(told_ns), clocks)]
    return all(group[-1] - group[0] <= AT_ONCE_NS for group in groups)
