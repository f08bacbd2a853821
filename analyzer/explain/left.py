"""What is known of an end's state from the RST on that ended its flow: timeline and pictures say the same.

A RST closes whoever sent it and whoever it reached. But nobody who resets while its probes stay unanswered knows
whether the peer is still there; a middlebox resets in the name of an end that knows nothing of it, a RST may be lost,
and an end that sends a new SYN had no such connection any more. What an end sends later shows that it still had the
connection.

It must not decide how the flow ended.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from analyzer.findings.kinds import dead_peer, idle_reset, late_data
from analyzer.judge.connection import State
from analyzer.judge.nearness import answers_nothing
from analyzer.judge.untaken import has_ceased, reached, sent_behind, untaken
from analyzer.track.flow import SIDES
from analyzer.values import dataclass
from analyzer.words.teller import number

if TYPE_CHECKING:
    from analyzer.judge.events import Reset
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side


class Known(Enum):
    """What is known of an end behind the RST that ended the flow."""

    CLOSED = "closed"
    HELD = "held"
    """It still has the connection: it probes while the other gives up, or sends something later."""
    UNKNOWN = "unknown"
    LOST = "lost"
    """It had no such connection any more: it had sent a new SYN."""
    UNSEEN = "unseen"
    """Nothing of it was captured."""


@dataclass(frozen=True, slots=True)
class Left:
    """An end behind the RST that ended its flow."""

    known: Known
    state: State
    """Its state when it was last heard before that RST."""
    heard_ns: int | None
    """When that was."""
    again_ns: int | None = None
    """When it sent something later, which shows that it still had the connection."""
    until: Reset | None = None
    """The later RST that closed it."""
    perhaps: Reset | None = None
    """The later RST that closed it if it reached it, as those before had not."""


def left(judged: JudgedFlow, side: Side) -> Left | None:
    """Return what is known of an end behind the RST that ended the flow; None if no RST did."""
    record = judged.record
    reset = record.ending_reset
    if reset is None:
        return None
    state, heard_ns = state_before(record, side), known_since(record, side)
    named = reset.sender == side
    if record.is_unseen(side):
        return Left(Known.CLOSED if named else Known.UNSEEN, state, heard_ns)
    if named and not may_be_between(judged):
        new = record.new_syn
        is_lost = new is not None and new.sender == side and new.ts_ns <= reset.ts_ns
        return Left(Known.LOST if is_lost else Known.CLOSED, state, heard_ns)
    if record.new_syn is not None and record.new_syn.sender == side and record.new_syn.ts_ns > (heard_ns or 0):
        return Left(Known.LOST, state, heard_ns)
    sent = sent_behind(record, side, reset)
    again_ns = min((ts_ns for _, ts_ns in sent), default=None)
    until, perhaps = _closed_later(record, side, reset, max((frame for frame, _ in sent), default=None))
    if again_ns is not None or (not named and _probes_itself(judged, reset)):
        return Left(Known.HELD, state, heard_ns, again_ns, until, perhaps)
    if named or (reset.kind == "gave_up" and not reached(record, reset)) or record.trailing(reset.sender):
        return Left(Known.UNKNOWN, state, heard_ns, None, until)
    return Left(Known.CLOSED, state, heard_ns)


def state_before(record: FlowRecord, side: Side) -> State:
    """Return the state of an end before the RST that ended the flow, else its last."""
    reset = record.ending_reset
    end = reset.frame if reset else record.last_frame + 1
    before = [change.state for change in record.changes if SIDES[change.side] == side and change.frame < end]
    return (before or [State.ESTABLISHED])[-1]


def known_since(record: FlowRecord, side: Side) -> int | None:
    """Return until when the state of an end that fell silent was known: it was last heard then, or came to it."""
    heard_ns = record.facts(side).last_ns
    if heard_ns is None:
        return None
    reset = record.ending_reset
    end = reset.frame if reset else record.last_frame + 1
    if not record.keeps_time(record.first_frame, end):
        return heard_ns
    came = [change.ts_ns for change in record.changes if SIDES[change.side] == side and change.frame < end]
    return max([heard_ns, *came[-1:]])


def may_be_between(judged: JudgedFlow) -> bool:
    """Whether something between the ends sent the RST that ended the flow, or may have."""
    late = judged.finding(late_data.LATE_DATA.code)
    reset = judged.record.ending_reset
    if reset is not None and reset.kind != "gave_up" and "mac" in reset.strange:
        return True
    if reset is not None and reset.kind == "no_socket" and answers_nothing(judged.record, reset):
        return True
    if judged.finding(idle_reset.AT_LIMIT.code) is not None:
        return True
    return judged.ending.by == "between" or (late is not None and late_data.may_be_forgotten(late))


def _probes_itself(judged: JudgedFlow, reset: Reset) -> bool:
    """Whether the peer of a prober that gave up sent probes of its own meanwhile."""
    dead = judged.finding(dead_peer.DEAD.code)
    return reset.kind == "gave_up" and dead is not None and number(dead, "peer_probes") > 0


def _closed_later(
    record: FlowRecord, side: Side, ending: Reset, last_frame: int | None
) -> tuple[Reset | None, Reset | None]:
    """Return the later RST that closed an end: its own, or else what it drew with the last that it sent.

    Where it went on behind one that it drew before, another may not reach it either: unless it then ceased, that one
    only may have closed it, and is the second that is returned. One that it did not draw, as of a prober that gave up,
    may have come while nothing passed at all.
    """
    later = [reset for reset in record.resets if reset.frame > max(ending.frame, last_frame or 0)]
    own = [reset for reset in later if reset.sender == side and not reset.strange]
    drawn = [reset for reset in later if reset.sender != side] if last_frame else []
    by_itself = [reset for reset in own if reset.has_ack or not drawn]
    found = next(iter(by_itself or drawn), None)
    untaken_frames = untaken(record, side)
    refused = any(reset.kind == "no_socket" and reset.frame in untaken_frames for reset in record.resets)
    if found is None or by_itself or not refused or has_ceased(record, side, found):
        return found, None
    return None, found
