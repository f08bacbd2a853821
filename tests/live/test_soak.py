"""Live capture for a while under load: the short form of ``tests/bench/soak.py``."""

import pytest

from tests.bench.soak import Soaked, soak


@pytest.mark.live
@pytest.mark.slow
def test_a_watch_under_load_stays_as_it_is():
    """Memory and descriptors stay, packets are captured or told as lost, no probe is missed, and no right is kept."""
    soaked = soak(seconds=12, rate=4000, connections=4)

    assert [] == soaked.faults()
    assert 0 == soaked.capabilities
    assert soaked.probes_sent > 20


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"memory_mib": [50, 60, 80, 140]}, "memory grew from 60 to 140 MiB"),
        ({"descriptors": [9, 9, 9, 10]}, "descriptors grew from 9 to 10"),
        ({"captured": 98}, "100 packets passed, 98 were captured and 1 told as lost"),
        ({"probes": 7, "lost": 0, "captured": 100}, "the kernel sent 8 probes, 7 were seen"),
    ],
)
def test_a_soak_notices_what_grows_or_is_missing(change, fault):
    """Each thing that a soak is there for is a fault when it happens."""
    fine = {
        "memory_mib": [50, 60, 61, 61],
        "descriptors": [9, 9, 9, 9],
        "captured": 99,
        "lost": 1,
        "sent": 100,
        "probes": 8,
        "probes_sent": 8,
        "status": 0,
    }

    assert [] == Soaked(**fine).faults()
    assert [fault] == Soaked(**fine | change).faults()
