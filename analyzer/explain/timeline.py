"""The timeline of a flow: one line an event, runs of probes as one line, derived states where they change."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from analyzer.explain.left import may_be_between
from analyzer.explain.state_words import fates, left_as, over, state_at_end, unless_second
from analyzer.explain.trains import train_lines
from analyzer.judge.closings import closings
from analyzer.judge.connection import State
from analyzer.judge.milestones import FIN_AGAIN
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import HANDSHAKE_MOST_NS
from analyzer.track.flow import SIDES
from analyzer.words.beats import beat_line
from analyzer.words.fins import refused_fin
from analyzer.words.icmp import fits_at_most, fitting, icmp_text, sent_to
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, spacing, times

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from analyzer.judge.events import Challenge, Fin, Reset
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

STRANGE: Final = {"ttl": "TTL", "mac": "MAC address", "ip_id": "IP ID"}
"""In what a RST can differ from the packets before it; that its sender went on is told by what follows."""

CLOSINGS: Final = 6
"""This many closings of a window have lines of their own."""
ALIKE: Final = 6
"""This many events that are alike have lines of their own."""
TURNS: Final = 12
"""Where what comes too late changes more often than this, all of a kind is one line."""


class _Event(Protocol):
    """Something that is one frame."""

    @property
    def frame(self) -> int: ...

    @property
    def ts_ns(self) -> int: ...


T = TypeVar("T", bound=_Event)


def timeline(t: Teller) -> tuple[Line, ...]:
    """Return the events of a flow in order of their first frame."""
    events = _opening(t)
    for side in SIDES:
        events += [*_data(t, side), *train_lines(t, side), *_window_probes(t, side), *_icmp(t, side), *_resent(t, side)]
    events += [beat_line(t, train) for train in t.record.heartbeats]
    events += [*_fins(t), *_resets(t), *_challenges(t), *_late(t)]
    events.sort(key=lambda line: (line.frames or (0,))[0])
    return (*_midstream(t, events), *events, *_capture_end(t))


def _line(t: Teller, text: str, frames: Sequence[int], ts_ns: int | None) -> Line:
    at_ns = None if ts_ns is None else ts_ns - t.start_ns
    return Line(text, tuple(sorted(set(frames))), at_ns)


def _with_states(t: Teller, text: str, frames: Sequence[int]) -> str:
    states = t.states_text(frames)
    return f"{text} -> {states}" if states else text


def _midstream(t: Teller, events: Sequence[Line]) -> list[Line]:
    """That there is no handshake, before anything else, for a new SYN on the connection may precede its segments.

    Where headers are cut off, a SYN may be among what cannot be read.
    """
    record = t.record
    if record.initiator is not None:
        return []
    early = min(((line.frames[0], line.at_ns) for line in events if line.frames), default=(record.first_frame, None))
    text = "capture starts in mid-connection: its SYN is not in it"
    if record.cut:
        text = "first segment captured; where the headers are cut off, a SYN cannot be told from any other segment"
    if early[1] is None or early[0] >= record.first_frame:
        return [_line(t, text, (record.first_frame,), record.first_ns)]
    return [Line(text, early[:1], early[1])]


def _opening(t: Teller) -> list[Line]:
    """Handshake."""
    record = t.record
    if record.initiator is None:
        return []
    opener, called = t.facts(record.initiator), t.facts(other(record.initiator))
    client, server = t.name(record.initiator), t.name(other(record.initiator))
    frames = [f for f in (opener.syn_frame, called.syn_frame) if f]
    start = opener.syn_ns if opener.syn_ns is not None else called.syn_ns
    if opener.syn_frame and called.syn_frame and opener.ack_frame and opener.ack_ns is not None and start is not None:
        frames.append(opener.ack_frame)
        late_ns = opener.ack_ns - (called.syn_ns or start)
        if late_ns > HANDSHAKE_MOST_NS:
            text = f"{client} opens the connection: SYN, SYN,ACK; its first ACK seen {duration(late_ns)} later"
            return [_line(t, f"{text} -> both ESTABLISHED", frames, start)]
        text = f"{client} opens the connection: SYN, SYN,ACK, ACK in {duration(opener.ack_ns - start)}"
        if record.synacks_again:
            text += f" -> {client} ESTABLISHED, {server} SYN-RECEIVED: it sends its SYN,ACK again"
            return [_line(t, text, frames, start)]
        return [_line(t, f"{text} -> both ESTABLISHED", frames, start)]
    if called.syn_frame and not opener.syn_frame:
        return [_line(t, f"SYN,ACK from the {server}; the SYN before it was not captured", frames, start)]
    text = f"{client} sends SYN" + (f" {times(opener.syn_count)}" if opener.syn_count > 1 else "")
    if called.syn_frame:
        return [_line(t, f"{text}; {server} answers SYN,ACK", frames, start)]
    if opener.ack_frame:
        return [_line(t, f"{text}; the {server}'s SYN,ACK was not captured", frames, start)]
    return [_line(t, f"{text}; no SYN,ACK comes", frames, start)]


def _data(t: Teller, side: Side) -> list[Line]:
    """What an endpoint sent: one line from first to last."""
    facts = t.facts(side)
    if facts.first_data_frame is None or facts.last_data_frame is None:
        return []
    if any(late.frame == facts.first_data_frame for late in t.record.late):
        return []  # told as what came too late
    text = f"{t.name(side)} sends {count(facts.payload_bytes, 'byte')} of data"
    if facts.last_data_frame != facts.first_data_frame:
        assert facts.last_data_ns is not None
        text += f", the last at {t.at(facts.last_data_ns)}"
    return [_line(t, text, (facts.first_data_frame, facts.last_data_frame), facts.first_data_ns)]


def _window_probes(t: Teller, side: Side) -> list[Line]:
    """Each closing of the other end's window that this one probed; of many the first, and how many more."""
    receiver = other(side)
    every = [closing for closing in closings(t.record, receiver) if closing.probes]
    found = []
    for closing in every[:CLOSINGS]:
        probes = closing.probes
        if closing.shut_frame is not None and closing.shut_ns is not None:
            did = "has closed" if closing.closed_before else "closes"
            text = f"{t.name(receiver)} {did} its receive window"
            found.append(_line(t, text, [closing.shut_frame], closing.shut_ns))
        spans = spacing([late.ts_ns - early.ts_ns for early, late in pairwise(probes)])
        asks = count(len(probes), "zero-window probe")
        text = f"{t.name(side)} sends {asks} to ask whether {t.the(receiver)}'s window has opened"
        found.append(_line(t, text + (f", {spans}" if spans else ""), [p.frame for p in probes], probes[0].ts_ns))
        if closing.opened_frame is not None:
            text = f"{t.name(receiver)} opens its window again"
            found.append(_line(t, text, [closing.opened_frame], closing.until_ns))
    rest = every[CLOSINGS:]
    if rest:
        frames = [probe.frame for closing in rest for probe in closing.probes]
        text = f"{t.name(receiver)} closes its window {times(len(rest))} more, {t.the(side)} asks {times(len(frames))}"
        found.append(_line(t, text, frames, rest[0].probes[0].ts_ns))
    return found


def _icmp(t: Teller, side: Side) -> list[Line]:
    errors, found = t.record.errors_about(side), []
    if moved := t.record.redirects_of(side):
        where = sent_to(moved[0].router, t.the(other(side)))
        text = f"{moved[0].source} tells {t.the(side)} by ICMP to send {where}"
        found.append(_line(t, text, [error.frame for error in moved], moved[0].ts_ns))
    if not errors:
        return found
    kinds = sorted({icmp_text(error.version, error.type, error.code) for error in errors})
    fit = fitting(fits_at_most(errors))
    end = "which ends nothing" if len(errors) == 1 else "which end nothing"
    text = f"{count(len(errors), 'ICMP error')} to {t.the(side)} ({', '.join(kinds)}{fit}), {end}"
    return [*found, _line(t, text, [error.frame for error in errors], errors[0].ts_ns)]


def _resent(t: Teller, side: Side) -> list[Line]:
    resent = [again for again in t.record.resent if again.sender == side]
    if not resent:
        return []
    text = f"{t.name(side)} retransmits data, {times(len(resent))}"
    return [_line(t, text, [again.frame for again in resent], resent[0].ts_ns)]


def _resent_fin(t: Teller, fin: Fin) -> list[Line]:
    """That a FIN was sent again and again."""
    facts = t.facts(fin.sender)
    if not facts.resent or facts.unacked_frame != fin.frame or facts.resent_frame is None:
        return []
    text = f"{t.name(fin.sender)} retransmits its FIN, {times(facts.resent)}: nothing acknowledges it"
    return [_line(t, text, [facts.resent_frame], facts.resent_ns)]


def _fins(t: Teller) -> list[Line]:
    """Each FIN and its acknowledgement, with the states they lead to."""
    found = []
    in_time = t.record.fins_in_time
    for fin in t.record.fins:
        if fin not in in_time:
            text = f"{t.name(fin.sender)} sends FIN; {over(t, fin.sender)}"
            found += [_line(t, text, [fin.frame], fin.ts_ns), *_resent_fin(t, fin)]
            continue
        refused = refused_fin(t)
        if refused is not None and refused[0] is fin:
            text = f"{t.name(fin.sender)} sends FIN -> {t.name(fin.sender)} {State.LAST_ACK.value}"
            found.append(_line(t, text, [fin.frame], fin.ts_ns))
        else:
            text = _with_states(t, f"{t.name(fin.sender)} sends FIN", [fin.frame])
            taken = f"{t.name(other(fin.sender))} {State.CLOSE_WAIT.value}"
            if fin.acked_frame is None:
                text = text.replace(taken, f"{taken} if it arrived")
            own = f"{t.name(fin.sender)} {State.FIN_WAIT_1.value}"
            text = text.replace(own, own + unless_second(t, fin.sender, State.FIN_WAIT_1))
            found.append(_line(t, text, [fin.frame], fin.ts_ns))
        if refused is not None and refused[0] is fin:
            found += _resent_fin(t, fin)
        elif fin.acked_frame is None:
            text = "that FIN is not acknowledged in the capture, so whether it arrived is unknown"
            found.append(_line(t, text, [fin.frame], fin.ts_ns))
            continue
        if fin.acked_frame is not None and (again := t.facts(fin.sender).fin_resent):
            text = f"{t.name(fin.sender)} retransmits its FIN, {times(again)}, until it is acknowledged"
            found.append(_line(t, text, [fin.frame], fin.ts_ns))
        if fin.acked_frame is not None and not any(fin.acked_frame == another.frame for another in t.record.fins):
            text = f"{t.name(other(fin.sender))} acknowledges the FIN"
            found.append(_line(t, _with_states(t, text, [fin.acked_frame]), [fin.acked_frame], fin.acked_ns))
        if len(fin.again) >= FIN_AGAIN:
            text = f"{t.name(fin.sender)} retransmits its FIN {times(len(fin.again))}: no acknowledgement reached it"
            found.append(_line(t, text, fin.again, fin.again_ns[0]))
    return found


def _resets(t: Teller) -> list[Line]:
    """Each RST; of many that are alike the first few, and all that follow in one line."""
    told_of = attrgetter("sender", "has_ack", "kind", "strange", "reception", "receiver_state", "accepted_end")

    done = fates(t)

    def alike(reset: Reset) -> Hashable:
        fate = done.get(reset.frame, "").partition("(")[0]
        return told_of(reset), reset.answers_probe is None, reset.challenge_frame is None, fate

    return _few_of_each(t, t.record.resets, alike, lambda reset: _reset(t, reset, done.get(reset.frame)))


def _few_of_each(
    t: Teller, events: Iterable[T], alike: Callable[[T], Hashable], line: Callable[[T], Line]
) -> list[Line]:
    """Return a line for each event; of more than ALIKE that are alike, one for all but the first few."""
    kinds: defaultdict[Hashable, list[T]] = defaultdict(list)
    for event in events:
        kinds[alike(event)].append(event)
    found = []
    for same in kinds.values():
        apart = ALIKE if len(same) > ALIKE + 1 else len(same)
        found += [line(event) for event in same[:apart]]
        if rest := same[apart:]:
            text = f"{line(same[0]).text}: {times(len(rest))} more, until {t.at(rest[-1].ts_ns)}"
            found.append(_line(t, text, [event.frame for event in rest], rest[0].ts_ns))
    return found


def _reset(t: Teller, reset: Reset, fate: str | None) -> Line:
    """Return the line of a RST; ``fate`` is what it did behind the one that ended the flow."""
    between = reset.frame == t.ending.frame and may_be_between(t.judged)
    whose = f"in {t.the(reset.sender)}'s name" if between else f"from {t.the(reset.sender)}"
    text = f"RST{'+ACK' if reset.has_ack else ''} {whose}"
    if reset.answers_probe is not None:
        text += f"{',' if between else ''} in answer to the probe"
    elif reset.kind == "gave_up":
        unseen = t.record.is_unseen(other(reset.sender))
        text += ", as a prober sends when it gives up" if unseen else ": it gives up"
    if different := [STRANGE[word] for word in reset.strange if word in STRANGE]:
        what = ", ".join(different)
        text += f"; unlike {t.the(reset.sender)}'s other packets in {what}"
    if reset.kind == "ignored":
        known = reset.reception in {"dropped", "challenged"} and not _is_before_it_was_open(t, reset)
        why = f" in {reset.receiver_state}" if known else ""
        text += f"; without effect{why}"
        if reset.challenge_frame is None:
            return _line(t, text, [reset.frame], reset.ts_ns)
        receiver = t.the(other(reset.sender))
        return _line(
            t, f"{text}: {receiver} answers with a challenge ACK", [reset.frame, reset.challenge_frame], reset.ts_ns
        )
    if not reset.accepted_end:
        text += fate or f"; {over(t, other(reset.sender))}"
        return _line(t, text, [reset.frame], reset.ts_ns)
    if t.ending.verdict is Verdict.CLOSED:
        refused = refused_fin(t)
        if refused is not None and refused[1] is reset:
            text = f"{text} in answer to that FIN -> {t.name(refused[0].sender)} CLOSED"
            return _line(t, text, [reset.frame], reset.ts_ns)
        return _line(t, f"{text}; both ends had closed", [reset.frame], reset.ts_ns)
    return _line(t, f"{text} -> {left_as(t, reset)}", [reset.frame], reset.ts_ns)


def _is_before_it_was_open(t: Teller, reset: Reset) -> bool:
    """Say whether a RST came to an end that may have been open already, but of which it shows only later."""
    word, side = State.ESTABLISHED.value, SIDES.index(other(reset.sender))
    came = [change.frame for change in t.record.changes if change.side == side and change.state is State.ESTABLISHED]
    return reset.receiver_state == word and bool(came) and came[0] > reset.frame


def _challenges(t: Teller) -> list[Line]:
    """What drew a challenge ACK, and the ACK."""
    found = []
    new_syn = t.record.new_syn
    if new_syn is not None:
        holder = t.the(other(new_syn.sender))
        text = f"new SYN from {t.the(new_syn.sender)} on this connection: {holder} answers with a challenge ACK"
        found.append(_line(t, text, [new_syn.frame, new_syn.ack_frame], new_syn.ts_ns))
    alike = attrgetter("sender", "drawn_by")
    return found + _few_of_each(t, t.record.challenges, alike, lambda challenge: _challenge(t, challenge))


def _challenge(t: Teller, challenge: Challenge) -> Line:
    other_end, sender = t.name(other(challenge.sender)), t.the(challenge.sender)
    synack = t.record.responder == other(challenge.sender)
    again = "sends SYN,ACK again" if synack else "sends SYN again"
    did = again if challenge.drawn_by == "syn" else "acknowledges data that was never sent"
    text = f"{other_end} {did}: {sender} answers with a challenge ACK"
    return _line(t, text, [challenge.drawn_frame, challenge.frame], challenge.ts_ns)


def _late(t: Teller) -> list[Line]:
    """What came when the connection was over, each as what it is."""
    fins = {fin.frame for fin in t.record.fins}
    left = [late for late in t.record.late if late.frame not in fins]
    both = "both ends had closed" if t.ending.verdict is Verdict.CLOSED else None
    found = []
    alike = attrgetter("sender", "is_")
    if sum(1 for _ in groupby(left, key=alike)) > TURNS:
        left.sort(key=alike)
    for (sender, is_), together in groupby(left, key=alike):
        group = list(together)
        text = f"{t.name(sender)} {_deed(is_, len(group), sum(late.payload_len for late in group))}"
        asked = [probe for probe in t.probes(other(sender)) if probe.answer is None and probe.frame < group[0].frame]
        if is_ == "ack" and asked:
            text += ", too late to answer a probe"
        text += f"; {both or over(t, sender)}"
        found.append(_line(t, text, [late.frame for late in group], group[0].ts_ns))
    return found


def _deed(is_: str, segments: int, octets: int) -> str:
    """Return what an endpoint did with so many segments of a kind."""
    if is_ == "data":
        return f"sends {count(octets, 'byte')} of data"
    if is_ == "ack":
        return "sends an ACK" if segments == 1 else f"sends {segments} ACKs"
    return f"sends {is_.upper()}" + (f" {times(segments)}" if segments > 1 else "")


def _capture_end(t: Teller) -> list[Line]:
    """Where the capture ends, unless the flow ended before."""
    if t.ending.verdict.is_over:
        return []
    after = t.record.end_ns - t.record.last_ns
    is_hole = any(hole.from_ns == t.record.end_ns for hole in t.record.holes)
    text = "the capture has a hole from here on" if is_hole else "capture ends"
    if t.record.reused_ns is not None and t.record.reused_ns == t.record.end_ns and not is_hole:
        text = "another connection begins on these addresses and ports"
    text += f", {duration(after)} after the flow's last segment" if after > 0 else ""
    if t.ending.verdict is Verdict.UNESTABLISHED:
        return [Line(text, (t.record.last_frame,), t.record.end_ns - t.start_ns)]
    states = ", ".join(state_at_end(t, side) for side in SIDES)
    return [Line(f"{text}: {states}", (t.record.last_frame,), t.record.end_ns - t.start_ns)]
