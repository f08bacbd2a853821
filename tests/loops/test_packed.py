"""Packed rows come out as they went in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.loops.packed import TURNED, WORTH, Packed, PackedRows
from analyzer.track.seen import SEEN


def rows_of(count, seed=0):
    """Rows in which every octet is drawn."""
    return np.random.default_rng(seed).integers(0, 256, count * SEEN.itemsize, dtype=np.uint8).view(SEEN)


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(0, 1000))
def test_rows_come_out_as_they_went_in(count, seed):
    """Whatever is in the rows, packing loses nothing."""
    rows = rows_of(count, seed)
    packed = Packed(rows)

    assert count == len(packed)
    assert rows.tobytes() == packed.rows().tobytes()


@pytest.mark.parametrize("count", [TURNED - 1, TURNED, TURNED + 1, 2 * TURNED + 7])
def test_rows_are_turned_part_by_part(count):
    """No row is lost or changed where one part ends and the next begins."""
    rows = rows_of(count)

    assert rows.tobytes() == Packed(rows).rows().tobytes()


def test_rows_that_resemble_each_other_take_little():
    """Rows of a connection that is probed again and again take less than a tenth of their size."""
    rows = np.zeros(1000, dtype=SEEN)
    rows["ts_ns"] = 1_700_000_000_000_000_000 + np.arange(1000) * 15_000_123_457
    rows["frame"], rows["seq"], rows["next"] = 17 * np.arange(1000), 4_294_967_295, np.arange(1000)

    assert len(Packed(rows)._octets) < rows.nbytes / 10


@pytest.mark.parametrize("counts", [[3, 0, 2], [0, WORTH, 0, WORTH - 1, 5], [WORTH + 3], []])
def test_flows_are_asked_for_one_by_one(counts):
    """Short flows, long ones and those without a row have the rows they had."""
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    rows = rows_of(int(start[-1]))
    packed = PackedRows(rows, start)

    assert len(rows) == len(packed)
    for first, stop in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
        assert rows[first:stop].tobytes() == packed[first:stop].tobytes()
