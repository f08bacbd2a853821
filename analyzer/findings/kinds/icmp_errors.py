"""ICMP errors that quote an end's segments, and end nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row, Told
from analyzer.judge.events import REDIRECT_KINDS
from analyzer.label.rules import Kind
from analyzer.words.icmp import fits_at_most, fitting, icmp_text, one_kind
from analyzer.words.model import LongText
from analyzer.words.teller import count, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def got_icmp_errors(f: Flows) -> Mask:
    """ICMP errors, and not only redirects, quote its segments."""
    return f.any_row(f.mine & f.kind_in(Kind.ICMP_ERROR) & ~np.isin(f.seen("icmp") >> 8, REDIRECT_KINDS))


def _evidence(case: Case) -> Evidence:
    """The errors, and which of them quote a probe."""
    errors = case.record.errors_about(case.side)
    one = one_kind(errors)
    return frames_of(error.frame for error in errors), known(
        errors=len(errors),
        quote_probes=sum(error.quotes_probe is not None for error in errors),
        version=one[0] if one else None,
        type=one[1] if one else None,
        code=one[2] if one else None,
        mtu=fits_at_most(errors) if one else None,
    )


def _detail(t: Teller, f: Finding) -> str:
    what = (
        f" ({icmp_text(number(f, 'version'), number(f, 'type'), number(f, 'code'))}{fitting(number(f, 'mtu'))})"
        if "version" in f.data
        else ""
    )
    probes = number(f, "quote_probes")
    of_probes = f", {probes} for a probe" if probes else ""
    return (
        f"{count(number(f, 'errors'), 'ICMP error')}{what} came back to {t.the(side_of(f))}{of_probes}; none ended the"
        " connection."
    )


ERRORS: Final = FindingKind(
    code="icmp-errors-end-nothing",
    rows=(Row((got_icmp_errors,), _evidence),),
    text=LongText(
        title="ICMP errors that ended nothing",
        meaning="ICMP errors (unreachable and the like) came back for segments from this end.",
        why=(
            "For a probe they change nothing: Linux and macOS ignore an error that quotes a number below what"
            " is outstanding, so the prober keeps counting. But they do say what is wrong on the path."
        ),
        change="Act on what the errors say; do not wait for the program to be told.",
        doubt=("For data in flight, an ICMP error can become the error that the program finally gets (EHOSTUNREACH)."),
        source="RFC 5927; Linux tcp_v4_err; field guide 2.5",
    ),
    detail=_detail,
    told=Told.STORY,
    advice=Advice.NONE,
)
