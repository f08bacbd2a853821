"""Flows that never began, of which the capture cannot tell, and endings that no finding explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain import blocked
from analyzer.findings.kinds import capture_lacks
from analyzer.judge.nearness import answers_nothing, is_late, reset_took_ns, soonest_ns
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import ANSWER_RST_NS, MS
from analyzer.track.flow import SIDES
from analyzer.words.hidden import NOT_CAPTURED, PERHAPS_DROPPED
from analyzer.words.model import Line
from analyzer.words.probes import probe_summary
from analyzer.words.teller import count, duration, lines, number, spacing, times

if TYPE_CHECKING:
    from analyzer.judge.events import Reset
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def nothing(t: Teller) -> list[Line]:
    """Return no further words."""
    del t
    return []


# ── never established ──


def unestablished_headline(t: Teller) -> str:
    """Return a failed handshake in one line."""
    opener = t.record.initiator
    if opener is None:
        return "No handshake was completed."
    if any(reset.sender == other(opener) for reset in t.record.resets):
        return f"{t.start(opener)}'s SYN was refused with a RST: never established."
    sent = times(t.facts(opener).syn_count)
    if t.facts(other(opener)).syn_frame and t.record.resets:
        return f"{t.start(opener)} sent SYN {sent}, and answered the SYN,ACK with a RST: not established."
    if t.facts(other(opener)).syn_frame:
        return f"{t.start(opener)} sent SYN {sent}, got SYN,ACK, and never answered it: not established."
    if blocked.acks(t):
        return (
            f"{t.start(opener)} sent SYN {sent} and got ACKs in place of SYN,ACK: {t.the(other(opener))} most likely"
            " still holds an older connection on these addresses and ports. Not established."
        )
    return f"{t.start(opener)} sent SYN {sent} and got neither SYN,ACK nor RST: never established."


def unestablished(t: Teller) -> list[Line]:
    """Return the SYNs and what came of them."""
    opener = t.record.initiator
    if opener is None:
        return [Line("No handshake was completed.", (t.record.first_frame,))]
    called = other(opener)
    facts = t.facts(opener)
    frames = tuple(sorted({frame for frame in (facts.syn_frame, t.record.last_frame) if frame}))
    refused = [reset for reset in t.record.resets if reset.sender == called]
    if refused:
        text = (
            f"{t.start(called)}'s address answered the SYN with a RST: nothing listens there, or a middlebox"
            " refuses it."
        )
        return [Line(text, (*frames[:1], refused[0].frame))]
    if t.facts(called).syn_frame and t.record.resets:
        text = (
            f"{t.start(called)} answered SYN,ACK, and {t.the(opener)}'s address sent RST to that: it wanted no such"
            " connection (any more), or was only asking whether the port is open."
        )
        return [Line(text, (*frames[:1], t.record.resets[0].frame))]
    if t.facts(called).syn_frame:
        return [Line(f"{t.start(called)} answered SYN,ACK, but no ACK from {t.the(opener)} follows.", frames)]
    if acks := blocked.acks(t):
        return blocked.happened(t, opener, acks)
    text = f"{t.start(opener)} sent SYN {times(facts.syn_count)}; neither SYN,ACK nor RST for it is in the capture."
    return [Line(text, frames)]


def unestablished_why(t: Teller) -> list[Line]:
    """Return that keepalive has no part in this."""
    text = "Keepalive does not run before a connection is established; connection attempts have timers of their own."
    return [Line(text, (t.record.first_frame,))]


# ── cannot be told ──


def undetermined_headline(t: Teller) -> str:
    """Return why the capture cannot tell, in one line."""
    one_sided = t.find(capture_lacks.ONE_SIDED.code)
    if why := (NOT_CAPTURED | PERHAPS_DROPPED).get(t.ending.rule):
        return f"Undetermined: {why}."
    if one_sided is None:
        return "Undetermined: the snap length cut the TCP headers off before the window field."
    seen = t.the(other("a" if one_sided.data["unseen"] == "a" else "b"))
    suspected = number(one_sided, "probes")
    probes = f"; {count(suspected, 'suspected probe')}, answers not visible here" if suspected else ""
    return f"Undetermined: only packets from {seen} were captured, none of its peer{probes}."


def undetermined(t: Teller) -> list[Line]:
    """Return what is missing."""
    frames = (t.record.first_frame, t.record.last_frame)
    if t.ending.rule in NOT_CAPTURED:
        return [*probe_summary(t), *_not_captured(t)]
    if t.ending.rule in PERHAPS_DROPPED:
        dropped = t.record.lost + sum(hole.packets for hole in t.record.holes)
        text = (
            f"The last thing sent stayed unanswered, but was sent no more than twice, and"
            f" {count(dropped, 'packet')} {'was' if dropped == 1 else 'were'} dropped while capturing. A few missing"
            " answers show no silence then."
        )
        return [*probe_summary(t), Line(text, frames)]
    cut, probes = t.find(capture_lacks.CUT.code), t.record.probes
    missing = None
    if cut:
        segments = count(number(cut, "segments"), "segment")
        text = f"The TCP header of {segments} is cut off before the window field, too early to judge by."
        missing = Line(text, cut.frames)
    if t.find(capture_lacks.ONE_SIDED.code) is None:
        return lines(missing) or [Line("The capture shows too little of this flow.", frames)]
    one_sided = Line(
        "With one direction missing nothing can be called unanswered, and only even spacing tells a probe from a"
        " repeated ACK.",
        frames,
    )
    reset = t.record.ending_reset
    if reset is not None and reset.kind == "gave_up":
        one_sided = Line(
            f"Only one direction was captured, but {t.the(reset.sender)}'s RST comes one interval after its last probe,"
            " as a kernel's does that gives up: no answer to these probes reached it (inferred).",
            (*(probe.frame for probe in probes), reset.frame),
        )
    suspected = None
    if probes:
        text = f"{count(len(probes), 'segment')} come so evenly that they are suspected to be probes{_apart(t)}."
        suspected = Line(text, tuple(probe.frame for probe in probes))
    return lines(missing, _heard_elsewhere(t), one_sided, suspected)


def _apart(t: Teller) -> str:
    """Return what the times of suspected probes tell of idle time and interval."""
    gaps = sorted(probe.gap_ns for probe in t.record.probes if not probe.first_of_train and probe.gap_ns)
    if not gaps:
        return ""
    text = f": {spacing(gaps)}, the longer of idle time and interval if they are answered"
    sent_ns = t.facts(t.record.probes[0].sender).last_data_ns
    first = next((probe for probe in t.record.probes if sent_ns is not None and probe.ts_ns > sent_ns), None)
    if first is None or sent_ns is None:
        return text
    # what it received later, unseen, would have made the wait longer
    return f"{text}; idle time at most {duration(first.ts_ns - sent_ns)}, from its last data to the next one"


def _heard_elsewhere(t: Teller) -> Line | None:
    """Return how often the end that was captured acknowledged something new of the other, of which nothing was."""
    for side in SIDES:
        facts = t.facts(side)
        if facts.segments or not facts.missed:
            continue
        more = count(facts.missed, "time")
        last = f", the last at {t.at(facts.missed_ns)}" if facts.missed_ns is not None else ""
        text = (
            f"{t.start(other(side))} acknowledged something new {more}{last}, so packets of {t.the(side)} reached it by"
            " a way that does not pass here: it was alive until then."
        )
        if facts.unseen_fin:
            text += (
                f" The last was a single octet, most likely a FIN; if so, {t.the(side)} had closed, and"
                f" {t.the(other(side))}'s program read end of file."
            )
            later = [probe for probe in t.record.probes if facts.missed_ns and probe.ts_ns > facts.missed_ns]
            text += f" {count(len(later), 'probe')} came after it." if later else " No probe came after it."
        return Line(text, (t.record.first_frame, t.record.last_frame))
    return None


def _not_captured(t: Teller) -> list[Line]:
    """Return what shows that answers passed elsewhere."""
    found = []
    for side in SIDES:
        facts = t.facts(side)
        if t.ending.rule == "acknowledgements-not-captured" and facts.unacked_frame and not facts.resent:
            text = (
                f"From frame {facts.unacked_frame:,} on {t.the(side)} sent data of which no acknowledgement is in the"
                " capture, and retransmitted none of it. So it must have been acknowledged, by packets that were not"
                " captured here."
            )
            found.append(Line(text, (facts.unacked_frame, facts.last_data_frame or t.record.last_frame)))
    if t.ending.rule == "more-probes-than-any-count":
        text = (
            "Both ends are alive. Answers pass another way than this point, or were left out when this file was made"
            " (a filter for probes alone does that). Nothing can be called unanswered here."
        )
        return [Line(text, (t.record.first_frame, t.record.last_frame))]
    text = (
        "Answers came that this capture does not have: one direction takes another way, or was lost while capturing."
        " Nothing can be called unanswered here."
    )
    return [*found, Line(text, (t.record.first_frame, t.record.last_frame))]


# ── endings that no finding explains ──


def reset_headline(t: Teller) -> str:
    """Return any other RST in one line."""
    reset = t.reset
    assert reset is not None
    fin = t.fin(reset.sender)
    if reset.kind == "gave_up":
        return f"{t.start(reset.sender)} gave up on its peer and sent RST."
    if fin is not None:
        after = duration(reset.ts_ns - fin.ts_ns)
        who = t.the(other(reset.sender))
        lost = f"; {count(reset.lost_bytes, 'byte')} from {who} had not been acknowledged" if reset.lost_bytes else ""
        return f"{t.start(reset.sender)} sent FIN and {after} later a RST, which ended the connection{lost}."
    what = "in answer to a probe " if reset.answers_probe else ""
    return f"A RST from {t.the(reset.sender)} {what}ended the connection."


def reset(t: Teller) -> list[Line]:
    """Return any other RST."""
    found = t.reset
    assert found is not None
    fin = t.fin(found.sender)
    shape = "RST+ACK" if found.has_ack else "RST without ACK"
    before = None
    if fin is not None:
        before = Line(f"It had sent FIN {duration(found.ts_ns - fin.ts_ns)} earlier.", (fin.frame,))
    return lines(
        *probe_summary(t),
        Line(f"{t.start(found.sender)} sent {shape} at {t.at(found.ts_ns)}: the end.", (found.frame,)),
        before,
        lost_line(t),
    )


def lost_line(t: Teller) -> Line | None:
    """Return how much of the data that a RST met was not acknowledged, or None if none was."""
    found = t.reset
    if found is None or not found.lost_bytes:
        return None
    writer = other(found.sender)
    text = (
        f"{count(found.lost_bytes, 'byte')} that {t.the(writer)} had sent were never acknowledged, so they may be lost."
    )
    return Line(text, tuple(sorted({t.facts(writer).last_data_frame or found.frame, found.frame})))


def reset_why(t: Teller) -> list[Line]:
    """Return what a RST after a FIN, or a bare one, usually is."""
    found = t.reset
    assert found is not None
    if t.fin(found.sender) is not None:
        text = (
            "A RST after the sender's own FIN usually means that its program had closed in full and data came that"
            " nobody will read, or that its kernel stopped waiting."
        )
        return [Line(text, (found.frame,))]
    if not found.has_ack:
        what = 'A RST without ACK is the answer "no such connection"'
        asked = t.facts(other(found.sender))
        if asked.resent_ns is not None and 0 <= found.ts_ns - asked.resent_ns <= ANSWER_RST_NS:
            fin = t.fin(other(found.sender))
            sent = "FIN" if fin is not None and asked.unacked_frame == fin.frame else "data"
            text = f"{what}: most likely to the {sent} that {t.the(other(found.sender))} had just sent again."
            return [Line(text, tuple(sorted({asked.resent_frame or found.frame, found.frame})))]
        return _answered_by(t, found, what)
    return []


def _answered_by(t: Teller, found: Reset, what: str) -> list[Line]:
    """Return what a RST without ACK answers, or that it answers nothing that was captured."""
    asker = other(found.sender)
    took_ns, facts = reset_took_ns(t.record, found), t.facts(asker)
    if took_ns is not None and found.reception == "taken":
        text = (
            f"{what}: its sequence number is the acknowledgement number of {t.the(asker)}'s segment {duration(took_ns)}"
            f" before it, {_answers_that(t, found, took_ns)}"
        )
        asked = facts.active_frame if facts.active_ns == facts.last_ns else None
        return [Line(text, tuple(sorted({asked or found.frame, found.frame}))), *_given_up(t, found)]
    if took_ns is not None and found.reception == "perhaps" and t.facts(found.sender).resent:
        text = f"{what}: most likely to {t.the(asker)}'s segment {duration(took_ns)} before it."
        return [Line(text, (found.frame,)), *_given_up(t, found)]
    if took_ns is not None or t.record.is_unseen(asker) or not answers_nothing(t.record, found):
        return [Line(f"{what}; which segment it answers is not clear here.", (found.frame,))]
    silent = f" for {duration(found.ts_ns - facts.last_ns)}" if facts.last_ns is not None else ""
    low, high = found.own_ttl or (found.ttl, found.ttl)
    ttl = "" if low <= found.ttl <= high else f" Its TTL ({found.ttl}), unlike {t.the(found.sender)}'s, fits that."
    text = (
        f'A RST without ACK has the form of "no such connection", but it answers nothing that was captured:'
        f" {t.the(asker)} had sent nothing{silent}. Either it was sent unasked, as"
        " some balancers and firewalls do when an idle limit runs out (Azure with TCP"
        f" reset).{ttl} Or what it answers passed elsewhere."
    )
    return [Line(text, (found.frame,))]


def _answers_that(t: Teller, found: Reset, took_ns: int) -> str:
    """Return how sure it is that a RST with the right number answers a segment: its sender may take that long."""
    known = soonest_ns(t.record, found.sender, found.frame)
    if known is None or not is_late(took_ns, known[0]):
        return "so it answers that."
    usual = "1 ms" if known[0] < MS else duration(known[0])
    return f"but {t.the(found.sender)} had answered within {usual}: it may answer that late, or was sent unprompted."


def _given_up(t: Teller, found: Reset) -> list[Line]:
    """Say that who sent a RST had sent data again and again in vain: it may have given up before, without a RST."""
    own = t.facts(found.sender)
    if not own.resent or own.resent_ns is None or own.unacked_frame is None or own.resent_frame is None:
        return []
    what = "its data" if t.fin(found.sender) is None else "its data or FIN"
    text = (
        f"{t.start(found.sender)} had sent {what} {times(own.resent)} more, unacknowledged, the last"
        f" {duration(found.ts_ns - own.resent_ns)} before that RST. Most likely its kernel had given up by then, of"
        " which Linux sends nothing (TCP_USER_TIMEOUT, or net.ipv4.tcp_retries2 ran out), or its program had closed:"
        " that RST is not what broke the connection."
    )
    return [Line(text, tuple(sorted({own.unacked_frame, own.resent_frame, found.frame})))]


def silent_headline(t: Teller) -> str:
    """Return any other silence in one line."""
    if waiting := _waiting(t):
        lasted = duration(t.record.end_ns - (t.facts(waiting).unacked_ns or 0))
        what = f"{t.start(waiting)}'s {_outstanding(t, waiting)}"
        return f"{what} stayed unacknowledged for {lasted}, until {t.its_end}."
    after = duration(t.record.end_ns - t.record.last_ns)
    return f"Silence: what was sent last stayed unanswered for {after}, until {t.its_end}."


def silent(t: Teller) -> list[Line]:
    """Return any other silence."""
    text = f"The last segment, at {t.at(t.record.last_ns)}, and what was sent before it, stayed unanswered."
    return [*probe_summary(t), *_sent_again(t), Line(text, (t.record.last_frame,))]


def _waiting(t: Teller) -> Side | None:
    """Return the end that sent something again in vain, the one that did for longer if both; None if neither did."""
    since = [(t.facts(side).unacked_ns, side) for side in SIDES if t.facts(side).resent]
    return min(((ns, side) for ns, side in since if ns is not None), default=(0, None))[1]


def _outstanding(t: Teller, side: Side) -> str:
    fin = t.fin(side)
    return "FIN" if fin is not None and fin.frame == t.facts(side).unacked_frame else "data"


def _sent_again(t: Teller) -> list[Line]:
    """Return how often that was sent again; a finding says so where no probe came in that time."""
    side = _waiting(t)
    if side is None:
        return []
    facts = t.facts(side)
    text = f"{t.start(side)} retransmitted its {_outstanding(t, side)} {times(facts.resent)}; nothing acknowledged it."
    frames = {frame for frame in (facts.unacked_frame, facts.resent_frame) if frame is not None}
    return [Line(text, tuple(sorted(frames)))]


def heard_by_syn(t: Teller) -> list[Line]:
    """Return that an end whose silence is told sent a new SYN meanwhile: its host was alive."""
    new = t.record.new_syn
    if new is None or t.ending.verdict not in {Verdict.TIMED_OUT, Verdict.SILENT}:
        return []
    given_up = t.reset
    if given_up is not None and given_up.sender == new.sender and given_up.ts_ns < new.ts_ns:
        text = (
            f"But {t.the(other(new.sender))} was alive, and still held the connection: at {t.at(new.ts_ns)}"
            f" {t.the(new.sender)} sent a new SYN on its addresses and ports, which {t.the(other(new.sender))} answered"
            " with an ACK of the old numbers. So that RST had not reached it."
        )
        return [Line(text, (given_up.frame, new.frame, new.ack_frame))]
    heard_ns = t.facts(new.sender).last_ns
    if heard_ns is not None and new.ts_ns <= heard_ns:
        return []
    text = (
        f"But its host was alive: at {t.at(new.ts_ns)} {t.the(new.sender)} sent a new SYN on this connection's"
        f" addresses and ports, which {t.the(other(new.sender))} answered with an ACK of the old numbers."
    )
    return [Line(text, (new.frame, new.ack_frame))]
