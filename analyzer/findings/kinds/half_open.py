"""A new SYN showed that its sender had lost the connection which its peer still held: half-open, and ended by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Remedy, Row
from analyzer.findings.notable import LONG_NS
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
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


def no_reset_came(f: Flows) -> Mask:
    """No RST is in the capture: neither that of its kernel, in answer to this ACK, nor another."""
    mask: Mask = f.flow("reset_count") == 0
    return mask


def was_blocked_for_a_while(f: Flows) -> Mask:
    """Its peer was heard a second or more after that SYN, so that a RST was due."""
    mask: Mask = f.peer("last_ns") - f.flow("new_syn_ns") >= c.IDLE_CLOSE_NS
    return mask


def is_still_open(f: Flows) -> Mask:
    """The verdict is open."""
    return f.verdict_in(Verdict.OPEN)


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
    return (
        f"At {t.the(side_of(f))}'s address this connection was no longer known: a new SYN from there drew an ACK with"
        " the old numbers, to which a RST replied."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return SYN, ACK and RST in order."""
    loser, holder = side_of(f), other(side_of(f))
    syn, ack, reset = number(f, "syn_frame"), number(f, "ack_frame"), number(f, "reset_frame")
    answer = f"{t.start(holder)} still had this connection, and answered with an ACK that carries its numbers."
    refusal = (
        f"That ACK does not fit the new SYN, so the kernel that had sent this sent RST: the end of this connection,"
        f" which {t.the(holder)} still had."
    )
    return [
        *probe_summary(t),
        Line(f"A new SYN came from {t.the(loser)}'s address and port on this connection.", (syn,)),
        Line(answer, (ack,)),
        Line(refusal, (ack, reset)),
    ]


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what makes a connection half-open."""
    loser, holder = t.the(side_of(f)), t.start(other(side_of(f)))
    if "fin_frame" in f.data:
        text = (
            f"{holder}'s kernel held a connection that {loser} had closed with FIN and no longer knew; then {loser}, or"
            " another host behind its address, used the port anew."
        )
        return [Line(text, frames_of(number(f, "fin_frame"), f.frames))]
    text = (
        f"{holder}'s kernel held a connection whose other end no longer knew it: half-open. Inferred"
        f" causes: {loser}'s host restarted; or its program ended without a FIN that reached this point, and the port"
        " was used anew after that."
    )
    nat = (
        "Or a NAT had forgotten this connection, and gave its address and port to another one: then"
        f" {loser} itself may still hold it. A capture at {loser}'s own host tells which."
    )
    return [Line(text, f.frames), Line(nat, f.frames)]


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


def _blocked_evidence(case: Case) -> Evidence:
    """The new SYN and the ACK that it drew."""
    syn = case.record.new_syn
    assert syn is not None
    return frames_of(syn.frame, syn.ack_frame), known(syn_frame=syn.frame, ack_frame=syn.ack_frame)


def _blocked_headline(t: Teller, f: Finding) -> str:
    """Return in one line that a new connection is blocked by this one."""
    loser, holder = side_of(f), t.the(other(side_of(f)))
    return (
        f"At {t.the(loser)}'s address this connection is no longer known, and {holder} still holds it: a new SYN from"
        " there drew ACKs with the old numbers, and no RST in answer is in the capture. While it holds it, no new one"
        " can open on these addresses and ports."
    )


def _blocked_happened(t: Teller, f: Finding) -> list[Line]:
    """Return SYN and ACK, and that nothing came of it."""
    loser, holder = side_of(f), other(side_of(f))
    syn, ack = number(f, "syn_frame"), number(f, "ack_frame")
    return [
        *probe_summary(t),
        Line(f"A new SYN came from {t.the(loser)}'s address and port on this connection.", (syn,)),
        Line(
            f"{t.start(holder)} still had this connection, and answered with an ACK that carries its numbers: a"
            " challenge ACK.",
            (ack,),
        ),
        Line(f"A RST of {t.the(loser)} in answer to it is not in the capture.", (ack, max(ack, t.record.last_frame))),
    ]


def _blocked_why(t: Teller, f: Finding) -> list[Line]:
    """Return why the RST did not come."""
    loser, holder = t.the(side_of(f)), t.the(other(side_of(f)))
    text = (
        "A kernel that has no such connection answers such an ACK with a RST, which would have ended this one."
        f" Inferred: the ACK did not reach {loser}, or its RST did not pass, as where a firewall or NAT"
        " takes them for invalid."
        f" While {holder} holds this connection, every SYN on these addresses and ports meets it."
    )
    return [Line(text, f.frames)]


def _blocked_sees(t: Teller, f: Finding) -> list[Line]:
    """Return that one end has a socket of this connection only."""
    loser, holder = side_of(f), other(side_of(f))
    return [
        Line(
            f"{t.start(holder)}: a read waits, until its keepalive or a write finds out that nobody answers.",
            (number(f, "ack_frame"),),
        ),
        Line(
            f"{t.start(loser)}: has no socket of this connection any more; connect waits for the new one, until"
            " ETIMEDOUT.",
            (number(f, "syn_frame"),),
        ),
    ]


BLOCKED: Final = FindingKind(
    code="new-syn-blocked",
    rows=(Row((sent_new_syn, no_reset_came, was_blocked_for_a_while, is_still_open), _blocked_evidence),),
    text=LongText(
        title="A new connection is blocked by one that only the peer still holds",
        meaning=(
            "This end sent a new SYN on the same addresses and ports. The other end still held the old connection and"
            " answered with an ACK of its numbers. No RST in answer to that is in the capture."
        ),
        why=(
            "The RST would have ended the old connection, and the next SYN opened the new one. Without it the new one"
            " cannot open until the old one ends, by the keepalive or a timeout of the end that holds it."
        ),
        change=(
            "Look for what drops the challenge ACK, or the RST that answers it: a firewall or NAT between that takes"
            " them for invalid (conntrack -L, its rules for state INVALID). Meanwhile connect from another port, or end"
            " the old connection where it is held: by keepalive, or by hand (ss -K)."
        ),
        doubt="The RST may have passed elsewhere, or been left out of the capture, as may the new handshake.",
        source="RFC 9293 3.5.1, 3.10.7.4; RFC 5961 4",
    ),
    detail=_blocked_headline,
    lead=Lead(_blocked_headline, _blocked_happened, _blocked_why),
    advice=Advice.READER,
    sees=_blocked_sees,
    unsure=_unsure,
)
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
    remedies=frozenset({Remedy.PASS_MORE_OFTEN}),
)
