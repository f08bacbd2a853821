"""What lies between probes, measured."""

import pytest

from analyzer.judge.events import Reset
from analyzer.judge.signatures import Stack
from analyzer.judge.timers import gaps
from analyzer.judge.timers.gaps import Gap, agree, clearly_longer, match, shortest
from analyzer.tolerances import ROUND_TRIP_NS
from tests.trains import Story, made

S = 1_000_000_000
MS = 1_000_000


def gap(seconds, *, slack_ms=0, jitter_ms=0):
    """A gap of so many seconds."""
    ns = round(seconds * S)
    return Gap(ns, ns, slack_ms * MS, jitter_ms * MS, (1, 2), None)


def measured(story, side="b"):
    """What was measured of the prober of a hand-made story."""
    flow, ending = story.flow()
    reset = gaps.give_up(flow, ending, side)
    return gaps.measure(flow, side, gaps.as_heard(flow.probes_from(side), reset), reset)


def seconds(found):
    """The lengths of gaps in seconds."""
    return [pytest.approx(each.ns / S, abs=0.001) for each in found]


def test_gaps_are_told_apart_by_what_they_show():
    """The first of a train shows idle, one behind an answered probe the period, one behind a lost one the interval."""
    found = measured(Story().probes(5, 7).data(1).probes(5).silence(7, 3, 3).gives_up(3))

    assert [5, 5] == seconds(found.starts)
    assert [7, 7] == seconds(found.answered)
    assert [3, 3, 3] == seconds(found.unanswered)
    assert 3 == len(found.trailing)


def test_gaps_that_are_no_timers_are_left_out():
    """What comes again within 0.9 s was no timer."""
    assert [5] == seconds(measured(Story().probes(5, 0.5)).starts)
    assert [] == seconds(measured(Story().probes(5, 0.5)).answered)


def test_the_way_is_that_of_the_handshake():
    """A round trip was seen between SYN and ACK; where it was not, a long one is assumed."""
    near, far = (
        measured(Story().probes(5, 5)),
        measured(Story(midstream=True).add(0, "a > b . 1:1(0) ack 1").probes(5, 5)),
    )

    assert near.answered[0].slack_ns < MS
    assert far.answered[0].slack_ns == ROUND_TRIP_NS


def test_a_prober_next_door_has_passed_no_router():
    """A TTL that is an initial one was not counted down."""
    assert gaps.passed_no_router(Story(ttl=64).probes(5).flow()[0], "b")
    assert not gaps.passed_no_router(Story(ttl=57).probes(5).flow()[0], "b")


def test_answers_that_a_prober_cannot_have_heard_are_taken_away():
    """Who gives up one interval after probes that were answered, behind the observer, heard none of these answers."""
    flow, _ = Story(ttl=63).probes(5, 7, 3).flow()
    probes = flow.probes_from("b")
    reset = made(Reset, frame=99, ts_ns=probes[-1].ts_ns + 3 * S, sender="b", kind="gave_up", accepted_end=True)

    assert ["ack"] * 3 == [probe.answer for probe in probes]
    assert ["ack", None, None] == [probe.answer for probe in gaps.as_heard(probes, reset)]
    assert probes == gaps.as_heard(probes, None)


def test_the_last_run_ends_with_the_last_probe():
    """Unanswered probes at the end are a run; an answer, or anything of the peer, ends it."""
    flow, _ = Story().silence(5, 3).probes(3).silence(5, 3, 3).flow()

    assert 3 == len(gaps.last_run(flow.probes_from("b")))
    assert () == gaps.last_run(Story().probes(5).flow()[0].probes_from("b"))


def test_nobody_gives_up_in_anothers_name():
    """A RST counts as the prober's own end only if it came from it, in the form of giving up."""
    flow, ending = Story().silence(5, 3).gives_up(3).flow()

    assert gaps.give_up(flow, ending, "b").sender == "b"
    assert gaps.give_up(flow, ending, "a") is None


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
    assert gap(3) == shortest([gap(5), gap(3), gap(4)])


def test_a_clock_that_nothing_restarts_needs_no_lower_bound():
    """Where the peer's probes restart nothing, a gap is as long as it is; where they may, it shows no interval."""
    found = measured(Story().probes(5).peer_probe(2).probes(3))
    calm = gaps.fitted(found, Stack.LINUX, undisturbed=True)

    assert any(each.least_ns < each.ns for each in (*found.starts, *found.answered))
    assert all(each.least_ns == each.ns for each in (*calm.starts, *calm.answered))


def test_an_unanswered_gap_with_a_probe_of_the_peer_in_it():
    """Where the peer's probes may restart the clock, such a gap is no interval; the others are."""
    found = measured(Story().silence(5, 2).peer_probe(1.5).silence(3.5, 2))

    assert [2, 5, 2] == seconds(found.unanswered)
    assert [2, 2] == seconds(gaps.fitted(found, None, undisturbed=False).unanswered)
    assert [2, 5, 2] == seconds(gaps.fitted(found, Stack.LINUX, undisturbed=True).unanswered)


def test_a_rst_that_is_not_taken_restarts_no_clock():
    """Behind a RST the prober goes on: the first gap counts from what came before it, or at least from it."""
    (start,) = measured(Story().add(1.5, "a > b R 6:6(0)").silence(2.5)).starts

    assert [4, 2.5, 1.5] == [pytest.approx(ns / S, abs=0.001) for ns in (start.ns, start.least_ns, start.quiet_ns)]


def test_a_segment_that_never_arrived_starts_no_clock():
    """What a probe does not acknowledge had not reached the prober, so no gap is counted from it."""
    late = Story().probes(5).add(1, "a > b P. 6:16(10) ack 1").probes(3).probes(5)

    assert [5] == seconds(measured(late).starts)


def test_a_syn_ack_sent_again_starts_no_clock():
    """A client's clock starts with the first SYN,ACK; one that is sent again may have restarted it."""
    story = Story(midstream=True).add(0, "b > a S 0:0(0) ttl 64").add(0.01, "a > b S. 0:0(0) ack 1")
    story.add(0.0001, "b > a . 1:1(0) ack 1 ttl 64").add(1, "a > b S. 0:0(0) ack 1").heard = 1
    (start,) = measured(story.probes(4), "a").starts  # who sent the SYN is a of the flow

    assert [5, 4] == [pytest.approx(ns / S, abs=0.01) for ns in (start.ns, start.least_ns)]


def test_a_slow_clock_may_be_early_by_its_tick():
    """A first gap may be short by half a second, unless gaps between probes show that no such clock ran."""
    slow = gaps.fitted(measured(Story().probes(7.7, 8, 8)), None, undisturbed=False)
    other = gaps.fitted(measured(Story().probes(7.7, 8.1, 8.15)), None, undisturbed=False)
    linux = gaps.fitted(measured(Story().probes(7.7, 8, 8)), Stack.LINUX, undisturbed=True)

    assert [8.2, 7.71, 7.71] == [
        pytest.approx(found.starts[0].high_ns / S, abs=0.001) for found in (slow, other, linux)
    ]


def test_windows_may_be_early_at_any_gap():
    """A probe with an octet comes from a clock that runs some milliseconds early."""
    found = gaps.fitted(measured(Story(octet=True).probes(4.992, 4.992)), Stack.ONE_OCTET, undisturbed=False)

    assert all(each.high_ns >= 5 * S for each in (*found.starts, *found.answered))


def test_what_comes_between_unanswered_probes_and_restarts_nothing():
    """Probes sooner behind a RST than idle show that it restarted no clock; a start as late as that shows nothing."""
    stirred = [gap(2)._replace(least_ns=S), gap(2)._replace(least_ns=S)]

    def found(*starts):
        return gaps.went_on(gaps.Gaps(starts=starts, answered=(), unanswered=tuple(stirred), trailing=frozenset()))

    assert found(gap(3))
    assert not found(gap(1))
    assert not found(gap(5)._replace(least_ns=S))
    assert not found()
