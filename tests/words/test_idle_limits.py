"""What is said of idle limits."""

from analyzer.survey.limits import IdleLimit, Trial
from analyzer.track.flow import Endpoint
from analyzer.words.idle_limits import limit_name, limit_sentence

S = 1_000_000_000


def limit(**fields):
    """A limit between 100 and 130 s."""
    given = {
        "capture": 0,
        "service": Endpoint("10.0.0.2", 80),
        "hosts": None,
        "half_closed": False,
        "longest": Trial(100 * S, 1, 2, 3, 5),
        "shortest": Trial(130 * S, 4, 5, 6, 7),
        "apart_ns": 60 * S,
    }
    return IdleLimit(**given | fields)


def test_a_half_closed_limit_is_named_so():
    """What holds only after a FIN is told as that, with the boxes whose limit that is."""
    assert limit_name(limit(half_closed=True)) == "half-closed connections to 10.0.0.2:80"
    assert "Linux conntrack, FIN seen (120 s)" in limit_sentence(limit(half_closed=True))


def test_without_a_box_that_fits():
    """Where no known box fits, none is named."""
    assert "That fits" not in limit_sentence(limit(shortest=Trial(110 * S, 4, 5, 6, 7)))


def test_a_limit_that_some_survive_is_told_as_none():
    """Where a shorter silence failed than another survived, no limit is claimed, and both are named."""
    text = limit_sentence(limit(shortest=Trial(50 * S, 4, 5, 6, 7)))

    assert text == (
        "No limit of idle time shows on connections to 10.0.0.2:80: 7 flows failed, one after 50.000 s of silence,"
        " but others went on after up to 100.000 s."
    )


def overlapping(longest_s, shortest_s, apart=5, count=10):
    """What trials say where the longest silence that was survived is longer than the shortest that was not."""
    longest, shortest = (Trial(int(at * S), 1, 2, 3, count, apart) for at in (longest_s, shortest_s))
    return limit(longest=longest, shortest=shortest)


def test_a_limit_that_is_kept_late_is_told_with_both_bounds():
    """Where silences between the bounds were survived or not, that is said, and the advice is below the lower one."""
    text = limit_sentence(overlapping(6.548, 6.278))

    assert text == (
        "Connections to 10.0.0.2:80 do not survive more than 6.548 s of silence, and do survive less than 6.278 s:"
        " 10 flows went on, 10 flows failed. Between these two some failed and some went on, as where a box forgets by"
        " a timer that runs in steps, and is late by up to an eighth."
        " Probe every 5 s or more often, or raise the limit."
    )


def test_a_box_that_is_late_fits():
    """IPVS forgets after its limit, by an eighth of it at most: it fits where that lies between, and no other then."""
    assert ["Linux IPVS"] == [box.name for box in overlapping(930, 910).fits]
    assert ["Linux IPVS"] == [
        box.name for box in limit(longest=Trial(1010 * S, 1, 2, 3, 5), shortest=Trial(1100 * S, 1, 2, 3, 5)).fits
    ]
    assert () == overlapping(930, 890).fits
    assert () == limit(longest=Trial(1013 * S, 1, 2, 3, 5), shortest=Trial(1100 * S, 1, 2, 3, 5)).fits


def test_a_limit_that_a_dead_host_would_explain_is_hedged():
    """Where all that failed ended after all that went on, what else looks so is said, and nothing is claimed to fit."""
    text = limit_sentence(limit(failed_later=True))

    assert "a host or a way that failed meanwhile would look the same" in text
    assert "If it is a limit, probe every" in text
    assert "That fits" not in text
    assert "would look the same" not in limit_sentence(limit())
