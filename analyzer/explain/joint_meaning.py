"""What the losses of a connection that several points saw mean together: from when on which direction was cut, and why.

It must not know single packets' stories, or who ended a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.explain.crossings import likely
from analyzer.explain.points import frames_of, letter
from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S, format_duration
from analyzer.values import dataclass
from analyzer.vantage.joint import Fate
from analyzer.words.model import Line
from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing

LEAST: Final = 2
"""One packet that is lost is no cut."""
FORGETS_NS: Final = 60 * NS_PER_S
"""After such a silence the first boxes forget a connection (field guide 6)."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """All that an end sent from some time on was lost at one place."""

    side: Side
    lost: tuple[Crossing, ...]
    passed_ns: int
    """When the last packet of that end was seen behind that place."""

    @property
    def since_ns(self) -> int:
        """When the first was sent that was lost."""
        return self.lost[0].first.ts_ns

    @property
    def place(self) -> tuple[int, ...]:
        """Between which points, whatever the direction."""
        return tuple(sorted(self.lost[0].between or ()))


def meaning_lines(t: JointTeller) -> Iterator[Line]:
    """Say from when on nothing passed in one direction, or both, and what a silence before suggests."""
    cuts = [cut for side in SIDES if (cut := _cut(t, side)) is not None]
    if len(cuts) == len(SIDES) and cuts[0].place == cuts[1].place:
        first = min(cuts, key=_since)
        text = (
            f"From {t.instant(first.since_ns)} on nothing passed {_where(t, first)} in either direction:"
            f" {_how_many(cuts)} {_surely(cuts)}lost there"
        )
        yield Line(f"{text} {_frames(cuts)}.")
        yield from _silence(t, first, max(cut.passed_ns for cut in cuts))
        return
    for cut in cuts:
        back_ns = _passed_ns(t, other(cut.side))
        text = (
            f"From {t.instant(cut.since_ns)} on nothing that {t.name(cut.side)} sent passed {_where(t, cut)}:"
            f" {_how_many([cut])} {_surely([cut])}lost there"
        )
        yield Line(f"{text} {_frames([cut])}.")
        if back_ns is not None and back_ns > cut.since_ns:
            yield Line(
                f"In the other direction packets still passed, the last at {t.instant(back_ns)}: see what differs for"
                f" what {t.name(cut.side)} sends (routes, filters, translation)."
            )
        elif back_ns is not None:
            yield from _silence(t, cut, max(cut.passed_ns, back_ns))


def _silence(t: JointTeller, cut: _Cut, passed_ns: int) -> Iterator[Line]:
    """Say how long nothing had passed before, if boxes forget a connection in that time."""
    silent_ns = cut.since_ns - passed_ns
    if silent_ns < FORGETS_NS:
        return
    place = _where(t, cut)
    yield Line(
        f"Before that nothing had passed for {format_duration(silent_ns)}. So something {place} that keeps a table of"
        " connections (NAT, firewall, load balancer) may have forgotten this one: inferred from the silence; that it"
        " drops these packets for another reason, or that the way was cut in that time, is not ruled out."
    )
    yield Line(
        f"If such a box is {place}: let probes or heartbeats come more often than it remembers an idle connection, or"
        " raise its limit."
    )


def _cut(t: JointTeller, side: Side) -> _Cut | None:
    """Return from when on all that an end sent was lost at one place, if it was, and more than one packet."""
    passed_ns = _passed_ns(t, side)
    if passed_ns is None:
        return None
    late = [each for each in t.flow.notable if each.sender == side and each.first.ts_ns > passed_ns]
    if len(late) < LEAST or any(each.fate is not Fate.LOST for each in late):
        return None
    if len({each.between for each in late}) != 1 or late[0].between is None:
        return None
    return _Cut(side, tuple(late), passed_ns)


def _passed_ns(t: JointTeller, side: Side) -> int | None:
    """Return when the point nearest to the other end last had a packet of this one, by the reference."""
    if not t.flow.way or t.one_host():
        return None
    far = t.flow.nearest(other(side))
    clock, last_ns = t.points[far.point].clock, far.judged.record.facts(far.side(side)).last_ns
    if clock is None or last_ns is None:
        return None
    passed_ns = int(clock.reference_ns(np.array([last_ns], dtype=np.int64))[0])
    made = [each for each in t.flow.notable if each.sender == side and each.fate is Fate.MADE]
    # what something between the points made there did not pass them
    return None if any(each.first.ts_ns >= passed_ns for each in made) else passed_ns


def _since(cut: _Cut) -> int:
    return cut.since_ns


def _where(t: JointTeller, cut: _Cut) -> str:
    one, behind = cut.place
    way = t.flow.way
    if way.index(one) > way.index(behind):
        one, behind = behind, one
    return f"between {letter(one)} and {letter(behind)}"


def _how_many(cuts: list[_Cut]) -> str:
    many = [len(cut.lost) for cut in cuts]
    told = count(sum(many), "packet")
    return f"{told} {'was' if sum(many) == 1 else 'were'}"


def _surely(cuts: list[_Cut]) -> str:
    return likely(proven=any(each.proven for cut in cuts for each in cut.lost))


def _frames(cuts: list[_Cut]) -> str:
    """Return the first and the last packet of each direction."""
    shown = [frames_of(each) for cut in cuts for each in (cut.lost[0], cut.lost[-1])]
    return f"[frames {', '.join(dict.fromkeys(shown))}]"
