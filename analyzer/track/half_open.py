"""A SYN on the addresses of a connection that one end still has: half-open, RFC 9293 3.5.1.

The end that still has the old connection answers the SYN with an ACK of the old numbers, the other one answers that
with a RST, and sends its SYN again. So an old flow stays within reach of its successor until the new SYN is answered:
what bears the old numbers is the old flow's. One that began before the capture did begins with that ACK.

It must not decide how either flow ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import ANSWER_RST_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record

NEAR_ISN: Final = 1 << 24
"""Numbers this little above the new initial one are of the new connection, some of whose segments may be missing."""


@loop
def may_be_half_open(flow: Record, end: Record, peer: Record, row: Record) -> bool:
    """Say whether a SYN (``row``, of ``end``) on an older flow may find that the peer still has that connection.

    A RST may not have reached it: one that nothing has followed yet leaves that open.
    """
    closed = end["fin_frame"] > 0 and peer["fin_frame"] > 0
    first = not row["flags"] & ACK
    over = flow["reset_count"] > 0 and flow["after_reset"] > 0
    return first and peer["segments"] > 0 and not over and not closed


@loop
def bears_old_numbers(a: Record, side: int, row: Record) -> bool:
    """Say whether a segment on the addresses of an opening flow is of an older one: neither SYN nor near the new SYN.

    ``a`` sent the new SYN; ``side`` is 0 if it sent this segment too.
    """
    flags = row["flags"]
    if flags & SYN:
        return False
    if side == 0:
        return (row["seq"] - a["iss"]) & 0xFFFFFFFF > NEAR_ISN
    if not flags & ACK:
        return flags & RST != 0
    return (row["ack"] - a["iss"] - 1) & 0xFFFFFFFF > NEAR_ISN


@loop
def begins_older(a: Record, b: Record, row: Record) -> bool:
    """Say whether a segment of ``b``, the first of it behind SYNs of ``a``, is of a connection from before the capture.

    Only an ACK shows it: a RST may refuse the SYN.
    """
    opening = a["syn_frame"] > 0 and a["syn_had_ack"] == 0 and a["ack_frame"] == 0 and b["segments"] == 0
    return opening and row["flags"] & (ACK | RST) == ACK and bears_old_numbers(a, 1, row)


@loop
def note_new_syn(flow: Record, side: int, frame: int, ts_ns: int) -> None:
    """Remember at an older flow a new SYN on its addresses, when and whose, unless an earlier one drew an ACK."""
    if flow["new_syn_ack_frame"] == 0:
        flow["new_syn_frame"] = frame
        flow["new_syn_ns"] = ts_ns
        flow["new_syn_side"] = side


@loop
def note_old_ack(flow: Record, a: Record, side: int, row: Record) -> None:
    """Remember at an older flow the first empty ACK of old numbers that a new SYN of ``a`` drew.

    ``side`` is that of the segment in the older flow. One that comes late is not drawn by the SYN: an end that holds a
    connection answers at once.
    """
    known = flow["new_syn_ack_frame"] > 0 or (flow["reset_count"] > 0 and flow["after_reset"] > 0)
    if known or side == flow["new_syn_side"] or row["payload_len"] > 0 or row["flags"] & (ACK | FIN | RST) != ACK:
        return
    if row["ts_ns"] - a["last_ns"] <= ANSWER_RST_NS:
        flow["new_syn_ack_frame"] = row["frame"]
