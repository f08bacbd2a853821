"""The RST that ended the flow does not look like its endpoint's packets: a box in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def reset_from_between(case: Case) -> bool:
    """The RST that ended the flow came in its name, but its TTL or MAC address is not that of its other packets."""
    return case.own_reset is not None and case.ending.by == "between"


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
    return (
        f"A RST{what} ended the connection in {owner}'s name, but does not look like {owner}'s packets: most likely"
        " a box in between."
    )


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
    own = str(low) if low == high else f"{low} to {high}"
    ttl = f"Its TTL is {number(f, 'ttl')}, that of {owner}'s other packets {own}."
    mac = f"Its source MAC address is not that of {owner}'s other packets."
    return lines(
        Line(ttl, (reset,)) if "ttl" in differs else None,
        Line(mac, (reset,)) if "mac" in differs else None,
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what kind of box does that, and what else it can be."""
    side = side_of(f)
    box = (
        "Inferred: a firewall, NAT or load balancer on the way has dropped the flow or forbids it, and answers in"
        f" {t.the(side)}'s name. {t.start(side)} itself probably knows nothing of it and still holds the"
        " connection."
    )
    fin = t.fin(side)
    if fin is None:
        return [Line(box, f.frames)]
    own = (
        f"Or it is {t.the(side)}'s own after all: it had sent FIN before, and if the route changed since, the TTL"
        " did too. Then its FIN-WAIT-2 had run out."
    )
    return [Line(box, f.frames), Line(own, (fin.frame, *f.frames))]


FROM_BETWEEN: Final = FindingKind(
    code="reset-from-between",
    rows=(Row((reset_from_between,), _evidence),),
    text=LongText(
        title="The RST was sent by a box in between",
        meaning=(
            "The RST bears this endpoint's address, but its TTL or MAC address is not that of the endpoint's other"
            " packets."
        ),
        why=(
            "Neither program nor either kernel ended the connection. The endpoint in whose name it came most likely"
            " still holds it."
        ),
        change=(
            "Look at firewalls, NAT and load balancers on the path: idle limits, a reload, a new rule. Keepalive"
            " with an idle time below the limit keeps a flow known."
        ),
        doubt=(
            "A route that changed also changes the TTL; a host whose stack sends its RSTs with another initial TTL"
            " looks like a box."
        ),
        source="field guide 6, 8, 9.5",
    ),
    detail=_detail,
    lead=Lead(_headline, _happened, _why, overrules=True),
    advice=Advice.READER,
)
