"""The rows that capture hands over."""

from ipaddress import IPv6Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.segment import (
    ABSENT,
    MAPPED_IPV4,
    SEGMENT,
    SKIPPED,
    SegmentBatch,
    address_halves,
    address_text,
    empty_rows,
)

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6).filter(lambda each: each.ipv4_mapped is None))


@given(ADDRESSES)
def test_addresses_survive_as_two_halves(address):
    """Every address comes back as RFC 5952 spells it."""
    assert str(address) == address_text(*address_halves(str(address)))


def test_the_first_longest_run_of_zeros_is_left_out():
    """Wherever groups of an address are zero, it is written as the standard library does."""
    for zeros in range(256):
        whole = sum((0 if zeros >> group & 1 else 0xF0 + group) << 16 * group for group in range(8))

        assert str(IPv6Address(whole)) == address_text(whole >> 64, whole & 0xFFFFFFFFFFFFFFFF)


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("127.0.0.1", (0, MAPPED_IPV4 | 0x7F000001)),
        ("::1", (0, 1)),
        ("ff02::1", (-0xFE << 48, 1)),
        ("::ffff:ffff:ffff:ffff", (0, -1)),
    ],
    ids=["IPv4 as mapped", "loopback", "the sign of the upper half", "the sign of the lower half"],
)
def test_halves_are_signed(text, halves):
    """The halves of an address are signed 64-bit numbers, as the columns are."""
    assert halves == address_halves(text)
    assert text == address_text(*halves)


def test_a_batch_has_as_many_segments_as_rows():
    """A batch is as long as its rows, whatever number of frames it stands for."""
    batch = SegmentBatch(empty_rows(3), frames=5, skipped=(1, 1, 0))

    assert 3 == len(batch)
    assert ABSENT == batch.last_ts_ns
    assert len(SKIPPED) == len(batch.skipped)


@pytest.mark.parametrize("name", SEGMENT.names)
def test_columns_are_int64(name):
    """Every column can be had as signed 64-bit numbers."""
    rows = empty_rows(2)
    rows[name] = [5, ABSENT]
    column = SegmentBatch(rows, 2).column(name)

    assert [5, -1] == column.tolist()
    assert np.int64 == column.dtype


def test_time_columns_say_their_unit():
    """A field that holds time ends in _ns; sequence numbers and the like do not."""
    assert ["ts_ns"] == [name for name in SEGMENT.names if name.startswith("ts_") or name.endswith("_ns")]
