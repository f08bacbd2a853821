"""How many flows are judged at once."""

import numpy as np
import pytest

from analyzer.judge.portions import portions


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ([], []),
        ([3, 3, 3], [(0, 2), (2, 3)]),
        ([9, 1, 9], [(0, 1), (1, 2), (2, 3)]),
        ([0, 0, 0, 0, 0], [(0, 4), (4, 5)]),
        ([2, 2, 2, 2], [(0, 3), (3, 4)]),
    ],
)
def test_flows_are_taken_together_up_to_so_many_rows_or_flows(sizes, found):
    """A portion has at most so many rows and flows, or one flow that has more rows; none is left out."""
    assert [(part.start, part.stop) for part in portions(np.array(sizes, dtype=np.int64), rows=6, flows=4)] == found
