"""One connection under two VLAN or tunnel tags: each direction under its own, or every packet captured under both.

A mirror port tags what a switch receives and not what it sends, a path pops its MPLS labels before the last hop, VXLAN
may have a network of its own each way, and the interface any shows a packet both inside its tunnel and bare. Where a
segment would begin a flow, the newest flow with its addresses and ports under another tag is looked at: its numbers say
whether it is of the same connection. Then that tag leads to the flow from there on.

Asked at the beginning of flows only, so that no segment pays for it. A packet that was routed meanwhile has another
TTL: that is two sides of a router (``translated``), and not asked here. It must not decide what is a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, NOTE_TCP, RST
from analyzer.tolerances import COPY_NS, COPY_SAME_ID_NS
from analyzer.track.copies import NEVER_NS, like_ns, signature
from analyzer.track.flow import insert, remove, side_under_any_tag
from analyzer.track.untranslated import place_of_peer

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

NEAR: Final = 1 << 20
"""Numbers of one connection are as near as this to what the other end knows of them: both are, by chance, in one pair
of connections of 4 million.
"""


@loop
def under_other_tag(peers: Numbers, flows: Rows, ends: Rows, row: Record) -> int:
    """Return the index of the live flow that a segment belongs to though its tag is another one; -1 if there is none.

    ``peers`` is the memory of ``untranslated``.
    """
    if row["note"] != NOTE_TCP:
        return -1
    at = place_of_peer(row["dst_hi"], row["dst_lo"], row["dst_port"], row["src_port"])
    if peers[at + 1] == 0:
        return -1
    index = peers[at]
    flow = flows[index]
    if flow["number"] + 1 != peers[at + 1] or flow["alive"] != 1 or flow["tag"] == row["tag"] or flow["other_tag"] >= 0:
        return -1
    side = side_under_any_tag(flow, row)
    if side < 0 or flow["ip_version"] != row["ip_version"]:
        return -1
    end, peer = ends[2 * index + side], ends[2 * index + 1 - side]
    if end["segments"] == 0:
        return index if goes_with(end, peer, row) else -1
    known = row["ip_id"] > 0 or row["tsval"] >= 0
    same_ns = like_ns(end, signature(row), row["ts_ns"], COPY_SAME_ID_NS if known else COPY_NS)
    return index if same_ns != NEVER_NS and end["ttl_low"] <= row["ttl"] <= end["ttl_high"] else -1


@loop
def goes_with(end: Record, peer: Record, row: Record) -> bool:
    """Say whether a segment is of an end of which nothing came, by what its peer sent and acknowledged."""
    if peer["segments"] == 0 or peer["snd_nxt"] < 0:
        return False
    knows = end["snd_una"] >= 0
    if not row["flags"] & ACK:
        exact: bool = knows and row["flags"] & RST > 0 and (row["seq"] - end["snd_una"]) & 0xFFFFFFFF == 0
        return exact
    behind = (peer["snd_nxt"] - row["ack"]) & 0xFFFFFFFF
    if not knows:  # as of a SYN that is answered: one number alone has to be the very one
        answers: bool = behind == 0
        return answers
    acks = (behind + NEAR) & 0xFFFFFFFF < 2 * NEAR
    near: bool = acks and (row["seq"] - end["snd_una"] + NEAR) & 0xFFFFFFFF < 2 * NEAR
    return near


@loop
def take_tag(slots: Numbers, flow: Record, index: int, row: Record, digest: int) -> int:
    """Let a segment's tag lead to a flow, too; return 1 if a fresh slot was used."""
    flow["other_tag"] = row["tag"]
    flow["other_hash"] = digest
    return insert(slots, digest, index)


@loop
def take_out(slots: Numbers, flow: Record, index: int) -> None:
    """Take a flow out of the table, under both of its tags."""
    remove(slots, flow["hash"], index)
    if flow["other_tag"] >= 0:
        remove(slots, flow["other_hash"], index)
