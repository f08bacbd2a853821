"""Makes a capture file of SEGMENT rows, so that tshark can be asked about traffic that was written by hand or drawn."""

import struct

from analyzer.segment import NOTE_CUT, NOTE_ICMP_ERROR

SNAPLEN = 200
"""Room for all headers; data is only counted."""
NANOSECOND_PCAP = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)


def pcap(rows):
    """Return rows as a nanosecond pcap of Ethernet frames, one a row, in their order."""
    return NANOSECOND_PCAP + b"".join(record(row) for row in rows)


def record(row):
    """Return a row as one pcap record."""
    octets, kept = frame(row)
    seconds, rest = divmod(int(row["ts_ns"]), 1_000_000_000)
    return struct.pack("<IIII", seconds, rest, min(kept, len(octets)), len(octets)) + octets[:kept]


def frame(row):
    """Return the octets on the wire, and how many of them the capture keeps."""
    segment = tcp(row)
    quoted = row["note"] == NOTE_ICMP_ERROR
    packet = ip(row, segment[:8] if quoted else segment, 6)
    if quoted:
        version6 = bool(int(row["icmp"]) >> 16)
        error = struct.pack("!BBHI", int(row["icmp"]) >> 8 & 0xFF, int(row["icmp"]) & 0xFF, 0, 0) + packet
        packet = ip(row, error, 58 if version6 else 1, back=True)
    link = ethernet(row)
    headers = len(link) + len(packet) - len(segment)
    kept = min(len(link) + len(packet), SNAPLEN)
    if row["note"] == NOTE_CUT:
        kept = headers + 8
    elif row["options_cut"]:
        kept = headers + 20
    return link + packet, kept


def ethernet(row):
    """Return the link header, with the tags that the row names."""
    tags, rest = [], int(row["tag"])
    while rest:
        tags.insert(0, rest % 4096)
        rest //= 4096
    mac = max(int(row["src_mac"]), 0).to_bytes(6, "big")
    kind = 0x86DD if row["ip_version"] == 6 else 0x0800
    return (
        b"\x02\0\0\0\0\x99" + mac + b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags) + struct.pack("!H", kind)
    )


def address(row, side):
    """Return an address as it stands in a header."""
    octets = struct.pack("!qq", int(row[f"{side}_hi"]), int(row[f"{side}_lo"]))
    return octets if row["ip_version"] == 6 else octets[12:]


def ip(row, payload, protocol, *, back=False):
    """Return an IP packet between the row's ends, or from its destination to its source."""
    ends = address(row, "dst" if back else "src"), address(row, "src" if back else "dst")
    ttl = max(int(row["ttl"]), 1)
    if row["ip_version"] == 6:
        return struct.pack("!IHBB", 6 << 28, min(len(payload), 0xFFFF), protocol, ttl) + b"".join(ends) + payload
    total, identifier = min(20 + len(payload), 0xFFFF), max(int(row["ip_id"]), 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, total, identifier, 0x4000, ttl, protocol, 0)
    return head + b"".join(ends) + payload


def tcp(row):
    """Return a TCP segment."""
    options = b""
    if row["tsval"] >= 0:
        options += b"\1\1\x08\x0a" + struct.pack("!II", int(row["tsval"]), max(int(row["tsecr"]), 0))
    if row["sack_left"] >= 0 and row["note"] != NOTE_ICMP_ERROR:
        options += b"\1\1\x05\x0a" + struct.pack("!II", int(row["sack_left"]), int(row["sack_right"]))
    if row["window_scale"] >= 0:
        options += b"\1\x03\x03" + bytes([int(row["window_scale"])])
    length = min(max(int(row["header_len"]), 20 + len(options) + -len(options) % 4), 60)
    options = options[: length - 20].ljust(length - 20, b"\1")
    payload = bytes([max(int(row["first_octet"]), 0)]) + bytes(max(int(row["payload_len"]) - 1, 0))
    return (
        struct.pack(
            "!HHIIBBHHH",
            int(row["src_port"]),
            int(row["dst_port"]),
            int(row["seq"]),
            max(int(row["ack"]), 0),
            length // 4 << 4,
            int(row["flags"]) & 0xFF,
            max(int(row["window"]), 0),
            0,
            0,
        )
        + options
        + payload[: int(row["payload_len"])]
    )
