"""Segments that Wireshark may label as keepalive, and that are none."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.judge.probe import NOT_PROBE_WORDS
from analyzer.words.lookalikes import lookalikes_text, may_be_probes
from analyzer.words.model import LongText
from analyzer.words.teller import number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import NotProbe
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


LOOKALIKES: Final = frozenset({"stale_ack", "retransmission", "not_idle", "keepalive_or_zero_window_probe"})
KINDS: Final = tuple(kind for kind, word in NOT_PROBE_WORDS.items() if word in LOOKALIKES)


def has_lookalikes(f: Flows) -> Mask:
    """It sent segments that Wireshark labels as keep-alive by their sequence number (SND.NXT-1), and that are none."""
    form = f.mine & f.kind_in(*KINDS)
    at = np.flatnonzero(form)  # few rows are of these kinds
    form[at] = (f.seen("payload_len")[at] <= 1) & (f.seen("seq")[at] == f.seen("snd_nxt")[at] - 1)
    return f.any_row(form)


def is_lookalike(segment: NotProbe, side: Side) -> bool:
    """Say whether a segment of this endpoint has the form that Wireshark calls keep-alive, and is none."""
    return segment.sender == side and segment.below_snd_nxt and segment.is_ in LOOKALIKES


def _evidence(case: Case) -> Evidence:
    """The segments and what they are, counted by kind."""
    found = [segment for segment in case.record.not_probes if is_lookalike(segment, case.side)]
    counts = Counter(segment.is_ for segment in found)
    return frames_of(segment.frame for segment in found), {kind: counts[kind] for kind in sorted(counts)}


def _detail(t: Teller, f: Finding) -> str:
    counts = {kind: number(f, kind) for kind in f.data}
    parts, taken = lookalikes_text(counts), "not taken for keepalive" if may_be_probes(counts) else "not keepalive"
    return f"{t.start(side_of(f))} sent {parts}: {taken}, though Wireshark may say Keep-Alive."


LOOKALIKE: Final = FindingKind(
    code="not-keepalive-lookalikes",
    rows=(Row((has_lookalikes,), _evidence),),
    text=LongText(
        title="Segments that look like keepalive but are not",
        meaning=(
            "They repeat a number just below what is acknowledged, as probes do, but are something else: a"
            " retransmitted byte, an ACK overtaken by later segments, or a segment on a connection that was"
            " active a moment ago."
        ),
        why="Wireshark labels a segment by its sequence number alone, so it may show these as Keep-Alive.",
        change="Nothing. Do not count them.",
        doubt="Under a closed window one segment alone can be either probe; it is left undecided.",
        source="Wireshark packet-tcp.c; field guide 1.2, 9.2",
    ),
    detail=_detail,
    advice=Advice.MINOR,
)
