"""What left a NAT under the inside address: the peer knows no such connection, and keeps the one it has.

A flow that begins with a RST from a private address is held against the connections of the same peer: its number must
be the one that another address would have to send next, from the same port (or another, where the NAT changed it). So
is one that begins with a FIN, data or an ACK (a NAT that tracks connections takes what comes late for invalid, and may
let it pass); both of its numbers must fit exactly, so that no other connection can have them.
Where a capture has both sides of the NAT (``translated``), the RST is seen to pass a router under its inside address.
Both flows then bear each other's number; a RST that comes translated after all takes that back.

Asked where flows begin and where a RST comes, so that no other segment pays. Only so many connections are
remembered, the newer in place of the older. It must not decide how a flow ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, MAPPED_IPV4, NOTE_TCP, RST, SYN
from analyzer.tolerances import COPY_SAME_ID_NS

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

PLACES: Final = 1 << 13
"""Places for what is remembered: a power of two. Each connection takes four."""
MEMORY: Final = 2 * PLACES
"""Numbers that these take: the index of a flow, and 1 + its number, 0 none."""
ANY_PORT: Final = 0
"""In place of the port that the NAT may have changed."""
OUTSIDE: Final = 1
"""What a flow is to the RST: the connection as the peer knows it."""
LONE: Final = 2
"""The RST alone, under the inside address."""
INSIDE: Final = 3
"""The connection inside, before translation."""
RESET: Final = 0
FINISH: Final = 1
DATA: Final = 2
EMPTY: Final = 3
PROBE: Final = 4
"""What left untranslated; an empty segment one below what its end would send next is a probe."""
LATE: Final = 1 << 24
"""The number that a RST acknowledges may be this far behind what the peer sent: not all may have reached its sender."""


@loop
def place_of_peer(high: int, low: int, port: int, other_port: int) -> int:
    """Return where the connection of a peer with this port of another host would be remembered."""
    mixed = low ^ (low >> 13) ^ (low >> 26) ^ high ^ (high >> 13) ^ (port << 3) ^ other_port ^ (other_port >> 5)
    place: int = 2 * (mixed & (PLACES - 1))
    return place


@loop
def remember_peers(peers: Numbers, flow: Record, index: int) -> None:
    """Remember a flow that begins, by each end as the peer of the other."""
    a_hi, a_lo, a_port = flow["a_hi"], flow["a_lo"], flow["a_port"]
    b_hi, b_lo, b_port = flow["b_hi"], flow["b_lo"], flow["b_port"]
    for way in range(4):
        if way < 2:
            at = place_of_peer(b_hi, b_lo, b_port, a_port if way == 0 else ANY_PORT)
        else:
            at = place_of_peer(a_hi, a_lo, a_port, b_port if way == 2 else ANY_PORT)
        peers[at] = index
        peers[at + 1] = flow["number"] + 1


@loop
def is_private(high: int, low: int) -> bool:
    """Say whether an address is one that NATs hide: RFC 1918, RFC 6598 (carrier), RFC 4193 (IPv6)."""
    if high == 0 and low >> 32 == MAPPED_IPV4 >> 32:
        word = low & 0xFFFFFFFF
        ten = word >> 24 == 10
        carrier = word >> 22 == (100 << 2) + 1
        return ten or carrier or word >> 20 == (172 << 4) + 1 or word >> 16 == (192 << 8) + 168
    return (high >> 57) & 0x7F == 0x7E


@loop
def number_fits(end: Record, peer: Record, row: Record) -> bool:
    """Say whether a RST bears the number that ``end`` would send next, or the one that its peer awaits."""
    if end["segments"] == 0 or peer["segments"] == 0 or end["snd_nxt"] < 0 or peer["snd_nxt"] < 0:
        return False
    if row["flags"] & ACK and (peer["snd_nxt"] + 1 - row["ack"]) & 0xFFFFFFFF > LATE:
        return False
    near = (row["seq"] - end["snd_nxt"] + 1) & 0xFFFFFFFF <= 2
    return near or (end["snd_una"] >= 0 and (row["seq"] - end["snd_una"]) & 0xFFFFFFFF == 0)


@loop
def renamed_end(flow: Record, row: Record) -> int:
    """Return which end of a flow (0 a, 1 b) has another address than a RST to the same peer comes from, else -1."""
    if flow["tag"] != row["tag"] or flow["ip_version"] != row["ip_version"]:
        return -1
    if flow["b_lo"] == row["dst_lo"] and flow["b_hi"] == row["dst_hi"] and flow["b_port"] == row["dst_port"]:
        return 0 if flow["a_lo"] != row["src_lo"] or flow["a_hi"] != row["src_hi"] else -1
    if flow["a_lo"] == row["dst_lo"] and flow["a_hi"] == row["dst_hi"] and flow["a_port"] == row["dst_port"]:
        return 1 if flow["b_lo"] != row["src_lo"] or flow["b_hi"] != row["src_hi"] else -1
    return -1


@loop
def numbers_fit(end: Record, peer: Record, row: Record) -> bool:
    """Say whether a segment, no RST, is one that ``end`` would send: what is next or was sent before, and all heard."""
    if not row["flags"] & ACK or end["snd_nxt"] < 0 or peer["snd_nxt"] < 0 or peer["segments"] == 0:
        return False
    behind = (end["snd_nxt"] - row["seq"]) & 0xFFFFFFFF
    outstanding = end["snd_nxt"] - end["snd_una"] if end["snd_una"] >= 0 else 0
    # what goes on there, one below it (a probe), or what is still to be acknowledged
    near = behind <= max(1, outstanding)
    return near and (peer["snd_nxt"] - row["ack"]) & 0xFFFFFFFF == 0


@loop
def what_it_is(end: Record, row: Record) -> int:
    """Return what a segment of this end is: RESET, FINISH, DATA, EMPTY or PROBE."""
    flags = row["flags"]
    if flags & RST:
        return RESET
    if flags & FIN:
        return FINISH
    if row["payload_len"] > 0:
        return DATA
    return PROBE if (end["snd_nxt"] - row["seq"]) & 0xFFFFFFFF == 1 else EMPTY


@loop
def link_lone(peers: Numbers, flows: Rows, ends: Rows, index: int, row: Record) -> int:
    """Link the flow at ``index``, which begins with this row, with the connection that the row is of.

    Returns 1 if there is one, else 0.
    """
    lone = flows[index]
    if row["note"] != NOTE_TCP or row["flags"] & SYN or not is_private(row["src_hi"], row["src_lo"]):
        return 0
    for way in range(2):
        at = place_of_peer(row["dst_hi"], row["dst_lo"], row["dst_port"], row["src_port"] if way == 0 else ANY_PORT)
        if peers[at + 1] == 0:
            continue
        known = peers[at]
        flow = flows[known]
        if flow["number"] + 1 != peers[at + 1] or flow["alive"] != 1 or flow["stray"] > 0:
            continue
        if not row["flags"] & RST and (flow["twin"] > 0 or lone["twin"] > 0):
            continue
        side = renamed_end(flow, row)
        if side < 0:
            continue
        end = ends[2 * known + side]
        peer = ends[2 * known + 1 - side]
        if row["flags"] & RST:
            closed = end["fin_frame"] > 0 and peer["fin_frame"] > 0
            # reset or closed: nothing is held
            fits = number_fits(end, peer, row) and flow["reset_count"] == 0 and not closed
        else:
            fits = numbers_fit(end, peer, row)
        if fits:
            tell(flow, lone, known, index, side, 0, LONE, row["frame"])
            for one in (flow, lone):
                one["stray_what"] = what_it_is(end, row)
                one["stray_ns"] = row["ts_ns"]
            # what the NAT translated after all would take the short way
            end["steady"] = 0
            peer["steady"] = 0
            return 1
    return 0


@loop
def link_passing(flows: Rows, index: int, side: int, row: Record, ttl: int) -> None:
    """Link the inside flow at ``index`` with its translated twin: its RST was captured again, behind a router.

    ``ttl`` is what the RST had when it was captured first.
    """
    flow = flows[index]
    inside = flow["twin_side"] == flow["twin_is_first"]
    if flow["twin"] == 0 or side != flow["twin_side"] or not inside or row["ttl"] >= ttl or flow["stray"] > 0:
        return
    twin = flows[flow["twin_at"]]
    if twin["number"] + 1 == flow["twin"] and twin["alive"] == 1 and twin["reset_count"] == 0 and twin["stray"] == 0:
        tell(twin, flow, flow["twin_at"], index, side, side, INSIDE, row["frame"])
        twin["stray_ns"] = row["ts_ns"]
        flow["stray_ns"] = row["ts_ns"]


@loop
def tell(
    first: Record,
    second: Record,
    at_first: int,
    at_second: int,
    side_first: int,
    side_second: int,
    role_second: int,
    frame: int,
) -> None:
    """Note in two flows, the first OUTSIDE, what they are to the RST in a frame, and its sender's name in the other."""
    note(first, second, at_second, side_first, side_second, OUTSIDE, frame)
    note(second, first, at_first, side_second, side_first, role_second, frame)


@loop
def note(flow: Record, other: Record, at: int, side: int, other_side: int, role: int, frame: int) -> None:
    """Note in a flow what it is to the RST, and what its end ``side`` is called in the other one."""
    flow["stray"] = other["number"] + 1
    flow["stray_at"] = at
    flow["stray_side"] = side
    flow["stray_role"] = role
    flow["stray_what"] = RESET
    flow["stray_frame"] = frame
    flow["stray_hi"] = other["a_hi"] if other_side == 0 else other["b_hi"]
    flow["stray_lo"] = other["a_lo"] if other_side == 0 else other["b_lo"]
    flow["stray_port"] = other["a_port"] if other_side == 0 else other["b_port"]


@loop
def take_back(flows: Rows, flow: Record, side: int, row: Record) -> None:
    """Forget an untranslated segment: a RST came in the name of the same end, translated, or anything moments later."""
    if flow["stray"] == 0 or flow["stray_role"] != OUTSIDE or flow["stray_side"] != side:
        return
    if flow["stray_what"] == RESET:
        if not row["flags"] & RST:
            return
    elif row["ts_ns"] - flow["stray_ns"] > COPY_SAME_ID_NS:
        return
    other = flows[flow["stray_at"]]
    if other["alive"] == 1 and other["number"] + 1 == flow["stray"]:
        other["stray"] = 0
    flow["stray"] = 0
