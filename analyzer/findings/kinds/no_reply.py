"""A request that the kernel acknowledged and no program answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.label.outcome import Answer
from analyzer.words.fins import fin_lines
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import count, duration, evidence, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import Probe
    from analyzer.words.teller import Teller

ONE_REQUEST_NS: Final = 1_000_000_000
"""What is sent within this time is one request."""
WAITED_NS: Final = 30_000_000_000
"""Most programs answer sooner, or say so; clients wait 30 s or 60 s before they give up."""
ANSWERED: Final = 2


def peer_sent_one_request(f: Flows) -> Mask:
    """From the handshake on its peer sent data once, within a second, and all of it was acknowledged."""
    opened = (f.peer("syn_frame") > 0) & (f.peer("syn_had_ack") == 0)
    once = (f.peer("first_data_ns") >= 0) & (f.peer("data_ns") - f.peer("first_data_ns") <= ONE_REQUEST_NS)
    return opened & once & (f.peer("unacked_ns") < 0)


def peer_asked_again(f: Flows) -> Mask:
    """It had replied to what its peer sent before, which then, a second or more later, sent more, all acknowledged."""
    asked_ns, replied_ns = f.peer("data_ns"), f.own("data_ns")
    before_ns = asked_ns - f.peer("paused_us").astype(np.int64) * 1_000
    habit = (replied_ns >= 0) & (f.peer("paused_us") > 0) & (replied_ns > before_ns)
    whole = (f.own("missed") == 0) & (f.peer("missed") == 0)
    return habit & whole & (asked_ns - replied_ns >= ONE_REQUEST_NS) & (f.peer("unacked_ns") < 0)


def sent_no_data(f: Flows) -> Mask:
    """It never sent any data."""
    return (f.own("payload") == 0) & (f.own("missed") == 0)


def kernel_alive_meanwhile(f: Flows) -> Mask:
    """In 30 s or more since, by a clock that never went back, its kernel answered two probes, or sent two itself."""
    since = f.seen("ts_ns") > f.of_row(f.peer("data_ns"))
    answered = f.from_peer.probing & (f.seen("answer") == Answer.ACK)
    waiting = (f.of_row(f.peer("fin_frame")) == 0) | (f.seen("ts_ns") < f.of_row(f.peer("fin_ns")))
    answered = (answered | (f.probing & f.sure & waiting)) & since
    last_ns = f.largest(f.seen("ts_ns"), answered)
    until_ns = np.where(f.peer("fin_frame") > 0, f.peer("fin_ns"), last_ns)
    waited = (until_ns - f.peer("data_ns") >= WAITED_NS) & (f.flow("backwards") == 0)
    return waited & (f.count_rows(answered) >= ANSWERED)


def peer_waits_or_gave_up(f: Flows) -> Mask:
    """The flow is open, or its peer closed or reset it first."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    going_on = f.verdict_in(Verdict.OPEN, Verdict.CLOSING, Verdict.HALF_CLOSED, Verdict.CLOSED)
    closed_first = (own == 0) | ((peer > 0) & (peer < own))
    return (going_on & closed_first) | (f.verdict_in(Verdict.ABORTED) & (f.by == 1 - f.side) & (own == 0))


def _shown_by(case: Case) -> list[Probe]:
    """Return the probes since that show its kernel alive: those of its peer that it answered, and its own."""
    asked_ns = case.peer_facts.last_data_ns or 0
    closed_ns = case.peer_fin.ts_ns if case.peer_fin is not None else case.record.end_ns
    since = [probe for probe in case.record.probes if probe.ts_ns > asked_ns]
    return [
        probe for probe in since if (probe.ts_ns <= closed_ns if probe.sender == case.side else probe.answer == "ack")
    ]


def _until_ns(case: Case, answered: list[Probe]) -> int:
    """Return until when its peer waited: its FIN, or else the last probe that was answered."""
    return case.peer_fin.ts_ns if case.peer_fin is not None else answered[-1].ts_ns


def _evidence(case: Case) -> Evidence:
    """The request, and the probes that were answered meanwhile."""
    probes = _shown_by(case)
    answered = sum(probe.sender != case.side for probe in probes)
    sent_ns = case.peer_facts.last_data_ns or 0
    turn = next((turn for turn in case.record.turns if turn.sender == case.side), None)
    return frames_of(case.peer_facts.last_data_frame, numbers_of(probes)), known(
        way_frame=turn.frame if turn is not None else None,
        request_frame=case.peer_facts.last_data_frame,
        bytes=case.peer_facts.payload_bytes,
        answered=answered or None,
        probes=len(probes) - answered or None,
        waited_ns=_until_ns(case, probes) - sent_ns,
        program=str(case.record.endpoint(case.side)),
        called=_role(case),
    )


def _role(case: Case) -> str | None:
    """Return what its end is called, where the capture shows who opened the connection."""
    opener = case.record.initiator
    return None if opener is None else "client" if opener == case.side else "server"


def _later_evidence(case: Case) -> Evidence:
    """The same, and its last reply."""
    frames, data = _evidence(case)
    data = {name: value for name, value in data.items() if name != "bytes"}
    replied = case.facts.last_data_frame
    return frames_of(replied, frames), data | known(replied_frame=replied)


def _headline(t: Teller, f: Finding) -> str:
    late = side_of(f)
    again = "replied_frame" in f.data
    what, asked = ("stopped replying", "last message") if again else ("never replied", "request")
    which, who = ("", "something in its name") if "way_frame" in f.data else ("'s program", "the kernel")
    return (
        f"{t.start(late)}{which} {what}: {t.the(other(late))}'s {asked} was acknowledged, and nothing came in"
        f" {duration(number(f, 'waited_ns'))}, while {who} {_alive(f)}."
    )


def _alive(f: Finding) -> str:
    """Return what shows that the kernel is alive."""
    answered, own = number(f, "answered"), number(f, "probes")
    told = [f"answered {count(answered, 'probe')}"] if answered else []
    return " and ".join([*told, *([f"sent {count(own, 'probe')} of its own"] if own else [])])


def _happened(t: Teller, f: Finding) -> list[Line]:
    late = side_of(f)
    asker = other(late)
    if "replied_frame" in f.data:
        asked = Line(
            f"{t.start(late)} had replied to what {t.the(asker)} sent before. Then {t.the(asker)} sent more, all"
            " acknowledged.",
            (number(f, "replied_frame"), number(f, "request_frame")),
        )
    else:
        sent = count(number(f, "bytes"), "byte")
        asked = Line(f"{t.start(asker)} sent {sent}, all acknowledged.", (number(f, "request_frame"),))
    return lines(
        asked,
        Line(f"{t.start(late)} sent no data in the {duration(number(f, 'waited_ns'))} that followed.", f.frames),
        *probe_summary(t),
        *(fin_lines(t, asker)[: 2 if t.fin(late) is not None else 1] if t.fin(asker) is not None else ()),
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    late = t.the(side_of(f))
    probes = [probe for probe in t.record.probes if probe.frame in f.frames]
    if "way_frame" in f.data:
        way = number(f, "way_frame")
        return [
            Line(
                f"Acknowledgements and answers to probes come from a kernel, not from a program. From frame {way:,} on"
                f" those in {late}'s name come another way than before: whether {late}'s own kernel sends them, or a"
                " machine that answers in its name (a balancer, a proxy, a failover), does not show. So its program may"
                " hang, or may never have got the message (inferred).",
                tuple(sorted({way, *f.frames})),
            ),
            Line("Keepalive sees neither: to it the peer is alive.", evidence(probes)),
        ]
    return [
        Line(
            f"Acknowledgements, probes and answers to probes come from {late}'s kernel, not from its program. That the"
            " program hangs, or waits for something itself, is inferred; a protocol without replies looks the same.",
            f.frames,
        ),
        Line("Keepalive cannot see a hung program: to it the peer is alive.", evidence(probes)),
    ]


def _change(f: Finding) -> str:
    """Name the program that must be looked at by its address and port."""
    called = f" (the {f.data['called']})" if "called" in f.data else ""
    return (
        f"Find out what the program on {f.data['program']}{called} is doing (a lock, an exhausted pool, a backend that"
        " hangs). At the asking end set a time limit for replies (read timeout), or use heartbeats that the program"
        " itself answers."
    )


NO_REPLY: Final = FindingKind(
    code="request-without-reply",
    rows=(
        Row((peer_sent_one_request, sent_no_data, kernel_alive_meanwhile, peer_waits_or_gave_up), _evidence),
        Row((peer_asked_again, kernel_alive_meanwhile, peer_waits_or_gave_up), _later_evidence),
    ),
    text=LongText(
        title="A request was acknowledged and never answered",
        meaning=(
            "This end's kernel acknowledged a request and answered or sent probes for 30 s or more, but its program"
            " sent no data: none at all, or none any more although it had replied before."
        ),
        why=(
            "Keepalive tells a dead host from a live one, not a hung program from a busy one. Whoever waits"
            " needs a time limit of its own."
        ),
        change=(
            "Find out what the program that was asked is doing (a lock, an exhausted pool, a backend that"
            " hangs). At the asking end set a time limit for replies (read timeout), or use heartbeats that the"
            " program itself answers."
        ),
        doubt=(
            "A machine that acknowledges in its name, with another TTL, may have lost it. A protocol without replies"
            " looks the same, and so does one that pushes later, or a last message"
            " that asks for nothing."
        ),
        source="RFC 9293 3.8.4; RFC 1122 4.2.3.6",
    ),
    detail=_headline,
    change=_change,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.READER,
)
