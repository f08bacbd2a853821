"""Whether a segment is a packet that was captured before: on another interface, or doubled by a mirror or the network.

Compared are the last four segments of the same end. A host, too, sends the same octets twice within moments: a SYN,ACK
whose timer runs out as its SYN comes again, a RST for each of several segments. IP ID or timestamp mostly tell them
apart; where they do not (Linux sends these with ID 0, IPv6 has none), what else is there twice does.

It must not decide what a segment *is*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import ASKED_NS, COPY_NS, COPY_SAME_ID_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record

NEVER_NS: Final = -(1 << 62)
STATIONS: Final = 1 << 48


@loop
def signature(row: Record) -> int:
    """Return what two captured copies of one packet have in common: not TTL, MAC or checksum.

    Multiplied, because the fields of neighbouring segments differ by a little, and shifted ones would cancel out. Each
    product stays below 2**62, so that Python and machine code agree.
    """
    sign = (row["seq"] * 0x2545F491) ^ (row["ack"] * 0x369DEA0F) ^ (row["tsval"] * 0x1B873593)
    shape = (row["window"] * 256 + row["flags"]) * 0x165667B1
    sign = sign ^ (row["tsecr"] * 0x27D4EB2F) ^ shape ^ ((row["ip_id"] * 8192) ^ row["payload_len"]) * 0x2B5AD4CF
    if row["sack_left"] < 0:
        return sign
    return sign ^ (row["sack_left"] * 0x19D699A5) ^ (row["sack_right"] * 0x31F4D3C7)


@loop
def sign_in(end: Record, sign: int, ts_ns: int) -> None:
    """Remember a segment's signature in place of the oldest of four."""
    end["sign3"] = end["sign2"]
    end["sign3_ns"] = end["sign2_ns"]
    end["sign2"] = end["sign1"]
    end["sign2_ns"] = end["sign1_ns"]
    end["sign1"] = end["sign0"]
    end["sign1_ns"] = end["sign0_ns"]
    end["sign0"] = sign
    end["sign0_ns"] = ts_ns


@loop
def like_ns(end: Record, sign: int, ts_ns: int, within_ns: int) -> int:
    """Return when this endpoint last sent a segment with this signature, among its last four; NEVER_NS if not."""
    if end["sign0"] == sign and abs(ts_ns - end["sign0_ns"]) <= within_ns:
        return end["sign0_ns"]
    if end["sign1"] == sign and abs(ts_ns - end["sign1_ns"]) <= within_ns:
        return end["sign1_ns"]
    if end["sign2"] == sign and abs(ts_ns - end["sign2_ns"]) <= within_ns:
        return end["sign2_ns"]
    if end["sign3"] == sign and abs(ts_ns - end["sign3_ns"]) <= within_ns:
        return end["sign3_ns"]
    return NEVER_NS


@loop
def way_of(row: Record) -> int:
    """Return a word of the TTL and the station that a packet came with: another one was captured elsewhere."""
    return row["ttl"] * STATIONS + (row["src_mac"] & (STATIONS - 1))


@loop
def came_another_way(flow: Record, end: Record, row: Record) -> bool:
    """Say whether a packet came with another TTL, or from another station, than its end's last ones."""
    if row["flags"] & RST:
        return way_of(row) != flow["reset_way"]
    return row["ttl"] < end["ttl_low"] or row["ttl"] > end["ttl_high"] or row["src_mac"] != end["mac"]


@loop
def asked_again(end: Record, peer: Record, row: Record, since_ns: int) -> bool:
    """Say whether something may have made its sender send a segment again since it did so the first time.

    Nobody answers a SYN, probes or sends data again at once, unless the other end asked for it. SYN,ACKs, RSTs and ACKs
    answer what may have come before. A FIN, or a single octet, that is sent again unacknowledged has a probe's number.
    """
    flags = row["flags"]
    probes = row["payload_len"] <= 1 and row["seq"] == (end["snd_nxt"] - 1) & 0xFFFFFFFF and not flags & FIN
    probes = probes and (row["payload_len"] == 0 or row["seq"] != end["snd_una"] & 0xFFFFFFFF)
    if flags & RST or (flags & ACK and (flags & SYN or (row["payload_len"] == 0 and not flags & FIN and not probes))):
        return True
    if flags & SYN or probes:
        return False
    return row["ts_ns"] - since_ns > ASKED_NS or peer["last_ns"] > since_ns


@loop
def is_copy(flow: Record, end: Record, peer: Record, row: Record, sign: int, distinct: int, copies: int) -> int:
    """Say whether one of this endpoint's last four segments was the same packet, moments ago.

    By the first that applies:

    | the same, but for TTL and station           | within   | is                                                      |
    |---------------------------------------------|----------|---------------------------------------------------------|
    | with an IP ID                               | 190 ms   | a copy: a host does not repeat it that soon             |
    | with a TSval, not within 10 ms              | 190 ms   | a copy: its clock has gone on                           |
    | with another TTL, or from another station   | 10 ms    | a copy                                                  |
    | that nothing made its sender send again     | 10 ms    | a copy                                                  |
    | where less than half is there twice         | 10 ms    | another packet                                          |
    | any                                         | 10 ms    | a copy                                                  |

    Of what is there twice, of the flow tells; of a flow's first packet the capture: so far it has ``distinct`` packets,
    without this one, and ``copies`` of some.
    """
    known = row["ip_id"] > 0 or row["tsval"] >= 0
    before_ns = like_ns(end, sign, row["ts_ns"], COPY_SAME_ID_NS if known else COPY_NS)
    if before_ns == NEVER_NS:
        return 0
    if row["ip_id"] > 0 or abs(row["ts_ns"] - before_ns) > COPY_NS:
        return 1
    if came_another_way(flow, end, row) or not asked_again(end, peer, row, before_ns):
        return 1
    others = end["segments"] + peer["segments"] - 1
    if others > 0:
        return 1 if 2 * flow["copies"] >= others else 0
    return 1 if 2 * copies >= distinct - 1 else 0
