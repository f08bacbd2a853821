"""How far clocks are apart while captures are read."""

import numpy as np
import pytest

from analyzer.vantage.meanwhile import LEAST, Meanwhile


def stretch(sightings, count, *, from_ms=0, ahead_ms=0.0):
    """Return so many packets, a millisecond apart, at both points, and which are which."""
    there = sightings(*((from_ms + at, 0, 100 + at, 7) for at in range(count)), raw=True)
    here = there.copy()
    here["ts_ns"] += round(ahead_ms * 1e6)
    return there, here, np.arange(count)


def test_clocks_are_the_same_until_enough_packets_say_otherwise(sightings):
    """A few packets say nothing; the middle of many says how far apart the clocks are, a late one aside."""
    clock = Meanwhile()
    clock.learn(*stretch(sightings, LEAST - 1, ahead_ms=5))
    assert (clock.is_known, clock.apart_ns, clock.at(np.array([7]), jit=False).tolist()) == (False, 0, [0])
    there, here, mate = stretch(sightings, LEAST, ahead_ms=5)
    here["ts_ns"][3] += 10**9
    clock.learn(there, here, mate)
    assert (clock.is_known, clock.apart_ns) == (True, 5_000_000)


def test_packets_without_a_partner_or_a_number_say_nothing(sightings):
    """Only packets of both points count, and only those with both numbers."""
    there, here, mate = stretch(sightings, 3 * LEAST, ahead_ms=5)
    mate[::2] = -1
    there["ack"][1::4] = 0
    clock = Meanwhile()
    clock.learn(there, here, mate)
    assert not clock.is_known


@pytest.mark.parametrize("jit", [False, True])
def test_between_two_times_clocks_drift_evenly(sightings, jit):
    """Before, between and behind what is known they are as far apart as numpy's interpolation says."""
    clock = Meanwhile()
    when_ms, ahead_ms = [0, 1000, 5000, 5100], [5.0, 5.003, -2.0, 7.5]
    known_ns = []
    for from_ms, each in zip(when_ms, ahead_ms, strict=True):
        there, here, mate = stretch(sightings, LEAST, from_ms=from_ms, ahead_ms=each)
        clock.learn(there, here, mate)
        known_ns.append(int(np.median(there["ts_ns"])))
    asked = known_ns[0] + np.array([-10, 0, 8, 900, 300, 4000, 5050, 9000, 5108, 5007]) * 1_000_003
    rest = np.interp(asked - known_ns[0], np.array(known_ns) - known_ns[0], np.array(ahead_ms) * 1e6 - 5e6)
    assert clock.at(asked, jit=jit).tolist() == (5_000_000 + rest.astype(np.int64)).tolist()
