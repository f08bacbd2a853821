"""A live peer that answers no probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line, LongText
from analyzer.words.probes import last_heard, probe_summary
from analyzer.words.teller import count, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

OPTIONLESS: Final = 20
"""Bytes of a TCP header without options."""


def not_ended_by_peer(f: Flows) -> Mask:
    """The verdict is open, half_closed, closing, closed or timed_out; or silent, and it is probes that stayed so."""
    verdicts = (Verdict.OPEN, Verdict.HALF_CLOSED, Verdict.CLOSING, Verdict.CLOSED, Verdict.TIMED_OUT)
    return f.verdict_in(*verdicts) | c.silent_to_probes(f)


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
    last = t.record.trailing(prober)
    never = "was alive but never answered" if last else "is alive but never answers"
    return (
        f"{t.start(other(prober))} {never} a probe:"
        f" none of {t.the(prober)}'s {count(number(f, 'probes'), 'probe')} in"
        f" {count(number(f, 'trains'), 'train')}, and {'all times but the last' if last else 'each time'} it was heard"
        " again."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    peer = other(side_of(f))
    went_on = Line(f"{t.start(peer)} went on sending in between, so it was there to answer.", f.frames)
    last = t.record.trailing(side_of(f))
    if not last:
        return [*probe_summary(t), went_on]
    text = (
        f"Nothing came from it after the last {count(len(last), 'probe')}, until {t.its_end}; since this peer"
        " never answers probes, that tells nothing."
    )
    return lines(*probe_summary(t), went_on, last_heard(t, peer), Line(text, numbers_of(last)))


def _why(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    text = {
        "without_timestamps": (
            "These probes bear no timestamps on a connection that has them. A receiver may drop such segments without"
            " an answer."
        ),
        "empty": (
            "These probes are empty. Some stacks, old or small, do not answer an empty segment with an old number"
            ": the probe with one byte exists for these."
        ),
        "octet": (
            "Even a probe with a byte of data got no answer, though every stack should answer it: perhaps probes are"
            " dropped on the path."
        ),
    }[str(f.data["form"])]
    return [
        Line(text, f.frames),
        Line(
            f"{t.start(prober)} counts each as unanswered. In a silence longer than idle time + count x interval it"
            " would give up on a peer that is alive.",
            f.frames,
        ),
    ]


ANSWERS_NONE: Final = FindingKind(
    code="answers-no-probe",
    rows=(Row((c.probes, not_ended_by_peer, c.peer_answers_no_probe), _evidence),),
    text=LongText(
        title="A live peer that answers no probes",
        meaning=(
            "None of this end's probes was answered, yet its peer was heard again after each of several trains:"
            " it is alive, but does not answer probes."
        ),
        why=(
            "To keepalive, such a peer looks dead: a silence longer than idle time + count x interval ends a"
            " healthy connection."
        ),
        change=(
            "Do not use TCP keepalive against this peer: switch SO_KEEPALIVE off for it, or choose an idle time longer"
            " than its silences, and let the application send heartbeats. If its stack can be updated, do so."
        ),
        doubt=(
            "A box on the path may drop the probes, or their answers beyond this capture point; then another"
            " path shows answers."
        ),
        source="RFC 9293 3.8.4; RFC 1122 4.2.3.6; RFC 7323 3.2",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
)
