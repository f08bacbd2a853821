"""Of very many packets those stay that say most about clocks."""

import numpy as np

from analyzer.vantage import samples
from analyzer.vantage.samples import Samples


def drifting(count, *, drift=1e-4, ahead_ns=5_000_000_000):
    """Return packets of both directions a millisecond apart, past a clock that drifts, with delays of their own."""
    there = np.arange(count, dtype=np.int64) * 1_000_000
    way = np.where(np.arange(count) % 2 == 0, 1, -1)
    delay = 100_000 + (np.arange(count) * 7919) % 1_000_003
    expected = ahead_ns + (there * drift).astype(np.int64)
    return there, there + expected + way * delay, way, expected


def test_few_packets_all_stay():
    """A few packets are returned as they were given."""
    found = Samples()
    there, here, way, expected = drifting(10)
    found.add(there, here, way, expected)
    assert [each.tolist() for each in found.all()] == [there.tolist(), here.tolist(), way.tolist()]


def test_quickest_of_each_direction_stay_however_the_clock_drifts(monkeypatch):
    """Of many packets a bounded number is left, the quickest of both directions among them."""
    monkeypatch.setattr(samples, "STRETCHES", 16)
    found, whole = Samples(), drifting(4000)
    for piece in range(0, 4000, 100):
        found.add(*(each[piece : piece + 100] for each in whole))
    there, _, way = found.all()
    assert len(way) <= 8 * 16 + 100
    took = (whole[1] - whole[0] - whole[3]) * whole[2]
    for sign in (1, -1):
        quickest = np.flatnonzero(whole[2] == sign)[took[whole[2] == sign].argmin()]
        assert int(whole[0][quickest]) in there[way == sign].tolist()


def test_packets_of_no_known_direction_are_thinned_evenly(monkeypatch):
    """Where nobody knows which way packets went, some from everywhere stay."""
    monkeypatch.setattr(samples, "STRETCHES", 16)
    found = Samples()
    there, here, way, expected = drifting(1000)
    found.add(there, here, way * 0, expected)
    left = found.all()[0]
    assert 8 <= len(left) <= 32
    assert left.max() > 900_000_000
