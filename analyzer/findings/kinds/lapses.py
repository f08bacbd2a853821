"""Probes that stopped although all was well, and some that were lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.findings.pausing import due_of, standstills_of
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.label.outcome import Answer
from analyzer.tolerances import OVERDUE, OVERDUE_NS, RATE_LIMIT_NS
from analyzer.track.flow import SIDES
from analyzer.words.icmp import icmp_text
from analyzer.words.model import LongText
from analyzer.words.teller import capital, count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def _may_be_due(f: Flows) -> Mask:
    """Say where an end that probed could send a probe: nothing of it is outstanding, and its peer takes data."""
    unsure = (f.own("unacked_ns") >= 0) | c.last_probes_unanswered(f) | c.clock_went_back(f)
    unsure |= f.peer("window_shut_frame") > 0  # then data may wait for the window, and its probes replace keepalive
    could: Mask = (f.once(due_of) >= 0) & (f.own("fin_frame") == 0) & ~unsure
    return could


def probe_overdue(f: Flows) -> Mask:
    """It probed before, its peer takes data, nothing is outstanding, yet twice its longest wait passed to the end."""
    quiet_ns = f.ends_ns - np.maximum(np.maximum(f.own("last_ns"), f.peer("last_ns")), 0)
    overdue = (quiet_ns > OVERDUE * f.once(due_of) + OVERDUE_NS) & ~f.once(probe_overdue_before_more)
    return _may_be_due(f) & f.verdict_in(Verdict.OPEN, Verdict.HALF_CLOSED) & overdue


def probe_overdue_before_more(f: Flows) -> Mask:
    """The same passed before its peer sent something, which it did not answer up to the end, the capture awake."""
    waits = (f.flow("trial_ns") > 0) & (f.flow("trial_side") != f.side)
    overdue = f.flow("trial_ns") > OVERDUE * f.once(due_of) + OVERDUE_NS
    going_on = f.verdict_in(Verdict.OPEN, Verdict.HALF_CLOSED, Verdict.SILENT)
    ceased = _may_be_due(f) & waits & overdue & going_on
    at = np.flatnonzero(ceased)
    ceased[at] = f.columns.is_awake_until(f.last_of(f.probing)[at], f.flow("trial_to")[at])
    return ceased


def probe_overdue_before_data(f: Flows) -> Mask:
    """It probed before, yet twice its longest wait passed in silence before its peer's data drew a RST in its name."""
    due_ns = f.once(due_of)
    overdue = (f.flow("trial_to") == f.peer("data_frame")) & (f.flow("trial_ns") > OVERDUE * due_ns + OVERDUE_NS)
    refused = c.verdict_aborted(f) & c.peer_reset_answers_data(f.from_peer)
    return (due_ns >= 0) & overdue & refused & c.sent_no_fin(f) & c.peer_sent_no_fin(f) & ~c.clock_went_back(f)


def due_after(case: Case) -> int | None:
    """Return the longest time it ever waited before a probe, None if it never surely probed."""
    first = [probe.idle_ns for probe in case.probes if probe.first_of_train and probe.certainty != "suspected"]
    waits = [wait for wait in (*first, *case.answered_gaps) if wait is not None]
    return max(waits, default=None)


def quiet_at_the_end(case: Case) -> int:
    """Return how long neither end sent anything up to the capture's end."""
    return case.record.end_ns - max(case.facts.last_ns or 0, case.peer_facts.last_ns or 0)


def _stopped_evidence(case: Case) -> Evidence:
    """The probes there were, the last segment, and the silence since."""
    return frames_of(numbers_of(case.probes), case.record.last_frame), known(
        last_frame=case.record.last_frame, silent_ns=quiet_at_the_end(case), due_ns=due_after(case)
    )


def _gone_evidence(case: Case) -> Evidence:
    """The probes there were, the silence, and the data that broke it."""
    record, reset = case.record, case.reset
    assert reset is not None
    return frames_of(numbers_of(case.probes), record.trial_to, reset.frame), known(
        last_frame=record.trial_from,
        silent_ns=record.trial_ns,
        due_ns=due_after(case),
        data_frame=record.trial_to,
        reset_frame=reset.frame,
    )


def _before_more_evidence(case: Case) -> Evidence:
    """The probes there were, the silence, and what broke it."""
    record = case.record
    return frames_of(numbers_of(case.probes), record.trial_to), known(
        last_frame=record.trial_from, silent_ns=record.trial_ns, due_ns=due_after(case), broke_frame=record.trial_to
    )


def _stopped_detail(t: Teller, f: Finding) -> str:
    if "broke_frame" in f.data:
        return (
            f"{t.start(side_of(f))} never waited longer than {duration(number(f, 'due_ns'))} before it probed, yet"
            f" nothing came from it for {duration(number(f, 'silent_ns'))} before {t.the(other(side_of(f)))}'s next"
            f" packet (frame {number(f, 'broke_frame')}), nor since: its probes had ceased."
        )
    if "data_frame" in f.data:
        return (
            f"{t.start(side_of(f))} never waited longer than {duration(number(f, 'due_ns'))} before it probed, yet"
            f" nothing came from it for {duration(number(f, 'silent_ns'))} before {t.the(other(side_of(f)))}'s data,"
            " which drew a RST: by then its host was gone or had restarted, or its way here was cut (inferred)."
        )
    return (
        f"{t.start(side_of(f))} never waited longer than {duration(number(f, 'due_ns'))} before it probed, yet"
        f" nothing came in the last {duration(number(f, 'silent_ns'))} of the capture."
    )


STOPPED: Final = FindingKind(
    code="probes-stopped",
    rows=(
        Row((probe_overdue,), _stopped_evidence),
        Row((probe_overdue_before_more,), _before_more_evidence),
        Row((probe_overdue_before_data,), _gone_evidence),
    ),
    text=LongText(
        title="The probes stopped, and nothing else came",
        meaning=(
            "This end probed in a steady rhythm and its last probe was answered. Then nothing came for more"
            " than two of its intervals, up to the end of the capture, or until its peer sent something, which drew a"
            " RST or no answer."
        ),
        why=(
            "A kernel that probes does not stop on its own. The end that only answers never notices that its peer is"
            " gone, and holds the connection forever."
        ),
        change=(
            "Check the prober, and the path from it to this capture point. Also turn keepalive on at the end"
            " that only answers."
        ),
        doubt=(
            "The prober may have data outstanding that does not get here (Linux does not probe then), may have"
            " turned keepalive off, may sleep, or the capture may have lost packets."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.2, 8",
    ),
    detail=_stopped_detail,
    told_by=frozenset({Verdict.OPEN, Verdict.HALF_CLOSED}),
    advice=Advice.READER,
)


IPV4: Final = 4


def probes_lost(f: Flows) -> Mask:
    """A probe of it stayed unanswered for 0.6 s or more, the capture awake meanwhile, and a later one was answered."""
    early, late = f.pairs
    in_vain = (f.seen("answer")[early] == Answer.NONE) & f.sure[early]
    early, late = early[in_vain], late[in_vain]
    if not len(early):
        return f.none
    ts_ns, owner = f.seen("ts_ns"), f.columns.owner
    before = early < f.last_of(f.probing & f.answered)[owner[early]]
    waited = (ts_ns[late] - ts_ns[early] >= RATE_LIMIT_NS) & f.columns.is_awake(early, late)
    lost = f.none
    lost[owner[early[before & waited]]] = True
    return lost


def _lost_evidence(case: Case) -> Evidence:
    """The probes without answer, and how many of all."""
    lost, probes = case.lost, case.probes
    longest = run = 0
    for probe in probes:
        run = run + 1 if probe in lost else 0
        longest = max(longest, run)
    slept = [
        probe
        for probe in lost
        if any(each.from_frame < probe.frame < each.frame for each in standstills_of(case.record, case.peer))
    ]
    first, last = lost[0].frame, lost[-1].frame
    answered = next((p.answer_frame for p in probes if p.frame > last and p.answer_frame is not None), last)
    turn = next((each for each in case.record.turns if first < each.frame <= answered), None)
    way: dict[str, int | str | None] = {}
    if turn is not None and len(slept) < len(lost):
        way = {"way_frame": turn.frame, "way_side": turn.sender, "ttl": turn.ttl, "ttl_before": turn.own_ttl}
        way["other_mac"] = int(turn.other_mac)
    errors = [e for e in case.record.errors_about(case.side) if first < e.frame <= answered and e.fits == "probe"]
    said: dict[str, int | str | None] = {}
    if errors:
        by = errors[-1]
        said = {"icmp_sender": by.source, "icmp_frame": by.frame, "icmp_count": len(errors)}
        said |= {"icmp_version": by.version, "icmp_type": by.type, "icmp_code": by.code}
    lapse = case.record.lapse
    if lapse is not None and SIDES[lapse["side"]] == case.side and len(slept) < len(lost):
        said |= {"with_same": lapse["same"], "with_other": lapse["other"], "meanwhile_ns": lapse["to_ns"]}
        said |= {"meanwhile_from_ns": lapse["from_ns"], "with_flow": max(lapse["same_flow"], lapse["other_flow"])}
    turned = turn.frame if way and turn is not None else None
    return frames_of(numbers_of(lost), turned, (error.frame for error in errors)), known(
        lost=len(lost), probes=len(probes), longest_run=longest, slept=len(slept) or None, **way, **said
    )


def _lost_detail(t: Teller, f: Finding) -> str:
    in_a_row = f", at most {number(f, 'longest_run')} in a row" if number(f, "lost") > 1 else ""
    said = ""
    if "icmp_sender" in f.data:
        errors = count(number(f, "icmp_count"), "ICMP error")
        said = f" {f.data['icmp_sender']} said meanwhile why ({errors}): {_said(f)}.{_fewer(f)}"
    return (
        f"{number(f, 'lost')} of {t.the(side_of(f))}'s {number(f, 'probes')} probes got no answer here{in_a_row}"
        f"{_when(t, f)}.{said}{_together(t, f)}"
    )


def _when(t: Teller, f: Finding) -> str:
    """Return from when to when probes were lost, and when the next one was answered."""
    probes, frames = t.probes(side_of(f)), frozenset(f.frames)
    lost = [probe for probe in probes if probe.answer is None and probe.frame in frames]
    back = next((probe for probe in probes if probe.answered and lost and probe.frame > lost[-1].frame), None)
    if back is None:
        return "; a later one was answered"
    first, last = t.at(lost[0].ts_ns), t.at(lost[-1].ts_ns)
    span = f", sent from {first} to {last}" if len(lost) > 1 else f", sent at {first}"
    return f"{span}; the one at {t.at(back.ts_ns)} was answered"


def _fewer(f: Finding) -> str:
    """Return why fewer errors came than probes were lost, where they did."""
    if number(f, "icmp_count") >= number(f, "lost"):
        return ""
    source = "RFC 1812 4.3.2.8" if number(f, "icmp_version") == IPV4 else "RFC 4443 2.4"
    return f" That these are fewer than the probes contradicts nothing: routers limit their rate of errors ({source})."


def _together(t: Teller, f: Finding) -> str:
    """Return which other connections lost probes in the same while, if any did."""
    if "with_same" not in f.data:
        return ""
    same, others = number(f, "with_same"), number(f, "with_other")
    whom = [f"{count(same, 'other connection')} between these two hosts"] if same else []
    whom += [f"{count(others, 'connection')} of {t.the(side_of(f))}'s host with other hosts"] if others else []
    example = f" (flow {f.data['with_flow']})" if number(f, "with_flow") >= 0 else ""
    while_ = f"from {t.at(number(f, 'meanwhile_from_ns'))} to {t.at(number(f, 'meanwhile_ns'))}"
    return f" {capital(' and '.join(whom))} lost probes too{example}, {while_}."


def _said(f: Finding) -> str:
    return icmp_text(number(f, "icmp_version"), number(f, "icmp_type"), number(f, "icmp_code"))


def _lost_change(finding: Finding) -> str:
    """Return how large the count must stay."""
    run = number(finding, "longest_run")
    keep = f"Keep the count at {run + 1} or more (longest run of losses here: {run})"
    if finding.data.get("slept") == finding.data["lost"]:
        return f"{keep}. The peer's host was suspended meanwhile: no packet need have been lost."
    if "icmp_sender" in finding.data:
        return (
            f"{keep}. No packet need have been lost: {finding.data['icmp_sender']} did not pass them on for a while and"
            f" said so by ICMP ({_said(finding)}). Ask whoever runs that machine what was changed there, or failed,"
            " at that time (its packet filter, its routes, the link behind it)."
        )
    if "way_frame" in finding.data:
        ttl, before = finding.data["ttl"], finding.data["ttl_before"]
        what = [f"TTL {ttl}, {before} before"] if ttl != before else []
        what += ["from another station than before"] if finding.data["other_mac"] else []
        return (
            f"{keep}. The path changed at these losses (frame {number(finding, 'way_frame'):,}: {', '.join(what)}):"
            " look for a routing change or a failover at that time before looking for packet loss."
        )
    if "with_same" in finding.data:
        shared = (
            "the prober's own host, its link, its first router"
            if finding.data["with_other"]
            else "the path between the two hosts, one of them, or a filter there"
        )
        return (
            f"{keep}. Other connections lost probes around the same time, so they may share what failed ({shared})."
            " Connections of this host that were answered meanwhile rule that out. Ask what happened there then (a link"
            " or interface that went down, a router, a filter that was loaded, a host that stood still)."
        )
    return (
        f"{keep}, and look for packet loss on the path. Connections that lost probes at the same time share what failed"
        " (a link, a router, this host); this one alone cannot tell."
    )


LOST: Final = FindingKind(
    code="probes-lost-but-recovered",
    rows=(Row((probes_lost,), _lost_evidence),),
    text=LongText(
        title="Some probes unanswered, a later one answered",
        meaning=(
            "The capture shows no answer to some probes, but one to a later probe: packets were lost, or the peer's"
            " host slept, and the connection lives."
        ),
        why=(
            "An answer resets the prober's count to zero. With a small count (or a small TCP_USER_TIMEOUT) such"
            " losses end a healthy connection."
        ),
        change=(
            "Look for packet loss on the path. Do not set a count so small that the longest run of losses seen"
            " here would end a connection."
        ),
        doubt=(
            "The answer may have passed this capture point unseen. Answers that Linux holds back (one in 500 ms)"
            " are not counted here."
        ),
        source="RFC 9293 3.8.4 MUST-29; field guide 2.2, 2.7",
    ),
    detail=_lost_detail,
    change=_lost_change,
)
