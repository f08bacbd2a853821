"""Whether a packet is the same at two points."""

import numpy as np
import pytest

from analyzer.vantage.sameness import differs


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ttl": 9, "ip_id": 7, "link": 3}, False),
        ({"window": 5}, True),
        ({"mss": 1400}, False),
        ({"tsval": 8}, True),
        ({"tsval": 8, "options_cut": 1}, False),
        ({"options": 4}, True),
        ({"digest": 6}, True),
        ({"captured": 20, "head": 6}, True),
        ({"captured": 12, "head": 6}, False),
    ],
)
def test_hops_and_ip_ids_are_no_difference_and_what_was_cut_tells_nothing(sightings, fields, expected):
    """Addresses, TTL and IP ID may differ; window, options and data may not, as far as both points have them."""
    common = {"tsval": 1, "captured": 40, "digest": 5, "head": 5, "options": 2}
    one, other = sightings((0, 0, 1, 1), **common), sightings((0, 0, 1, 1), **common | fields)
    assert differs(one, other).tolist() == [expected]
    rows = [sightings((0, 0, 1, 1), raw=True, **each) for each in (common, common | fields)]
    assert np.array_equal(differs(*rows), [expected])
