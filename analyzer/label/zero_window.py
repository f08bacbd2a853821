"""Under a closed window: a probe of the window, or of the peer (keepalive)?

Linux sends the very same segment for both, so only the spacing of a train tells.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.label.outcome import (
    AT_ZERO,
    OCTET,
    OPENED,
    PROBABLE,
    PROBE,
    WINDOW_PROBE,
    ZERO_WINDOW,
)
from analyzer.loops.loop import loop
from analyzer.tolerances import DOUBLING, JITTER_NS, RTO_MOST_NS, WHEEL, WINDOW_PROBE_NS

if TYPE_CHECKING:
    from analyzer.untyped import Rows


@loop
def settle_zero_window(rows: Rows, start: int, stop: int, side: int) -> None:
    """Let the spacing of an endpoint's train under a closed window decide what it probes.

    Window probes start near the RTO and double (Linux tcp_send_probe0); keepalive waits a whole number of seconds and
    stays even. One alone, later than a second, stays undecided (field guide 9.6), so do two that may begin either, and
    trains at the pace at which window probes stop doubling.
    """
    first = -1
    last = -1
    for j in range(start, stop + 1):
        here = j < stop and rows[j]["kind"] == AT_ZERO and rows[j]["side"] == side
        if here and first >= 0 and rows[j]["data_ns"] > rows[last]["ts_ns"]:
            decide_zero_window(rows, first, last + 1, side)
            first = -1
        if here:
            if first < 0:
                first = j
            last = j
        elif first >= 0 and (j == stop or (rows[j]["side"] != side and rows[j]["kind"] == OPENED)):
            decide_zero_window(rows, first, last + 1, side)
            first = -1


@loop
def decide_zero_window(rows: Rows, start: int, stop: int, side: int) -> None:
    """Decide one train under one closed window: the endpoint's AT_ZERO rows from ``start`` to ``stop``."""
    count = 0
    last_ns = -1
    last_gap = -1
    backs_off = 0
    even = 1
    grew = 0
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] != AT_ZERO or row["side"] != side:
            continue
        # the peer has closed its window, so there is a segment before the first
        base = last_ns if last_ns >= 0 else max(row["own_last_ns"], row["peer_last_ns"])
        if base < 0:
            # the first of the capture: nothing says how long it waited
            last_ns = row["ts_ns"]
            continue
        gap = row["ts_ns"] - base
        if gap < WINDOW_PROBE_NS:
            backs_off = 1
        if count > 0 and last_gap > 0:
            longer = gap > last_gap * (1 + WHEEL) + JITTER_NS
            shorter = gap * (1 + WHEEL) + JITTER_NS < last_gap
            # once it may change, from the idle time to the interval
            if count == 1:
                grew = 1 if longer else 0
            else:
                if gap >= last_gap * DOUBLING:
                    backs_off = 1
                if longer or shorter:
                    even = 0
        last_gap = gap
        last_ns = row["ts_ns"]
        count += 1
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] == AT_ZERO and row["side"] == side:
            if backs_off == 1:
                row["kind"] = WINDOW_PROBE
            elif even == 1 and count >= 2 + grew and not RTO_MOST_NS <= last_gap <= RTO_MOST_NS * (1 + WHEEL):
                row["kind"] = PROBE if row["payload_len"] == 0 else OCTET
                row["certainty"] = PROBABLE
                row["doubt"] = ZERO_WINDOW
