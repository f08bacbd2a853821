"""Long silences: one after which the probe failed, and one that nobody probed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.beating import of_heartbeats
from analyzer.findings.boxes import boxes_forget, limits_of
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Remedy, Row, Scope
from analyzer.findings.notable import LONG_NS
from analyzer.findings.pausing import awake_before, due_of, overdue_ns, shortest_other_wait
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.rules import Kind
from analyzer.segment import NONE
from analyzer.tolerances import JITTER_NS, LATE_BSD_NS, OVERDUE, OVERDUE_NS, WHEEL_PERCENT
from analyzer.units import NS_PER_S
from analyzer.words.model import LongText
from analyzer.words.teller import duration, number, side_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.facts import Facts
    from analyzer.judge.judged import Finding
    from analyzer.judge.table import Table
    from analyzer.words.teller import Teller

ENOUGH_NS: Final = 200 * NS_PER_S
"""The longest idle time that is advised: what passes so often leaves no path's limit, as far as known, time."""


def peer_forgot_or_silent(f: Flows) -> Mask:
    """The flow ended by that RST or silence, without a FIN before it."""
    ended = f.verdict_in(Verdict.RESET_ON_PROBE, Verdict.TIMED_OUT, Verdict.SILENT)
    return ended & (f.own("fin_frame") == 0) & (f.peer("fin_frame") == 0)


def _failed(f: Flows) -> Column:
    """Return the row of the probe that failed: the first unanswered one since its peer was heard, or the refused."""
    answered = f.from_peer.own_reset & (f.ending("answers_row") >= 0)
    refused = np.where(answered, f.columns.start + f.ending("answers_row"), -1)
    trailing = f.first_of(f.trailing)
    return np.where(trailing >= 0, trailing, refused)


def silent_for_minutes_before_the_end(f: Flows) -> Mask:
    """Before the probe that failed nothing passed for longer than a known box on the way remembers an idle flow."""
    return boxes_forget(f, f.value_at(_failed(f), "gap_ns"))


def waited_as_ever(f: Flows) -> Mask:
    """That silence was its own timer's: the capture was awake, and no wait of it was less than half as long."""
    failed = _failed(f)
    usual_ns = shortest_other_wait(f, failed)
    mask: Mask = (usual_ns < 0) | (f.value_at(failed, "gap_ns") <= overdue_ns(usual_ns))
    there = np.flatnonzero(failed >= 0)
    mask[there] &= awake_before(f, failed[there])
    return mask


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


def _beyond_evidence(case: Case) -> Evidence:
    """The silence before the probe that failed."""
    found = silence_before_the_end(case)
    assert found is not None
    return frames_of(found[1]), known(
        silence_ns=found[0],
        probe_frame=found[1],
        idle_ns=_own_idle(case),
        limits=limits_of(case, found[0]),
    )


def _own_idle(case: Case) -> int | None:
    """Return its idle time, at most, where that was inferred."""
    idle = case.settings.idle if case.settings is not None else None
    if idle is None:
        return None
    return idle.high_ns if idle.value_ns is None else idle.value_ns


def _beyond_change(f: Finding) -> str | None:
    """Return what to change in the idle time that was inferred: another one than the default."""
    idle_ns = f.data.get("idle_ns")
    if not isinstance(idle_ns, int):
        return None
    if number(f, "silence_ns") > _latest_ns(idle_ns):
        return (
            f"Its idle time was {duration(idle_ns)} at most, and that silence longer by more than a timer is"
            " late: find out why it did not probe (its host asleep, the option set late or switched off) before"
            " changing any time."
        )
    return (
        f"Set keepalive's idle time, now up to {duration(idle_ns)}, below the path's limit; 60 to 200 s is short enough"
        " for most paths."
    )


def _latest_ns(idle_ns: int) -> int:
    """Return when a probe comes at the latest whose idle time is this: timers are late, and so may be the way here."""
    return max(idle_ns * WHEEL_PERCENT // 100, idle_ns + LATE_BSD_NS) + JITTER_NS


def _beyond_detail(t: Teller, f: Finding) -> str:
    what = "data" if "data_frame" in f.data else "probe"
    return (
        f"Nothing had passed for {duration(number(f, 'silence_ns'))} before {t.the(side_of(f))}'s {what} that"
        f" failed. Boxes that forget an idle flow sooner: {f.data['limits']}."
    )


def silent_for_minutes_before_its_data(f: Flows) -> Mask:
    """Its data, which drew that RST, broke a silence, of probes too, longer than a known box remembers an idle flow."""
    return (f.flow("trial_to") == f.own("data_frame")) & boxes_forget(f, f.flow("trial_ns"))


def nobody_had_stopped_probing(f: Flows) -> Mask:
    """Neither end had probed in a rhythm of which at least one more was due in that silence (probes-stopped)."""
    due_ns = np.maximum(f.once(due_of), f.from_peer.once(due_of))
    mask: Mask = (due_ns < 0) | (f.flow("trial_ns") <= OVERDUE * due_ns + OVERDUE_NS)
    return mask


def _data_evidence(case: Case) -> Evidence:
    """The silence before the data that failed."""
    record = case.record
    return frames_of(record.trial_from, record.trial_to), known(
        silence_ns=record.trial_ns,
        data_frame=record.trial_to,
        idle_ns=_own_idle(case),
        limits=limits_of(case, record.trial_ns),
    )


BEYOND_LIMIT: Final = FindingKind(
    code="idle-beyond-middlebox-limit",
    rows=(
        Row((c.probes, peer_forgot_or_silent, silent_for_minutes_before_the_end, waited_as_ever), _beyond_evidence),
        Row(
            (
                c.verdict_aborted,
                c.peer_reset_answers_data,
                c.sent_no_fin,
                c.peer_sent_no_fin,
                silent_for_minutes_before_its_data,
                nobody_had_stopped_probing,
            ),
            _data_evidence,
        ),
    ),
    text=LongText(
        title="It failed after a silence longer than middleboxes allow",
        meaning=(
            "Nothing at all had passed for longer than known middleboxes remember an idle flow (Azure 4 min,"
            " AWS 350 s, GCP 10 min, Cisco ASA 1 h); the next probe or data then got no answer, or a RST."
        ),
        why=(
            "A box that has dropped the flow from its table discards the next packet, or answers it with a RST."
            " The probe came too late to keep the flow known."
        ),
        change=(
            "Set keepalive's idle time below the path's limit; 60 to 200 s is short enough for most paths,"
            " the default of 2 h is above nearly all such limits."
        ),
        doubt=(
            "The peer may also have died in that time on its own. The capture does not show which boxes are on"
            " the path."
        ),
        source="field guide 6",
    ),
    detail=_beyond_detail,
    change=_beyond_change,
    remedies=frozenset({Remedy.PASS_MORE_OFTEN}),
)


def established(f: Flows) -> Mask:
    """The connection was established."""
    return ~f.verdict_in(Verdict.UNESTABLISHED, Verdict.UNDETERMINED)


def _silences(f: Flows) -> tuple[Column, Mask, Mask]:
    """Return the longest silence of each flow, whether it goes on to the end, and whether both ends were open in it."""
    own_ns, peer_ns = f.own("active_ns"), f.peer("active_ns")
    own, peer = f.own("active_frame"), f.peer("active_frame")
    own_ns, peer_ns = np.where(own > 0, own_ns, -1), np.where(peer > 0, peer_ns, -1)
    later = (own_ns > peer_ns) | ((own_ns == peer_ns) & (own > peer))
    active_ns, active = np.maximum(own_ns, peer_ns), np.where(later, own, peer)
    known = active_ns > 0
    since_ns, frame = np.where(known, active_ns, f.flow("last_ns")), np.where(known, active, f.flow("last_frame"))
    before = f.flow("silence_from")
    length_ns, to_the_end_ns = np.where(before > 0, f.flow("silence_ns"), -1), f.ends_ns - since_ns
    to_the_end = (to_the_end_ns > length_ns) | ((to_the_end_ns == length_ns) & (frame > before))
    to_the_end &= f.verdict_in(Verdict.OPEN)
    length_ns, before = np.where(to_the_end, to_the_end_ns, length_ns), np.where(to_the_end, frame, before)
    shut = (f.ending("reset_row") >= 0) & (f.ending("reset_frame") <= before)
    for view in (f, f.from_peer):
        shut |= (view.own("fin_frame") > 0) & (view.own("fin_frame") <= before)
    return length_ns, to_the_end, ~shut & (f.flow("backwards") == 0)


def could_probe(f: Flows) -> Mask:
    """Nothing is outstanding at the capture's end, which would keep keepalive from running (Linux)."""
    _, to_the_end, both_open = f.once(_silences)
    return ~(both_open & to_the_end & ((f.own("unacked_ns") >= 0) | (f.peer("unacked_ns") >= 0)))


def nothing_outstanding_in_it(f: Flows) -> Mask:
    """No retransmission ended that silence, and nothing unacknowledged lay before it: keepalive could run (Linux)."""
    _, to_the_end, _ = f.once(_silences)
    before, after = f.flow("silence_from"), f.flow("silence_to")
    again = f.kind_in(Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION) & (f.seen("frame") == f.of_row(after))
    waiting = f.any_row(again)
    for view in (f, f.from_peer):
        since = view.own("unacked_frame")
        waiting |= (view.own("unacked_ns") >= 0) & (since > 0) & (since <= before)
    return to_the_end | ~waiting


def long_silence_unprobed(f: Flows) -> Mask:
    """The longest silence of the open connection lasted 60 s or more, and no probe passed in it."""
    length_ns, _, both_open = f.once(_silences)
    return both_open & (length_ns >= LONG_NS)


def silence(case: Case) -> tuple[int, int, int | None] | None:
    """Return the longest silence while both ends were open: its length, the frame before, the frame after."""
    record = case.record
    spans: list[tuple[int, int, int | None]] = []
    if record.silence_from is not None:
        spans.append((record.silence_ns, record.silence_from, record.silence_to))
    if case.ending.verdict is Verdict.OPEN:
        ends = (record.facts_a, record.facts_b)
        active = [(end.active_ns, end.active_frame) for end in ends if end.active_ns and end.active_frame]
        since, frame = max(active, default=(record.last_ns, record.last_frame))
        spans.append((record.end_ns - since, frame, None))
    if not spans or record.backwards:
        return None
    length, before, after = max(spans, key=lambda span: span[:2])
    shut = [fin.frame for fin in record.fins] + ([record.ending_reset.frame] if record.ending_reset else [])
    if any(frame <= before for frame in shut):
        return None
    return length, before, after


def ended_otherwise(f: Flows) -> Mask:
    """It was not a RST of an end that had closed that ended it: then that the other end did not close is to mend."""
    closed = (f.own_reset & (f.own("fin_frame") > 0)) | (f.from_peer.own_reset & (f.peer("fin_frame") > 0))
    return ~closed


def not_closed_in_order_then(f: Flows) -> Mask:
    """That silence did not end in a FIN, which its peer took: a program's own idle timeout, which no probe alters."""
    first: Column = np.where(f.own("fin_frame") > 0, f.own("fin_frame"), f.peer("fin_frame"))
    first = np.where(f.peer("fin_frame") > 0, np.minimum(first, f.peer("fin_frame")), first)
    ended: Mask = (first > 0) & (f.flow("silence_to") == first)
    return ~(ended & f.verdict_in(Verdict.CLOSED, Verdict.CLOSING, Verdict.HALF_CLOSED))


@of_heartbeats
def heartbeats_as_often(f: Flows) -> Mask:
    """A program sends heartbeats, and that silence was no longer than keepalive's idle time should be (200 s)."""
    length_ns, _, _ = f.once(_silences)
    beats = (f.beats("count") > 0) | (f.from_peer.beats("count") > 0)
    return beats & (length_ns <= ENOUGH_NS)


def no_heartbeats_as_often(f: Flows) -> Mask:
    """No program's heartbeats came as often as probes should."""
    return ~f.once(heartbeats_as_often)


def _unprobed_evidence(case: Case) -> Evidence:
    """The silence and its two ends."""
    span = silence(case)
    assert span is not None
    length, before, after = span
    return frames_of(before, after), known(idle_ns=length, from_frame=before, to_frame=after)


def _unprobed_of_many(facts: Facts, endings: Table, at: NDArray[np.int64]) -> list[Evidence]:
    """The same, of many flows."""
    flows = {name: facts.flows.columns[name][at] for name in ("silence_ns", "silence_from", "silence_to", "end_ns")}
    since_ns, frame = (facts.flows.columns[name][at] for name in ("last_ns", "last_frame"))
    active_ns, active = np.zeros_like(since_ns), np.zeros_like(frame)
    for end in facts.endpoints:
        own_ns, own = end.columns["active_ns"][at], end.columns["active_frame"][at]
        later = (own_ns > 0) & (own > 0) & ((own_ns > active_ns) | ((own_ns == active_ns) & (own > active)))
        active_ns, active = np.where(later, own_ns, active_ns), np.where(later, own, active)
    since_ns, frame = np.where(active_ns > 0, active_ns, since_ns), np.where(active_ns > 0, active, frame)
    length_ns, before = np.where(flows["silence_from"] != NONE, flows["silence_ns"], -1), flows["silence_from"]
    end_ns = flows["end_ns"] - since_ns
    to_the_end = IS_OPEN[endings.columns["verdict"][at]]
    to_the_end &= (end_ns > length_ns) | ((end_ns == length_ns) & (frame > before))
    length_ns, before = np.where(to_the_end, end_ns, length_ns), np.where(to_the_end, frame, before)
    after = np.where(to_the_end, NONE, flows["silence_to"])
    late = [None if frame == NONE else frame for frame in after.tolist()]
    each = zip(length_ns.tolist(), before.tolist(), late, strict=True)
    return [(frames_of(early, frame), known(idle_ns=ns, from_frame=early, to_frame=frame)) for ns, early, frame in each]


IS_OPEN: Final = np.array([rule.verdict is Verdict.OPEN for rule in VERDICTS])
"""By row of VERDICTS, whether the flow goes on."""


def _unprobed_detail(t: Teller, f: Finding) -> str:
    del t
    return _unprobed_words(f)


def _unprobed_words(f: Finding) -> str:
    return (
        f"Nothing reached this point for {duration(number(f, 'idle_ns'))}, no probe either: at both ends keepalive is"
        " off, or its idle time is longer, or the probes were lost before this point."
    )


UNPROBED: Final = FindingKind(
    code="idle-without-probes",
    rows=(
        Row(
            (
                established,
                c.nobody_probes,
                long_silence_unprobed,
                could_probe,
                nothing_outstanding_in_it,
                ended_otherwise,
                not_closed_in_order_then,
                no_heartbeats_as_often,
            ),
            _unprobed_evidence,
            _unprobed_of_many,
        ),
    ),
    text=LongText(
        title="A long silence, and neither end probed",
        meaning=(
            "For a minute or more nothing on this open connection reached the capture point, not even a probe:"
            " keepalive is off, or its idle time is longer, or the probes were lost on the way here."
        ),
        why=(
            "If the peer had died, or a middlebox had dropped the flow, neither end would know. The next write"
            " would find out, late."
        ),
        change=(
            "At one end, or both, set SO_KEEPALIVE with an idle time of 60 to 200 s, which is short enough for"
            " most paths. The system's default idle time is 2 h."
        ),
        doubt=(
            "A capture shows only what reaches it: the far end may probe, and a box on the path drop the"
            " probes. The application may have heartbeats of its own at longer intervals. Probes from a sleeping"
            " host's network card do not pass its capture point."
        ),
        source="RFC 9293 3.8.4 MUST-25, MUST-28; field guide 2.3, 6",
    ),
    detail=_unprobed_detail,
    words=_unprobed_words,
    scope=Scope.FLOW,
    advice=Advice.READER,
    remedies=frozenset({Remedy.PASS_MORE_OFTEN}),
)
