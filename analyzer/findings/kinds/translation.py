"""The connection was captured on both sides of an address translation: two flows are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row, Scope, Told
from analyzer.words.model import LongText
from analyzer.words.teller import number

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def captured_under_other_addresses(f: Flows) -> Mask:
    """The same packets were captured under other addresses, or in another VLAN, at once and with another TTL."""
    return f.flow("twin") > 0


def _evidence(case: Case) -> Evidence:
    """The flow that it is there, which end is renamed, and its name there."""
    there = case.record.translation
    assert there is not None
    return frames_of(case.record.first_frame), known(
        flow=there.flow, side=there.side, address=str(there.endpoint), counted=int(not there.is_first)
    )


def _detail(t: Teller, f: Finding) -> str:
    here = t.record.a if f.data["side"] == "a" else t.record.b
    counted = "here" if f.data["counted"] else "there"
    if t.record.is_routed:
        return (
            f"This connection was captured on both sides of a router, in two VLANs: flow {number(f, 'flow')} is the"
            f" same connection. Probes are counted {counted} only."
        )
    return (
        f"This connection was captured on both sides of an address translation: {here} is {f.data['address']} in flow"
        f" {number(f, 'flow')}, which is the same connection. Probes are counted {counted} only."
    )


TRANSLATED: Final = FindingKind(
    code="captured-before-and-after-translation",
    rows=(Row((captured_under_other_addresses,), _evidence),),
    text=LongText(
        title="One connection, captured before and after address translation",
        meaning=(
            "Two flows of this capture begin with the same packet: numbers, timestamps, window and IP ID are equal, the"
            " address of one end, or the VLAN, and the TTL are not. The capture point is a NAT host or a router, or all"
            " its interfaces."
        ),
        why="What is true of one is true of the other, and nothing is counted twice.",
        change="Nothing. Capture on one interface to see one side only.",
        doubt="Only the beginnings of the flows are compared; later they may have taken different paths.",
        source="field guide 8",
    ),
    detail=_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    advice=Advice.NONE,
)
