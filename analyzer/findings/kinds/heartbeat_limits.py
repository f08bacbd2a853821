"""Heartbeats beside the time that boxes and keepalive wait: too seldom, stopped, none at all, or in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.beating import LATE, beats_by_rule, heartbeats_ceased, of_heartbeats, overdue_ns
from analyzer.findings.boxes import boxes_forget, limits_of
from analyzer.findings.evidence import frames_of, known, surely_train_of, train_of
from analyzer.findings.kind import Advice, FindingKind, Remedy, Row, Scope, Told
from analyzer.findings.phrases import agreed_on, by_what, what_is_sent
from analyzer.judge.record import other
from analyzer.judge.signatures import MIDDLEBOXES
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import ANSWER_RST_NS, BEAT_LENGTH_PLAY, BEAT_TINY_OCTETS
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S
from analyzer.words.beats import room_of, room_text
from analyzer.words.model import LongText
from analyzer.words.teller import count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

DATA_LIMIT_NS: Final = NS_PER_S * min(row.idle_s for row in MIDDLEBOXES if not row.keepalive_helps)
"""The shortest default limit of known boxes that count only data."""


@of_heartbeats
def came_late(f: Flows) -> Mask:
    """Its last heartbeat came after a silence longer than any that survived, and than a known, or measured, limit."""
    trial_ns, fatal_ns = f.flow("trial_ns"), f.beats("fatal_ns")
    measured = (trial_ns >= fatal_ns) & (f.flow("survived_ns") < fatal_ns)
    return np.where(fatal_ns > 0, measured, boxes_forget(f, trial_ns))


def silence_is_not_survived(f: Flows) -> Mask:
    """No other connection to the service survives such a silence, where the capture shows a limit."""
    safe_ns = f.beats("safe_ns")
    return (safe_ns < 0) | (f.flow("trial_ns") > safe_ns)


def failed_at_a_heartbeat(f: Flows) -> Mask:
    """The last thing that it sent was a heartbeat, or as long and broke the silence; a RST answered it, or nothing."""
    as_long = np.abs(f.own("data_len") - f.beats("length")) <= BEAT_LENGTH_PLAY
    out_of_step = as_long & (f.own("data_frame") > f.beats("last_frame")) & (f.own("data_frame") == f.flow("trial_to"))
    last = (f.beats("last_frame") > 0) & ((f.own("data_frame") == f.beats("last_frame")) | out_of_step)
    in_time = f.at_row(f.ending("reset_row"), "ts_ns") - f.own("data_ns") <= ANSWER_RST_NS
    refused = f.from_peer.own_reset & (f.ending("reset_frame") > f.own("data_frame")) & in_time
    in_vain = f.verdict_in(Verdict.SILENT, Verdict.TIMED_OUT) & (f.own("unacked_ns") >= 0)
    return last & (refused | in_vain)


def _slower_evidence(case: Case) -> Evidence:
    """The heartbeat that failed, and which boxes forget sooner."""
    train = surely_train_of(case, case.side)
    record = case.record
    measured = {} if train.fatal_ns is None else {"safe_ns": train.safe_ns, "fatal_ns": train.fatal_ns}
    last = case.facts.last_data_frame or train.last_frame
    return frames_of(last, case.reset.frame if case.reset is not None else None), known(
        period_ns=train.period_ns,
        silent_ns=record.trial_ns,
        survived_ns=record.survived_ns or None,
        limits=limits_of(case, record.trial_ns) or None,
        **measured,
    )


def _slower_detail(t: Teller, f: Finding) -> str:
    before = f", longer than {duration(number(f, 'survived_ns'))} that it survived" if "survived_ns" in f.data else ""
    failed = (
        f"{t.start(side_of(f))}'s heartbeats come every {duration(number(f, 'period_ns'))}, and the last one, after"
        f" {duration(number(f, 'silent_ns'))} of silence{before}, failed."
    )
    if "fatal_ns" in f.data:
        return (
            f"{failed} Connections to the same service in this capture survive {duration(number(f, 'safe_ns'))} of"
            f" silence, and do not survive {duration(number(f, 'fatal_ns'))}."
        )
    return f"{failed} Boxes whose limit lies there: {f.data['limits']}."


SLOWER: Final = FindingKind(
    code="heartbeat-slower-than-limit",
    rows=(Row((came_late, failed_at_a_heartbeat, silence_is_not_survived), _slower_evidence),),
    text=LongText(
        title="A heartbeat came later than middleboxes allow",
        meaning=(
            "The last of this end's heartbeats came after a silence in which known middleboxes forget a flow, longer"
            " than any that this flow had survived, and got no answer, or a RST."
        ),
        why="A heartbeat keeps a flow known only if it comes before the box's idle timeout runs out.",
        change="Let heartbeats come sooner than the path's limit: every 60 s or less keeps a flow through most boxes.",
        doubt=(
            "The peer may also have died on its own. The capture does not show which boxes are on the path; where many"
            " connections to one service show a limit, that is compared."
        ),
        source="field guide 6",
    ),
    detail=_slower_detail,
    remedies=frozenset({Remedy.PASS_MORE_OFTEN, Remedy.BEAT_MORE_OFTEN}),
)


# ── heartbeats that stop, and probes alone ──


@of_heartbeats
def beats_stopped(f: Flows) -> Mask:
    """Behind its last heartbeat passed what was agreed on, or three periods in which it heard nothing if it asks."""
    # who asks for answers, and agreed on nothing, may ask only while it hears nothing: ServerAliveInterval of OpenSSH
    heard_ns = np.maximum(f.beats("last_ns"), f.peer("data_ns"))
    since_ns = np.where(beats_by_rule(f), f.beats("last_ns"), heard_ns)
    late = f.ends_ns - since_ns > overdue_ns(f, LATE)
    return f.once(heartbeats_ceased) & late & (f.own("fin_frame") == 0) & (f.own("unacked_ns") < 0)


def nobody_ended_it(f: Flows) -> Mask:
    """The connection was open when the capture ended, whose time did not go back."""
    going_on = f.verdict_in(Verdict.OPEN) & (f.peer("fin_frame") == 0)
    return going_on & (f.flow("backwards") == 0)


def _ceased_evidence(case: Case) -> Evidence:
    """The last heartbeat, and the silence since."""
    train = surely_train_of(case, case.side)
    return frames_of(train.first_frame, train.last_frame), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        sent=train.sent,
        last_frame=train.last_frame,
        silent_ns=case.record.end_ns - train.last_ns,
    )


def _ceased_detail(t: Teller, f: Finding) -> str:
    return (
        f"{t.start(side_of(f))}'s program sent {count(number(f, 'sent'), 'heartbeat')}, one every"
        f" {duration(number(f, 'period_ns'))} ({by_what(f)}), and then none in the last"
        f" {duration(number(f, 'silent_ns'))} of the capture.{agreed_on(f, LATE)}"
    )


CEASED: Final = FindingKind(
    code="heartbeats-stopped",
    rows=(Row((beats_stopped, nobody_ended_it), _ceased_evidence),),
    text=LongText(
        title="The heartbeats stopped, and nothing else came",
        meaning=(
            "This end's program sent heartbeats in a steady rhythm, its kernel has nothing outstanding, and then it"
            " sent nothing up to the end of the capture: no heartbeat, no data, no FIN. That lasted for longer than the"
            " other end should wait: for MQTT one and a half times what they agreed on, for BGP the hold time, for AMQP"
            " two intervals; three periods where nothing is known of that, in which the other end, if it answers"
            " heartbeats, sent nothing either."
        ),
        why=(
            "A program that beats by itself and is well goes on. It hangs, is stopped, its host is gone, or its packets"
            " do not come this far any more. Whoever waits for these heartbeats should have given up by now."
        ),
        change="Look at that program and its host, and give the other end a time limit for heartbeats.",
        doubt=(
            "The program may have been told to stop. That these messages are heartbeats may be known by their form"
            " alone; what is then sent more often than the heartbeat interval restarts it."
        ),
        source="OASIS MQTT 5.0 3.1.2.10; RFC 4271 4.4, 6.5; AMQP 0-9-1 4.2.7",
    ),
    detail=_ceased_detail,
    advice=Advice.READER,
)


def nobody_beats(f: Flows) -> Mask:
    """No program of either end sends heartbeats."""
    return (f.beats("count") == 0) & (f.from_peer.beats("count") == 0)


def _last_data_ns(f: Flows) -> Column:
    """Return when data last passed, sent again or not: whoever counts data counts it again."""
    both = (f.own("data_ns"), f.own("resent_ns"), f.peer("data_ns"), f.peer("resent_ns"))
    latest: Column = np.maximum.reduce(both)
    return latest


def only_probes_since(f: Flows) -> Mask:
    """Neither end sent data for a minute or more, but probes passed and were answered, the capture awake meanwhile."""
    data_ns = _last_data_ns(f)
    asked = f.probing & f.sure & f.answered
    first, last = f.first_of(asked & (f.seen("ts_ns") > f.of_row(data_ns))), f.last_of(asked)
    there = np.flatnonzero((first >= 0) & (last >= 0))
    awake = np.ones(len(f), dtype=np.bool_)
    awake[there] = f.columns.is_awake(first[there], last[there])
    last_ns = f.value_at(last, "ts_ns")
    return (
        awake
        & (data_ns >= 0)
        & (last_ns - data_ns >= DATA_LIMIT_NS)
        & (f.run("trailing") + f.peer_run("trailing") == 0)
    )


def only_one_end_says_so(f: Flows) -> Mask:
    """Its peer's probes do not show the same of a longer time (nor, of endpoint b, of the same)."""
    own, peers = (_last_answered_ns(each) for each in (f, f.from_peer))
    longer = own > peers if f.side else own >= peers
    return longer | ~only_probes_since(f.from_peer)


def _last_answered_ns(f: Flows) -> Column:
    """Return when its last answered probe was sent, -1 without one."""
    return f.value_at(f.last_of(f.probing & f.sure & f.answered), "ts_ns")


def both_open(f: Flows) -> Mask:
    """The connection was open to the end of the capture."""
    return f.verdict_in(Verdict.OPEN) & (f.own("fin_frame") == 0) & (f.peer("fin_frame") == 0)


def _only_evidence(case: Case) -> Evidence:
    """The last data, and the last answered probe."""
    last_ns, last_frame = max(
        (
            (ns or 0, frame or 0)
            for each in (case.facts, case.peer_facts)
            for ns, frame in ((each.last_data_ns, each.last_data_frame), (each.resent_ns, each.resent_frame))
        )
    )
    probes = [
        probe
        for probe in case.probes
        if probe.answer_frame is not None and probe.certainty != "suspected" and probe.ts_ns > last_ns
    ]
    return frames_of(last_frame or None, probes[-1].frame), known(
        quiet_ns=probes[-1].ts_ns - last_ns, probes=len(probes), last_frame=probes[-1].frame
    )


def _only_detail(t: Teller, f: Finding) -> str:
    theirs = " and the other end's" if any(probe.answered for probe in t.probes(other(side_of(f)))) else ""
    return (
        f"For {duration(number(f, 'quiet_ns'))} no data passed on this connection, only {t.the(side_of(f))}'s"
        f" {count(number(f, 'probes'), 'answered probe')}{theirs}. A load balancer that counts only data would have"
        " closed it, if its limit is shorter."
    )


ONLY_PROBES: Final = FindingKind(
    code="only-probes",
    rows=(Row((both_open, nobody_beats, only_probes_since, only_one_end_says_so), _only_evidence),),
    text=LongText(
        title="Nothing but keepalive probes keeps it",
        meaning=(
            "For a minute or more neither program sent data on this open connection. Keepalive probes passed and were"
            " answered, and nothing else told boxes on the path that it lives."
        ),
        why=(
            "Probes carry no data and end at the next TCP endpoint. A proxy or balancer that ends connections and"
            " counts only data (AWS ALB and Classic Load Balancer 60 s, nginx proxy_timeout, HAProxy timeout client)"
            " closes it however often keepalive asks. They also show only that the kernel lives, not the program."
        ),
        change=(
            "Nothing while it works. If such a box is or comes between the ends, let the programs send heartbeats (a"
            " WebSocket or HTTP/2 PING, MQTT keep-alive) more often than its limit."
        ),
        doubt="There may be no such box. Heartbeats may be further apart than this capture is long.",
        source="field guide 6",
    ),
    detail=_only_detail,
    advice=Advice.MINOR,
)


def program_beats(f: Flows) -> Mask:
    """A program of either end sends heartbeats."""
    return (f.beats("count") > 0) | (f.from_peer.beats("count") > 0)


def _masked_evidence(case: Case) -> Evidence:
    """The train, and who sends it."""
    trains = [(train_of(case.record, side), side) for side in SIDES]
    train, side = max(
        ((train, side) for train, side in trains if train is not None), key=lambda each: (each[0].sent, each[1] == "a")
    )
    return frames_of(train.first_frame, train.last_frame), known(
        beater=side,
        protocol=train.protocol,
        period_ns=train.period_ns,
        bytes=train.payload_len,
        sent=train.sent,
        answered=train.answered,
        room=room_of(train),
    )


def _masked_detail(t: Teller, f: Finding) -> str:
    side: Side = "a" if f.data["beater"] == "a" else "b"
    answered = f", {number(f, 'answered')} of them answered" if "answered" in f.data else ""
    others = f" {room_text(number(f, 'room'))}" if "room" in f.data else ""
    what, known_by = what_is_sent(f), by_what(f)
    if not {"protocol", "answered"} & set(f.data) and number(f, "bytes") > BEAT_TINY_OCTETS:
        what, known_by = "message", "heartbeats, or data at even times: only their form is known"
    return (
        f"{t.start(side)}'s program sent {count(number(f, 'sent'), what)} of"
        f" {count(number(f, 'bytes'), 'byte')}, one every {duration(number(f, 'period_ns'))}{answered}"
        f" ({known_by}).{others} Each restarts keepalive's idle time, so whether keepalive is on cannot be seen here."
    )


def _masked_lacks(t: Teller, f: Finding) -> str:
    del t
    noun = what_is_sent(f)
    return f"Whether keepalive is on: each {noun} restarts its idle time, and no probe passed."


def _masked_change(f: Finding) -> str | None:
    if what_is_sent(f) == "heartbeat":
        if "answered" in f.data:
            return None
        return "Nothing, if the other end gives up once they stay away. TCP_USER_TIMEOUT bounds retransmissions."
    return (
        "Nothing, as far as this capture goes. Such requests or data keep the flow known to boxes on the way; whether"
        " anybody waits for their answers, they do not show."
    )


MASKED: Final = FindingKind(
    code="keepalive-masked",
    rows=(Row((program_beats, c.nobody_probes), _masked_evidence),),
    text=LongText(
        title="Heartbeats leave keepalive nothing to do",
        meaning=(
            "A program on this connection sends small messages of one length at even intervals, and no probe passed."
            " Data restarts keepalive's idle time, so while heartbeats come sooner than that no probe is ever sent."
        ),
        why=(
            "Nothing is wrong: heartbeats test the program too, and boxes that count only data see them. But keepalive"
            " neither helps nor shows here, and a dead peer is found by the heartbeats' rule, or by retransmissions."
        ),
        change=(
            "Nothing, if the heartbeats have a time limit for the answer. TCP_USER_TIMEOUT bounds retransmissions."
        ),
        doubt="Messages of the same form may be polls of an application.",
        source="RFC 9293 3.8.4 MUST-26; Linux tcp_keepalive_timer",
    ),
    detail=_masked_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    lacks=_masked_lacks,
    change=_masked_change,
    advice=Advice.NONE,
)
