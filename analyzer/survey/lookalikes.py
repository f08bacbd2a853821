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
_MEANT: Final = np.array([kind not in COUNTED_ELSEWHERE for kind in sorted(Kind)])
"""By kind whether segments of it are counted here."""


def lookalikes(batch: FlowBatch) -> dict[str, int]:
    """Return how many segments have the form of a probe and are none, by what they are.

    The form is ours (SEG.SEQ = SND.UNA-1) or Wireshark's (SND.NXT-1), with at most one byte and no SYN, FIN or RST.
    Where nothing shows what a segment is, it is ``unproven``.
    """
    seen = batch.seen
    at = np.flatnonzero(_MEANT[seen["kind"]])
    seq = seen["seq"][at]
    below = [(column >= 0) & (seq == column - 1) for column in (seen["snd_una"][at], seen["snd_nxt"][at])]
    form = (below[0] | below[1]) & (seen["payload_len"][at] <= 1) & (seen["note"][at] == NOTE_TCP)
    form &= (seen["flags"][at] & (SYN | FIN | RST)) == 0
    found: dict[str, int] = {}
    for index, count in enumerate(np.bincount(seen["kind"][at[form]], minlength=len(Kind)).tolist()):
        kind = Kind(index)
        if count:
            word = NOT_PROBE_WORDS.get(kind, "unproven")
            found[word] = found.get(word, 0) + int(count)
    return found
