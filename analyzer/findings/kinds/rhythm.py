"""How often is probed, and by whom: more often than any path needs, or from both ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Row, Scope
from analyzer.judge.record import other
from analyzer.label.outcome import Answer
from analyzer.words.model import LongText
from analyzer.words.teller import count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


AGGRESSIVE_NS: Final = 10_000_000_000
"""Probing more often serves no path, whose shortest limit is 60 s; in ``signatures`` only Node's agent does so."""
AGGRESSIVE_LEAST: Final = 3
"""This many equal gaps, before a rhythm is called one."""
OVERLAPPING_LEAST: Final = 2
"""One answer that is late for once shows no round trip."""
PER_MINUTE_NS: Final = 60_000_000_000


def probes_often(f: Flows) -> Mask:
    """Half of the gaps after its answered probes are below 10 s, and there are at least three gaps."""
    below = f.answered_gaps & (f.seen("gap_ns") < AGGRESSIVE_NS)
    gaps = f.count_rows(f.answered_gaps)
    return (f.flow("backwards") == 0) & (gaps >= AGGRESSIVE_LEAST) & (f.count_rows(below) > gaps // 2)


def _often_evidence(case: Case) -> Evidence:
    """The rhythm of the answered probes."""
    gaps = case.answered_gaps
    middle = gaps[len(gaps) // 2]
    return frames_of(numbers_of(case.probes)), known(gap_ns=middle, observations=len(gaps), probes=len(case.probes))


def _often_detail(t: Teller, f: Finding) -> str:
    rate = PER_MINUTE_NS / number(f, "gap_ns")
    text = f"{t.start(side_of(f))} probes about every {duration(number(f, 'gap_ns'))}, {rate:.0f} times a minute."
    other_too = any(found.code == f.code and found.about == other(side_of(f)) for found in t.judged.findings)
    # a box on this path did what no known one does: nothing is enough for it; and of both ends it is said once
    if t.ending.by == "between" or (other_too and side_of(f) == "a"):
        return text
    return (
        f"{text} The shortest known idle timeout of a middlebox is 60 s, so probing every 30 to 45 s would be enough to"
        " keep the connection."
    )


AGGRESSIVE: Final = FindingKind(
    code="aggressive-probing",
    rows=(Row((probes_often,), _often_evidence),),
    text=LongText(
        title="Probing more often than any path needs",
        meaning="Answered probes come less than 10 s apart, and at least three gaps show it.",
        why=(
            "The shortest known idle timeout of a middlebox is 60 s. More probes cost packets, wake radios, and"
            " add up over many connections; all they do is find a dead peer sooner."
        ),
        change=(
            "If a dead peer must be noticed within seconds, keep these settings. Otherwise an idle time of 30 to"
            " 45 s is enough to keep the flow in every middlebox's table."
        ),
        doubt=(
            "Short times are right in tests, in clusters with fast failover, and where the program deliberately"
            " asks for them. Answers lost beyond the capture point make a prober switch to its interval, which"
            " looks like this."
        ),
        source="field guide 2.3, 5, 6",
    ),
    detail=_often_detail,
    advice=Advice.MINOR,
)


def answers_come_behind_later_probes(f: Flows) -> Mask:
    """Two or more of its probes were answered, but only when it had already sent the next one."""
    probes = np.flatnonzero(f.probing)
    early, late = probes[:-1], probes[1:]
    together = f.columns.owner[early] == f.columns.owner[late] if len(probes) > 1 else np.zeros(0, dtype=bool)
    early, late = early[together], late[together]
    by_ack = f.seen("answer")[early] == Answer.ACK
    early, late = early[by_ack], late[by_ack]
    answer = f.columns.start[f.columns.owner[early]] + f.seen("answer_row")[early]
    behind = np.zeros(len(f.probing), dtype=bool)
    behind[early] = answer > late
    return f.count_rows(behind) >= OVERLAPPING_LEAST


def _behind_evidence(case: Case) -> Evidence:
    """The probes with such answers, the interval, and how long the answers took."""
    probes = case.probes
    behind = [
        (early, late)
        for early, late in pairwise(probes)
        if early.answer == "ack" and early.answer_frame is not None and early.answer_frame > late.frame
    ]
    took = sorted(early.answer_ns or 0 for early, _ in behind)
    gaps = sorted(late.ts_ns - early.ts_ns for early, late in behind)
    frames = [frame for early, _ in behind for frame in (early.frame, early.answer_frame or early.frame)]
    return frames_of(frames), known(
        behind=len(behind), took_ns=took[len(took) // 2], gap_ns=gaps[len(gaps) // 2], probes=len(probes)
    )


def _behind_detail(t: Teller, f: Finding) -> str:
    return (
        f"{t.start(side_of(f))} probes every {duration(number(f, 'gap_ns'))}, but an answer takes"
        f" {duration(number(f, 'took_ns'))}: {number(f, 'behind')} of its {number(f, 'probes')} probes were answered"
        " only after the next one. The interval is shorter than the round trip."
    )


BELOW_ROUND_TRIP: Final = FindingKind(
    code="interval-below-round-trip",
    rows=(Row((answers_come_behind_later_probes,), _behind_evidence),),
    text=LongText(
        title="The interval is shorter than the round trip",
        meaning="Answers to this end's probes arrive only after it has sent later ones.",
        why=(
            "Each probe is answered, but some are always on their way. After a silence of count x interval it gives up,"
            " and that must be longer than the path takes; else it gives up a peer that answers."
        ),
        change="Set the interval well above the round trip of this path (a satellite link, a long queue).",
        doubt="Which answer belongs to which probe is inferred from the times; an ACK does not name the probe.",
        source="RFC 9293 3.8.4; Linux tcp_keepalive_timer",
    ),
    detail=_behind_detail,
    advice=Advice.OWN,
)


def peer_probes(f: Flows) -> Mask:
    """Its peer sent one too."""
    return c.probes(f.from_peer)


def _both_evidence(case: Case) -> Evidence:
    """How many probes each end sent."""
    own, peers = case.probes, case.record.probes_from(case.peer)
    return frames_of(numbers_of(own), numbers_of(peers)), known(probes_a=len(own), probes_b=len(peers))


def _both_detail(t: Teller, f: Finding) -> str:
    a, b = number(f, "probes_a"), number(f, "probes_b")
    return (
        f"Keepalive is on at both ends: {count(a, 'probe')} from {t.the('a')}, {b} from {t.the('b')}, each by its"
        " own timer."
    )


BOTH_ENDS: Final = FindingKind(
    code="both-ends-probe",
    rows=(Row((c.probes, peer_probes), _both_evidence),),
    text=LongText(
        title="Both ends probe",
        meaning="Keepalive is on at both ends, each with its own timer.",
        why=(
            "That is legal and doubles the number of probes. On Linux one end's empty probes do not restart the"
            " other's timer; on macOS they do."
        ),
        change="Nothing, or turn keepalive off at one end.",
        doubt="The two ends' settings are independent; do not read one end's from the other's probes.",
        source="Linux tcp_validate_incoming; XNU tcp_input.c; field guide 2.2, 3.2",
    ),
    detail=_both_detail,
    scope=Scope.FLOW,
    advice=Advice.NONE,
)
