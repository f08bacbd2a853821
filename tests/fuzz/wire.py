"""SEGMENT rows as frames, so that segment sequences can pass through readers and decoder too."""

import struct

from analyzer.segment import NOTE_CUT, NOTE_ICMP_ERROR, SEGMENT
from tests.capture import craft

SNAPLEN = 96
WORD = 0xFFFFFFFF
LATEST_NS = WORD * 1_000_000_000
"""A pcap file has 32 bits for seconds."""


def frames(rows):
    """Return each row as a frame that is kept as with a snap length of SNAPLEN."""
    return [_frame(dict(zip(SEGMENT.names, row, strict=True))) for row in rows.tolist()]


def _frame(row):
    options = b""
    if row["header_len"] >= 32 and row["tsval"] >= 0:
        options = b"\x01\x01\x08\x0a" + struct.pack("!II", row["tsval"] & WORD, row["tsecr"] & WORD)
    data = (bytes([row["first_octet"] & 0xFF]) * min(row["payload_len"], 1)).ljust(min(row["payload_len"], 64), b"\0")
    header = craft.tcp(
        data,
        seq=row["seq"] & WORD,
        ack=row["ack"] & WORD,
        flags=row["flags"] & 0xFF,
        window=row["window"] & 0xFFFF,
        options=options,
        ports=(row["src_port"] & 0xFFFF, row["dst_port"] & 0xFFFF),
    )
    fields = {
        "ttl": row["ttl"] & 0xFF,
        "identifier": row["ip_id"] & 0xFFFF,
        "src": struct.pack("!I", row["src_lo"] & WORD),
        "dst": struct.pack("!I", row["dst_lo"] & WORD),
    }
    length = min(20 + len(options) + row["payload_len"], 65_515)
    packet = craft.ipv4(header, total=20 + length, **fields)
    if row["note"] == NOTE_ICMP_ERROR:
        packet = craft.ipv4(craft.icmp(packet[:28], row["icmp"] >> 8 & 0xFF, row["icmp"] & 0xFF), protocol=1)
        length = len(packet) - 20
    octets = craft.ethernet(packet, src=row["src_mac"] & 0xFFFFFFFFFFFF)
    kept = 14 + 20 + 6 if row["note"] == NOTE_CUT else SNAPLEN
    return craft.Kept(octets[:kept], min(max(row["ts_ns"], 0), LATEST_NS), 34 + length)
