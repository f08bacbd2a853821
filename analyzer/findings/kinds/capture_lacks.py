"""What the capture lacks: a direction, headers, the beginning, a clock that runs forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row, Scope, Told
from analyzer.judge.verdict import Verdict
from analyzer.words.model import LongText
from analyzer.words.teller import count, number, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def one_end_unseen(f: Flows) -> Mask:
    """Nothing of one endpoint was captured."""
    return f.rule_is("one-sided")


def _one_sided_evidence(case: Case) -> Evidence:
    """The flow's ends, and which endpoint is missing."""
    record = case.record
    unseen = "a" if record.facts_a.segments == 0 else "b"
    return frames_of(record.first_frame, record.last_frame), known(unseen=unseen, probes=len(record.probes))


def _one_sided_detail(t: Teller, f: Finding) -> str:
    unseen = "a" if f.data["unseen"] == "a" else "b"
    return f"Nothing of {t.record.a if unseen == 'a' else t.record.b} was captured, so answers cannot be seen."


ONE_SIDED: Final = FindingKind(
    code="one-sided-capture",
    rows=(Row((one_end_unseen,), _one_sided_evidence),),
    text=LongText(
        title="Only one direction was captured",
        meaning="The capture has no packets from one endpoint.",
        why="Only their even spacing tells probes from repeated ACKs, and answers cannot be recognised at all.",
        change=(
            "Capture on one of the hosts, or on both paths; look for asymmetric routes, and for filters that"
            " name one address as source only."
        ),
        doubt="Nothing is claimed beyond suspicion.",
        source="field guide 8",
    ),
    detail=_one_sided_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    advice=Advice.READER,
    told_by=frozenset({Verdict.UNDETERMINED}),
)


def headers_cut(f: Flows) -> Mask:
    """The snap length cut off the TCP header of some of the flow's segments before the window field."""
    return f.flow("cut") > 0


def _cut_evidence(case: Case) -> Evidence:
    """How many headers are missing."""
    return frames_of(case.record.first_frame, case.record.last_frame), known(segments=case.record.cut)


def _cut_detail(t: Teller, f: Finding) -> str:
    del t
    segments = count(number(f, "segments"), "segment")
    return f"The snap length cut off the TCP header of {segments} before the window field, too early to judge by."


CUT: Final = FindingKind(
    code="headers-cut",
    rows=(Row((headers_cut,), _cut_evidence),),
    text=LongText(
        title="TCP headers cut by the snap length",
        meaning="Of some segments the capture has only the beginning of the TCP header, too little to judge by.",
        why="Without flags and numbers a segment can be anything.",
        change="Capture at least 96 bytes of each packet (tcpdump -s 96), or all of it (-s 0).",
        doubt="Nothing is claimed of the cut segments.",
        source="field guide 8",
    ),
    detail=_cut_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    advice=Advice.READER,
    told_by=frozenset({Verdict.UNDETERMINED}),
)


def starts_midstream(f: Flows) -> Mask:
    """No SYN was captured."""
    return (f.own("syn_frame") == 0) & (f.peer("syn_frame") == 0)


def has_something_to_say(f: Flows) -> Mask:
    """The flow has something to say: it is listed and told."""
    return f.columns.notable


def all_headers_read(f: Flows) -> Mask:
    """The snap length cut off no headers, behind which a SYN may be."""
    return f.flow("cut") == 0


def _midstream_evidence(case: Case) -> Evidence:
    """The flow's first frame."""
    return (case.record.first_frame,), {}


def _midstream_detail(t: Teller, f: Finding) -> str:
    del t, f
    return "No SYN was captured: the capture began in mid-connection."


MIDSTREAM: Final = FindingKind(
    code="midstream-start",
    rows=(Row((starts_midstream, all_headers_read, has_something_to_say), _midstream_evidence),),
    text=LongText(
        title="The capture began in mid-connection",
        meaning="No SYN of this flow was captured.",
        why=(
            "Which end opened the connection, the window scale and whether a FIN or RST had passed before are"
            " unknown. The first probes are known only by what follows."
        ),
        change="Start the capture before the connection, if possible.",
        doubt="An end that closed before the capture began looks like one that dropped the connection.",
        source="field guide 1.2, 8",
    ),
    detail=_midstream_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    advice=Advice.NONE,
)


def _clock_evidence(case: Case) -> Evidence:
    """How often the clock went back."""
    record = case.record
    back = [frame for hole in record.holes if hole.to_ns < hole.from_ns for frame in (hole.from_frame, hole.to_frame)]
    return frames_of(back or (record.first_frame, record.last_frame)), known(times=record.backwards)


def _clock_detail(t: Teller, f: Finding) -> str:
    del t
    return (
        f"The capture's clock went back {times(number(f, 'times'))} within this flow; spacings there are"
        " not to be trusted."
    )


CLOCK: Final = FindingKind(
    code="clock-went-back",
    rows=(Row((c.clock_went_back,), _clock_evidence),),
    text=LongText(
        title="The capture's clock went back",
        meaning="Within this flow a later frame has an earlier time.",
        why="Time differences across that point are wrong; everything else uses the order of the frames.",
        change="Watch out for merged files, several interfaces and clock steps (NTP) when reading times.",
        doubt="Times before and after are each right in themselves.",
        source="field guide 8",
    ),
    detail=_clock_detail,
    scope=Scope.FLOW,
    told=Told.LIMITS,
    advice=Advice.NONE,
)
