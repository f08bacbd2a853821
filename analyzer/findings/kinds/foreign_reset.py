"""The RST that ended the flow is not of the endpoint in whose name it came: a box in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import BETWEEN
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


FIN_WAIT_LEAST_NS: Final = 1_000_000_000
"""No timeout of FIN-WAIT-2 is shorter (tcp_fin_timeout and TCP_LINGER2 are whole seconds)."""


def reset_from_between(f: Flows) -> Mask:
    """The RST that ended the flow came in its name, but from another distance, or it went on afterwards."""
    return f.own_reset & (f.by == BETWEEN)


def _evidence(case: Case) -> Evidence:
    """In what the RST differs from the endpoint's own packets."""
    reset = case.own_reset
    assert reset is not None
    low, high = reset.own_ttl or (None, None)
    return frames_of(reset.answers_probe, reset.frame), known(
        reset_frame=reset.frame,
        probe_frame=reset.answers_probe,
        differs=" ".join(reset.strange),
        ttl=reset.ttl,
        own_ttl_low=low,
        own_ttl_high=high,
    )


def _detail(t: Teller, f: Finding) -> str:
    return f"{_headline(t, f)} {' '.join(line.text for line in _differences(t, f))}"


def _headline(t: Teller, f: Finding) -> str:
    """Return a foreign RST in one line."""
    owner = t.the(side_of(f))
    what = " in answer to a probe" if "probe_frame" in f.data else ""
    if _only_went_on(f):
        return (
            f"A RST{what} ended the connection. It carries {owner}'s address, but {owner} went on sending: most likely"
            " a middlebox sent the RST."
        )
    return (
        f"A RST{what} ended the connection. It carries {owner}'s address, but does not look like {owner}'s packets:"
        " most likely a middlebox sent it."
    )


def _only_went_on(f: Finding) -> bool:
    """Say whether a RST looks like its sender's own, which yet went on."""
    return not {"ttl", "mac"} & set(str(f.data["differs"]).split())


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the RST and in what it differs."""
    owner = t.the(side_of(f))
    answers = ", in answer to the probe" if "probe_frame" in f.data else ""
    return [
        *probe_summary(t),
        Line(f"The RST came in {owner}'s name{answers}: the end.", f.frames),
        *_differences(t, f),
    ]


def _differences(t: Teller, f: Finding) -> list[Line]:
    """Return in what the RST differs from its endpoint's other packets."""
    owner = t.the(side_of(f))
    reset = number(f, "reset_frame")
    differs = str(f.data["differs"]).split()
    low, high = number(f, "own_ttl_low"), number(f, "own_ttl_high")
    came = number(f, "ttl")
    own = str(low) if low == high else f"{low} to {high}"
    ttl = f"Its TTL is {came}; {owner}'s other packets have {own}."
    if low < came < high:
        ttl = f"Its TTL is {came}; of {owner}'s other packets, from {own}, none came as far."
    mac = f"Its source MAC address is not that of {owner}'s other packets."
    went_on = (
        f"{t.start(side_of(f))} sent segments of this connection afterwards: its kernel had sent no such RST, or the"
        " connection would have been gone there."
    )
    return lines(
        Line(ttl, (reset,)) if "ttl" in differs else None,
        Line(mac, (reset,)) if "mac" in differs else None,
        Line(went_on, (reset,)) if "went_on" in differs else None,
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what kind of box does that, and what else it can be."""
    side = side_of(f)
    back = t.record.reset_back
    knows = (
        f"{t.start(side)} itself probably does not know and still holds the connection."
        if back is None
        else f"{t.start(side)} itself had probably not ended it, and learns of it from a RST in"
        f" {t.the(other(side))}'s name (frame {back.frame}), if that arrives and fits."
    )
    box = (
        "Inferred: a firewall, NAT or load balancer on the path has dropped the flow from its table or blocks it, and"
        f" answers in {t.the(side)}'s name. {knows}"
    )
    if _only_went_on(f):
        box = (
            "Inferred: something that sees the connection's numbers (a firewall, an intrusion prevention system, an"
            f" attacker) reset it in {t.the(side)}'s name. {t.start(other(side))}'s end has been gone since;"
            f" {t.the(side)} learns that from the answer to what it sends next."
        )
    fin = t.fin(side)
    if fin is None or "mac" in str(f.data["differs"]) or _only_went_on(f):
        return [Line(box, f.frames)]
    own = (
        f"Or it is {t.the(side)}'s own after all: it had sent FIN before, and if the route changed since, the TTL"
        " did too."
    )
    if t.reset is not None and t.reset.ts_ns - fin.ts_ns >= FIN_WAIT_LEAST_NS:
        own += " Then its FIN-WAIT-2 had run out."
    return [Line(box, f.frames), Line(own, (fin.frame, *f.frames))]


FROM_BETWEEN: Final = FindingKind(
    code="reset-from-between",
    rows=(Row((reset_from_between,), _evidence),),
    text=LongText(
        title="A middlebox sent the RST",
        meaning=(
            "The RST carries this endpoint's address, but it came over a different distance (TTL) than the endpoint's"
            " other packets, often from a different station (MAC address), too; or the endpoint carried on as if it"
            " had sent none."
        ),
        why=(
            "Neither program nor either kernel ended the connection. The endpoint in whose name it came most likely"
            " still holds it."
        ),
        change=(
            "Check the firewalls, NAT and load balancers on the path: an idle timeout, a restart, a new rule."
            " If it was an idle timeout, keepalive with an idle time below it keeps the flow in their tables."
        ),
        doubt=(
            "A route change also changes the TTL. A different station alone shows no box: another first-hop router,"
            " interface or machine at the address changes it, too. Systems that send RSTs with a different initial TTL"
            " are allowed for, and so is the endpoint's own station on its own link."
        ),
        source="field guide 6, 8, 9.5",
    ),
    detail=_detail,
    lead=Lead(_headline, _happened, _why, overrules=True),
    advice=Advice.READER,
)
