"""Makes of a capture what another point would have captured: behind a router, by a clock of its own, with losses.

    python tests/bench/other_point.py IN.pcap OUT.pcap --lost 0.001

Between both stands a router, which takes 150 us and one of the TTL, and loses one packet in a thousand, which follows
from its number alone. The clock is 37.25 s ahead, and 150 ppm fast. For pcap of microseconds, Ethernet and IPv4, as
``generate.py`` writes it. The whole capture is in memory.
"""

from __future__ import annotations

import argparse
import heapq
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY_NS: Final = 150_000
"""Less than half of what answers take in ``generate.py``: none may arrive before what it answers was sent."""
AHEAD_NS: Final = 37_250_000_000
FAST: Final = 150e-6
MAGIC: Final = 0xA1B2C3D4
"""Of a pcap of microseconds."""
UNIT_NS: Final = 1000
RECORD: Final = struct.Struct("<IIII")
TTL: Final = 22
ADDRESSES: Final = (slice(26, 30), slice(30, 34))


def packets(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield time in nanoseconds, length and captured octets of each packet of a pcap."""
    if int.from_bytes(octets[:4], "little") != MAGIC:
        raise SystemExit("not a pcap of microseconds, little-endian")
    at = 24
    while at + RECORD.size <= len(octets):
        seconds, rest, captured, length = RECORD.unpack_from(octets, at)
        at += RECORD.size + captured
        yield seconds * 10**9 + rest * UNIT_NS, length, octets[at - captured : at]


def seen(octets: bytes, lost: float) -> Iterator[tuple[int, int, bytes]]:
    """Yield what the other point captured of them, in order of time by its clock."""
    waiting: list[tuple[int, int, int, bytes]] = []
    began_ns: int | None = None
    for number, (ts_ns, length, frame) in enumerate(packets(octets)):
        began_ns = ts_ns if began_ns is None else began_ns
        while waiting and waiting[0][0] < ts_ns - DELAY_NS:
            yield told(began_ns, heapq.heappop(waiting))
        if crc32(number.to_bytes(8, "little")) < lost * 2**32:
            continue
        source, target = (frame[place] for place in ADDRESSES)
        apart_ns = DELAY_NS if source < target else -DELAY_NS
        routed = frame[:TTL] + bytes([frame[TTL] + (-1 if apart_ns > 0 else 1)]) + frame[TTL + 1 :]
        heapq.heappush(waiting, (ts_ns + apart_ns, number, length, routed))
    while waiting:
        yield told(began_ns or 0, heapq.heappop(waiting))


def told(began_ns: int, packet: tuple[int, int, int, bytes]) -> tuple[int, int, bytes]:
    """Return a packet with its time by the other point's clock."""
    ts_ns, _, length, frame = packet
    return ts_ns + AHEAD_NS + round((ts_ns - began_ns) * FAST), length, frame


def write(source: Path, out: Path, lost: float = 0.001) -> None:
    """Write the other point's capture."""
    octets = source.read_bytes()
    with out.open("wb") as file:
        file.write(octets[:24])
        for ts_ns, length, frame in seen(octets, lost):
            seconds, rest_ns = divmod(ts_ns, 10**9)
            file.write(RECORD.pack(seconds, rest_ns // UNIT_NS, len(frame), length) + frame)


def main(given: list[str] | None = None) -> int:
    """Write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lost", type=float, default=0.001, help="the share of packets that the router loses")
    options = parser.parse_args(given)
    write(options.source, options.out, options.lost)
    return 0


if __name__ == "__main__":
    sys.exit(main())
