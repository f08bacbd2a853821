"""Which silence a fellow of a connection survived: another one of the same two hosts, to the same service.

What is on the way for one is most likely on the way for the other, so a box that forgets idle connections sooner is on
neither's. Only flows that leave memory together are compared. It must not judge what ended a flow, or know any box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Rows

    Column = NDArray[Any]

LEAST_NS: Final = 30_000_000_000
"""No known box forgets an open connection in a shorter silence."""


def note_fellows(batch: FlowBatch, picked: Column, out: Rows, *, jit: bool) -> None:
    """Note in TESTIMONY records, about the flows at the indices ``picked``, the longest silence a fellow survived."""
    flow = batch.flow
    long = (flow["survived_ns"] >= LEAST_NS) & (flow["survived_half"] == 0) & (flow["twin_is_first"] == 0)
    there = np.flatnonzero(long)
    if not len(there):
        return
    # from either end: which is the service, its port tells, for only one of both is the same
    keys = np.concatenate([_keys(flow, at, side) for at in (picked, there) for side in (0, 1)], axis=1)
    _, group = np.unique(keys, axis=1, return_inverse=True)
    asked, known = np.split(group.ravel(), [2 * len(picked)])
    owner = np.concatenate((there, there))
    order = np.lexsort((flow["survived_ns"][owner], known))
    known, owner = known[order], owner[order]
    best = np.full(len(picked), -1, dtype=np.int64)
    for wanted in np.split(asked, 2):
        last = np.searchsorted(known, wanted, side="right") - 1
        for back in (1, 0):  # the flow itself is no fellow
            place = np.maximum(last - back, 0)
            fits = (last >= back) & (known[place] == wanted) & (owner[place] != picked)
            better = fits & ((best < 0) | (flow["survived_ns"][owner[place]] > flow["survived_ns"][best]))
            best = np.where(better, owner[place], best)
    where = np.flatnonzero(best >= 0)
    for name, of in (("fellow_ns", "survived_ns"), ("fellow_flow", "number"), ("fellow_frame", "survived_to")):
        column = flow[of][best[where]]
        if jit:
            out[name][where] = column
            continue
        for index, value in zip(where.tolist(), column.tolist(), strict=True):
            out[index][name] = value


def _keys(flow: NDArray[np.void], at: Column, side: int) -> Column:
    """Return what fellows have in common, if one end is the service: a column each."""
    own, other = ("a", "b") if side == 0 else ("b", "a")
    names = (f"{own}_hi", f"{own}_lo", f"{own}_port", f"{other}_hi", f"{other}_lo", "tag")
    return np.stack([flow[name][at].astype(np.int64) for name in names])
