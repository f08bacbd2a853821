"""A FIN that is sent again although its acknowledgement passed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.judge import milestones
from analyzer.judge.record import other
from analyzer.segment import FIN, NOTE_TCP, RST
from analyzer.words.model import LongText
from analyzer.words.teller import number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def fin_again_although_acknowledged(f: Flows) -> Mask:
    """Its FIN was acknowledged here, and after that it sent it again at least twice."""
    again = f.mine & ((f.seen("flags") & (FIN | RST)) == FIN) & (f.seen("note") == NOTE_TCP)
    return (f.own("fin_frame") > 0) & (f.count_rows(again) >= milestones.FIN_AGAIN)


def _evidence(case: Case) -> Evidence:
    """The FIN, its acknowledgement, and each time it was sent again."""
    fin = case.fin
    assert fin is not None
    return frames_of(fin.frame, fin.acked_frame, fin.again), known(
        fin_frame=fin.frame, acked_frame=fin.acked_frame, last_frame=fin.again[-1], resent=len(fin.again)
    )


def _detail(t: Teller, f: Finding) -> str:
    closer = t.the(side_of(f))
    return (
        f"{t.start(side_of(f))} retransmitted its FIN {times(number(f, 'resent'))} although"
        f" {t.the(other(side_of(f)))}'s acknowledgement had passed here: between this point and {closer}"
        " acknowledgements are lost."
    )


FIN_AGAIN: Final = FindingKind(
    code="acknowledged-fin-sent-again",
    rows=(Row((fin_again_although_acknowledged,), _evidence),),
    text=LongText(
        title="A FIN was retransmitted although it was acknowledged here",
        meaning=(
            "The acknowledgement of this end's FIN passed this point, yet the FIN was retransmitted at least"
            " twice: the acknowledgement did not reach its sender."
        ),
        why=(
            "Something between this point and that end drops what comes back: a firewall that dropped the"
            " half-closed flow from its table, or a NAT. That end takes its peer for dead while the capture"
            " shows it alive."
        ),
        change="Check what lies between this capture point and that end; capture there too.",
        doubt="The acknowledgements may be damaged, or ignored at that end itself.",
        source="RFC 9293 3.6, 3.10.7.4; field guide 6",
    ),
    detail=_detail,
    advice=Advice.READER,
)
