"""Which connections of one service were refused in the same while: it knew none of them any more.

Each was heard last before any of them was refused, and refused after all of them had been heard: so there is one moment
in which the service may have lost them all. One that was heard after another was refused shows that it had not. Only
flows that leave memory together are compared. It must not judge what was lost, or why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.label.reset import ResetKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Rows

    Column = NDArray[Any]

LEAST: Final = 3
"""Two may be refused at about the same time by chance."""


def note_refused(batch: FlowBatch, picked: Column, out: Rows, *, jit: bool) -> None:
    """Note in TESTIMONY records, about the flows at the indices ``picked``, which others were refused with each."""
    ending, flow = batch.ending[picked], batch.flow
    side = ending["reset_side"]
    fin = np.where(side == 0, batch.a["fin_frame"][picked], batch.b["fin_frame"][picked])
    unknown = (ending["reset_kind"] == ResetKind.NO_SOCKET) | (ending["answers_row"] >= 0)
    # the other side of a router or translation is no other flow
    some = (ending["reset_row"] >= 0) & unknown & (ending["stranger"] == 0) & (fin == 0)
    at = np.flatnonzero(some & (flow["twin_is_first"][picked] == 0))
    if len(at) < LEAST:
        return
    which = picked[at]
    ends = [flow[f"{end}_lo"][which] ^ (flow[f"{end}_hi"][which] * 3) ^ flow["tag"][which] for end in "ab"]
    ports = [flow[f"{end}_port"][which].astype(np.int64) for end in "ab"]
    first = side[at] == 0
    service = np.stack([np.where(first, *ends), np.where(first, *ports)])
    _, service = np.unique(service, axis=1, return_inverse=True)
    service = service.ravel()
    heard = np.where(first, ending["heard_a_ns"][at], ending["heard_b_ns"][at])
    reset = ending["reset_ns"][at]
    order = np.lexsort((ending["reset_frame"][at], service))
    number = flow["number"][picked]
    _write(out, at[order], _groups(service[order], heard[order], reset[order]), ending, heard[order], number, jit=jit)


def _groups(service: Column, heard: Column, reset: Column) -> Column:
    """Return where groups begin among flows in order of service and of their RSTs."""
    new = np.ones(len(service), dtype=np.bool_)
    new[1:] = (service[1:] != service[:-1]) | (heard[1:] > reset[:-1])
    return np.flatnonzero(new)


def _write(
    out: Rows, at: Column, begins: Column, ending: NDArray[np.void], heard: Column, number: Column, *, jit: bool
) -> None:
    """Write what the flows of each group that has one moment in common know of the others."""
    counts = np.diff(np.append(begins, len(at)))
    from_ns, to_ns = np.maximum.reduceat(heard, begins), ending["reset_ns"][at[begins]]
    group = np.repeat(np.arange(len(begins)), counts)
    kept = np.flatnonzero(((counts >= LEAST) & (from_ns <= to_ns))[group])
    where, group = at[kept], group[kept]
    firsts = at[begins][group]
    another = np.where(firsts == where, at[np.minimum(begins + 1, len(at) - 1)][group], firsts)
    lasts = at[begins + counts - 1][group]
    values = {
        "with_refused": counts[group] - 1,
        "with_refused_flow": number[another],
        "refusing_from_ns": from_ns[group],
        "refusing_ns": to_ns[group],
        "refusing_frame": ending["reset_frame"][firsts],
        "refusing_last_ns": ending["reset_ns"][lasts],
        "refusing_last_frame": ending["reset_frame"][lasts],
        "refusing_idle_ns": np.minimum.reduceat(ending["reset_ns"][at] - heard, begins)[group],
    }
    for name, column in values.items():
        if jit:
            out[name][where] = column
            continue
        for index, value in zip(where.tolist(), column.tolist(), strict=True):
            out[index][name] = value
