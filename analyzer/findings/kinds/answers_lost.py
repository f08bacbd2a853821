"""The prober gave up with a RST of its own, though the capture shows answers: they did not reach it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings import gave_up
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.label.distance import FULL_TTLS
from analyzer.label.outcome import Answer
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def last_probe_answered_in_capture(f: Flows) -> Mask:
    """Yet the capture shows an answer to its last probe."""
    answer = f.value_at(f.last_of(f.probing), "answer")
    return (answer == Answer.ACK) | (answer == Answer.DATA)


def _evidence(case: Case) -> Evidence:
    """The answers that the capture shows and the prober's RST belies."""
    reset = case.own_reset
    assert reset is not None
    last = [probe for probe in case.probes if probe.train == case.probes[-1].train and probe.answered]
    return frames_of(numbers_of(last), (p.answer_frame for p in last if p.answer_frame), reset.frame), known(
        answered=len(last), reset_frame=reset.frame
    )


def _headline(t: Teller, f: Finding) -> str:
    """Return lost answers in one line."""
    prober = side_of(f)
    return (
        f"{t.start(prober)} gave up although the capture shows answers to its probes: they were lost between here and"
        f" {t.the(prober)}."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the answers and the RST that belies them."""
    prober = side_of(f)
    return [
        *probe_summary(t),
        Line(
            f"Yet {t.the(prober)}'s probes fell into the rhythm of unanswered ones, and in the end it sent RST+ACK,"
            " as a prober does when it hears nothing.",
            f.frames,
        ),
    ]


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return where to look."""
    text = (
        "Inferred from that rhythm and the RST: the answers were lost behind this capture point, on the way to "
        f"{t.the(side_of(f))}."
    )
    return [Line(text, f.frames), *_unechoed(t, f), *_lost_at_home(t, f)]


def _unechoed(t: Teller, f: Finding) -> list[Line]:
    """Return that the prober's timestamps prove it, where its probes echoed those of answers before (RFC 7323)."""
    probes = t.probes(side_of(f))
    behind = [late for early, late in pairwise(probes) if early.answered]
    heard = next((at for at in range(len(behind), 0, -1) if behind[at - 1].echoes), 0)
    lost = behind[heard:]
    if not heard or not lost:
        return []
    text = (
        f"Its timestamps prove it: from {t.at(lost[0].ts_ns)} on none of its probes echoes the timestamp of the answer"
        " before, as earlier ones did (RFC 7323)."
    )
    return [Line(text, tuple(probe.frame for probe in lost))]


def _lost_at_home(t: Teller, f: Finding) -> list[Line]:
    """Return that no router lies between the capture point and the prober, if its packets still have their full TTL."""
    prober = side_of(f)
    ttl = t.facts(prober).ttl
    if ttl is None or ttl[0] != ttl[1] or ttl[0] not in FULL_TTLS:
        return []
    text = (
        f"{t.start(prober)}'s packets have TTL {ttl[0]} here, which no router has lowered: the answers were lost on"
        f" this link or in {t.the(prober)}'s own host, so look at its packet filter first."
    )
    return [Line(text, f.frames)]


ANSWERS_LOST: Final = FindingKind(
    code="answers-lost-behind-capture",
    rows=(Row((c.verdict_timed_out, c.reset_in_its_name, last_probe_answered_in_capture), _evidence),),
    text=LongText(
        title="The capture shows answers that did not reach the prober",
        meaning=(
            "The capture shows answers, but the prober behaved as if it heard nothing: it switched to its"
            " interval and finally sent RST."
        ),
        why="The fault lies between the capture point and the prober, in the direction of the answers.",
        change=(
            "Look between the capture point and this end: a firewall that passes one direction only, an"
            " asymmetric route, a full queue. Capture at this end too."
        ),
        doubt=(
            "Inferred from the rhythm of the probes and the form of the RST. Answers that the prober discards (RFC"
            " 7323 checks on timestamps) would look the same."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.3, 8",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    sees=gave_up.sees,
)
