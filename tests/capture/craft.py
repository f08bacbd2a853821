"""Frames and capture files made octet by octet, and readers of them, for the tests of capture.

Nothing here uses the code under test, except ``rows_of`` and ``outcome_of``, which run it.
"""

import itertools
import struct
from typing import NamedTuple

import numpy as np

from analyzer.capture import open_capture
from analyzer.capture.frame import ROW
from analyzer.capture.headers import segment
from analyzer.segment import SEGMENT

MAC_A, MAC_B = 0x020000000001, 0x020000000002
IP_A, IP_B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
IP6_A = bytes.fromhex("20010db8000000000000000000000001")
IP6_B = bytes.fromhex("fe800000000000000000000000000002")

TIMESTAMPS = b"\x01\x01\x08\x0a" + struct.pack("!II", 0xFFFFFFFE, 7)


# ── layers, innermost first ──────────────────────────────────────────────────────────────────────────────────────


def tcp(data=b"", *, seq=0xFFFFFFF0, ack=77, flags=0x10, window=500, options=b"", ports=(40000, 80), header=None):
    """A TCP header and its data; the header length follows from the options unless it is to be a lie."""
    length = 20 + len(options) if header is None else header
    return struct.pack("!HHIIBBHHH", *ports, seq, ack, length // 4 << 4, flags, window, 0, 0) + options + data


def udp(data, port, source=5555):
    """A UDP datagram."""
    return struct.pack("!HHHH", source, port, 8 + len(data), 0) + data


def ipv4(data, protocol=6, *, total=None, fragment=0, identifier=4711, ttl=64, options=b"", src=IP_A, dst=IP_B):
    """An IPv4 packet; ``total`` is its length field unless it is to be a lie."""
    header = 20 + len(options)
    total = header + len(data) if total is None else total
    first = 0x40 | header // 4
    fields = struct.pack("!BBHHHBBH4s4s", first, 0, total, identifier, fragment, ttl, protocol, 0, src, dst)
    return fields + options + data


def ipv6(data, following=6, *, length=None, hops=64, src=IP6_A, dst=IP6_B):
    """An IPv6 packet."""
    length = len(data) if length is None else length
    return struct.pack("!IHBB16s16s", 6 << 28, length, following, hops, src, dst) + data


def ethernet(data, ethertype=0x0800, *, vlans=(), src=MAC_A, pad=0):
    """An Ethernet frame; ``vlans`` are (ethertype, id) from the outside."""
    tags = b"".join(struct.pack("!HH", kind, identifier) for kind, identifier in vlans)
    frame = MAC_B.to_bytes(6, "big") + src.to_bytes(6, "big") + tags + struct.pack("!H", ethertype) + data
    return frame.ljust(pad, b"\xee")


def icmp(quoted, kind=3, code=1):
    """An ICMP or ICMPv6 message."""
    return struct.pack("!BBHI", kind, code, 0, 0) + quoted


def cooked(data, ethertype=0x0800, *, address_len=6, hardware=1):
    """A frame of Linux cooked capture v1."""
    return struct.pack("!HHH6s2xH", 4, hardware, address_len, MAC_A.to_bytes(6, "big"), ethertype) + data


def cooked2(data, ethertype=0x0800, *, address_len=6, hardware=1):
    """A frame of Linux cooked capture v2."""
    address = MAC_A.to_bytes(6, "big")
    return struct.pack("!HHIHBB6s2x", ethertype, 0, 3, hardware, 0, address_len, address) + data


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Kept(NamedTuple):
    """A frame as it is kept in a file."""

    octets: bytes
    ts_ns: int = 1_600_000_000_123_456_000
    original: int = 0


def kept(frames):
    """Frames given as octets or as Kept, a millisecond apart."""
    return [
        frame if isinstance(frame, Kept) else Kept(frame, 1_600_000_000_123_456_000 + 1_000_000 * at)
        for at, frame in enumerate(frames)
    ]


def pcap(frames, link_type=1, *, order="<", magic=0xA1B2C3D4, snaplen=262144, version=(2, 4)):
    """A pcap file; the magic says the unit of time and the length of record headers."""
    tick_ns = 1 if magic == 0xA1B23C4D else 1000
    parts = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link_type)]
    for octets, ts_ns, original in kept(frames):
        seconds, rest = divmod(ts_ns, 1_000_000_000)
        lengths = (len(octets), original or len(octets))
        parts.append(struct.pack(order + "IIII", seconds, rest // tick_ns, *lengths))
        parts.append(bytes(8) if magic == 0xA1B2CD34 else b"")
        parts.append(octets)
    return b"".join(parts)


def block(kind, body, order="<"):
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def option(code, value, order="<"):
    """A pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order="<", version=(1, 0)):
    """A pcapng section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1), order)


def interface(link_type=1, order="<", *, snaplen=0, options=b""):
    """A pcapng interface description."""
    return block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, order)


def enhanced(octets, ticks=0, number=0, order="<", *, original=None, options=b""):
    """A pcapng enhanced packet block."""
    original = len(octets) if original is None else original
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), original)
    return block(6, head + octets + bytes(-len(octets) % 4) + options, order)


def simple(octets, order="<", *, original=None):
    """A pcapng simple packet block."""
    return block(3, struct.pack(order + "I", len(octets) if original is None else original) + octets, order)


def obsolete(octets, ticks=0, number=0, order="<"):
    """An obsolete pcapng packet block."""
    head = struct.pack(order + "HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
    return block(2, head + octets, order)


def pcapng(frames, link_type=1, order="<"):
    """A pcapng file of one section and interface, in microseconds."""
    blocks = [enhanced(f.octets, f.ts_ns // 1000, order=order, original=f.original or None) for f in kept(frames)]
    return section(order) + interface(link_type, order) + b"".join(blocks)


# ── running the code under test ──────────────────────────────────────────────────────────────────────────────────


class Read(NamedTuple):
    """All that a capture gave."""

    rows: np.ndarray
    frames: int
    skipped: tuple
    warnings: list
    start_ns: int | None
    link_types: list
    format: str

    def column(self, name):
        """A column as a list."""
        return self.rows[name].tolist()


def read(path, batch_rows=4096, most=None, **options):
    """Read a whole capture, or as many batches of it as ``most`` frames take."""
    with open_capture(path, **options) as reader:
        batches = list(itertools.islice(reader.batches(batch_rows), most and -(-most // batch_rows)))
        rows = np.concatenate([np.empty(0, dtype=SEGMENT), *(batch.rows for batch in batches)])
        skipped = tuple(sum(counts) for counts in zip(*(b.skipped for b in batches), strict=True)) or (0, 0, 0)
        return Read(
            rows,
            sum(batch.frames for batch in batches),
            skipped,
            reader.warnings,
            reader.start_ns,
            reader.link_types,
            reader.format,
        )


def outcome_of(octets, link_type=1, original=None):
    """Decode one frame from a buffer that ends with it, so that a read beyond it raises; (outcome, row)."""
    row = {}
    original = len(octets) if original is None else original
    outcome = segment({"octet": bytes(octets)}, 0, len(octets), original, link_type, row)
    return outcome, row


def row_of(octets, link_type=1, original=None):
    """Decode one frame that must give a row."""
    outcome, row = outcome_of(octets, link_type, original)
    assert outcome == ROW, outcome
    return row


def differences(left, right):
    """Names of the columns in which two arrays of rows differ, for a message that says more than False."""
    if len(left) != len(right):
        return [f"{len(left)} rows and {len(right)}"]
    return [name for name in SEGMENT.names if not np.array_equal(left[name], right[name])]
