"""What a timeline says of the states of both ends: behind a RST, after what came too late, and when the capture stops.

A state that no frame shows is called unknown, with the instant since when.

It must not decide a state: that is known by ``left`` and the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.left import Known, known_since, left, state_before
from analyzer.findings.kinds import half_open, lapses, unanswered
from analyzer.judge.connection import State
from analyzer.judge.record import other
from analyzer.judge.retransmitting import gave_up_ns
from analyzer.judge.untaken import untaken
from analyzer.judge.verdict import Verdict
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from analyzer.explain.left import Left
    from analyzer.judge.events import Reset
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def left_as(t: Teller, reset: Reset) -> str:
    """Return what is known of both ends behind the RST that ended the flow."""
    lone = t.record.untranslated
    if lone is not None and lone.role == "lone" and reset.sender != lone.side:
        return f"ends the connection at {t.name(lone.side)}, if it arrives; not flow {lone.flow}"
    behind = {side: last for side in SIDES if (last := left(t.judged, side)) is not None}
    if all(last.known is Known.CLOSED for last in behind.values()):
        return "both CLOSED"
    sides = (
        (reset.sender, other(reset.sender))
        if behind[reset.sender].known is Known.CLOSED
        else (other(reset.sender), reset.sender)
    )
    return ", ".join(words for side in sides if (words := _left_words(t, side, behind[side])))


def _left_words(t: Teller, side: Side, last: Left) -> str:
    """Return what is known of one end; nothing if none of it was captured."""
    match last.known:
        case Known.UNSEEN:
            return ""
        case Known.HELD if last.again_ns is not None:
            return f"{t.name(side)} still {last.state.value} (it sends again at {t.at(last.again_ns)})"
        case Known.HELD:
            return f"{t.name(side)} still {last.state.value}"
        case Known.UNKNOWN:
            return f"{t.name(side)} {unknown(t, side)}"
        case Known.LOST:
            return f"{t.name(side)}, or a NAT before it, had lost this connection"
        case _:
            return f"{t.name(side)} CLOSED"


def fates(t: Teller) -> dict[int, str]:
    """Return by frame what each RST behind the one that ended the flow did to the end it went to, where that shows.

    It closed it; or it did not, for that end went on; or, where the one before had not, it may have.
    """
    found = {}
    for side in SIDES:
        last, name = left(t.judged, side), t.the(side)
        for frame, again_ns in untaken(t.record, side).items():
            found[frame] = f"; {name} did not take it (it sends again at {t.at(again_ns)})"
        if last is not None and last.until is not None:
            found[last.until.frame] = f" -> {t.name(side)} CLOSED"
        if last is not None and last.perhaps is not None:
            found[last.perhaps.frame] = f"; whether it closed {name} is unknown: the one before did not"
    return found


def over(t: Teller, side: Side) -> str:
    """Return that the connection was over: for the other end of one that still has it."""
    last = left(t.judged, side)
    if last is not None and last.known is Known.HELD:
        return f"the connection was over for {t.the(other(side))}"
    return "the connection was over"


def unknown(t: Teller, side: Side) -> str:
    """Say since when the state of an end that fell silent is unknown, and what it was then."""
    since_ns = known_since(t.record, side)
    if since_ns is None:
        named = any(reset.sender == side for reset in t.record.resets)
        return f"unknown (nothing{' else' if named else ''} from it was captured)"
    return f"unknown since {t.at(since_ns)} ({state_before(t.record, side).value} then)"


def state_at_end(t: Teller, side: Side) -> str:
    """Return the state of an end when the capture stops: of one that no longer answered, since when it is unknown."""
    if t.record.is_unseen(side):
        return f"{t.name(side)} not captured"
    if (blocked := t.find(half_open.BLOCKED.code)) is not None and blocked.about == side:
        return f"{t.name(side)} has lost this connection"
    facts = t.facts(other(side))
    window_probed = any(
        probe.sender == other(side) and probe.answer_frame is None and probe.ts_ns > (t.facts(side).last_ns or 0)
        for probe in t.record.zero_window_probes
    )
    waited = window_probed or t.record.trailing(other(side)) or facts.resent
    stopped = t.find(lapses.STOPPED.code)
    if (t.ending.verdict is Verdict.SILENT and waited) or (stopped is not None and stopped.about == side):
        return f"{t.name(side)} {unknown(t, side)}"
    state, fin = t.record.states[SIDES.index(side)], t.fin(other(side))
    ceased = next((f for f in t.judged.findings if f.code == unanswered.THEN_NONE.code and f.about == side), None)
    if ceased is not None:
        return f"{t.name(side)} {_ceased(t, ceased, state)}"
    if gave_up_ns(t.record, side) is not None:
        return f"{t.name(side)} most likely CLOSED (gave up without a packet), {state.value} before"
    unsure = state is State.CLOSE_WAIT and fin is not None and fin.acked_frame is None
    if state is State.UNKNOWN:
        return f"{t.name(side)} unknown (nothing that was captured shows it)"
    doubt = " (if the FIN arrived)" if unsure else unless_second(t, side, state)
    return f"{t.name(side)} {state.value}{doubt}"


def _ceased(t: Teller, ceased: Finding, state: State) -> str:
    """Return the state of a prober whose probes ceased without an answer: if it gave up, no RST of that is here."""
    at = t.at(unanswered.gave_up_ns(t, ceased))
    if unanswered.asks_on(t, ceased):
        return f"{state.value} until about {at}; since then or later CLOSED, as it gave up (its RST could not leave)"
    return f"{state.value}, or CLOSED since about {at} if it gave up"


def unless_second(t: Teller, side: Side, state: State) -> str:
    """Return the other state that is possible where an end sent FIN and nothing of its peer was captured."""
    if state is not State.FIN_WAIT_1 or not t.record.is_unseen(other(side)):
        return ""
    return f" ({State.LAST_ACK.value} if {t.the(other(side))} had closed before)"
