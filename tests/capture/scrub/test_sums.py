"""Octets are written as they should be, and sums are those of RFC 1071."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.scrub import sums


def test_the_example_of_the_rfc():
    """The example of RFC 1071 3 comes out."""
    octets = bytes.fromhex("0001f203f4f5f6f7")

    assert 0xDDF2 == 0xFFFF - sums.folded.plain(sums.sum_of.plain(octets, 0, 8, 0))


@given(st.binary(max_size=99), st.integers(0, 1 << 20))
def test_a_sum_with_its_checksum_is_none(octets, before):
    """Words with their checksum add up to all ones; an odd octet counts as if 0 followed."""
    checksum = sums.folded.plain(sums.sum_of.plain(octets, 0, len(octets), before))
    even = octets + bytes(len(octets) % 2)
    total = before + checksum + sum(struct.unpack(f"!{len(even) // 2}H", even))

    assert total > 0
    assert total % 0xFFFF == 0


def test_numbers_are_written():
    """Numbers of each width are in network order, or the lowest octet first; octets are copied and filled."""
    out = bytearray(30)
    sums.put16.plain(out, 0, 0x1234)
    sums.put32.plain(out, 2, 0x89ABCDEF)
    sums.put64.plain(out, 6, -2)
    sums.put_little32.plain(out, 14, 0x89ABCDEF)
    sums.copy.plain({"octet": b"abcdef"}, 2, out, 18, 3)
    sums.fill.plain(out, 21, 2, 7)

    assert "123489abcdeffffffffffffffffeefcdab896364650707" + "00" * 7 == out.hex()
