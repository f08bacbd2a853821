"""What lies between probes, measured."""

from dataclasses import replace

import pytest

from analyzer.judge.events import Reset
from analyzer.judge.timers import measuring
from analyzer.label.outcome import ANSWER_ACK, NO_ANSWER
from analyzer.tolerances import ROUND_TRIP_NS
from tests.measured import Measured, lengths, measured
from tests.trains import MS, S, Story, gap, made


def test_gaps_are_told_apart_by_what_they_show():
    """The first of a train shows idle, one behind an answered probe the period, one behind a lost one the interval."""
    found = measured(Story().probes(5, 7).data(1).probes(5).silence(7, 3, 3).gives_up(3))

    assert [5, 5] == lengths(found.starts)
    assert [7, 7] == lengths(found.answered)
    assert [3, 3, 3] == lengths(found.unanswered)
    assert [1, 1, 1] == [each["trailing"] for each in found.unanswered]


def test_gaps_that_are_no_timers_are_left_out():
    """What comes again within 0.9 s was no timer."""
    assert [5] == lengths(measured(Story().probes(5, 0.5)).starts)
    assert [] == lengths(measured(Story().probes(5, 0.5)).answered)


def test_the_way_is_that_of_the_handshake():
    """A round trip was seen between SYN and ACK; where it was not, a long one is assumed."""
    near, far = (
        measured(Story().probes(5, 5)),
        measured(Story(midstream=True).add(0, "a > b . 1:1(0) ack 1").probes(5, 5)),
    )

    assert near.answered[0]["slack_ns"] < MS
    assert far.answered[0]["slack_ns"] == ROUND_TRIP_NS


def test_answers_that_a_prober_cannot_have_heard_are_taken_away():
    """Who gives up one interval after probes that were answered, behind the observer, heard none of these answers."""
    flow, ending = Story(ttl=63).probes(5, 7, 3).flow()
    probes = flow.probes_from("b")
    reset = made(Reset, frame=99, ts_ns=probes[-1].ts_ns + 3 * S, sender="b", kind="gave_up", accepted_end=True)

    given_up = Measured(flow._replace(resets=(reset,)), replace(ending, by="b"))

    assert [ANSWER_ACK, NO_ANSWER, NO_ANSWER] == given_up.answers
    assert [ANSWER_ACK] * 3 == Measured(flow, ending).answers


def test_the_last_run_ends_with_the_last_probe():
    """Unanswered probes at the end are a run; an answer, or anything of the peer, ends it."""
    ends, answered = measured(Story().silence(5, 3).probes(3).silence(5, 3, 3)), measured(Story().probes(5))

    assert 3 == ends.count - measuring.last_run(ends.heard, ends.count)
    assert answered.count == measuring.last_run(answered.heard, answered.count)


def test_a_rst_that_is_not_taken_restarts_no_clock():
    """Behind a RST the prober goes on: the first gap counts from what came before it, or at least from it."""
    (start,) = measured(Story().add(1.5, "a > b R 6:6(0)").silence(2.5)).starts

    assert [4, 2.5, 1.5] == [
        pytest.approx(ns / S, abs=0.001) for ns in (start["ns"], start["least_ns"], start["quiet_ns"])
    ]


def test_a_segment_that_never_arrived_starts_no_clock():
    """What a probe does not acknowledge had not reached the prober, so no gap is counted from it."""
    late = Story().probes(5).add(1, "a > b P. 6:16(10) ack 1").probes(3).probes(5)

    assert [5] == lengths(measured(late).starts)


def test_a_syn_ack_sent_again_starts_no_clock():
    """A client's clock starts with the first SYN,ACK; one that is sent again may have restarted it."""
    story = Story(midstream=True).add(0, "b > a S 0:0(0) ttl 64").add(0.01, "a > b S. 0:0(0) ack 1")
    story.add(0.0001, "b > a . 1:1(0) ack 1 ttl 64").add(1, "a > b S. 0:0(0) ack 1").heard = 1
    (start,) = measured(story.probes(4), "a").starts  # who sent the SYN is a of the flow

    assert [5, 4] == [pytest.approx(ns / S, abs=0.01) for ns in (start["ns"], start["least_ns"])]


def test_of_very_many_gaps_those_stay_that_tell_most():
    """The shortest, the longest, and some between, in the order in which they came."""
    lengths = [2 + at * 7919 % 3001 / 1000 for at in range(3001)]
    rows, order = [gap(length_s, at) for at, length_s in enumerate(lengths)], [0] * 2 * len(lengths)
    kept = measuring.thin(rows, 0, len(rows), order)
    left = [row["ns"] for row in rows[:kept]]
    by_length = sorted(round(length_s * S) for length_s in lengths)

    assert kept <= measuring.MOST_GAPS
    assert {*by_length[:250], *by_length[-250:]} <= set(left)
    assert [row["first_frame"] for row in rows[:kept]] == sorted(row["first_frame"] for row in rows[:kept])
