"""Which RSTs did not close the end that they were sent to."""

from analyzer.judge.untaken import has_ceased, reached, sent_behind, untaken
from tests.judging import opened

S = 1_000_000_000
PROBE = "+{} a > b . 5:5(0) ack 1\n"
REFUSED = PROBE + "+.001 b > a R 1:1(0) win 0\n"


def record(*waits_s, more=""):
    """A prober that is answered twice, then draws a RST with each probe, and probes after each of these times."""
    answered = 2 * (PROBE.format(5) + "+.01 b > a . 1:1(0) ack 6\n")
    return opened(answered + "".join(map(REFUSED.format, waits_s)) + more).record


def test_a_prober_that_goes_on_took_none_of_the_resets_before():
    """Each RST but the last, with when the prober sent again."""
    found = record(5, 5, 5)
    first, second, third = found.resets

    assert [first.frame, second.frame] == list(untaken(found, "a"))
    assert [second.ts_ns - S // 1000, third.ts_ns - S // 1000] == list(untaken(found, "a").values())
    assert {} == untaken(found, "b")


def test_what_may_have_crossed_the_reset_shows_nothing():
    """Less than a second behind a RST its receiver may not have had it."""
    found = record(5, more="+.5 a > b . 6:6(0) ack 1\n")

    assert {} == untaken(found, "a")
    assert [] == sent_behind(found, "a", found.resets[0])


def test_an_end_has_ceased_where_twice_its_longest_wait_passed():
    """Only then does silence show that the last RST closed it."""
    early, late = (record(5, 5, more=f"end: +{wait}") for wait in (9, 30))

    assert not has_ceased(early, "a", early.resets[-1])
    assert has_ceased(late, "a", late.resets[-1])


def test_a_reset_on_the_link_of_an_end_that_had_just_answered_reached_it():
    """Its packets have a full TTL here; behind a router, or without an answer, nobody can tell."""
    probe, gives_up = "+5 a > b . 5:5(0) ack 1 ttl 63\n", "+5 a > b R. 6:6(0) ack 1 ttl 63\n"
    answer = "+.01 b > a . 1:1(0) ack 6{}\n"
    near, far, dead = (
        opened(2 * (probe + answer.format("")) + gives_up).record,
        opened(2 * (probe + answer.format(" ttl 62")) + gives_up).record,
        opened(probe + answer.format("") + probe + gives_up).record,
    )

    assert [True, False, False] == [reached(found, found.resets[0]) for found in (near, far, dead)]
