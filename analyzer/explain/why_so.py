"""Why a flow ended so, in words: what leads the story, what bears it out, who must act, what would tell the rest.

It must not decide on a cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import cause_kind
from analyzer.judge.filtered import passes
from analyzer.judge.judged import Certainty
from analyzer.judge.verdict import Verdict
from analyzer.track.signs import HOP, OWN
from analyzer.words.model import Line
from analyzer.words.teller import small
from analyzer.words.witnesses import witness_lines

if TYPE_CHECKING:
    from analyzer.causes import CauseKind
    from analyzer.judge.judged import Cause
    from analyzer.words.teller import Teller

HOW_SURE: Final = {
    Certainty.PROVEN: "proven by these frames",
    Certainty.LIKELY: "inferred from these frames",
}
BESIDE: Final = frozenset({"icmp", "arp", "ndp"})


def _has_link_frames(t: Teller) -> bool:
    """Say whether the capture has ARP or neighbour discovery: one said where the silent end's packets come from."""
    return t.record.beside is not None and t.record.beside["place"] in {OWN, HOP}


def leading(t: Teller) -> tuple[Cause, CauseKind] | None:
    """Return the cause that leads the story, or None: it has words of its own here, and more than fits."""
    cause = t.judged.cause
    if cause is None or cause.certainty is Certainty.POSSIBLE:
        return None
    kind = cause_kind(cause.code)
    return (cause, kind) if kind.headline is not None and kind.headline(t, cause) else None


def headline(t: Teller) -> str | None:
    """Return the cause in one sentence, if one leads."""
    lead = leading(t)
    if lead is None or lead[1].headline is None:
        return None
    return lead[1].headline(t, lead[0])


def evidence(t: Teller) -> list[Line]:
    """Return what bears the cause out: frames of the flow, and beside it."""
    lead = leading(t)
    if lead is None and t.cause_is_told:  # a finding tells it, with its own evidence
        return []
    first = [Line(f"Cause: {lead[0].code}, {HOW_SURE[lead[0].certainty]}.", lead[0].frames)] if lead else []
    shown = [] if lead is None or lead[1].shows is None else lead[1].shows(t, lead[0])
    return [*first, *shown, *witness_lines(t)]


def who(t: Teller) -> list[Line]:
    """Return who must act, if the cause says so."""
    lead = leading(t)
    if lead is None or lead[1].who is None:
        return []
    return [Line(lead[1].who(t, lead[0]), lead[0].frames)]


def why(t: Teller) -> list[Line]:
    """Return what the leading cause says of why it looks so; empty if it leaves that to others."""
    lead = leading(t)
    return [] if lead is None or lead[1].why is None else lead[1].why(t, lead[0])


def sees(t: Teller) -> list[Line]:
    """Return what the leading cause says of what the programs see; empty if it leaves that to others."""
    lead = leading(t)
    return [] if lead is None or lead[1].sees is None else lead[1].sees(t, lead[0])


def overruled(t: Teller) -> frozenset[str]:
    """Return the findings whose advice the leading cause overrules."""
    lead = leading(t)
    return lead[1].overrules if lead is not None and (lead[1].why is None or why(t)) else frozenset()


def replaced(t: Teller) -> frozenset[str]:
    """Return the findings that do not lead the story because the leading cause tells it."""
    lead = leading(t)
    return lead[1].replaces if lead is not None and why(t) else frozenset()


def remains(t: Teller) -> list[Line]:
    """Return the causes that fit alike, and what would tell them apart."""
    fits = [(cause, cause_kind(cause.code)) for cause in t.judged.causes]
    fits = [(cause, kind) for cause, kind in fits if kind.leads or kind.tells]
    unsure = t.judged.cause is not None and t.judged.cause.certainty is Certainty.POSSIBLE
    lone = t.record.untranslated
    if lone is not None and lone.role == "lone" and not fits:
        return []
    # why who gave up sent its RST is known
    if t.judged.cause is None and t.ending.verdict.is_reset and t.ending.verdict is not Verdict.TIMED_OUT:
        there, reset = t.record.translation, t.record.ending_reset
        if there is not None and reset is not None and t.record.is_beyond_translation(reset.sender):
            between = "router" if t.record.is_routed else "translation"
            text = (
                f"This side of the {between} does not show why the RST was sent; flow {there.flow}, the side nearer"
                f" to {t.the(reset.sender)}, may."
            )
            return [Line(text, (reset.frame,))]
        text = (
            "The capture does not show why the RST was sent. A capture at the end in whose name it came would show"
            " whether that end sent it; its program's log (or strace) would show what the program did then."
        )
        return [Line(text, (t.ending.frame or t.record.last_frame,))]
    if not fits or (len(fits) == 1 and not unsure):
        return []
    found = []
    for cause, kind in sorted(fits, key=_order):
        tells = f" To find out: {small(kind.tells)}" if kind.tells else ""
        told = kind.fits(t, cause) if kind.fits is not None else ""
        here = f" {told}" if told else ""
        found.append(Line(f"{kind.text.title} ({kind.code}).{here}{tells}", cause.frames))
    if fits and t.record.reused_ns is not None and t.ending.verdict is Verdict.SILENT:
        text = (
            f"Another connection on the same addresses and ports began at {t.at(t.record.reused_ns)}: see its story. If"
            " it was accepted, the host and the way to it were well by then."
        )
        found.append(Line(text, (t.record.last_frame,)))
    if unsure and not any(witness.kind in BESIDE for witness in t.judged.witnesses):
        found += _better_capture(t)
    return found


def _order(fit: tuple[Cause, CauseKind]) -> tuple[bool, bool]:
    """Sort first what frames speak for, then what a silence speaks for that was longer than all that were survived."""
    cause, kind = fit
    return not cause.is_shown, kind.fits is None or "survived_ns" not in cause.data


def _better_capture(t: Teller) -> list[Line]:
    """Return which capture would have told more, unless this one could have."""
    port = t.record.endpoint(t.record.responder or "b").port
    filters = t.record.filters
    if filters and passes(filters, "arp") and passes(filters, "icmp"):
        return []
    if filters:
        lacks = "This capture's filter keeps ARP or ICMP out; with them more would be known"
    elif _has_link_frames(t):
        lacks = "If ICMP was filtered out of this capture, a capture that includes it may tell more"
    else:
        lacks = "More would be known from a capture with ARP and ICMP in it"
    text = f"{lacks}: tcpdump -i INTERFACE -w FILE 'port {port} or arp or icmp or icmp6'."
    return [Line(text, (t.record.last_frame,))]
