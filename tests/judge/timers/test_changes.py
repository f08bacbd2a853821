"""Timers that a program sets anew in mid-flow, from hand-made trains and from simulated probers."""

import pytest

from analyzer.explain.settings import settings_lines
from analyzer.findings import judge
from analyzer.judge.timers import changes
from analyzer.judge.timers.settings import timer_of
from analyzer.words.teller import Teller
from tests.pairs import Pair, claims_of
from tests.trains import S, Story, bounds, gap, seconds, timer


def told(story):
    """Return what is said of the settings of a hand-made flow."""
    flow, ending = story.flow()
    judged = judge(flow, ending, [])  # only the settings are told
    return " ".join(line.text for line in settings_lines(Teller(judged, flow.first_ns)))


def holds(timer, *values):
    """Whether the bounds of a timer hold all of these values in seconds."""
    low, high = bounds(timer)
    return all(low <= value <= high for value in values)


def test_a_period_set_anew():
    """Probes every 2 s, then every 6 s: both are told, and until when the first held."""
    story = Story().probes(*[2.016] * 15).probes(*[6.05] * 5)
    settings = story.settings()
    (change,) = (each for each in settings.changes if each.name == "period")

    assert (2, 6) == (seconds(change.before), seconds(change.after))
    assert holds(settings.period, 2, 6)
    assert seconds(settings.period) is None
    assert "2 s until +30.240, then 6 s" in told(story)


def test_the_gap_in_which_it_was_set():
    """The one gap that has neither length does not hide the change."""
    settings = Story().probes(*[6.1] * 4, 3.3, *[2.016] * 5).settings()

    assert {"period"} <= {change.name for change in settings.changes}


def test_a_shorter_idle_time():
    """Claims after the change do not exclude what was in force before."""
    settings = Story().probes(*[6.1] * 4).probes(*[2.016] * 5).settings()

    assert holds(settings.idle, 2, 6)


def test_elsewhere_no_change_is_claimed():
    """Away from the prober lost probes and answers make rhythms too: the bounds hold both, and nothing is told."""
    settings = Story(ttl=63).probes(*[2.016] * 6).probes(*[6.05] * 5).settings()

    assert () == settings.changes
    assert holds(settings.period, 2, 6)


def test_one_long_gap_is_no_change():
    """A missing probe makes one long gap, not another rhythm."""
    settings = Story().probes(2.016, 2.016, 2.016, 4.032, 2.016, 2.016).settings()

    assert () == settings.changes
    assert seconds(settings.idle) == 2


@pytest.mark.parametrize("lengths", [(2, 2), (2, 2, 2.1), (), (5,), (2, 6, 2, 6, 2, 6)])
def test_one_rhythm(lengths):
    """Where gaps keep to one rhythm, to none, or are too few, nothing changed."""
    gaps = [gap(length_s, at) for at, length_s in enumerate(lengths, 1)]

    assert not changes.find_split(gaps, 0, len(gaps), [0] * changes.SPLIT, found=False)


def test_two_rhythms():
    """Up to which frame the first is told of, from which the second, and the last frame of the first."""
    gaps, split = [gap(length_s, at) for at, length_s in enumerate((2, 2, 2, 3, 6, 6, 6), 1)], [0] * changes.SPLIT

    assert changes.find_split(gaps, 0, len(gaps), split, found=False)
    assert [3, 6, 4] == split


def test_claims_that_hold_all():
    """What several epochs claim together holds each of them; where one says nothing, so do all."""
    two = timer(value_ns=2 * S, low_ns=S, high_ns=2 * S, observations=3, first=0, stop=2)
    six = timer(value_ns=6 * S, low_ns=5 * S, high_ns=7 * S, observations=2, first=2, stop=4)

    def joined(*timers):
        found, frames = timer(), [1, 2, 2, 3, 0, 0, 0, 0]
        changes.join_timers(timers, 0, len(timers), 1, frames, 4, found)
        return timer_of(found, frames)

    assert (None, S, 7 * S, 5, (1, 2, 3)) == joined(two, six)
    assert (2 * S, S, 2 * S, 3, (1, 2)) == joined(two)
    assert joined(two, timer(there=0)) is None


@pytest.mark.parametrize("kind", ["quiet", "lossy", "changing"])
def test_claims_about_simulated_pairs(kind):
    """Whatever stacks two ends have, whoever is near, whatever is lost or set anew: the truth is never excluded."""
    wrong, right = [], 0
    for seed in range(40):
        pair = Pair(seed, lossy=kind == "lossy", changing=kind == "changing")
        for claim, held, value in claims_of(pair):
            right += value
            if not held:
                wrong.append((seed, claim))

    assert [] == wrong
    assert right > 10
