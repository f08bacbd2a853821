"""How gaps between probes compare."""

import pytest

from analyzer.judge.timers import gaps
from analyzer.judge.timers.gaps import SPARE, SPARES, agree, clearly_longer, high_ns, match, shortest
from analyzer.judge.timers.lateness import LINUX, ONE_OCTET, UNKNOWN
from tests.measured import lengths, measured
from tests.trains import S, Story, gap


def test_gaps_agree_within_lateness_and_jitter():
    """Two gaps of one kind may differ by what a timer may be late, and by how much the way varies."""
    assert agree(gap(5), gap(5.6))
    assert not agree(gap(5), gap(6))
    assert agree(gap(5), gap(6, jitter_ms=400))


def test_gaps_of_two_kinds_may_differ_by_the_way():
    """The way to the prober and back may be in one only, whichever is the shorter."""
    assert match(gap(6, slack_ms=400), gap(5))
    assert match(gap(5), gap(6, slack_ms=400))
    assert not match(gap(5), gap(6))
    assert clearly_longer(gap(6), gap(5))
    assert not clearly_longer(gap(5), gap(6))


def test_the_shortest_counts():
    """Of several gaps the shortest is asked."""
    assert 1 == shortest([gap(5), gap(3), gap(4)], 0, 3)


def test_a_clock_that_nothing_restarts_needs_no_lower_bound():
    """Where the peer's probes restart nothing, a gap is as long as it is; where they may, it shows no interval."""
    found = measured(Story().probes(5).peer_probe(2).probes(3))

    assert any(each["least_ns"] < each["ns"] for each in (*found.starts, *found.answered))
    calm = found.fitted(LINUX, undisturbed=True)
    assert all(each["least_ns"] == each["ns"] for each in (*calm.starts, *calm.answered))


def test_an_unanswered_gap_with_a_probe_of_the_peer_in_it():
    """Where the peer's probes may restart the clock, such a gap is no interval; the others are."""
    found = measured(Story().silence(5, 2).peer_probe(1.5).silence(3.5, 2))

    assert [2, 5, 2] == lengths(found.unanswered)
    assert [2, 5, 2] == lengths(found.fitted(LINUX, undisturbed=True).unanswered)
    found = measured(Story().silence(5, 2).peer_probe(1.5).silence(3.5, 2))
    assert [2, 2] == lengths(found.fitted(UNKNOWN, undisturbed=False).unanswered)


def test_a_slow_clock_may_be_early_by_its_tick():
    """A first gap may be short by half a second, unless gaps between probes show that no such clock ran."""
    slow = measured(Story().probes(7.7, 8, 8)).fitted(UNKNOWN, undisturbed=False)
    other = measured(Story().probes(7.7, 8.1, 8.15)).fitted(UNKNOWN, undisturbed=False)
    linux = measured(Story().probes(7.7, 8, 8)).fitted(LINUX, undisturbed=True)

    assert [8.2, 7.71, 7.71] == [
        pytest.approx(high_ns(found.starts[0]) / S, abs=0.001) for found in (slow, other, linux)
    ]


def test_windows_may_be_early_at_any_gap():
    """A probe with an octet comes from a clock that runs some milliseconds early."""
    found = measured(Story(octet=True).probes(4.992, 4.992)).fitted(ONE_OCTET, undisturbed=False)

    assert all(high_ns(each) >= 5 * S for each in (*found.starts, *found.answered))


def test_what_comes_between_unanswered_probes_and_restarts_nothing():
    """Probes sooner behind a RST than idle show that it restarted no clock; a start as late as that shows nothing."""

    def found(*starts):
        room = 3
        rows = [gap(0) for _ in range(SPARE * room + SPARES)]
        rows[: len(starts)] = starts
        rows[2 * room : 2 * room + 2] = gap(2, least=1), gap(2, least=1)
        return gaps.went_on(rows, room, [len(starts), 0, 2])

    assert found(gap(3))
    assert not found(gap(1))
    assert not found(gap(5, least=1))
    assert not found()
