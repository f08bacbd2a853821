"""A RST, a FIN, data or an ACK passed a NAT untranslated: the peer does not know whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row, Scope
from analyzer.track.untranslated import RESET
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
    return (f.flow("stray") > 0) & (f.flow("stray_what") == RESET)


def other_left_untranslated(f: Flows) -> Mask:
    """A FIN, data or an ACK from an inside address has both numbers of a connection that the peer has elsewhere."""
    return (f.flow("stray") > 0) & (f.flow("stray_what") != RESET)


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


def _other_evidence(case: Case) -> Evidence:
    """The segment, the other flow, and the end of this one in whose name it came.

    Where the segment is another flow's, the frame is the last one that its end was heard in here.
    """
    left = case.record.untranslated
    assert left is not None
    shown = case.record.facts(left.side).active_frame if left.role == "outside" else left.frame
    return frames_of(shown), known(
        role=left.role, flow=left.flow, side=left.side, address=str(left.endpoint), left_frame=left.frame, what=left.is_
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
            " translated address. Its sequence number is the one this connection expects, or the connection was"
            " captured on both sides of the NAT."
        ),
        why=(
            "The peer finds no connection for it and ignores it. It holds the real connection until its own probes or"
            " retransmissions end it."
        ),
        change=(
            "Check the NAT: its entry for the connection had expired, or it considered the RST invalid. Let it"
            " drop such packets, keep entries longer than the connections are idle, or send probes more often."
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


def _other_detail(t: Teller, f: Finding) -> str:
    here = t.record.a if f.data["side"] == "a" else t.record.b
    peer = t.record.b if f.data["side"] == "a" else t.record.a
    there, flow, frame = f.data["address"], number(f, "flow"), number(f, "left_frame")
    what = {"fin": "A FIN", "data": "Data", "ack": "An ACK"}[str(f.data["what"])]
    has = "have" if f.data["what"] == "data" else "has"
    if f.data["role"] == "outside":
        return (
            f"{what} from {there} (frame {frame}, flow {flow}) {has} both numbers that {here} would send here: likely a"
            f" NAT let it pass untranslated. {peer} has no connection with {there}, and did not take it."
        )
    return (
        f"{what} from {here} (frame {frame}) {has} both numbers that {there} would send in flow {flow}: likely a NAT"
        f" let it pass untranslated. {peer} has no connection with {here}, and this flow is no connection of its own."
    )


OTHER_UNTRANSLATED: Final = FindingKind(
    code="segment-left-untranslated",
    rows=(Row((other_left_untranslated,), _other_evidence),),
    text=LongText(
        title="A FIN, data or an ACK left a NAT untranslated",
        meaning=(
            "A segment without SYN went to the peer from the inside address of a host whose connection the peer"
            " knows under a translated address. Its sequence and acknowledgement numbers are those that this"
            " connection expects."
        ),
        why=(
            "The peer finds no connection for it, and drops it or answers with RST, which the inside host may never"
            " see. What was sent does not arrive, and a FIN closes nothing."
        ),
        change=(
            "Check the NAT: its entry for the connection was gone, or it considered the segment invalid (late,"
            " outside its window). Let it drop such packets, or keep entries longer."
        ),
        doubt="Whose segment it is, is inferred from ports and numbers.",
        source="RFC 5382 REQ-5; Linux nf_conntrack (INVALID); field guide 8",
    ),
    detail=_other_detail,
    scope=Scope.FLOW,
    advice=Advice.READER,
)
