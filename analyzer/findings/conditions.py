"""The conditions that the third table is made of: facts about one flow, seen from one endpoint.

Each docstring is the sentence that ``keepalive rules`` prints. A condition that cannot be sure answers no: a finding
that is wrong once is not believed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from analyzer.findings.case import Case
from analyzer.judge.signatures import Middlebox, middleboxes_within
from analyzer.judge.verdict import Verdict

if TYPE_CHECKING:
    from analyzer.judge.record import NotProbe
    from analyzer.track.flow import Side

Condition = Callable[[Case], bool]

ANSWER_NS: Final = 3_000_000_000
"""A RST later than this after data does not answer it."""
LONG_NS: Final = 60_000_000_000
"""The shortest idle time after which some box on the way ends a connection (field guide 6); less is no news."""
AGGRESSIVE_NS: Final = 10_000_000_000
"""Probing more often serves no path, whose shortest limit is 60 s; in ``signatures`` only Node's agent does so."""
AGGRESSIVE_LEAST: Final = 3
"""So many equal gaps, before a rhythm is called one."""
UNPROMPTED_NS: Final = (55_000_000_000, 65_000_000_000)
"""When after its FIN was acknowledged macOS 12 and later resets by itself (field guide 3.3, 9.5)."""
IN_USE_NS: Final = 10_000_000_000


def probes(case: Case) -> bool:
    """It sent a probe (certain or probable)."""
    return any(probe.certainty != "suspected" for probe in case.probes)


def peer_probes(case: Case) -> bool:
    """Its peer sent one too."""
    return any(probe.certainty != "suspected" and probe.sender == case.peer for probe in case.record.probes)


def sent_fin(case: Case) -> bool:
    """It sent FIN."""
    return case.fin is not None


def sent_no_fin(case: Case) -> bool:
    """It sent no FIN."""
    return case.fin is None


def peer_sent_fin(case: Case) -> bool:
    """Its peer sent FIN."""
    return case.peer_fin is not None


def peer_fin_acknowledged(case: Case) -> bool:
    """Its peer's FIN was acknowledged: it arrived."""
    return case.peer_fin is not None and case.peer_fin.acked_frame is not None


def peer_sent_no_fin(case: Case) -> bool:
    """Its peer sent no FIN."""
    return case.peer_fin is None


def peer_sent_fin_first(case: Case) -> bool:
    """Both ends sent FIN, its peer first."""
    return case.fin is not None and case.peer_fin is not None and case.peer_fin.frame < case.fin.frame


def fin_acknowledged(case: Case) -> bool:
    """Its FIN was acknowledged."""
    return case.fin is not None and case.fin.acked_frame is not None


def probed_before_closing(case: Case) -> bool:
    """It probed between the two FINs."""
    return any(probe.after_fin == "received" for probe in case.probes)


def nobody_probes(case: Case) -> bool:
    """No probe was captured."""
    return not case.record.probes and not case.record.zero_window_probes


def probed_after_peer_fin(case: Case) -> bool:
    """It probed after its peer's FIN."""
    return bool(case.after_peer_fin)


def probed_after_own_fin(case: Case) -> bool:
    """It probed after its own FIN, before any FIN of the peer."""
    return any(probe.after_fin == "sent" for probe in case.probes)


def sent_no_data_since_peer_fin(case: Case) -> bool:
    """It sent no new data after its peer's FIN."""
    fin, sent_ns = case.peer_fin, case.facts.last_data_ns
    return fin is None or sent_ns is None or sent_ns <= fin.ts_ns


def peer_takes_data_after_its_fin(case: Case) -> bool:
    """After its peer's FIN it sent data, and all of it was acknowledged."""
    return not sent_no_data_since_peer_fin(case) and case.facts.unacked_ns is None


def half_closed_for_long(case: Case) -> bool:
    """The half-closed connection was probed, or lasted 10 s."""
    fin = case.peer_fin
    until = case.fin.ts_ns if case.fin else case.record.end_ns
    return fin is not None and (bool(case.record.probes_after_fin) or until - fin.ts_ns >= IN_USE_NS)


def nobody_probes_half_closed(case: Case) -> bool:
    """Neither end probed after that FIN."""
    return not case.record.probes_after_fin


def half_closed_for_a_minute(case: Case) -> bool:
    """The capture went on for at least 60 s after that FIN."""
    return case.peer_fin is not None and case.record.end_ns - case.peer_fin.ts_ns >= LONG_NS


def verdict_half_closed(case: Case) -> bool:
    """The verdict is half_closed."""
    return case.ending.verdict is Verdict.HALF_CLOSED


def verdict_timed_out(case: Case) -> bool:
    """The verdict is timed_out: the prober reset after unanswered probes."""
    return case.ending.verdict is Verdict.TIMED_OUT


def verdict_reset_on_probe(case: Case) -> bool:
    """The verdict is reset_on_probe."""
    return case.ending.verdict is Verdict.RESET_ON_PROBE


def verdict_aborted(case: Case) -> bool:
    """The verdict is aborted."""
    return case.ending.verdict is Verdict.ABORTED


def silent_to_probes(case: Case) -> bool:
    """The verdict is silent, and it is probes that stayed unanswered."""
    return case.ending.rule == "probes-unanswered"


def verdict_silent(case: Case) -> bool:
    """The verdict is silent."""
    return case.ending.verdict is Verdict.SILENT


def one_end_unseen(case: Case) -> bool:
    """Nothing of one endpoint was captured."""
    return case.ending.rule == "one-sided"


def reset_in_its_name(case: Case) -> bool:
    """The RST that ended the flow came in its name."""
    return case.own_reset is not None


def reset_by_itself(case: Case) -> bool:
    """The RST that ended the flow came in its name, and looks like its other packets."""
    return case.own_reset is not None and case.ending.by == case.side


def reset_from_between(case: Case) -> bool:
    """The RST that ended the flow came in its name, but its TTL or MAC address is not that of its other packets."""
    return case.own_reset is not None and case.ending.by == "between"


def reset_answers_data(case: Case) -> bool:
    """That RST has no ACK and window 0, and came within 3 s of the peer's data, which was the peer's last segment."""
    reset, facts = case.own_reset, case.peer_facts
    if reset is None or reset.kind != "no_socket" or facts.last_ns is None:
        return False
    data_ns = max(facts.last_data_ns or -1, facts.resent_ns or -1)
    return data_ns == facts.last_ns and 0 <= reset.ts_ns - data_ns <= ANSWER_NS


def peer_reset_answers_data(case: Case) -> bool:
    """The RST that ended the flow came from its peer, without ACK, right behind data of its own, its last segment."""
    reset = case.reset
    if reset is None or reset.sender != case.peer or case.ending.by != case.peer:
        return False
    return reset_answers_data(replace(case, side=case.peer))


def sent_data_since_peer_fin(case: Case) -> bool:
    """It sent new data after its peer's FIN."""
    return not sent_no_data_since_peer_fin(case)


def reset_is_abort(case: Case) -> bool:
    """That RST bears ACK and answers no probe."""
    reset = case.own_reset
    return reset is not None and reset.has_ack and reset.answers_probe is None


def reset_a_minute_after_fin_acknowledged(case: Case) -> bool:
    """That RST bears ACK, answers nothing, and came 55 to 65 s after its FIN was acknowledged."""
    reset, fin = case.own_reset, case.fin
    if reset is None or fin is None or fin.acked_ns is None:
        return False
    asked = case.peer_facts.last_ns
    prompted = reset.answers_probe is not None or (asked is not None and reset.ts_ns - asked < AT_ONCE_NS)
    after = reset.ts_ns - fin.acked_ns
    return reset.has_ack and not prompted and UNPROMPTED_NS[0] <= after <= UNPROMPTED_NS[1]


AT_ONCE_NS: Final = 20_000_000
"""What follows the peer's segment sooner than this may be its effect."""


def last_probes_unanswered(case: Case) -> bool:
    """Its last probes were not answered."""
    return bool(case.trailing)


def next_probe_overdue(case: Case) -> bool:
    """Twice the spacing of those probes passed to the capture's end without another."""
    spacing = trailing_gap(case)
    return spacing is not None and case.record.end_ns - case.trailing[-1].ts_ns > BROKEN_OFF * spacing + BROKEN_OFF_NS


def next_probe_not_overdue(case: Case) -> bool:
    """Another was not yet due, or it is not known when."""
    return not next_probe_overdue(case)


def trailing_gap(case: Case) -> int | None:
    """Return the longest time between its last, unanswered probes; None if there are fewer than two."""
    return max((probe.gap_ns for probe in case.trailing[1:] if probe.gap_ns is not None), default=None)


def probed_last(case: Case) -> bool:
    """A probe is the last that it sent."""
    return bool(case.probes) and case.probes[-1].ts_ns == case.facts.last_ns


def last_probe_answered_in_capture(case: Case) -> bool:
    """Yet the capture shows an answer to its last probe."""
    return bool(case.probes) and case.probes[-1].answer in {"ack", "data"}


def probes_lost(case: Case) -> bool:
    """At least one of its probes stayed unanswered for 0.6 s or more, and a later one was answered."""
    return bool(case.lost)


def sent_again_unacknowledged(case: Case) -> bool:
    """What it sent is unacknowledged at the capture's end, and was sent again at least once."""
    return case.facts.unacked_ns is not None and case.facts.resent > 0


def probed_none_since(case: Case) -> bool:
    """It sent no probe since."""
    since = case.facts.unacked_ns
    return since is not None and all(probe.ts_ns < since for probe in case.probes)


def probe_overdue(case: Case) -> bool:
    """It probed before, nothing is outstanding, yet twice its longest wait passed in silence to the capture's end."""
    due, quiet = due_after(case), quiet_at_the_end(case)
    going_on = case.ending.verdict in {Verdict.OPEN, Verdict.HALF_CLOSED} and case.fin is None
    unsure = case.facts.unacked_ns is not None or bool(case.trailing) or clock_went_back(case)
    return due is not None and going_on and not unsure and quiet > BROKEN_OFF * due + BROKEN_OFF_NS


def due_after(case: Case) -> int | None:
    """Return the longest time it ever waited before a probe, None if it never surely probed."""
    first = [probe.idle_ns for probe in case.probes if probe.first_of_train and probe.certainty != "suspected"]
    waits = [wait for wait in (*first, *case.answered_gaps) if wait is not None]
    return max(waits, default=None)


def quiet_at_the_end(case: Case) -> int:
    """Return how long neither end sent anything up to the capture's end."""
    return case.record.end_ns - max(case.facts.last_ns or 0, case.peer_facts.last_ns or 0)


BROKEN_OFF: Final = 2.26
"""Two intervals, and an eighth for a timer that is late."""
BROKEN_OFF_NS: Final = 1_000_000_000


def window_stays_closed(case: Case) -> bool:
    """Its window is closed at the capture's end, its peer can still send, and sent no window probe."""
    unprobed = all(probe.sender != case.peer for probe in case.record.zero_window_probes)
    going_on = case.ending.verdict in {Verdict.OPEN, Verdict.SILENT, Verdict.HALF_CLOSED}
    return case.facts.window_shut_frame is not None and unprobed and going_on and case.peer_fin is None


def probes_often(case: Case) -> bool:
    """Half of the gaps after its answered probes are below 10 s, and there are at least three gaps."""
    gaps = case.answered_gaps
    return not case.record.backwards and len(gaps) >= AGGRESSIVE_LEAST and gaps[len(gaps) // 2] < AGGRESSIVE_NS


def established(case: Case) -> bool:
    """The connection was established."""
    return case.ending.verdict not in {Verdict.UNESTABLISHED, Verdict.UNDETERMINED}


def long_silence_unprobed(case: Case) -> bool:
    """The longest silence of the open connection lasted 60 s or more, and no probe passed in it."""
    span = silence(case)
    return span is not None and span[0] >= LONG_NS


def silence(case: Case) -> tuple[int, int, int | None] | None:
    """Return the longest silence while both ends were open: its length, the frame before, the frame after."""
    record = case.record
    spans: list[tuple[int, int, int | None]] = []
    if record.idle_from is not None:
        spans.append((record.idle_ns, record.idle_from, record.idle_to))
    if case.ending.verdict is Verdict.OPEN:
        ends = (record.facts_a, record.facts_b)
        active = [(end.active_ns, end.active_frame) for end in ends if end.active_ns and end.active_frame]
        since, frame = max(active, default=(record.last_ns, record.last_frame))
        spans.append((record.end_ns - since, frame, None))
    if not spans or record.backwards:
        return None
    length, before, after = max(spans, key=lambda span: span[:2])
    shut = [fin.frame for fin in record.fins] + [reset.frame for reset in record.resets if reset.accepted_end]
    if any(frame <= before for frame in shut):
        return None
    return length, before, after


def silence_before_the_end(case: Case) -> tuple[int, int] | None:
    """Return how long nothing had passed before its probe that got no answer (or a RST), and that probe's frame."""
    reset = case.reset
    if case.trailing:
        first = case.trailing[0]
    elif reset is not None and reset.sender == case.peer and reset.answers_probe is not None:
        first = next(probe for probe in case.probes if probe.frame == reset.answers_probe)
    else:
        return None
    return (first.gap_ns, first.frame) if first.gap_ns is not None else None


def silent_for_minutes_before_the_end(case: Case) -> bool:
    """Before the probe that failed nothing passed for longer than a known box on the way remembers an idle flow."""
    found = silence_before_the_end(case)
    return found is not None and bool(forgetful(found[0]))


def forgetful(silence_ns: int) -> tuple[Middlebox, ...]:
    """Return the boxes that forget a flow within a silence and that probing helps against, one per limit."""
    rows = {row.idle_s: row for row in reversed(middleboxes_within(silence_ns)) if row.keepalive_helps}
    return tuple(rows[limit] for limit in sorted(rows))


def peer_forgot_or_silent(case: Case) -> bool:
    """The flow ended by that RST or silence, without a FIN before it."""
    ended = {Verdict.RESET_ON_PROBE, Verdict.TIMED_OUT, Verdict.SILENT}
    return case.ending.verdict in ended and not case.record.fins


def has_lookalikes(case: Case) -> bool:
    """It sent segments that Wireshark labels as keep-alive by their sequence number (SND.NXT-1), and that are none."""
    return any(is_lookalike(segment, case.side) for segment in case.record.not_probes)


def is_lookalike(segment: NotProbe, side: Side) -> bool:
    """Say whether a segment of this endpoint has the form that Wireshark calls keep-alive, and is none."""
    return segment.sender == side and segment.below_snd_nxt and segment.is_ in LOOKALIKES


LOOKALIKES: Final = frozenset({"stale_ack", "retransmission", "not_idle", "keepalive_or_zero_window_probe"})


def probed_closed_window(case: Case) -> bool:
    """Its peer probed its closed window."""
    return any(probe.sender == case.peer for probe in case.record.zero_window_probes)


def got_icmp_errors(case: Case) -> bool:
    """ICMP errors quote its segments."""
    return any(error.quotes == case.side for error in case.record.icmp_errors)


def sent_ignored_reset(case: Case) -> bool:
    """A RST came in its name that the receiver does not accept, or after which the connection went on."""
    return any(reset.sender == case.side and reset.kind == "ignored" for reset in case.record.resets)


def starts_midstream(case: Case) -> bool:
    """No SYN was captured."""
    return case.record.starts_with == "midstream"


def probed_or_reset(case: Case) -> bool:
    """There are probes, or a RST ended the flow."""
    return bool(case.record.probes) or case.reset is not None


def clock_went_back(case: Case) -> bool:
    """The capture's clock went back within the flow."""
    return case.record.backwards > 0


def headers_cut(case: Case) -> bool:
    """The snap length left only the ports of some of the flow's segments."""
    return case.record.cut > 0
