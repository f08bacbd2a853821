"""``Scene``: a flow's end, and what was known beside it: what witnesses and causes are made from.

It must not hold a sentence, a rounding, or decide on a cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.filtered import passes
from analyzer.judge.nearness import Whence, errors_come_from, soonest_ns
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.segment import MAPPED_IPV4, address_text
from analyzer.track.flow import SIDES
from analyzer.track.signs import HOP, OWN, TAKEN_FOR_HOP
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.events import IcmpError, Reset
    from analyzer.judge.filtered import Kind
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.verdict import Ending
    from analyzer.track.awake import Hole
    from analyzer.track.flow import Side

UNHEARD_NS: Final = 1_000_000_000
"""Who is silent for a shorter time only had nothing to say."""
CAME_BACK_NS: Final = 2_000_000_000
"""Who is heard sooner after something stayed unanswered was there when that came: no host starts in so short a time."""
GONE_AND_BACK_NS: Final = 60_000_000_000
"""A host that starts anew, slept or was cut off is seldom heard again sooner."""
STATION_HEARD: Final = ("station_ns", "station_last_ns")
"""When a station was heard first and last."""
QUESTIONED: Final = frozenset({Verdict.TIMED_OUT, Verdict.SILENT, Verdict.UNDETERMINED})
"""Verdicts that have a cause, whatever was noted beside the flow."""


def holes_in(record: FlowRecord, ending: Ending) -> tuple[Hole, ...]:
    """Return where the capture was not awake while the flow went on: behind a RST that ended it nothing was due."""
    if not ending.verdict.is_reset or ending.frame is None:
        return tuple(record.holes)
    return tuple(hole for hole in record.holes if hole.from_frame < ending.frame)


@dataclass(frozen=True, slots=True)
class Scene:
    """One flow, with the end whose host is in question."""

    record: FlowRecord
    ending: Ending
    findings: tuple[Finding, ...]

    # ── the flow itself ──

    @property
    def quiet(self) -> Side:
        """The end in question: who fell silent, or in whose name the RST came."""
        if self.record.beside is not None:
            return SIDES[self.record.beside["side"]]
        reset = self.record.ending_reset
        if reset is not None:
            return other(reset.sender) if reset.kind == "gave_up" else reset.sender
        a, b = self.record.facts_a.last_ns, self.record.facts_b.last_ns
        return "a" if (a or 0) < (b or 0) else "b"

    @property
    def asker(self) -> Side:
        """The other end."""
        return other(self.quiet)

    @property
    def is_silent(self) -> bool:
        """Whether the flow ended in silence: a prober gave up, or what was sent last stayed unanswered."""
        return self.ending.verdict in (Verdict.TIMED_OUT, Verdict.SILENT)

    @property
    def raises_question(self) -> bool:
        """Whether what passed beside the flow was noted, or its verdict has a cause without that."""
        return self.record.beside is not None or self.ending.verdict in QUESTIONED

    @property
    def reset(self) -> Reset | None:
        """The RST of the end in question that ended the flow, if one did."""
        reset = self.record.ending_reset
        ended = self.ending.verdict.is_reset and not self.is_silent
        return reset if reset is not None and reset.sender == self.quiet and ended else None

    @property
    def since_ns(self) -> int:
        """When the end in question was last heard in the flow, but by a RST."""
        heard_ns = self.record.facts(self.quiet).last_ns
        return self.record.first_ns if heard_ns is None else heard_ns

    @property
    def until_ns(self) -> int:
        """When the flow ended, or the capture did."""
        if self.ending.verdict.is_reset and self.ending.ts_ns is not None:
            return self.ending.ts_ns
        return self.record.end_ns

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Where the capture was not awake since the silence began, as far as the flow was not over."""
        return tuple(hole for hole in holes_in(self.record, self.ending) if hole.to_ns > self.since_ns)

    @property
    def in_vain(self) -> tuple[Probe, ...]:
        """The asker's unanswered probes since."""
        since_ns = self.since_ns
        return tuple(p for p in self.record.probes_from(self.asker) if p.ts_ns > since_ns and p.answer is None)

    @property
    def asked_ns(self) -> int:
        """When the first of what stayed unanswered since was sent; ``since_ns`` where nothing is known to have."""
        if not self.is_silent:
            return self.since_ns
        since_ns, asker = self.since_ns, self.asker
        unacked_ns = self.record.facts(asker).unacked_ns
        sent = [probe.ts_ns for probe in self.in_vain[:1]]
        sent += [p.ts_ns for p in self.record.zero_window_probes if p.sender == asker and p.answer_frame is None]
        sent += [] if unacked_ns is None else [unacked_ns]
        return min((ts_ns for ts_ns in sent if ts_ns > since_ns), default=since_ns)

    @property
    def due_ns(self) -> int:
        """When an answer to the first of what stayed unanswered was due: who was heard before may have died since."""
        known = soonest_ns(self.record, self.quiet, self.record.last_frame + 1) if self.is_silent else None
        return self.asked_ns + (known[0] if known is not None and self.asked_ns > self.since_ns else 0)

    @property
    def asked_frames(self) -> tuple[int, ...]:
        """Frames of the flow that show the silence: unanswered probes, else what was sent again, else the last one."""
        frames = [probe.frame for probe in self.in_vain]
        if not frames:
            since_ns, asker = self.since_ns, self.asker
            windows = (p for p in self.record.zero_window_probes if p.sender == asker and p.ts_ns > since_ns)
            frames = [probe.frame for probe in windows if probe.answer_frame is None]
        if not frames:
            again = [each.frame for each in self.record.resent if each.sender == self.asker]
            unacked = self.record.facts(self.asker).unacked_frame
            frames = [*([unacked] if unacked else []), *again] or [self.record.last_frame]
        return tuple(sorted({*frames, *([self.ending.frame] if self.ending.frame else [])}))

    @property
    def asked_last_ns(self) -> int:
        """When the last of what stayed unanswered since was sent, or sent again; ``until_ns`` if that is not known."""
        asker, since_ns = self.asker, self.since_ns
        sent = [probe.ts_ns for probe in self.in_vain]
        sent += [each.ts_ns for each in self.record.zero_window_probes if each.sender == asker]
        sent += [each.ts_ns for each in self.record.resent if each.sender == asker]
        facts = self.record.facts(asker)
        sent += [ts_ns for ts_ns in (facts.last_data_ns, facts.unacked_ns) if ts_ns is not None]
        return max((ts_ns for ts_ns in sent if ts_ns > since_ns), default=self.until_ns)

    @property
    def errors(self) -> tuple[IcmpError, ...]:
        """ICMP errors to the asker since."""
        asker, since_ns = self.asker, self.since_ns
        return tuple(e for e in self.record.errors_about(asker) if e.ts_ns >= since_ns)

    @property
    def resets_in_its_name(self) -> tuple[Reset, ...]:
        """The RSTs in the name of the end in question since, before the end: a box may have sent them."""
        quiet, since_ns, until_ns = self.quiet, self.since_ns, self.until_ns
        return tuple(r for r in self.record.resets if r.sender == quiet and since_ns < r.ts_ns <= until_ns)

    @property
    def is_whole(self) -> bool:
        """Whether nothing says that the capture lacks frames since."""
        return not self.record.lost and not self.holes

    def could_capture(self, kind: Kind) -> bool | None:
        """Whether the capture's filter let frames of a kind pass; None if nobody knows."""
        return passes(self.record.filters, kind)

    def found(self, code: str) -> Finding | None:
        """Return the first finding with this code."""
        return next((finding for finding in self.findings if finding.code == code), None)

    # ── beside it ──

    def beside(self, name: str) -> int:
        """Return a number of the testimony, 0 without any."""
        return 0 if self.record.beside is None else self.record.beside[name]

    @property
    def is_on_link(self) -> bool:
        """Whether its host is on the captured link itself."""
        return self.beside("place") == OWN

    @property
    def hop(self) -> str | None:
        """The next hop on the way to its host, as an address, where one is known or taken for it."""
        if self.beside("place") not in {HOP, TAKEN_FOR_HOP}:
            return None
        return address_text(self.beside("hop_hi"), self.beside("hop_lo"))

    @property
    def hop_is_known(self) -> bool:
        """Whether ARP or neighbour discovery said that the next hop is at the station that brings the packets."""
        return self.beside("place") == HOP

    @property
    def address_got(self) -> str | None:
        """The address that DHCP gave its station instead, where that is one of IPv4."""
        got = self.beside("got")
        return address_text(0, got) if got >> 32 == MAPPED_IPV4 >> 32 else None

    @property
    def is_unheard(self) -> bool:
        """Whether no frame of its host is known since the first of what stayed unanswered, although it would be."""
        if self.beside("known") != 1 or not (self.beside("last_frame") == 0 or self.was_heard_before):
            return False
        return self.until_ns - max(self.since_ns, self.beside("last_ns")) - self.beside("slack_ns") >= UNHEARD_NS

    @property
    def was_heard_before(self) -> bool:
        """Whether its host was last heard before an answer was due to the first of what stayed unanswered."""
        return self.since_ns < self.beside("last_ns") <= self.due_ns

    @property
    def reset_came_from_new_station(self) -> bool:
        """Whether the RST came from the station at which its address is said to be now."""
        reset = self.reset
        return reset is not None and "mac" in reset.strange and self.beside("reset_mac") == self.beside("moved_to")

    @property
    def was_moved(self) -> bool:
        """Whether ARP or neighbour discovery said that its address is at another station, since the flow began.

        Where they had not said before where it was, its segments show it; then it was said unasked, or the RST came
        from there: who asks may get an answer from another interface of the same host.
        """
        if self.beside("moved_frame") == 0 or self.beside("moved_from") == self.beside("moved_to"):
            return False
        if self.is_claimed_twice or self.beside("moved_to") == self.beside("mac") >= 0:
            return False  # of two stations at once, or back where the connection is
        unasked = self.beside("moved_seen") == 0 or self.beside("moved_unasked") == 1
        return unasked or self.reset_came_from_new_station

    @property
    def is_claimed_twice(self) -> bool:
        """Whether ARP or neighbour discovery said of two stations at once that its address is there."""
        return self.beside("both_frame") > 0

    @property
    def asker_is_claimed(self) -> bool:
        """Whether another station said that it has the asker's own address, while the asker sent on from its own."""
        return self.beside("asker_frame") > 0

    @property
    def reset_came_from_other_claimant(self) -> bool:
        """Whether the RST came from one of these two stations, and the host's packets before from the other."""
        reset, own, sender = self.reset, self.beside("mac"), self.beside("reset_mac")
        if not self.is_claimed_twice or reset is None or "mac" not in reset.strange:
            return False
        return sender != own and {sender, own} == {self.beside("both_mac"), self.beside("both_other")}

    @property
    def was_leased(self) -> bool:
        """Whether DHCP gave its address to another station than before, while the flow was silent."""
        return self.since_ns < self.beside("leased_ns") <= self.until_ns

    @property
    def left_ns(self) -> int | None:
        """When its address was first known to be at another station; what came in its name since may be from there."""
        moves = [self.beside("moved_ns")] if self.was_moved else []
        moves += [self.beside("leased_ns")] if self.was_leased else []
        moves += [self.beside("both_ns")] if self.is_claimed_twice else []
        return min(moves, default=None)

    def is_of_its_host(self, ts_ns: int) -> bool:
        """Say whether what came in its name at an instant can be of the host that held the connection."""
        left_ns = self.left_ns
        return left_ns is None or ts_ns < left_ns

    @property
    def station_is_heard(self) -> bool:
        """Whether its own station sent something when an answer was due, before the end, in whoever's name."""
        due_ns, until_ns = self.due_ns, self.until_ns
        return self.is_on_link and any(due_ns < self.beside(name) <= until_ns for name in STATION_HEARD)

    @property
    def station_was_heard_before(self) -> bool:
        """Whether its station was last heard before an answer was due to the first of what stayed unanswered."""
        return 0 < self.beside("station_last_ns") <= self.due_ns

    @property
    def in_question_until_ns(self) -> int:
        """Until when being heard shows that its host was there when it was asked: later it may have come back.

        Hardly later than what stayed unanswered last, for which the end of the capture is no measure.
        """
        return min(self.until_ns, self.asked_last_ns + CAME_BACK_NS) if self.is_silent else self.until_ns

    @property
    def sign_frames(self) -> tuple[int, ...]:
        """Frames of its host beside the flow, since an answer was due, and soon enough to be no return."""
        due_ns, last_ns = self.due_ns, self.in_question_until_ns
        frames = {
            self.beside(f"{name}_frame")
            for name in ("sign", "last", "said")
            if self.beside(f"{name}_frame")
            and due_ns < self.beside(f"{name}_ns") <= last_ns
            and self.is_of_its_host(self.beside(f"{name}_ns"))
        }
        return tuple(sorted(frames - self._errors_of_others))

    @property
    def _errors_of_others(self) -> frozenset[int]:
        """Frames of ICMP errors in the name of its host that came too soon to be from there."""
        own = [error for error in self.errors if error.source == self.record.endpoint(self.quiet).address]
        if own and errors_come_from(self.record, self.quiet, own) is Whence.NEARER:
            return frozenset(error.frame for error in own)
        return frozenset()

    @property
    def is_heard_by_others_only(self) -> bool:
        """Whether all that is known of its host since are ICMP errors that something nearer sent."""
        known = {self.beside("sign_frame"), self.beside("last_frame")}
        return known <= self._errors_of_others

    @property
    def is_heard_throughout(self) -> bool:
        """Whether its host was heard beside the flow all the time, so most likely also while it was asked in vain.

        It was never silent for as long as that; or only at another time, and else for no time in which a host is gone
        and back.
        """
        if self.beside("known") != 1 or not self.is_of_its_host(self.beside("last_ns")):
            return False
        longest_ns, last_ns = self.beside("longest_ns"), self.beside("last_ns")
        if longest_ns <= 0 or last_ns <= max(self.due_ns, self.until_ns - longest_ns):
            return False
        asked_ns = self.in_question_until_ns - self.due_ns
        if self.was_away_then:
            return longest_ns < asked_ns
        return self.beside("second_ns") < max(asked_ns, GONE_AND_BACK_NS)

    @property
    def was_away_then(self) -> bool:
        """Whether its host's longest silence beside the flow was in the time while it was asked in vain."""
        return self.beside("gap_from_ns") < self.in_question_until_ns and self.beside("gap_to_ns") > self.due_ns

    @property
    def later_frames(self) -> tuple[int, ...]:
        """The last frame of its host, if that came after the flow's end, or too late to show that it was there."""
        last_ns = self.beside("last_ns")
        return (
            (self.beside("last_frame"),) if last_ns > self.in_question_until_ns and self.is_of_its_host(last_ns) else ()
        )
