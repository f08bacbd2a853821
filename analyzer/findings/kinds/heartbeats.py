"""Heartbeats of programs: not answered any more, given up, too seldom for a path, or in the way of keepalive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row, Scope, Told
from analyzer.judge.protocols import beat_of
from analyzer.judge.record import other
from analyzer.judge.signatures import MIDDLEBOXES, middleboxes_within
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import ANSWER_RST_NS, BEAT_PROMPT_NS
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.judge.record import FlowRecord, Heartbeats
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

SHORTEST_LIMIT_NS: Final = NS_PER_S * min(
    row.idle_s for row in MIDDLEBOXES if row.keepalive_helps and not row.half_closed
)
"""Within this time no known box forgets a flow that a heartbeat could have kept."""
SLOW_ANSWERS: Final = 4
"""Whoever waits this many times as long as for the slowest answer so far waits in vain."""


def train_of(record: FlowRecord, side: Side) -> Heartbeats | None:
    """Return the train of an end that says most: one that answers are due to before others, then the longest.

    ``Flows.beats`` has the same.
    """
    trains = [train for train in record.heartbeats if train.sender == side]
    return max(trains, key=lambda t: (t.answered is not None, t.unanswered or 0, t.sent, t.first_frame), default=None)


def _by(f: Finding) -> str:
    """Return what its heartbeats are, or how they are known."""
    return beat_of(str(f.data["protocol"])) if "protocol" in f.data else "by their form"


def _train(case: Case, side: Side) -> Heartbeats:
    found = train_of(case.record, side)
    assert found is not None
    return found


# ── the program does not answer, or its peer gave up ──


def peer_beats_in_vain(f: Flows) -> Mask:
    """Its program answered heartbeats of its peer, and two or more since then not, which its kernel acknowledged."""
    return (f.from_peer.beats("due") == 1) & (f.from_peer.beats("acked") > 1)


def peer_gave_up_on_a_heartbeat(f: Flows) -> Mask:
    """Its peer closed or reset the connection after one that its kernel acknowledged and its program did not answer."""
    return (f.from_peer.beats("due") == 1) & (f.from_peer.beats("acked") == 1) & gave_up_waiting(f.from_peer)


def sent_no_data_since(f: Flows) -> Mask:
    """It sent no data since then."""
    return f.own("data_ns") < f.from_peer.beats("silent_ns")


def did_not_close_first(f: Flows) -> Mask:
    """It neither closed nor reset the connection before its peer did."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    return ((own == 0) | ((peer > 0) & (peer < own))) & ~f.own_reset


def last_heartbeats_unanswered(f: Flows) -> Mask:
    """Its heartbeats had been answered, and the last of them was not."""
    return (f.beats("due") == 1) & (f.beats("unanswered") > 0)


def gave_up_waiting(f: Flows) -> Mask:
    """It closed or reset the connection first, having waited for longer than four times the slowest answer before."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    closed_ns = np.where((own > 0) & ((peer == 0) | (own < peer)), f.own("fin_ns"), -1)
    reset_ns = f.at_row(f.ending("reset_row"), "ts_ns")
    ended_ns = np.where(closed_ns >= 0, closed_ns, np.where(f.own_reset & (own == 0) & (peer == 0), reset_ns, -1))
    least_ns = np.maximum(SLOW_ANSWERS * f.beats("slowest_ns"), BEAT_PROMPT_NS)
    return (ended_ns >= 0) & (ended_ns - f.beats("silent_ns") >= least_ns)


def _until_ns(case: Case, side: Side) -> int:
    """Return until when that end waited: its FIN or RST, or the end of the capture."""
    fin = case.record.fin_of(side)
    reset = case.reset
    if fin is not None:
        return fin.ts_ns
    return reset.ts_ns if reset is not None and reset.sender == side else case.record.end_ns


def _in_vain(case: Case, side: Side) -> Evidence:
    train = _train(case, side)
    fin, reset = case.record.fin_of(side), case.reset
    closed = fin.frame if fin is not None else reset.frame if reset is not None and reset.sender == side else None
    return frames_of(train.answer_frame, train.silent_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        answered=train.answered,
        unanswered=train.unanswered,
        acked=train.acked,
        answer_frame=train.answer_frame,
        silent_frame=train.silent_frame,
        last_frame=train.last_frame,
        closed_frame=closed,
        waited_ns=_until_ns(case, side) - (train.silent_ns or 0),
    )


def _hung_evidence(case: Case) -> Evidence:
    """The last answer, the heartbeats since, and how long its peer waited."""
    return _in_vain(case, case.peer)


def _missed_evidence(case: Case) -> Evidence:
    """The same of its own heartbeats."""
    return _in_vain(case, case.side)


def _hung_headline(t: Teller, f: Finding) -> str:
    late = side_of(f)
    beats = count(number(f, "unanswered"), "heartbeat")
    return (
        f"{t.start(late)}'s program stopped answering: its kernel acknowledged {beats} of {t.the(other(late))} in"
        f" {duration(number(f, 'waited_ns'))}, and the program answered none."
    )


def _hung_happened(t: Teller, f: Finding) -> list[Line]:
    late = side_of(f)
    asker = t.start(other(late))
    closed = (
        Line(f"{asker} then ended the connection.", (number(f, "closed_frame"),)) if "closed_frame" in f.data else None
    )
    return lines(
        Line(
            f"{asker}'s program sent a heartbeat ({_by(f)}) every {duration(number(f, 'period_ns'))}, and"
            f" {t.the(late)}'s answered {number(f, 'answered')}, the last one here.",
            (number(f, "answer_frame"),),
        ),
        Line(
            f"Since then {count(number(f, 'unanswered'), 'heartbeat')} got no answer, though the kernel acknowledged"
            f" {'it' if number(f, 'acked') == 1 else number(f, 'acked')}.",
            tuple(sorted({number(f, "silent_frame"), number(f, "last_frame")})),
        ),
        closed,
    )


def _hung_why(t: Teller, f: Finding) -> list[Line]:
    late = t.the(side_of(f))
    return [
        Line(
            f"Acknowledgements come from {late}'s kernel, answers to heartbeats from its program. So host and path were"
            " alive; that the program hangs, is stopped or is busy with something else, is inferred.",
            f.frames,
        ),
        Line("Keepalive cannot see this: to it the peer is alive.", (number(f, "last_frame"),)),
    ]


HUNG: Final = FindingKind(
    code="program-hung",
    rows=(
        Row((peer_beats_in_vain, sent_no_data_since, did_not_close_first), _hung_evidence),
        Row((peer_gave_up_on_a_heartbeat, sent_no_data_since, did_not_close_first), _hung_evidence),
    ),
    text=LongText(
        title="The kernel acknowledges, the program answers no heartbeat any more",
        meaning=(
            "This end's program answered its peer's heartbeats for a while. Then it sent nothing more, while its kernel"
            " went on to acknowledge them."
        ),
        why=(
            "The host runs and the path works, so keepalive would find nothing wrong. The program is stopped, hangs, or"
            " does something that takes it longer than its peer waits."
        ),
        change=(
            "Find out what the program was doing at that time (a lock, a long collection of garbage, a call that"
            " blocks the event loop, a debugger, SIGSTOP). Answer heartbeats where nothing else can hold them up."
        ),
        doubt=(
            "That these messages are heartbeats may be known by their form alone: same length, even intervals, quick"
            " small answers. A program may also have been told to answer no more."
        ),
        source="RFC 9293 3.8.4; RFC 6455 5.5.2; field guide 6",
    ),
    detail=_hung_headline,
    lead=Lead(_hung_headline, _hung_happened, _hung_why),
)


def _missed_detail(t: Teller, f: Finding) -> str:
    ended = f"{t.start(side_of(f))} ended the connection {duration(number(f, 'waited_ns'))} after"
    missed = number(f, "unanswered")
    beat = "a heartbeat" if missed == 1 else f"the first of {missed} heartbeats"
    return f"{ended} {beat} ({_by(f)}) that nothing answered."


MISSED: Final = FindingKind(
    code="heartbeats-missed",
    rows=(Row((last_heartbeats_unanswered, gave_up_waiting), _missed_evidence),),
    text=LongText(
        title="It closed because heartbeats were not answered",
        meaning=(
            "This end's program sent heartbeats, the last of them got no answer, and it closed or reset the"
            " connection: by its own rule, not by TCP's."
        ),
        why=(
            "Such a rule finds a dead host, a broken path and a hung program alike. What it was shows in whether the"
            " other kernel acknowledged the heartbeats."
        ),
        change=(
            "Nothing, if the other end was dead. If it was only slow, let the rule wait for longer than the other"
            " program may be busy, or miss more than one."
        ),
        doubt="It may have closed for another reason at that time.",
        source="RFC 6455 5.5.2; OASIS MQTT 5.0 3.1.2.10",
    ),
    detail=_missed_detail,
    advice=Advice.MINOR,
)


# ── too many of them ──


def told_that_they_are_too_many(f: Flows) -> Mask:
    """The other end said that its heartbeats are too many (HTTP/2 GOAWAY with ENHANCE_YOUR_CALM)."""
    return f.beats("refused_frame") > 0


def _refused_evidence(case: Case) -> Evidence:
    """The train that was refused, and the frame that said so."""
    refused = [train for train in case.record.heartbeats if train.sender == case.side and train.refused_frame]
    train = refused[0]
    return frames_of(train.first_frame, train.last_frame, train.refused_frame), known(
        protocol=train.protocol,
        period_ns=train.period_ns,
        sent=train.sent,
        refused_frame=train.refused_frame,
    )


def _refused_headline(t: Teller, f: Finding) -> str:
    side = side_of(f)
    return (
        f"{t.start(other(side))} refused {t.the(side)}'s heartbeats because they are too many: one every"
        f" {duration(number(f, 'period_ns'))} ({_by(f)})."
    )


def _refused_happened(t: Teller, f: Finding) -> list[Line]:
    side = side_of(f)
    return [
        Line(
            f"{t.start(side)}'s program sent {count(number(f, 'sent'), 'heartbeat')}, one every"
            f" {duration(number(f, 'period_ns'))}.",
            f.frames[:2],
        ),
        Line(
            f"{t.start(other(side))}'s answered with GOAWAY, ENHANCE_YOUR_CALM: too many pings.",
            (number(f, "refused_frame"),),
        ),
    ]


def _refused_why(t: Teller, f: Finding) -> list[Line]:
    return [
        Line(
            f"{t.start(other(side_of(f)))} allows fewer than that. A gRPC server takes one each five minutes by"
            " default, and without open calls one each two hours.",
            (number(f, "refused_frame"),),
        )
    ]


TOO_MANY: Final = FindingKind(
    code="too-many-pings",
    rows=(Row((told_that_they_are_too_many,), _refused_evidence),),
    text=LongText(
        title="Its heartbeats were refused: too many",
        meaning=(
            "This end's program sent HTTP/2 PINGs more often than its peer takes them, and the peer said so: GOAWAY"
            " with ENHANCE_YOUR_CALM (gRPC: too_many_pings). The connection takes no new calls from then on."
        ),
        why=(
            "A server takes frequent PINGs for an attack, or for a client that wastes batteries. The client connects"
            " again and, if it pings as before, is refused again."
        ),
        change=(
            "Let both ends agree. In gRPC raise the client's keepalive time to what the server permits (5 min by"
            " default, and none without calls), or lower the server's: MinTime and PermitWithoutStream in Go,"
            " GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS elsewhere."
        ),
        doubt="ENHANCE_YOUR_CALM may also be said of other frames than PINGs.",
        source="RFC 9113 7; gRPC proposals A8 and A9",
    ),
    detail=_refused_headline,
    lead=Lead(_refused_headline, _refused_happened, _refused_why),
)


# ── heartbeats and the time that boxes and keepalive wait ──


def beats_seldom(f: Flows) -> Mask:
    """Its heartbeats are further apart than known boxes on the way remember an idle flow."""
    period_ns = f.beats("sum_ns") // np.maximum(f.beats("gaps"), 1)
    return period_ns >= SHORTEST_LIMIT_NS


def failed_at_a_heartbeat(f: Flows) -> Mask:
    """The last thing that it sent was a heartbeat, which drew a RST or was never acknowledged."""
    last = (f.beats("last_frame") > 0) & (f.own("data_frame") == f.beats("last_frame"))
    in_time = f.at_row(f.ending("reset_row"), "ts_ns") - f.beats("last_ns") <= ANSWER_RST_NS
    refused = f.from_peer.own_reset & (f.ending("reset_frame") > f.beats("last_frame")) & in_time
    in_vain = f.verdict_in(Verdict.SILENT, Verdict.TIMED_OUT) & (f.own("unacked_ns") >= 0)
    return last & (refused | in_vain)


def _slower_evidence(case: Case) -> Evidence:
    """The heartbeat that failed, and which boxes forget sooner."""
    train = _train(case, case.side)
    boxes = {row.idle_s: row.name for row in middleboxes_within(train.period_ns) if row.keepalive_helps}
    return frames_of(train.last_frame, case.reset.frame if case.reset is not None else None), known(
        period_ns=train.period_ns,
        survived=train.sent - 1,
        limits=", ".join(f"{boxes[limit]} {limit} s" for limit in sorted(boxes)),
    )


def _slower_detail(t: Teller, f: Finding) -> str:
    return (
        f"{t.start(side_of(f))}'s heartbeats come every {duration(number(f, 'period_ns'))}, and the last one failed."
        f" Boxes that forget an idle flow sooner: {f.data['limits']}."
    )


SLOWER: Final = FindingKind(
    code="heartbeat-slower-than-limit",
    rows=(Row((beats_seldom, failed_at_a_heartbeat), _slower_evidence),),
    text=LongText(
        title="Heartbeats further apart than middleboxes allow",
        meaning=(
            "This end's heartbeats come so seldom that known middleboxes forget the flow between two of them, and one"
            " of them got no answer, or a RST."
        ),
        why="A heartbeat keeps a flow known only if it comes before the box's time is up.",
        change="Let heartbeats come sooner than the path's limit: every 60 s or less keeps a flow through most boxes.",
        doubt="The peer may also have died on its own. The capture does not show which boxes are on the path.",
        source="field guide 6",
    ),
    detail=_slower_detail,
)


def program_beats(f: Flows) -> Mask:
    """A program of either end sends heartbeats."""
    return (f.beats("count") > 0) | (f.from_peer.beats("count") > 0)


def nobody_probes(f: Flows) -> Mask:
    """No probe was captured."""
    return sum(f.run(name) + f.peer_run(name) for name in ("probes", "zero_window")) == 0


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
    )


def _masked_detail(t: Teller, f: Finding) -> str:
    side: Side = "a" if f.data["beater"] == "a" else "b"
    answered = f", {number(f, 'answered')} of them answered" if "answered" in f.data else ""
    return (
        f"{t.start(side)}'s program sent {count(number(f, 'sent'), 'heartbeat')} of"
        f" {count(number(f, 'bytes'), 'byte')}, one every {duration(number(f, 'period_ns'))}{answered} ({_by(f)})."
        " Each restarts keepalive's idle time, so whether keepalive is on cannot be seen here."
    )


MASKED: Final = FindingKind(
    code="keepalive-masked",
    rows=(Row((program_beats, nobody_probes), _masked_evidence),),
    text=LongText(
        title="Heartbeats leave keepalive nothing to do",
        meaning=(
            "A program on this connection sends small messages of one length at even intervals, and no probe passed."
            " Data restarts keepalive's idle time, so while heartbeats come sooner than that no probe is ever sent."
        ),
        why=(
            "It is no fault: heartbeats test the program too, and boxes that count only data see them. But keepalive"
            " neither helps nor shows here, and a dead peer is found by the heartbeats' rule, or by retransmissions."
        ),
        change="Nothing. Give heartbeats a time limit for the answer; TCP_USER_TIMEOUT bounds retransmissions.",
        doubt="Messages of the same form may be polls of an application.",
        source="RFC 9293 3.8.4 MUST-26; Linux tcp_keepalive_timer",
    ),
    detail=_masked_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    advice=Advice.NONE,
)
