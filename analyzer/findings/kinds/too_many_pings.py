"""Heartbeats that the other program refuses as too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.beating import of_heartbeats
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.findings.notable import OF_OTHERS
from analyzer.findings.phrases import CALM_DOWN, by_what
from analyzer.judge.record import other
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

FREQUENT_NS: Final = 5 * 60 * NS_PER_S
"""gRPC servers take PINGs that come no sooner than this (gRPC proposal A8, by default)."""


@of_heartbeats
def asked_to_calm_down(f: Flows) -> Mask:
    """The other end asked it to calm down (HTTP/2 GOAWAY with ENHANCE_YOUR_CALM), and did not name anything else."""
    return (f.beats("refused_frame") > 0) & (f.beats("refused_for") != OF_OTHERS)


def _refused_evidence(case: Case) -> Evidence:
    """The train that was refused, and the frame that said so."""
    refused = [train for train in case.record.heartbeats if train.sender == case.side and train.refused_frame]
    train = refused[0]
    return frames_of(train.first_frame, train.last_frame, train.refused_frame), known(
        protocol=train.protocol,
        period_ns=train.period_ns,
        sent=train.sent,
        refused_frame=train.refused_frame,
        refused_for=train.refused_for,
    )


def _refused_headline(t: Teller, f: Finding) -> str:
    side = side_of(f)
    rate = f"one every {duration(number(f, 'period_ns'))} ({by_what(f)})"
    if "refused_for" in f.data:
        return f"{t.start(other(side))} refused {t.the(side)}'s heartbeats as too many: {rate}."
    if number(f, "period_ns") < FREQUENT_NS:
        return f"{t.start(other(side))} asked {t.the(side)} to calm down, most likely for its heartbeats: {rate}."
    return (
        f"{t.start(other(side))} asked {t.the(side)} to calm down; whether for its heartbeats, {rate}, cannot be told."
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
            f"{t.start(other(side))}'s program sent GOAWAY, ENHANCE_YOUR_CALM"
            f"{': too many pings.' if 'refused_for' in f.data else ', and did not say for what.'}",
            (number(f, "refused_frame"),),
        ),
    ]


def _refused_why(t: Teller, f: Finding) -> list[Line]:
    usual = "A gRPC server takes one each five minutes by default, and without open calls one each two hours."
    if "refused_for" in f.data:
        text = f"{t.start(other(side_of(f)))} allows fewer than that. {usual}"
    elif number(f, "period_ns") < FREQUENT_NS:
        text = f"That it was for these is inferred from how often they came. {usual}"
    else:
        text = f"These come seldom, and servers also say it of too many requests or resets. {usual}"
    return [Line(text, (number(f, "refused_frame"),))]


TOO_MANY: Final = FindingKind(
    code="too-many-pings",
    rows=(Row((asked_to_calm_down,), _refused_evidence),),
    text=LongText(
        title="Asked to calm down while it sent heartbeats",
        meaning=(
            "This end's program sent HTTP/2 PINGs, and its peer asked it to calm down: GOAWAY with ENHANCE_YOUR_CALM."
            " gRPC adds for what: too_many_pings. The connection takes no new calls from then on."
        ),
        why=(
            "A server takes frequent PINGs for an attack, or for a client that wastes batteries. The client connects"
            " again and, if it pings as before, is refused again."
        ),
        change=CALM_DOWN,
        doubt=(
            "ENHANCE_YOUR_CALM may also be said of other frames than PINGs. Where its sender names something else this"
            " is not found; where it names nothing, that it was for PINGs is inferred from how often they came."
        ),
        source="RFC 9113 7; gRPC proposals A8 and A9",
    ),
    detail=_refused_headline,
    lead=Lead(_refused_headline, _refused_happened, _refused_why),
)
