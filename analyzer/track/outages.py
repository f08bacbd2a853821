"""Which flows fell silent together: whose hosts were last heard, in or beside the flow, in one moment.

Two flows of one outage were heard last at different times, by as much as they idled. What was heard of the host beside
a flow, before the first of what then stayed unanswered was sent, brings them together.

It must not judge what failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign, Numbers, Rows

NEVER: Final = np.iinfo(np.int64).max
TOGETHER_NS: Final = 5_000_000_000
"""What happens within this time is one moment: hosts that probe every few seconds are heard so far apart."""
COMPARED: Final = 32
"""With so many others each flow is compared."""


@loop
def share(order: Numbers, askers: Numbers, quiet: Numbers, heard_ns: Numbers, out: Rows) -> None:
    """Note of each flow which others of the same asker fell silent in the same moment.

    ``order`` has the indices of those TESTIMONY records whose flows fell silent, by asker and then by time; ``askers``
    and ``quiet`` are the addresses of both ends of each, as one word, ``heard_ns`` when the host in question was last
    heard.
    """
    for i in range(len(order)):
        for j in range(i + 1, min(i + 1 + COMPARED, len(order))):
            one, two = out[order[i]], out[order[j]]
            if askers[order[i]] != askers[order[j]] or heard_ns[order[j]] - heard_ns[order[i]] > TOGETHER_NS:
                break
            if quiet[order[i]] == quiet[order[j]]:
                one["shared_peer"] += 1
                two["shared_peer"] += 1
                one["shared_peer_flow"] = two["flow"]
                two["shared_peer_flow"] = one["flow"]
            else:
                one["shared_other"] += 1
                two["shared_other"] += 1
                one["shared_other_flow"] = two["flow"]
                two["shared_other_flow"] = one["flow"]


def note_shared(batch: FlowBatch, picked: NDArray[np.int64], out: Rows, *, jit: bool) -> None:
    """Note in TESTIMONY records, about the flows at the indices ``picked``, which others fell silent with each.

    The loop is called of none, too: a rehearsal has none.
    """
    side, silent, since_ns, last_ns = (
        out[name].copy() if jit else np.array([record[name] for record in out], dtype=np.int64)
        for name in ("side", "silent", "since_ns", "last_ns")
    )
    before = last_ns <= asked_ns(batch, picked, side, since_ns)
    heard_ns = np.where(before, np.maximum(since_ns, last_ns), since_ns)
    flow = batch.flow
    ends = [flow[f"{end}_lo"][picked] ^ (flow[f"{end}_hi"][picked] * 3) for end in "ab"]
    askers, quiet = np.where(side == 1, ends[0], ends[1]), np.where(side == 1, ends[1], ends[0])
    # the other side of a router or translation is no other flow
    order = np.flatnonzero((silent != 0) & (flow["twin_is_first"][picked] == 0))
    order = order[np.lexsort((heard_ns[order], askers[order]))]
    compare: Foreign = share.choose(jit=jit)
    compare(*((column if jit else column.tolist()) for column in (order, askers, quiet, heard_ns)), out)


def asked_ns(
    batch: FlowBatch, picked: NDArray[np.int64], side: NDArray[np.int64], since_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return when the first thing was sent that an end of each flow left unanswered; ``since_ns`` where nothing was.

    ``side`` says which end that is, of the flows at the indices ``picked``.
    """
    found = []
    for run, end in ((batch.run_b, batch.b), (batch.run_a, batch.a)):
        probed = np.where(run["trailing"][picked] > 0, run["trailing_ns"][picked], NEVER)
        windows = np.where(run["window_trailing"][picked] > 0, run["window_trailing_ns"][picked], NEVER)
        unacked_ns = end["unacked_ns"][picked]
        data = np.where(unacked_ns >= 0, unacked_ns, NEVER)
        found.append(np.minimum(np.minimum(probed, windows), data))
    first: NDArray[np.int64] = np.where(side == 0, found[0], found[1])
    return np.where((first == NEVER) | (first < since_ns), since_ns, first)
