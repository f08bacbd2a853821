"""A new SYN showed that its sender had lost the connection which its peer still held: half-open, and ended by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.notable import LONG_NS
from analyzer.judge.record import other
from analyzer.label.reset import ResetKind
from analyzer.tolerances import ANSWER_RST_NS
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def sent_new_syn(f: Flows) -> Mask:
    """It had sent a new SYN on the same addresses and ports, and its peer answered with an empty ACK of old numbers."""
    return (f.flow("new_syn_ack_frame") > 0) & (f.flow("new_syn_side") == f.side)


def reset_answers_old_ack(f: Flows) -> Mask:
    """The RST has no ACK and window 0, and came within 3 s of its peer's last segment, which carried no data."""
    after_ns = f.ending("reset_ns") - f.peer("last_ns")
    refuses = f.own_reset & (f.ending("reset_kind") == ResetKind.NO_SOCKET) & (f.peer("last_ns") >= 0)
    return refuses & (after_ns >= 0) & (after_ns <= ANSWER_RST_NS) & ~c.reset_answers_data(f)


def _evidence(case: Case) -> Evidence:
    """The new SYN, the ACK that it drew, and the RST."""
    reset, syn, fin = case.own_reset, case.record.new_syn, case.fin
    assert reset is not None
    assert syn is not None
    heard_ns = case.facts.last_ns if case.facts.segments > 1 else None
    return frames_of(syn.frame, syn.ack_frame, reset.frame), known(
        syn_frame=syn.frame,
        ack_frame=syn.ack_frame,
        reset_frame=reset.frame,
        fin_frame=fin.frame if fin is not None else None,
        peer_probes=len(case.record.probes_from(case.peer)),
        silent_ns=reset.ts_ns - heard_ns if heard_ns is not None else None,
    )


def _headline(t: Teller, f: Finding) -> str:
    """Return the discovery in one line."""
    lost = "no longer knew" if "fin_frame" in f.data else "had lost"
    return (
        f"{t.start(side_of(f))} {lost} this connection: its new SYN drew an ACK with the old numbers, to which it"
        " replied with a RST."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return SYN, ACK and RST in order."""
    loser, holder = side_of(f), other(side_of(f))
    syn, ack, reset = number(f, "syn_frame"), number(f, "ack_frame"), number(f, "reset_frame")
    answer = f"{t.start(holder)} still had this connection, and answered with an ACK that carries its numbers."
    refusal = (
        f"That ACK does not fit {t.the(loser)}'s new SYN, so its kernel sent RST: the end of this connection, which"
        f" {t.the(holder)} alone still had."
    )
    return [
        *probe_summary(t),
        Line(f"{t.start(loser)} sent a new SYN on the addresses and ports of this connection.", (syn,)),
        Line(answer, (ack,)),
        Line(refusal, (ack, reset)),
    ]


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what makes a connection half-open."""
    loser, holder = t.the(side_of(f)), t.start(other(side_of(f)))
    if "fin_frame" in f.data:
        text = (
            f"{holder}'s kernel held a connection that {loser} had closed with FIN and no longer knew; then {loser}"
            " used the port anew."
        )
        return [Line(text, frames_of(number(f, "fin_frame"), f.frames))]
    text = (
        f"{holder}'s kernel held a connection whose other end no longer knew it: half-open. Inferred"
        f" causes: {loser}'s host restarted; or its program ended without a FIN that reached this point; or the port"
        " was used anew after that."
    )
    return [Line(text, f.frames)]


def _change(f: Finding) -> str | None:
    """Say of an end that probed whether it could have found it much sooner."""
    if not number(f, "peer_probes"):
        return None
    silent_ns = number(f, "silent_ns") if "silent_ns" in f.data else 0
    if silent_ns < LONG_NS:
        return (
            "Nothing: the end that held the old connection was probing, and would have found the loss on its own. This"
            " exchange is TCP's normal recovery."
        )
    return (
        "A shorter keepalive idle time at the end that held the old connection would have found the loss earlier: it"
        f" had heard nothing for {duration(silent_ns)}. Nothing else is wrong: this exchange is TCP's normal recovery."
    )


def _unsure(t: Teller, f: Finding) -> list[Line]:
    """Return what only the losing host knows."""
    return [Line(f"Why {t.the(side_of(f))}'s end of this connection was lost, and when.", f.frames)]


DISCOVERED: Final = FindingKind(
    code="half-open-discovered",
    rows=(Row((c.reset_by_itself, c.verdict_aborted, sent_new_syn, reset_answers_old_ack), _evidence),),
    text=LongText(
        title="A new SYN met a connection that only the peer still held",
        meaning=(
            "This end sent a new SYN on the same addresses and ports. The other end still held the old connection and"
            " answered with an ACK of its numbers, and this end answered that with a RST."
        ),
        why=(
            "One end held a connection that the other end no longer knew, for an unknown time. The new SYN"
            " revealed it and the RST cleared it; the new connection opens with the next SYN."
        ),
        change=(
            "If the end that held the old connection does not probe, enable keepalive there: it notices such a"
            " loss as soon as its idle time is over. Nothing else is wrong: this exchange is TCP's normal"
            " recovery."
        ),
        doubt=(
            "Why the connection was lost does not show: a restart, a program that ended without a FIN reaching"
            " this point, or a reused port. Behind a NAT, a different host may have sent the new SYN."
        ),
        source="RFC 9293 3.5.1, 3.10.7.3; RFC 5961 4.2",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.READER,
    change=_change,
    unsure=_unsure,
)
