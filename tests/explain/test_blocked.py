"""SYNs that are answered by ACKs of a connection which the other end still holds."""

from tests.judging import scenario, texts, told, written


def test_acks_in_place_of_syn_ack_are_named_with_what_they_mean():
    """The answers, their frames and the older connection are told, and nobody is to look for a listener."""
    older, new = (told(judged) for judged in scenario("syn_answered_by_challenge_acks_of_near_numbers"))
    happened, change = texts(new, "What happened"), texts(new, "What to change")

    assert "got ACKs in place of SYN,ACK" in new.headline
    assert "3 segments, frames 8 to 12" in happened
    assert "challenge ACK" in happened
    assert "(inferred)" in happened
    assert "something listens" not in change
    assert "the RST that answers it" in change
    assert "all is well" not in str(older)
    assert "the capture ended" not in str(older)
    assert "another connection took its addresses and ports" in older.headline


def test_of_a_syn_without_any_answer_in_its_flow_no_more_is_said_than_that():
    """An ACK that belongs to the older flow is told there, so nothing is said of answers in general."""
    new = told(scenario("new_syn_blocked_and_no_rst")[1])

    assert "neither SYN,ACK nor RST for it is in the capture" in texts(new, "What happened")
    assert "no answer" not in str(new)
    assert "an older connection on the same addresses and ports" in texts(new, "What to change")


def test_the_first_flow_of_a_capture_has_none_before_it():
    """Where no other connection came before, nobody is sent to look for one."""
    lone = told(written("+0 a > b S 0:0(0)\n+1 a > b S 0:0(0)\nend: +9"))

    assert "something listens" in texts(lone, "What to change")
    assert "older connection" not in str(lone)
