"""A RST passed a NAT untranslated: the peer does not know whose it is, and keeps its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row, Scope
from analyzer.words.model import LongText
from analyzer.words.teller import number

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def left_untranslated(f: Flows) -> Mask:
    """A RST from a NAT's inside address has the numbers of a connection that the peer has with another address."""
    return f.flow("stray") > 0


def _evidence(case: Case) -> Evidence:
    """The RST, the other flow, the end in whose name it came, and that end's name there.

    Where the RST is another flow's, the frame is the last one that its end was heard in here.
    """
    reset = case.record.untranslated
    assert reset is not None
    shown = case.record.facts(reset.side).active_frame if reset.role == "outside" else reset.frame
    return frames_of(shown), known(
        role=reset.role, flow=reset.flow, side=reset.side, address=str(reset.endpoint), reset_frame=reset.frame
    )


def _detail(t: Teller, f: Finding) -> str:
    here = t.record.a if f.data["side"] == "a" else t.record.b
    peer = t.record.b if f.data["side"] == "a" else t.record.a
    there, flow = f.data["address"], number(f, "flow")
    if f.data["role"] == "outside":
        return (
            f"A RST from {there} (frame {number(f, 'reset_frame')}, flow {flow}) has the number that {here} would send"
            f" here: likely a NAT let it pass untranslated. {peer} has no connection with {there}, and keeps this one."
        )
    if f.data["role"] == "lone":
        return (
            f"The RST from {here} (frame {number(f, 'reset_frame')}) has the number that {there} would send in flow"
            f" {flow}: likely a NAT let it pass untranslated. {peer} has no connection with {here}, and keeps flow"
            f" {flow}."
        )
    return (
        f"The RST from {here} was captured again behind a router (frame {number(f, 'reset_frame')}), not as one from"
        f" {there}, which is its address in flow {flow}: likely the NAT let it pass untranslated. {peer} has no"
        f" connection with {here}, and keeps flow {flow}."
    )


LEFT_UNTRANSLATED: Final = FindingKind(
    code="reset-left-untranslated",
    rows=(Row((left_untranslated,), _evidence),),
    text=LongText(
        title="A RST left a NAT untranslated",
        meaning=(
            "A RST went to the peer from the inside address of a host whose connection the peer knows under a"
            " translated one; its number is the one that this connection expects, or the connection was captured on"
            " both sides of the NAT."
        ),
        why=(
            "The peer finds no connection for it and ignores it. It holds the real connection until its own probes or"
            " retransmissions end it."
        ),
        change=(
            "Look at the NAT: its entry for the connection had expired, or it took the RST for invalid. Let it drop"
            " such packets, keep entries longer than the connections are idle, or send probes more often."
        ),
        doubt=(
            "Who sent the RST is inferred from ports and numbers. Where the NAT also sent it translated outside the"
            " capture, nothing is lost."
        ),
        source="RFC 5382 REQ-5; Linux nf_conntrack (INVALID); field guide 8",
    ),
    detail=_detail,
    scope=Scope.FLOW,
    advice=Advice.READER,
)
