"""Octets written by loops, and the Internet checksum over them (RFC 1071).

This module must not know any header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.capture.frame import octet
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Octets


@loop
def put16(out: Octets, to: int, value: int) -> None:
    """Write 16 bits in network order."""
    out[to] = (value >> 8) & 255
    out[to + 1] = value & 255


@loop
def put32(out: Octets, to: int, value: int) -> None:
    """Write 32 bits in network order."""
    put16(out, to, value >> 16)
    put16(out, to + 2, value)


@loop
def put64(out: Octets, to: int, value: int) -> None:
    """Write 64 bits, of a signed number, in network order."""
    put32(out, to, value >> 32)
    put32(out, to + 4, value)


@loop
def put_little32(out: Octets, to: int, value: int) -> None:
    """Write 32 bits, the lowest octet first."""
    out[to] = value & 255
    out[to + 1] = (value >> 8) & 255
    out[to + 2] = (value >> 16) & 255
    out[to + 3] = (value >> 24) & 255


@loop
def copy(data: Octets, at: int, out: Octets, to: int, count: int) -> None:
    """Copy octets as they are."""
    for i in range(count):
        out[to + i] = octet(data, at + i)


@loop
def fill(out: Octets, to: int, count: int, value: int) -> None:
    """Write the same octet so often."""
    for i in range(count):
        out[to + i] = value


@loop
def sum_of(out: Octets, begin: int, end: int, before: int) -> int:
    """Add the 16-bit words from ``begin`` to ``end`` to a sum, the last octet of an odd number as if 0 followed."""
    total = before
    for i in range((end - begin) // 2):
        total += out[begin + 2 * i] * 256 + out[begin + 2 * i + 1]
    if (end - begin) % 2 == 1:
        total += out[end - 1] * 256
    return total


@loop
def folded(total: int) -> int:
    """Return the checksum of a sum."""
    while total > 65535:
        total = (total >> 16) + (total & 65535)
    return 65535 - total
