"""What every story with a FIN in it says: who closed, who did not, the probes after it, and why they go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.connection import State
from analyzer.judge.record import other
from analyzer.tolerances import CLOSE_NS
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_MS
from analyzer.words.model import Line
from analyzer.words.stacks import gives_up_at
from analyzer.words.teller import count, duration, evidence, gaps_of, spacing, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.events import Fin, Reset
    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

FIN_HEARD: Final = {State.FIN_WAIT_2, State.TIME_WAIT}
"""States of an end that has read that its FIN is acknowledged."""


def refused_fin(t: Teller) -> tuple[Fin, Reset] | None:
    """Return the later of two FINs, if nothing acknowledges it and it drew a RST, and that RST.

    Who closed first had no such connection any more, so it was not in TIME-WAIT either (RFC 9293 3.10.7.1).
    """
    if len(t.record.fins) < len(SIDES):
        return None
    late = max(t.record.fins, key=lambda fin: fin.frame)
    refusals = (
        reset
        for reset in t.record.resets
        if reset.kind == "no_socket" and reset.sender != late.sender and reset.frame > late.frame
    )
    reset = next(refusals, None)
    return (late, reset) if reset is not None and late.acked_frame is None else None


def late_fin(t: Teller, fin: Fin) -> list[Line]:
    """Say how often a FIN was sent again before its acknowledgement came, if it was."""
    again = t.facts(fin.sender).fin_resent
    if not again or fin.acked_frame is None or fin.acked_ns is None:
        return []
    text = (
        f"{t.start(fin.sender)} retransmitted its FIN {times(again)} before it was acknowledged,"
        f" {duration(fin.acked_ns - fin.ts_ns)} after it was first sent: packets were lost, or the other end was slow."
    )
    return [Line(text, (fin.frame, fin.acked_frame))]


def may_have_closed_before(t: Teller, side: Side) -> bool:
    """Say whether an end may have sent its FIN before the capture began: since then it only acknowledged."""
    record = t.record
    if record.starts_with != "midstream" or record.fin_of(side) is not None:
        return False
    return not t.facts(side).payload_bytes and not t.probes(side)


def fin_lines(t: Teller, closer: Side) -> list[Line]:
    """Say who sent FIN, that the other did not, and which states that means."""
    fin, late = t.fin(closer), other(closer)
    assert fin is not None
    sent = f"{t.start(closer)} sent FIN at {t.at(fin.ts_ns)}"
    lasted = t.end_ns - fin.ts_ns
    closed = _closed_too(t, late, fin)
    if fin.acked_frame is None or fin.acked_ns is None:
        unknown = f"Nothing in the capture acknowledges it, so whether {t.the(late)} got it is unknown."
        told = closed or Line(f"{t.start(late)} sent no FIN.", (fin.frame,))
        return [Line(f"{sent}.", (fin.frame,)), Line(f"{unknown} {told.text}", told.frames)]
    frames = (fin.frame, fin.acked_frame)
    if t.reset and lasted < max(CLOSE_NS, 2 * (fin.acked_ns - fin.ts_ns)):
        none = f"{t.start(late)} sent no FIN {until(lasted, 'the RST')}: too soon to say whether its program closed."
    elif t.reset:
        none = f"{t.start(late)} sent no FIN {until(lasted, 'the RST')}: its program did not close."
    else:
        none = f"{t.start(late)} sent no FIN {until(lasted, t.its_end)}: its program had not closed."
    unless = ""
    if may_have_closed_before(t, late):
        none = (
            f"{none.partition(':')[0]}. Whether it had before the capture began is not known: since then it only"
            " acknowledged, as an end does that has closed."
        )
        unless = ", if it had not"
    heard = any(change.side == SIDES.index(closer) and change.state in FIN_HEARD for change in t.record.changes)
    waits = State.FIN_WAIT_2 if heard else State.FIN_WAIT_1
    states = f"States derived from that: {t.name(closer)} {waits.value}, {t.name(late)} CLOSE-WAIT{unless}."
    lost = (
        f", yet retransmitted {times(len(fin.again))}: that acknowledgement did not reach its sender"
        if fin.again and not heard
        else ""
    )
    resent = t.facts(closer).fin_resent
    before = f" and retransmitted it {times(resent)}" if resent else ""
    return [
        Line(
            f"{sent}{before}; acknowledged {duration(fin.acked_ns - fin.ts_ns)} later{lost}."
            if before
            else f"{sent}, acknowledged {duration(fin.acked_ns - fin.ts_ns)} later{lost}.",
            (*frames, *fin.again[-1:]),
        ),
        closed or Line(f"{none} {states}", frames),
    ]


def _closed_too(t: Teller, late: Side, fin: Fin) -> Line | None:
    """Return when the other end sent its FIN, before a RST or behind it; None if it sent none."""
    own = next((each for each in t.record.fins if each.sender == late), None)
    if own is None:
        return None
    behind = t.reset is not None and own.frame > t.reset.frame
    over = "; the RST had ended the connection by then" if behind else ""
    after = duration(own.ts_ns - fin.ts_ns)
    return Line(f"{t.start(late)} closed as well: it sent its FIN {after} later{over}.", (fin.frame, own.frame))


def until(lasted_ns: int, event: str) -> str:
    """Return how long something did not happen; where the clock went back, only before what."""
    return f"in the {duration(lasted_ns)} until {event}" if lasted_ns >= NS_PER_MS else f"before {event}"


def left_open(t: Teller, late: Side) -> str:
    """Return that an end did not close after its peer had, to begin a sentence that says what came then, or nothing."""
    if t.fin(other(late)) is None or t.fin(late) is not None:
        return ""
    return f"{t.start(other(late))} closed, {t.the(late)} did not; then "


def probes_after_fin(t: Teller, closer: Side, probes: Sequence[Probe]) -> list[Line]:
    """Say how many probes came after the FIN, how far apart, and by whom they were answered."""
    answered = [probe for probe in probes if probe.answered]
    rhythm = spacing(gaps_of(probes))
    text = f"{t.start(other(closer))}'s kernel went on probing: {count(len(probes), 'probe')} after the FIN"
    if rhythm:
        text += f", {rhythm}"
    if answered:
        slowest = max(probe.answer_ns or 0 for probe in answered)
        most = "at most " if slowest >= NS_PER_MS else ""
        text += (
            f". {t.start(closer)}'s kernel answered {_which(probes, answered)} with ACK, in {most}{duration(slowest)}"
        )
    elif probes[-1].answer != "rst":
        text += f", {t.answered_text(probes)}"
    # the RST that answers the last is told in a line of its own
    frames = {probe.frame for probe in probes} | set(evidence(answered))
    return [Line(f"{text}.", tuple(sorted(frames)))]


def _which(probes: Sequence[Probe], answered: Sequence[Probe]) -> str:
    if len(answered) == len(probes):
        return "it" if len(probes) == 1 else "all of them"
    if len(answered) == len(probes) - 1 and probes[-1].answer == "rst":
        return "the first" if len(answered) == 1 else f"the first {len(answered)}"
    return f"{len(answered)} of them"


def why_keepalive_goes_on(t: Teller, closer: Side, probes: Sequence[Probe]) -> list[Line]:
    """Say why answered probes can go on forever."""
    frames = evidence(probe for probe in probes if probe.answered)
    if not frames:
        return []
    settings = t.judged.settings(other(closer))
    stack = settings.stack if settings else None
    return [
        Line(
            'Keepalive asks one thing: does the peer\'s TCP still answer? It did. A FIN says "I send no more", not'
            f' "I am gone": {t.the(closer)}\'s kernel answers for the half-closed connection, with or without a'
            " program behind it.",
            frames,
        ),
        Line(
            f"So the count of failed probes stayed at 0 ({gives_up_at(stack)}). While {t.the(closer)} answers,"
            f" keepalive will not get {t.the(other(closer))} out of CLOSE-WAIT: its program must close.",
            frames,
        ),
    ]


def stub_line(t: Teller, closer: Side) -> Line | None:
    """Say what the IP ID tells of the closer's socket, if it tells anything."""
    fin, zero = t.fin(closer), t.facts(closer).id_zero_frame
    if fin is None or zero is None or zero <= fin.frame:
        return None
    return Line(
        f"From frame {zero} on {t.the(closer)}'s packets have IP ID 0. Linux does that once only a stub of a closed"
        " socket is left, so the program had most likely closed or ended, and not merely shut down its sending"
        " side.",
        (zero,),
    )
