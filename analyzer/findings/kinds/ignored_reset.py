"""A RST that its receiver does not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.judge.record import other
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind
from analyzer.words.model import LongText
from analyzer.words.teller import count, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def sent_ignored_reset(f: Flows) -> Mask:
    """A RST came in its name that the receiver does not accept, or after which the connection went on."""
    return f.any_row(f.mine & f.kind_in(Kind.RESET) & (f.seen("reset_kind") == ResetKind.IGNORED))


def _evidence(case: Case) -> Evidence:
    """The RSTs without effect, and whether all came between a SYN of this end and what answered it."""
    resets = [reset for reset in case.record.resets if reset.sender == case.side and reset.kind == "ignored"]
    syn, accepted = case.facts.syn_frame or 0, case.peer_facts.syn_frame or 0
    opening = syn > 0 and all(syn < reset.frame < accepted for reset in resets)
    answering = [reset for reset in resets if reset.answers_probe is not None]
    frames = frames_of((reset.answers_probe or 0 for reset in answering), (reset.frame for reset in resets))
    return frames, known(
        resets=len(resets), opening=1 if opening else None, answering=len(answering) if answering else None
    )


def _detail(t: Teller, f: Finding) -> str:
    resets, who = count(number(f, "resets"), "RST"), t.the(side_of(f))
    if "opening" in f.data:
        return (
            f"{resets} of {who} came between its SYN and the SYN,ACK: most likely {t.the(other(side_of(f)))} had"
            " answered the SYN for an earlier connection on these addresses, and that RST ended it."
        )
    answering = number(f, "answering")
    if answering:
        which = resets if answering == number(f, "resets") else f"{answering} of {resets}"
        each, bear, them = ("", "it bears", "it") if answering == 1 else (" each", "they bear", "them")
        return (
            f"{which} in {who}'s name{each} answered a probe, but had no effect: {bear} numbers that only fit what"
            f" comes without ACK, so {t.the(other(side_of(f)))}'s kernel drops {them} and waits on. Something answers"
            " there, and knows no such connection."
        )
    return f"{resets} in {who}'s name had no effect."


def _change(f: Finding) -> str | None:
    """What clears the way for a new connection is as it should be (RFC 9293 3.10.7.3, figure 9)."""
    if "answering" in f.data:
        return (
            "Find out what answers these probes: most likely a firewall, NAT or load balancer that has forgotten the"
            " connection, or a host without it. Its RST should bear the acknowledgement number of the probe as sequence"
            " number, and no ACK (RFC 9293 3.10.7.1); as it is, the prober notices only when it gives up."
        )
    if "opening" not in f.data:
        return None
    return "Nothing, unless opening must not take so long: other ports would not meet what is left of a connection."


IGNORED: Final = FindingKind(
    code="reset-ignored",
    rows=(Row((sent_ignored_reset,), _evidence),),
    text=LongText(
        title="A RST that had no effect",
        meaning=(
            "A RST came in this end's name, but its number is not what the receiver expects, or the connection went"
            " on after it."
        ),
        why=(
            "It did not end the connection: a receiver accepts only a RST with exactly the expected number, and"
            " answers others with an ACK to check."
        ),
        change="Find out who sends such RSTs: a scanner, a middlebox, or a host that remembers an old connection.",
        doubt="An observer knows the expected number only from what was captured.",
        source="RFC 5961 3.2; Linux tcp_validate_incoming; field guide 2.8, 8",
    ),
    detail=_detail,
    change=_change,
    advice=Advice.READER,
)
