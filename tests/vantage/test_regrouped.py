"""Data that is at both points in other pieces is no loss."""

import numpy as np

from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.pairing import Partner
from analyzer.vantage.regrouped import regrouped


def test_one_segment_here_that_is_three_there(sightings):
    """A segment that was cut on the way, and its pieces, are covered by each other; what is missing is not."""
    there = sightings((0, 0, 2**32 - 100, 5), (1, 0, 2900, 5), payload_len=[3000, 50])
    here = sightings((0.1, 0, 2**32 - 100, 5), (0.2, 0, 900, 5), (0.3, 0, 1900, 5), payload_len=[1000, 1000, 1000])

    found = regrouped(there, here, np.arange(2), np.arange(3), Partner([(0, 0, False)]), THE_REFERENCE)

    assert [[0], [0, 1, 2]] == [each.tolist() for each in found]
