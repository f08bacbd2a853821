"""What is known of ends behind the RST that ended their flow."""

import pytest

from analyzer.explain.left import Known, left, may_be_between, state_before
from analyzer.judge.connection import State
from tests.judging import opened, scenario


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("orderly_close", None, None),
        ("reset_repeated", Known.CLOSED, Known.CLOSED),
        ("dead_peer_gave_up", Known.CLOSED, Known.UNKNOWN),
        ("late_segments_behind_a_give_up", Known.HELD, Known.CLOSED),
        ("gave_up_between_the_peers_probes", Known.CLOSED, Known.HELD),
        ("reset_then_its_sender_probes", Known.HELD, Known.CLOSED),
        ("reset_lost_behind_the_capture", Known.CLOSED, Known.HELD),
        ("box_resets_both_ends", Known.CLOSED, Known.UNKNOWN),
        ("half_open_behind_a_fin", Known.LOST, Known.CLOSED),
    ],
)
def test_a_reset_closes_whom_it_reached(name, a, b):
    """Both ends, or one: the other is unknown, had lost the connection, or shows later that it still has it."""
    judged = scenario(name)[0]

    assert [a, b] == [None if (last := left(judged, side)) is None else last.known for side in ("a", "b")]


def test_what_crossed_the_reset_does_not_show_that_its_sender_goes_on():
    """Data that was sent less than a second behind the RST may have crossed it."""
    judged = scenario("reset_repeated")[0]

    assert all(left(judged, side).again_ns is None for side in ("a", "b"))


def test_an_end_that_goes_on_is_closed_by_its_own_reset():
    """The one that it sends last itself."""
    assert 9 == left(scenario("reset_lost_behind_the_capture")[0], "b").until.frame


def test_a_reset_may_close_an_end_that_had_not_taken_the_one_before():
    """Only that the end ceased then shows that it did."""
    last = left(scenario("fin_behind_a_give_up")[0], "b")
    refused = "+5 a > b . 5:5(0) ack 1\n+.001 b > a R 1:1(0) win 0\n"
    ceased = left(opened("+5 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n" + 2 * refused + "end: +40"), "a")

    assert (None, 13) == (last.until, last.perhaps.frame)
    assert (11, None) == (ceased.until.frame, ceased.perhaps)


def test_the_state_before_the_end_is_that_before_the_reset():
    """The RST's own change does not count."""
    judged = scenario("half_open_behind_a_fin")[0]

    assert State.FIN_WAIT_2 is state_before(judged.record, "a")
    assert State.CLOSE_WAIT is state_before(judged.record, "b")


def test_a_box_may_have_spoken_for_an_end():
    """A RST that is unlike its sender's packets, or comes in its name while it goes on, is from between."""
    assert may_be_between(scenario("box_resets_both_ends")[0])
    assert not may_be_between(scenario("dead_peer_gave_up")[0])
