"""How far clocks are apart while captures are read."""

import numpy as np
import pytest

from analyzer.loops.loop import thaw
from analyzer.vantage import meanwhile
from analyzer.vantage.meanwhile import BLOCK, ENOUGH, LEAST, Meanwhile


def stretch(sightings, count, *, from_ms=0, ahead_ms=0.0):
    """Return so many packets, a millisecond apart, at both points, and which are which."""
    there = sightings(*((from_ms + at, 0, 100 + at, 7) for at in range(count)), raw=True)
    here = there.copy()
    here["ts_ns"] += round(ahead_ms * 1e6)
    return there, here, np.arange(count, dtype=np.int32)


def learn(clock, there, here, mate, *, jit=False):
    """Let a clock learn from sightings, as loops take them."""
    if jit:
        clock.learn(there, here, mate, jit=True)
    else:
        clock.learn(thaw(there, jit=False), thaw(here, jit=False), mate.tolist(), jit=False)


def test_clocks_are_the_same_until_enough_packets_say_otherwise(sightings):
    """A few packets say nothing; the middle of many says how far apart the clocks are, a late one aside."""
    clock = Meanwhile()
    learn(clock, *stretch(sightings, LEAST - 1, ahead_ms=5))
    assert (clock.is_known, clock.apart_ns, clock.at(np.array([7]), jit=False).tolist()) == (False, 0, [0])
    there, here, mate = stretch(sightings, LEAST, ahead_ms=5)
    here["ts_ns"][3] += 10**9
    learn(clock, there, here, mate)
    assert (clock.is_known, clock.apart_ns) == (True, 5_000_000)


def test_packets_without_a_partner_or_a_number_say_nothing(sightings):
    """Only packets of both points count, and only those with both numbers."""
    there, here, mate = stretch(sightings, 3 * LEAST, ahead_ms=5)
    mate[::2] = -1
    there["ack"][1::4] = 0
    clock = Meanwhile()
    learn(clock, there, here, mate)
    assert not clock.is_known


@pytest.mark.parametrize("jit", [False, True])
def test_between_two_times_clocks_drift_evenly(sightings, jit):
    """Before, between and behind what is known they are as far apart as numpy's interpolation says."""
    clock = Meanwhile()
    when_ms, ahead_ms = [0, 1000, 5000, 5100], [5.0, 5.003, -2.0, 7.5]
    known_ns = []
    for from_ms, each in zip(when_ms, ahead_ms, strict=True):
        there, here, mate = stretch(sightings, LEAST, from_ms=from_ms, ahead_ms=each)
        learn(clock, there, here, mate, jit=jit)
        known_ns.append(int(np.median(there["ts_ns"])))
    asked = known_ns[0] + np.array([-10, 0, 8, 900, 300, 4000, 5050, 9000, 5108, 5007]) * 1_000_003
    rest = np.interp(asked - known_ns[0], np.array(known_ns) - known_ns[0], np.array(ahead_ms) * 1e6 - 5e6)
    assert clock.at(asked, jit=jit).tolist() == (5_000_000 + rest.astype(np.int64)).tolist()


@pytest.mark.parametrize("jit", [False, True])
def test_of_many_packets_some_say_as_much(sightings, jit):
    """Of more packets than are needed one of so many counts, in every part of a stretch."""
    clock = Meanwhile()
    there, here, mate = stretch(sightings, 3 * ENOUGH, ahead_ms=5)
    here["ts_ns"][len(here) // 2 :] += 1000
    learn(clock, there, here, mate, jit=jit)
    when_ns, apart_ns = clock.known(int(there["ts_ns"][0]))
    assert (len(when_ns), when_ns.tolist() == sorted(set(when_ns.tolist()))) == (3 * ENOUGH // 4 // BLOCK, True)
    assert apart_ns.tolist() == [5_000_000] * (len(apart_ns) // 2) + [5_001_000] * (len(apart_ns) // 2)


def test_what_was_known_long_ago_is_thinned(sightings, monkeypatch):
    """Of very much that is known every other goes, but not the first and the last."""
    monkeypatch.setattr(meanwhile, "MOST_TOLD", 5)
    clock = Meanwhile()
    for at in range(6):
        learn(clock, *stretch(sightings, LEAST, from_ms=1000 * at, ahead_ms=5 + at))
    assert [each - 5_000_000 for each in clock.known(0)[1].tolist()] == [0, 2_000_000, 4_000_000, 5_000_000]


def test_what_is_known_begins_with_the_last_before(sightings):
    """For times from a moment on only what was known then counts, and what became known later."""
    clock = Meanwhile()
    for at in range(3):
        learn(clock, *stretch(sightings, LEAST, from_ms=1000 * at, ahead_ms=at - 1))
    when_ns = clock.known(0)[0]
    found = [[len(clock.known(int(each) + later)[0]) for later in (-1, 0, 1)] for each in when_ns]
    assert found == [[3, 3, 3], [3, 2, 2], [2, 2, 1]]


def test_what_is_no_later_says_nothing_new(sightings):
    """A stretch whose packets passed before those that are known changes nothing."""
    clock = Meanwhile()
    learn(clock, *stretch(sightings, LEAST, from_ms=1000, ahead_ms=5))
    learn(clock, *stretch(sightings, LEAST, from_ms=0, ahead_ms=9))
    assert (clock.apart_ns, len(clock.known(0)[0])) == (5_000_000, 1)
