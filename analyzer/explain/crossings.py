"""What became of a packet between several points, in words, and what that rests on.

It must not know probes, or how a connection is told as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.points import frame_of, letter
from analyzer.units import format_instant
from analyzer.vantage.joint import Fate, Why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing, JointFlow, Point

WHY: Final = {
    Why.SEEN: "",
    Why.RUNNING: "the capture of {missing} goes on, and does not have it",
    Why.NOTHING_LATER: (
        "the capture of {missing} has nothing later than {last}, so the packet was lost on its way to {missing}, or "
        "came when that capture had ended"
    ),
    Why.NOTHING_EARLIER: (
        "the capture of {missing} has nothing earlier than {first}, so the packet was lost on its way to {missing}, or "
        "came before that capture began"
    ),
    Why.ACKNOWLEDGED: "its receiver acknowledged it, so the capture of {missing} missed it",
    Why.ANSWERED: "it was answered from beyond {missing}, whose capture missed it",
    Why.ECHOED: "its receiver echoed its timestamp, so the capture of {missing} missed it",
    Why.REACTED: "its receiver then probes, as it does once all is acknowledged, so the capture of {missing} missed it",
    Why.REFUSED: "it drew a RST that was made before {missing}, so it was most likely refused there",
    Why.NOT_ACKNOWLEDGED: "its receiver acknowledged less afterwards",
    Why.SENDER_GOES_ON: "its sender goes on behind it, so the capture of {missing} missed it",
    Why.FITS_SENDER: "IP ID or timestamp fit its sender, so the capture of {missing} most likely missed it",
    Why.UNLIKE_SENDER: "its TTL differs from that of its sender's other packets here",
    Why.UNSTAMPED: "it bears no timestamp, and all of its sender's other packets here do",
    Why.BOTH_RESET: (
        "each end's capture has a RST in the other end's name and lacks the one in its own end's name, and no host "
        "sends a RST when it was reset"
    ),
    Why.ENDED: "the capture of {missing} had ended at {last}",
    Why.NOT_BEGUN: "the capture of {missing} had not begun, until {first}",
    Why.HOLE: "the capture of {missing} has a hole there",
    Why.DROPPED: "the capture of {missing} dropped packets, and does not say which",
    Why.MISSES: "the capture of {missing} lacks others that passed it just before or behind",
    Why.LACKS: (
        "the capture of {missing} goes on, and does not have it, but it does not have frame {other} either, which "
        "passed {missing} by all that is known: so this packet may have passed, too"
    ),
    Why.ONE_DIRECTION: (
        "the capture of {missing} has nothing of its sender, only of the other end, and may see one direction only"
    ),
    Why.REGROUPED: "its data is there in other pieces",
    Why.LINK: "nothing tells on which side of this host it was, and whether this host made it",
    Why.CAPTURED_TWICE: "frame {like}, moments apart, equals it, and passed: this may be that packet, captured twice",
    Why.RHYTHM: "nothing but the rhythm of what is repeated tells which packets are one",
    Why.ORDER: "nothing tells which point is nearer to which end",
}
"""What a fate rests on."""
OUTSIDE: Final = (Why.NOTHING_LATER, Why.NOTHING_EARLIER)
"""Why nothing tells what became of a packet: whether the capture that lacks it ran is not known."""
ALONE: Final = (*OUTSIDE, Why.CAPTURED_TWICE)
"""Why nothing tells what became of a packet, where that reason says enough."""
LIKELY_LOST: Final = {
    Why.NOTHING_LATER: (
        "the capture of {missing} has nothing later than {last}, and answers cease just there, so it most likely still "
        "ran"
    ),
    Why.NOTHING_EARLIER: (
        "the capture of {missing} has nothing earlier than {first}, when the packet was sent again, so it most likely "
        "already ran"
    ),
}
"""What a loss rests on, where it is not known whether the capture that lacks the packet ran."""
LIKELY_WHERE_PACKETS_LACK: Final = {
    (Fate.LOST, Why.LACKS): (
        "nothing came in answer, and the capture of {missing} goes on, and does not have it; but it does not have "
        "frame {other} either, which passed {missing} by all that is known"
    ),
    (Fate.MADE, Why.LACKS): (
        "its sender sent on behind it, and the capture of {missing} does not have it; but it does not have frame "
        "{other} either, which passed {missing} by all that is known"
    ),
    (Fate.LOST, Why.NOT_ACKNOWLEDGED): (
        "its receiver acknowledged less afterwards; but the capture of {missing} does not have frame {other} either, "
        "which passed {missing} by all that is known, so this packet may have been lost behind {missing}"
    ),
}
"""What a loss, or that something made a packet, rests on, where the capture that lacks it lacks others that passed."""
MISSED: Final = (Why.ACKNOWLEDGED, Why.ANSWERED, Why.ECHOED, Why.REACTED, Why.SENDER_GOES_ON, Why.FITS_SENDER)
"""What shows that a packet passed a point whose capture lacks it: whether it ran then is told apart."""
MAY_HAVE_ENDED: Final = "the capture of {missing} has nothing later than {last}, and may have ended"


class JointTeller:
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
        """Return what the point that a fate is about is called; empty if it is about none."""
        number = _missing(crossing)
        return "" if number is None else letter(number)

    def _missing_at(self, crossing: Crossing) -> Point | None:
        number = _missing(crossing)
        return None if number is None else self.points[number]

    def unsure(self, crossing: Crossing) -> list[str]:
        """Return the points that do not have a packet, and of which it is not known whether it passed them."""
        known = {*(sight.point for sight in crossing.seen), *crossing.missed_at}
        return [letter(part.point) for part in self.flow.parts if part.point not in known]

    def why(self, crossing: Crossing) -> str:
        """Return what a fate rests on, as a part of a sentence; empty for what was seen everywhere."""
        words = WHY[crossing.why]
        if crossing.fate is Fate.UNPROVEN and crossing.why is Why.ENDED:
            words = MAY_HAVE_ENDED
        elif crossing.fate is Fate.LOST:
            words = LIKELY_LOST.get(crossing.why, words)
        if crossing.lacks is not None:
            words = LIKELY_WHERE_PACKETS_LACK.get((crossing.fate, crossing.why), words)
        at = self._missing_at(crossing)
        if at is not None and crossing.fate is Fate.NOT_CAPTURED and crossing.why in MISSED:
            if crossing.first.ts_ns < at.first_ns:
                words = WHY[Why.NOT_BEGUN]
            elif crossing.first.ts_ns > at.last_ns:
                words = WHY[Why.ENDED]
        first, last = ("", "") if at is None else (self.instant(each) for each in (at.first_ns, at.last_ns))
        like, other = (frame_of(each) for each in (crossing.like, crossing.lacks))
        return words.format(missing=self.missing(crossing), like=like, other=other, first=first, last=last)

    def instant(self, ts_ns: int) -> str:
        """Return an instant of the reference as a story says it."""
        return format_instant(ts_ns, self.start_ns)


def _missing(crossing: Crossing) -> int | None:
    """Return the point that a fate is about; None if it is about none."""
    if crossing.between is not None:
        one, other = crossing.between
        return other if crossing.fate is Fate.LOST or _has(crossing, one) else one
    return crossing.missed_at[0] if crossing.missed_at else None


def _has(crossing: Crossing, point: int) -> bool:
    return any(sight.point == point for sight in crossing.seen)


def listed(names: list[str]) -> str:
    """Return names as a list in words."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def likely(*, proven: bool) -> str:
    """Return what stands before a statement that is not proven, with a space; empty for a proven one."""
    return "" if proven else "most likely "


def fate_words(t: JointTeller, crossing: Crossing) -> str:
    """Say what became of a packet."""
    if crossing.fate is Fate.LOST:
        return f"was {likely(proven=crossing.proven)}lost {t.place(crossing)}"
    if crossing.fate is Fate.MADE:
        return f"was {likely(proven=crossing.proven)}made {t.place(crossing)}"
    if crossing.fate is Fate.NOT_CAPTURED:
        missed = listed([letter(point) for point in crossing.missed_at])
        if t.flow.unseen_at(crossing):
            return f"was not captured at {missed}"
        return f"passed {missed}, which did not capture it"
    if crossing.why is Why.LINK:
        return "was captured once"
    if crossing.why is Why.CAPTURED_TWICE and len(crossing.seen) > 1:
        return "may have been lost on its way"
    if crossing.fate is Fate.UNPROVEN:
        only = f"was captured only at {listed([letter(sight.point) for sight in crossing.seen])}"
        unsure = t.unsure(crossing)
        if crossing.why in ALONE or not unsure:
            return only
        return f"{only}, and whether it passed {listed(unsure)} is not known"
    return "passed all points"
