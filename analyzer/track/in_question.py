"""Of which flows somebody may ask what was known beside them, and of which of their ends.

Those with a RST that is no program's own, an ICMP error, something that stays unanswered, or probes that ceased. The
end in question is the one whose host is asked about.

It must not judge: not whether that host is dead, nor what ended the flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.label.reset import ABORT, GAVE_UP
from analyzer.loops.loop import loop
from analyzer.track.signs import (
    is_another_station,
)
from analyzer.track.subjects import digest_of, sought

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

STOPPED_NS: Final = 3_000_000_000
"""Who probes more seldom has not stopped because nothing came for so long."""


@loop
def asked_about(
    flows: Rows, a: Rows, b: Rows, endings: Rows, run_a: Rows, run_b: Rows, end_ns: int, picked: Numbers
) -> int:
    """List the flows for which it matters what passed beside them; return how many there are.

    Those with a RST that is no program's own, an ICMP error, or something unanswered; and those whose probes stopped: a
    prober that has lost its next hop sends none. Not those whose addresses another connection took: they leave at once,
    when little is known of what came later. The columns are those of a FlowBatch.
    """
    count = 0
    for i in range(len(flows)):
        flow = flows[i]
        if flow["reused_ns"] >= 0:
            continue
        ending = endings[i]
        reset = ending["reset_row"] >= 0
        abort = ending["reset_kind"] == ABORT and ending["answers_row"] < 0 and ending["stranger"] == 0
        asked = ending["icmp_errors"] > 0 or (reset and not abort)
        probes = run_a[i]["probes"] + run_b[i]["probes"]
        if not asked and probes > 0:
            asked = run_a[i]["trailing"] > 0 or run_b[i]["trailing"] > 0
            asked |= not reset and end_ns - flow["last_ns"] > STOPPED_NS
        if not asked and not reset:
            asked = a[i]["unacked_ns"] >= 0 or b[i]["unacked_ns"] >= 0
            asked |= run_a[i]["window_trailing"] > 0 or run_b[i]["window_trailing"] > 0
        both = a[i]["segments"] > 0 and b[i]["segments"] > 0
        if asked and (both or ending["icmp_errors"] > 0 or run_a[i]["trailing"] > 0):
            picked[count] = i
            count += 1
    return count


@loop
def end_in_question(a: Record, b: Record, ending: Record, run_a: Record, run_b: Record) -> int:
    """Return which end's host a flow raises questions about: 0 or 1.

    The one that a prober gave up on, or in whose name another RST came; the one that leaves the other's probes or data
    unanswered; the one that is probed; or that was heard longer ago.
    """
    if ending["reset_row"] >= 0:
        side = ending["reset_side"]
        return 1 - side if ending["reset_kind"] == GAVE_UP else side
    in_vain_a = run_a["trailing"] > 0 or a["unacked_ns"] >= 0 or run_a["window_trailing"] > 0
    in_vain_b = run_b["trailing"] > 0 or b["unacked_ns"] >= 0 or run_b["window_trailing"] > 0
    if in_vain_a != in_vain_b:
        return 1 if in_vain_a else 0
    if (run_a["probes"] > 0) != (run_b["probes"] > 0):
        return 1 if run_a["probes"] > 0 else 0
    return 1 if ending["heard_b_ns"] <= ending["heard_a_ns"] else 0


@loop
def left_its_address(
    flow: Record, side: int, end: Record, heard_ns: int, claim_slots: Numbers, claims: Rows, keys: Numbers
) -> bool:
    """Say whether an end's address was said to be at another station after its last word in the flow."""
    hi = flow["a_hi"] if side == 0 else flow["b_hi"]
    lo = flow["a_lo"] if side == 0 else flow["b_lo"]
    if heard_ns < 0 or end["mac"] < 0:
        return False
    claim = sought(claim_slots, claims, digest_of(hi, lo, flow["tag"], keys), hi, lo, flow["tag"])
    if claim < 0 or claims[claim]["there_ns"] <= heard_ns:
        return False
    return is_another_station(claims[claim], end["mac"])
