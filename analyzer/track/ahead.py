"""What of the rows to come is worked out and fetched into the cache before ``observe`` gets to them.

Records lie anywhere in their tables, and to wait for memory would take most of the time. Nothing that is found here is
trusted: a flow that is guessed may be another one by then.

It must not change a flow or an end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import CACHE_LINE, fetch, loop, prefetch
from analyzer.track.flow import hash_of, likely

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analyzer.untyped import Rows

AHEAD: Final = 16
"""Rows whose flows are fetched into the cache before they are wanted; their slots, twice as many."""
NEAR: Final = 8
"""Rows whose ends are: which of both sends is known once the flow is there."""
FAR: Final = 48
"""Rows that are themselves fetched: they come from another processor's cache."""
ROW_LINES: Final = 3
"""Cache lines in which a row lies."""
RING: Final = 64
"""Rows of which something is kept meanwhile: a power of two, more than twice AHEAD."""
FLOW_LINES: Final = 2
SENDER_LINES: Final = 3
PEER_LINES: Final = 1
"""Cache lines of their records that nearly every segment touches."""
DATA_LINE: Final = SENDER_LINES * CACHE_LINE
"""Where the line of an endpoint's record begins that only its data touches."""


@loop
def hash_ahead(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    rows: Rows,
    i: int,
    slots: NDArray[np.int64],
    digests: NDArray[np.int64],
    low: int,
    low_top: int,
    high: int,
    high_top: int,
    port: int,
) -> None:
    """Hash a row, and have the processor fetch the slot where its flow would be."""
    digest = hash_of(rows[i], low, low_top, high, high_top, port)
    digests[i % RING] = digest
    prefetch(slots, digest & (len(slots) - 1), 0)


@loop
def find_ahead(
    i: int, slots: NDArray[np.int64], flows: Rows, digests: NDArray[np.int64], hints: NDArray[np.int64]
) -> None:
    """Guess a row's flow, and have the processor fetch what ``observe`` will touch of it."""
    index = likely(slots, digests[i % RING])
    hints[i % RING] = index
    if index >= 0:
        fetch(flows, index, FLOW_LINES)


@loop
def fetch_ends(rows: Rows, i: int, flows: Rows, ends: Rows, hints: NDArray[np.int64]) -> None:
    """Have the processor fetch what ``observe`` will touch of both ends of a row's flow: much of its sender.

    Of the peer it is one line; how many lines are on their way at a time is what the loop waits for.
    """
    index = hints[i % RING]
    if index >= 0:
        row = rows[i]
        flow = flows[index]
        by_b = 0 if (flow["a_lo"] ^ row["src_lo"]) | (flow["a_port"] ^ row["src_port"]) == 0 else 1
        fetch(ends, 2 * index + by_b, SENDER_LINES)
        # what only data touches; an empty segment asks for the line before it twice, which costs less than a branch
        prefetch(ends, 2 * index + by_b, DATA_LINE if row["payload_len"] > 0 else DATA_LINE - CACHE_LINE)
        fetch(ends, 2 * index + 1 - by_b, PEER_LINES)
