"""A live peer that answers no probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.label.outcome import Answer
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import count, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

LEAST: Final = 3
"""So many probes in vain, and trains that the peer was heard after, before a habit is called one."""
OPTIONLESS: Final = 20
"""Octets of a TCP header without options."""


def no_probe_answered(f: Flows) -> Mask:
    """It sent 3 probes or more, all sure, and none was answered."""
    unlike = f.any_row(f.probing & ((f.seen("answer") != Answer.NONE) | ~f.sure))
    return (f.run("probes") >= LEAST) & ~unlike


def peer_heard_after_trains(f: Flows) -> Mask:
    """Its peer was heard again after 3 trains of them or more: it was alive all the time."""
    after_last = f.peer("last_ns") > f.value_at(f.last_of(f.probing), "ts_ns")
    return f.run("trains") - 1 + after_last >= LEAST


def still_open(f: Flows) -> Mask:
    """The verdict is open, half_closed, closing or closed."""
    return f.verdict_in(Verdict.OPEN, Verdict.HALF_CLOSED, Verdict.CLOSING, Verdict.CLOSED)


def _evidence(case: Case) -> Evidence:
    """The probes, in how many trains, and their form."""
    optionless = case.facts.timestamps and all(probe.header_len == OPTIONLESS for probe in case.probes)
    return frames_of(numbers_of(case.probes)), known(
        probes=len(case.probes),
        trains=len({probe.train for probe in case.probes}),
        form="octet"
        if any(probe.payload_len for probe in case.probes)
        else ("without_timestamps" if optionless else "empty"),
    )


def _headline(t: Teller, f: Finding) -> str:
    prober = side_of(f)
    return (
        f"{t.start(other(prober))} is alive but never answers a probe:"
        f" none of {t.the(prober)}'s {count(number(f, 'probes'), 'probe')} in"
        f" {count(number(f, 'trains'), 'train')}, and each time it was heard again."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    peer = t.start(other(side_of(f)))
    return [*probe_summary(t), Line(f"{peer} went on sending in between, so it was there to answer.", f.frames)]


def _why(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    text = {
        "without_timestamps": (
            "These probes bear no timestamps on a connection that has them. A receiver may drop such segments without"
            " an answer (RFC 7323 3.2)."
        ),
        "empty": (
            "These probes are empty. Some stacks, old or small, do not answer an empty segment with an old number"
            " (RFC 9293 3.8.4): for these there is the probe with one octet."
        ),
        "octet": (
            "Even a probe with an octet got no answer, which every stack should give: perhaps probes are dropped on the"
            " way."
        ),
    }[str(f.data["form"])]
    return [
        Line(text, f.frames),
        Line(
            f"{t.start(prober)} counts each as unanswered. A silence longer than its count of intervals would have it"
            " give up on a peer that is alive.",
            f.frames,
        ),
    ]


ANSWERS_NONE: Final = FindingKind(
    code="answers-no-probe",
    rows=(Row((c.probes, still_open, no_probe_answered, peer_heard_after_trains), _evidence),),
    text=LongText(
        title="A live peer that answers no probe",
        meaning=(
            "None of this end's probes was answered, and yet its peer was heard again after each of several trains:"
            " it is alive, but does not answer probes."
        ),
        why=(
            "To keepalive such a peer looks dead: a silence longer than idle time, interval and count allow ends the"
            " connection, for nothing."
        ),
        change=(
            "Do not use TCP keepalive against this peer: switch SO_KEEPALIVE off for it, or choose an idle time longer"
            " than its silences, and let the application send heartbeats. If its stack can be updated, do so."
        ),
        doubt=(
            "A box on the way may drop the probes, or their answers behind this capture point; then another path"
            " shows answers."
        ),
        source="RFC 9293 3.8.4; RFC 1122 4.2.3.6; RFC 7323 3.2",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
)
