"""Records as columns, taken out in one go: against the columns that numpy gives of the records themselves."""

import numpy as np
import pytest

from analyzer.label.reset import ENDING
from analyzer.label.trains import RUN
from analyzer.loops.turned import Turned
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW
from analyzer.track.seen import SEEN


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize(
    "dtype", [ENDING, ENDPOINT, FLOW, RUN, SEEN], ids=["ending", "endpoint", "flow", "run", "seen"]
)
def test_each_column_is_that_of_the_records_with_its_type_and_without_gaps(dtype, count):
    """Of every type of record that is turned, however many there are, each column equals the records' own."""
    octets = np.random.default_rng(count).integers(0, 256, count * dtype.itemsize, dtype=np.uint8)
    records = octets.view(dtype)
    turned = Turned(records)
    assert len(turned) == count
    for name in dtype.names:
        column = turned[name]
        assert (column.dtype, column.flags.c_contiguous) == (dtype[name], True)
        np.testing.assert_array_equal(column, records[name])


def test_what_is_written_into_a_column_does_not_reach_the_records():
    """Columns are copies: whoever changes one leaves the records as they were."""
    records = np.zeros(3, dtype=FLOW)
    Turned(records)["number"][:] = 7
    assert not records["number"].any()


def test_records_that_do_not_lie_side_by_side_are_turned_too():
    """Every other record of a table has the columns that it has in the table."""
    records = np.zeros(6, dtype=FLOW)
    records["number"] = range(6)
    assert Turned(records[::2])["number"].tolist() == [0, 2, 4]
