"""Segments in the form of a probe that are none: how many, and what they are, over whole batches.

It must not judge a segment, or hold a word for the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.probe import NOT_PROBE_WORDS, PROBE_KINDS
from analyzer.label.rules import Kind
from analyzer.segment import FIN, NOTE_TCP, RST, SYN

if TYPE_CHECKING:
    from analyzer.track.batch import FlowBatch

COUNTED_ELSEWHERE: Final = (*PROBE_KINDS, Kind.ZERO_WINDOW_PROBE, Kind.ICMP_ERROR, Kind.RESET)


def lookalikes(batch: FlowBatch) -> dict[str, int]:
    """Return how many segments have the form of a probe and are none, by what they are.

    The form is ours (SEG.SEQ = SND.UNA-1) or Wireshark's (SND.NXT-1), with at most one byte and no SYN, FIN or RST.
    Where nothing shows what a segment is, it is ``unproven``.
    """
    seen = batch.seen
    below = [(seen[name] >= 0) & (seen["seq"] == seen[name] - 1) for name in ("snd_una", "snd_nxt")]
    form = (below[0] | below[1]) & (seen["payload_len"] <= 1) & (seen["note"] == NOTE_TCP)
    form &= (seen["flags"] & (SYN | FIN | RST)) == 0
    found: dict[str, int] = {}
    for index, count in enumerate(np.bincount(seen["kind"][form], minlength=len(Kind)).tolist()):
        kind = Kind(index)
        if count and kind not in COUNTED_ELSEWHERE:
            word = NOT_PROBE_WORDS.get(kind, "unproven")
            found[word] = found.get(word, 0) + int(count)
    return found
