"""Which known boxes on the way may have forgotten a flow: by its silence, by what it survived, by what came next.

It must not hold a sentence, or know a finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.signatures import MIDDLEBOXES, REFUSES, middleboxes_within
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask
    from analyzer.judge.signatures import Middlebox

LIMITS_NS: Final = {
    refused: tuple(
        np.array(sorted(limits))
        for limits in zip(
            *(
                (NS_PER_S * row.idle_s, row.latest_ns)
                for row in MIDDLEBOXES
                if row.keepalive_helps and not row.half_closed and REFUSES[row.behaviour] in (None, refused)
            ),
            strict=True,
        )
    )
    for refused in (False, True)
}
"""After how long known boxes forget a flow that probing could have kept, at the earliest and at the latest: those that
then are silent, or send a RST."""


def boxes_forget(f: Flows, silence_ns: Column) -> Mask:
    """Known boxes forget a flow in such a silence, and no silence that it, or a fellow, survived refutes all.

    If the other end's address ended it with a RST, that is, those that send one, else those that are silent.
    """
    fit = [
        np.searchsorted(soon, silence_ns, side="right") > np.searchsorted(late, f.outlived_ns, side="right")
        for soon, late in LIMITS_NS.values()
    ]
    mask: Mask = np.where(f.from_peer.own_reset, fit[True], fit[False])
    return mask


def forgetful(case: Case, silence_ns: int) -> tuple[Middlebox, ...]:
    """Return the boxes that forget a flow within a silence, as ``boxes_forget`` says, one per limit."""
    refused = case.reset is not None and case.reset.sender == case.peer
    boxes = middleboxes_within(silence_ns, survived_ns=case.record.outlived_ns, refused=refused)
    rows = {row.idle_s: row for row in reversed(boxes) if row.keepalive_helps}
    return tuple(rows[limit] for limit in sorted(rows))


def limits_of(case: Case, silence_ns: int) -> str:
    """Return these boxes with their limits."""
    return ", ".join(f"{row.name} {row.idle_s} s" for row in forgetful(case, silence_ns))
