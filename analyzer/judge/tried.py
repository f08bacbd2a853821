"""What the silence before the first refused packet says of an idle limit, beside those that the flow survived.

A box that forgets a connection when nothing passes for some time refuses what breaks a silence longer than all that
were survived. Where one as long was survived before, no such limit ran out. Where one was survived that was shorter by
little, none is likely to have, unless a known box's limit lies between.

It must not say whose limit that is, or hold a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.signatures import SHORTEST_LIMIT_NS, middleboxes_within
from analyzer.track.trial import TRIAL_LEAST_NS

if TYPE_CHECKING:
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord

NEARLY: Final = 50
"""A silence that is this part longer than another is as long: timers are late."""


class Tried(NamedTuple):
    """The silence that the first refused packet broke, and the longest one that the flow survived."""

    silence_ns: int
    survived_ns: int
    """0 if none of ``TRIAL_LEAST_NS`` or longer was; shorter ones are not kept."""

    @property
    def fits_known_limit(self) -> bool:
        """Whether the silence was as long as the shortest limit of a known box, and none as long was survived."""
        return self.silence_ns >= SHORTEST_LIMIT_NS and not self.excludes_limit

    @property
    def excludes_limit(self) -> bool:
        """Whether no idle limit ran out, at least most likely: one as long was survived, or no known box is so soon.

        One that is shorter by little counts, if no known box's limit, with its lateness, lies between.
        """
        if self.proves_it or self.silence_ns < (TRIAL_LEAST_NS if self.survived_ns else SHORTEST_LIMIT_NS):
            return True
        between = middleboxes_within(self.silence_ns, survived_ns=self.survived_ns)
        if any(box.keepalive_helps for box in between):
            return False
        return self.survived_ns + self.survived_ns // NEARLY >= self.silence_ns

    @property
    def proves_it(self) -> bool:
        """Whether no idle limit can have run out: a silence was survived that was no shorter."""
        return 0 < self.silence_ns <= self.survived_ns


def tried_before(record: FlowRecord, frame: int | None) -> Tried | None:
    """Return what silence a packet of the flow broke that was refused, and the longest survived; None if unknown.

    ``frame`` is that of a probe, or what broke the last silence that was not survived. Nothing is said where an end had
    closed: boxes give half-closed connections other limits.
    """
    if frame is None or record.fins_in_time or record.backwards or record.lost or record.holes:
        return None
    if record.trial_ns > 0 and record.trial_to == frame:
        return Tried(record.trial_ns, record.survived_ns)
    probe = next((each for each in record.probes if each.frame == frame), None)
    if probe is None or probe.gap_ns is None or probe.gap_ns >= TRIAL_LEAST_NS:
        return None
    return Tried(probe.gap_ns, record.survived_ns)


def tried_by_answer(record: FlowRecord, probe: Probe) -> Tried | None:
    """Return the same where it was the answer to a probe that was refused: by what earlier answered probes survived."""
    if record.fins_in_time or record.backwards or record.lost or record.holes or probe.gap_ns is None:
        return None
    earlier = [each.gap_ns for each in record.probes_from(probe.sender) if each.answered and each.frame < probe.frame]
    longest_ns = max((gap_ns for gap_ns in earlier if gap_ns is not None), default=0)
    return Tried(probe.gap_ns, longest_ns if longest_ns >= TRIAL_LEAST_NS else 0)
