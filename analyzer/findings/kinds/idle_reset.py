"""A RST that came unasked, just when a limit of idle time would run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.data_limits import boxes_at, idle_limit_of, nothing_was_owed, reset_at_an_idle_limit
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Remedy, Row
from analyzer.judge.record import other
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def _evidence(case: Case) -> Evidence:
    """The silence, the limit that it fits, and known boxes with that limit."""
    reset, found = case.own_reset, idle_limit_of(case)
    assert reset is not None
    assert found is not None
    quiet_ns, since, limit = found
    bare = reset.has_ack and case.facts.timestamps and not reset.has_options
    return frames_of(since, reset.frame), known(
        quiet_ns=quiet_ns,
        limit_ns=limit,
        boxes=boxes_at(limit) or None,
        reset_frame=reset.frame,
        ack=int(reset.has_ack),
        bare=int(bare) or None,
        received_bytes=case.peer_facts.payload_bytes,
    )


def _limit(f: Finding) -> str:
    return f"{number(f, 'limit_ns') // NS_PER_S:,} s"


def _headline(t: Teller, f: Finding) -> str:
    who = t.the(side_of(f))
    return (
        f"A RST in {who}'s name ended the connection after {number(f, 'quiet_ns') / NS_PER_S:,.3f} s in which nothing"
        f" passed: most likely an idle limit of {_limit(f)} ran out, of a box on the way or of {who}'s program."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the RST, and that nothing was owed before it."""
    reset = t.reset
    assert reset is not None
    form = "A RST+ACK" if f.data["ack"] else "A RST without ACK"
    return lines(
        *probe_summary(t),
        Line(
            f"{form} came in {t.the(side_of(f))}'s name at {t.at(reset.ts_ns)}, with no FIN before and in reply to"
            " nothing that was captured: the end.",
            (reset.frame,),
        ),
        Line("What had been sent before was acknowledged, and the last request answered.", f.frames),
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return whose limit it may be, and what else the RST may come from."""
    who, reset = t.the(side_of(f)), number(f, "reset_frame")
    boxes = (
        f" Known boxes that have this limit and may send a RST then: {f.data['boxes']}." if "boxes" in f.data else ""
    )
    limit = (
        f"Inferred from the silence alone: an idle limit of {_limit(f)} ran out. A load balancer, firewall or NAT then"
        f" sends a RST in the name of an end; or {who}'s program has such a limit, and closes with a RST.{boxes}"
    )
    bare = (
        f"The RST lacks the timestamps of {who}'s other packets, as one does that a box between sends."
        if "bare" in f.data
        else None
    )
    if not f.data["ack"]:
        asker = t.the(other(side_of(f)))
        less = (
            f'A RST without ACK has the form of "no such connection", but it answers nothing that was captured:'
            f" {asker} had sent nothing for {duration(number(f, 'quiet_ns'))}. Some balancers and firewalls send one"
            " unasked when an idle limit runs out (Azure with TCP reset). Or what it answers passed elsewhere."
        )
    elif number(f, "received_bytes"):
        less = (
            f"Less likely: {who}'s program was closed or killed at just that time with received data unread, which"
            " makes a kernel send RST instead of FIN."
        )
    else:
        less = f"Less likely: {who}'s program closed with a RST (SO_LINGER with time 0) at just that time by chance."
    return lines(Line(limit, f.frames), None if bare is None else Line(bare, (reset,)), Line(less, (reset,)))


def _change(f: Finding) -> str:
    return (
        f"Find out whose limit of {_limit(f)} it is: of a load balancer, firewall or NAT on the way, or of the program"
        " in whose name the RST came. Raise it there, or let something pass more often: keepalive with a shorter idle"
        " time for a box that counts every packet, heartbeats of the programs for one that counts data, or a program."
        " Or expect the RST and connect anew."
    )


AT_LIMIT: Final = FindingKind(
    code="reset-at-idle-limit",
    rows=(Row((c.reset_by_itself, c.verdict_aborted, reset_at_an_idle_limit, nothing_was_owed), _evidence),),
    text=LongText(
        title="A RST came when an idle limit would run out",
        meaning=(
            "Nothing had passed for a usual time limit (60 s, 240 s, 350 s, 1 h and the like), nothing was owed, and"
            " then a RST came unasked in the name of this end."
        ),
        why=(
            "A close for another reason comes at any time. Load balancers, firewalls and programs end a connection"
            " that was idle for so long."
        ),
        change=(
            "Find out whose limit it is, of a box on the way or of the program in whose name the RST came. Raise it, or"
            " let something pass more often: keepalive for a box that counts every packet, heartbeats for a program."
        ),
        doubt=(
            "One RST at such a time may be chance: a program may have been killed, or have closed with data unread."
            " Several connections that end after the same time are not chance."
        ),
        source="Azure load-balancer-tcp-reset; AWS edit-load-balancer-attributes; field guide 6",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    change=_change,
    advice=Advice.READER,
    remedies=frozenset({Remedy.PASS_MORE_OFTEN, Remedy.LOOK_AT_THE_BOX}),
)
