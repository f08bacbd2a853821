"""The prober gave up with a RST of its own, and nothing had answered its last probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings import gave_up, noticing
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.findings.phrases import LOST_OR_GONE
from analyzer.judge.belated import belated_ns
from analyzer.judge.record import other
from analyzer.label.outcome import Answer
from analyzer.words import stacks
from analyzer.words.fins import left_open
from analyzer.words.icmp import icmp_text, one_kind
from analyzer.words.model import Line, LongText
from analyzer.words.probes import dropped_refusals, last_heard, turned_back
from analyzer.words.teller import count, duration, lines, number, side_of
from analyzer.words.witnesses import shows_life

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.settings import Settings
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


UNTOLD: Final = " This capture cannot tell a dead host from a dropped flow or lost packets."


def last_probe_unanswered(f: Flows) -> Mask:
    """Its last probe was not answered."""
    last = f.last_of(f.probing)
    return (last >= 0) & (f.value_at(last, "answer") == Answer.NONE)


def _evidence(case: Case) -> Evidence:
    """The unanswered probes, when the peer was last heard, and the RST."""
    unanswered, reset = _unanswered(case), case.own_reset
    assert reset is not None
    values, first = _settings(case.settings), unanswered[0]
    of_peer = [probe for probe in case.record.probes_from(case.peer) if probe.ts_ns > first.ts_ns]
    # what came behind the RST shows nothing of the time before it
    alive = [probe for probe in of_peer if probe.ts_ns <= reset.ts_ns]
    later = next((probe for probe in of_peer if probe.ts_ns > reset.ts_ns), None)
    talks = unanswered[-1].unheard and case.peer_facts.unacked_frame is not None
    heard_ns = case.peer_facts.last_ns if not alive and not talks and _keeps_time(case) else None
    if not first.first_of_train and case.settings and case.settings.period and case.settings.period.value_ns:
        # after an answered probe the wait is max(idle, interval) on Linux
        values["wait_ns"] = case.settings.period.value_ns
    elif "idle_ns" in values:
        values["wait_ns"] = values["idle_ns"]
    belated = belated_ns(case.record, case.side) if not alive else None
    return frames_of(numbers_of(unanswered), reset.frame), known(
        unanswered=len(unanswered),
        peer_probes=len(alive) or None,
        both=1 if alive and not any(probe.answered for probe in alive) else None,
        peer_data_frame=case.peer_facts.unacked_frame if talks else None,
        later_frame=later.frame if later else None,
        later_ns=later.ts_ns - reset.ts_ns if later else None,
        reset_frame=reset.frame,
        detection_ns=reset.ts_ns - heard_ns if heard_ns is not None else None,
        stack=case.settings.stack if case.settings else None,
        belated_ns=belated[0] if belated else None,
        **values,
    )


def _deaf_evidence(case: Case) -> Evidence:
    """The same, of a peer that answered none of the earlier probes either."""
    frames, data = _evidence(case)
    return frames, data | {"answers_none": 1}


def _unanswered(case: Case) -> tuple[Probe, ...]:
    """Return the probes that the prober counted: those without an answer since it last heard anything that counts.

    The peer's own probes do not: their number is below RCV.NXT, so Linux answers them and takes nothing from them
    (tcp_validate_incoming). Nor does data that the last probe does not acknowledge: it had not arrived.
    """
    last = next((at for at in range(len(case.probes), 0, -1) if case.probes[at - 1].answer is not None), 0)
    keeps_time = case.record.keeps_time(case.record.first_frame, case.probes[-1].frame)
    heard = case.facts if case.probes[-1].unheard else case.peer_facts
    heard_ns = heard.active_ns if keeps_time else None
    counted = tuple(probe for probe in case.probes[last:] if heard_ns is None or probe.ts_ns > heard_ns)
    return counted or case.probes[-1:]


def _keeps_time(case: Case) -> bool:
    """Whether the capture's clock was not set back since the peer last answered a probe."""
    answered = [probe.answer_frame for probe in case.probes if probe.answer_frame is not None]
    reset = case.own_reset
    assert reset is not None
    return case.record.keeps_time(answered[-1] if answered else case.record.first_frame, reset.frame)


def _settings(settings: Settings | None) -> dict[str, int | str]:
    """Return the values inferred, where there are any."""
    if settings is None:
        return {}
    idle = settings.idle or settings.period
    return known(
        idle_ns=idle.value_ns if idle else None,
        interval_ns=settings.interval.value_ns if settings.interval else None,
    )


def _detail(t: Teller, f: Finding) -> str:
    prober = side_of(f)
    took = (
        f" {duration(number(f, 'detection_ns'))} after {t.the(other(prober))}'s last packet"
        if "detection_ns" in f.data
        else ""
    )
    return f"{t.start(prober)} gave up{took}: {count(number(f, 'unanswered'), 'probe')} unanswered, then its own RST."


def _headline(t: Teller, f: Finding) -> str:
    """Return a dead peer in one line."""
    prober = side_of(f)
    peer = t.the(other(prober))
    alive = ", which was alive" if number(f, "peer_probes") else _still_sent(f)
    unanswered = count(number(f, "unanswered"), "probe")
    leak = left_open(t, prober)
    if leak:
        text = f"{leak}{peer} fell silent, and {t.the(prober)} gave up after {unanswered} without an answer"
    else:
        text = f"{t.start(prober)} gave up on {peer}{alive}: {unanswered} unanswered, then its own RST"
    if "detection_ns" in f.data:
        text += f", {duration(number(f, 'detection_ns'))} after {peer}'s last packet"
    return f"{text}."


def _still_sent(f: Finding) -> str:
    """Return that the peer went on sending data, where it did, for the headline."""
    return ", whose data did not reach it" if "peer_data_frame" in f.data else ""


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the last packet, the probes, the RST."""
    prober = side_of(f)
    trailing = count(number(f, "unanswered"), "probe")
    counts = " that counts" if _is_refused(t, prober) else ""
    refused = dropped_refusals(t, [probe for probe in t.probes(prober) if probe.frame in f.frames])
    to_any = {1: "", 2: " to either of them"}.get(number(f, "unanswered"), " to any of them")
    reset = number(f, "reset_frame")
    probed = tuple(frame for frame in f.frames if frame != reset)
    took = (
        f", {duration(number(f, 'detection_ns'))} after {t.the(other(prober))}'s last packet"
        if "detection_ns" in f.data
        else ""
    )
    return lines(
        _last_answer(t, prober) if number(f, "peer_probes") or _still_sent(f) else last_heard(t, other(prober)),
        Line(
            f"Then {t.the(prober)} sent {trailing}; the capture shows no answer{to_any}{counts}.",
            probed,
        ),
        refused,
        Line(
            f"One interval after the last probe, {t.the(prober)}'s kernel gave up and sent RST+ACK{took}. That RST"
            " comes from the prober, not from its peer.",
            (reset,),
        ),
        _peer_probed(t, f),
        _peer_talked(t, f),
        _answered_late(t, f),
        _icmp(t, prober),
    )


def _last_answer(t: Teller, prober: Side) -> Line | None:
    """Say when the peer last answered a probe, or None if it never did."""
    answered = [probe for probe in t.probes(prober) if probe.answered]
    if not answered:
        return None
    last = answered[-1]
    text = f"{t.start(other(prober))} last answered a probe at {t.at(last.ts_ns)}."
    return Line(text, frames_of((last.frame,), last.answer_frame or last.frame))


def _peer_probed(t: Teller, f: Finding) -> Line | None:
    """Say that the peer sent probes of its own meanwhile or later, which shows that it was alive."""
    peer = other(side_of(f))
    if "later_ns" in f.data and not number(f, "peer_probes"):
        text = (
            f"{duration(number(f, 'later_ns'))} after that RST {t.the(peer)} sent a probe of its own: it was alive"
            " then, and still held the connection, so the RST had not reached it. Whether it, or the path, was down"
            " before, or only one direction, does not show."
        )
        return Line(text, (number(f, "later_frame"),))
    sent = [probe for probe in t.probes(peer) if f.frames[0] < probe.frame < number(f, "reset_frame")]
    if not number(f, "peer_probes"):
        return None
    text = (
        f"After the first unanswered probe {t.the(peer)} sent {count(len(sent), 'probe')} of its own: it was alive,"
        " and still held the connection."
    )
    return Line(text, numbers_of(sent))


def _peer_talked(t: Teller, f: Finding) -> Line | None:
    """Say that the peer sent data meanwhile that the probes do not acknowledge, and how often."""
    if not _still_sent(f):
        return None
    prober, reset = side_of(f), number(f, "reset_frame")
    peer, first = other(prober), number(f, "peer_data_frame")
    again = [sent.frame for sent in t.record.resent if sent.sender == peer and first < sent.frame < reset]
    more = f", and {count(len(again), 'time')} more" if again else ""
    text = (
        f"Meanwhile {t.the(peer)} sent data{more}; no probe of {t.the(prober)} acknowledges it, so it had not arrived"
        " there."
    )
    return Line(text, frames_of((first,), again))


def _answered_late(t: Teller, f: Finding) -> Line | None:
    """Say that what came behind the RST are most likely the answers."""
    belated = belated_ns(t.record, side_of(f)) if "belated_ns" in f.data else None
    if belated is None:
        return None
    text = (
        f"After that {count(len(belated[1]), 'ACK')} of {t.the(other(side_of(f)))} came,"
        f" {duration(belated[0])} or more after these probes and as far apart as they: most likely the answers, so late"
        " (inferred)."
    )
    return Line(text, belated[1])


def _icmp(t: Teller, prober: Side) -> Line | None:
    """Say which ICMP errors came back meanwhile."""
    errors = [error for error in t.record.errors_about(prober) if error.fits in {"probe", None}]
    if not errors:
        return None
    one = one_kind(errors)
    what = f" ({icmp_text(*one)})" if one else ""
    told = any(witness.kind == "icmp" for witness in t.judged.witnesses)
    came = "These ICMP errors had no effect" if told else f"{count(len(errors), 'ICMP error')}{what} had no effect"
    text = f"{came}: Linux and macOS ignore an ICMP error that quotes a probe."
    return Line(text, frames_of(error.frame for error in errors))


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what the silence can mean and how long noticing takes."""
    prober = side_of(f)
    peer_fin = t.fin(other(prober))
    closed = None
    if peer_fin is not None:
        text = (
            f"{t.start(other(prober))}'s FIN had come before: {t.the(prober)} was in CLOSE-WAIT (derived), and its"
            " program had not closed."
        )
        closed = Line(text, (peer_fin.frame,))
    if number(f, "peer_probes"):
        text = (
            "What either end sent passes here, and nothing answered either of them. Inferred: it was dropped behind"
            " this point, each way, or the answers passed elsewhere. A box that forgot the connection drops both."
            if "both" in f.data
            else f"Inferred: one direction of the path failed. {t.start(prober)}'s probes did not reach"
            f" {t.the(other(prober))}, or the answers did not come back. A peer's own probes do not reset the count of"
            " unanswered ones (Linux)."
        )
        return lines(Line(text, f.frames), noticing.detection(f), noticing.lost_once(f), closed)
    if "belated_ns" in f.data:
        text = (
            f"{t.start(prober)}'s kernel gave up too soon, most likely: {t.the(other(prober))} was alive and answered,"
            f" and probe and answer took {duration(number(f, 'belated_ns'))} or more together. A queue that is full, a"
            " radio link or a box that holds packets back does that (inferred)."
        )
    elif _still_sent(f):
        text = (
            f"Nothing passed between the two any more: {t.the(other(prober))} was still sending, and its data did not"
            f" reach {t.the(prober)}, whose probes drew no answer."
        )
    elif number(f, "answers_none"):
        text = (
            f"Whether {t.the(other(prober))} was dead is unknown: it had answered none of the earlier probes"
            " either, yet something came in its name after each."
        )
    elif _is_refused(t, prober):
        text = (
            f"Keepalive noticed late: RSTs in {t.the(other(prober))}'s name had answered, with numbers that"
            f" {t.the(prober)}'s kernel drops."
        )
    elif t.cause_is_told or turned_back(t, prober):
        text = "Keepalive worked as intended: it found that nothing came back."
    else:
        text = (
            f"Keepalive worked as intended: {t.the(other(prober))}, or the path to it, stopped answering."
            f"{'' if shows_life(t.judged) else UNTOLD}"
        )
    return lines(
        Line(text, f.frames),
        noticing.detection(f),
        noticing.lost_once(f),
        closed,
    )


def _is_refused(t: Teller, prober: Side) -> bool:
    """Whether RSTs answered its last probes, which its kernel dropped."""
    asked = {probe.frame for probe in t.record.trailing(prober)}
    return any(reset.answers_probe in asked for reset in t.record.resets if reset.kind == "ignored")


def _unsure(t: Teller, f: Finding) -> list[Line]:
    lost = "Whether these probes or their answers were lost." if number(f, "peer_probes") else LOST_OR_GONE
    doubt = stacks.count_doubt(noticing.stack_of(f), number(f, "unanswered"))
    told = (t.cause_is_told and not number(f, "peer_probes")) or _is_refused(t, side_of(f))
    told = told or turned_back(t, side_of(f)) or "belated_ns" in f.data
    return lines(None if told else Line(lost, f.frames), Line(doubt, f.frames) if doubt else None)


DEAD: Final = FindingKind(
    code="dead-peer-detected",
    rows=(
        Row((c.verdict_timed_out, c.reset_in_its_name, last_probe_unanswered, c.peer_may_answer_probes), _evidence),
        Row((c.verdict_timed_out, c.reset_in_its_name, last_probe_unanswered, c.peer_answers_no_probe), _deaf_evidence),
    ),
    text=LongText(
        title="Keepalive noticed a dead peer",
        meaning="The prober's last probes got no answer and its kernel gave up with a RST of its own.",
        why="The connection was ended after that time instead of hanging forever; its program gets ETIMEDOUT.",
        change=(
            "If that was too slow, lower keepalive's idle time, interval or count. The time to notice is idle +"
            " count x interval."
        ),
        doubt=(
            "The peer may be alive and the path cut, or answers lost. The number of probes is evidence of"
            " TCP_KEEPCNT, not proof: on Linux TCP_USER_TIMEOUT overrides the count."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.3 to 2.5",
    ),
    detail=_detail,
    lead=Lead(_headline, _happened, _why),
    change=noticing.sooner,
    sees=gave_up.sees,
    unsure=_unsure,
)
