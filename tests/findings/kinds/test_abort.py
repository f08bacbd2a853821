"""RSTs in place of a FIN."""

from pathlib import Path

import pytest

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told, written

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_an_abort_knows_whether_data_can_have_been_unread():
    """Without any data from the peer nothing can have been unread."""
    (first, *_), _ = captured("lab/port_reuse.pcap")

    assert "impossible" == first.finding("abort-without-fin").data["unread"]
    assert "possible" == finding("founding_killed_unread.pcap", "abort-without-fin").data["unread"]


def test_an_abort_with_outstanding_data_says_so():
    """Data sent again before the RST is counted, and SO_LINGER is not the only cause."""
    data = scenario("reset_while_data_is_unanswered")[0].finding("abort-without-fin").data

    assert ("unknown", 2) == (data["unread"], data["resent"])


def test_a_kill_with_unread_data_is_the_usual_cause():
    """A RST instead of a FIN is told with unread data as usual cause, not as fact."""
    (judged,), start_ns = captured("founding_killed_unread.pcap")
    story = explain.story(judged, start_ns)

    assert "with a RST instead of a FIN, as a close or kill with unread data does" in story.headline
    assert "The server had sent 14 bytes; whether they were read, no capture shows." in texts(story, "Why")


def test_without_data_nothing_was_unread():
    """An abort of a connection that carried nothing points at SO_LINGER."""
    (judged, *_), start_ns = captured("lab/port_reuse.pcap")
    story = explain.story(judged, start_ns)

    assert "as SO_LINGER 0 does" in story.headline
    assert "none can have been unread" in texts(story, "Why")
    assert "leave SO_LINGER alone" in texts(story, "What to change")


def test_outstanding_data_before_an_abort_is_told():
    """An abort after retransmissions may be a kernel that gave up."""
    story = told(scenario("reset_while_data_is_unanswered")[0])

    assert "its data had stayed unacknowledged, retransmitted twice" in story.headline
    assert "macOS ends that with such a RST too (by its source), Linux does not" in texts(story, "Why")


def test_a_kernel_that_gave_up_retransmitting_is_not_told_to_read():
    """A RST when the next retransmission was due is most likely the kernel's: the path is to be looked at."""
    judged = scenario("reset_when_the_next_retransmission_was_due")[0]
    story = told(judged)

    assert judged.finding("abort-without-fin").data["resending_ns"] == 4_800_000_000
    assert "most likely because its kernel gave up retransmitting" in story.headline
    assert "Linux sends none" in texts(story, "Why")
    assert "why did nothing acknowledge this data" in texts(story, "What to change")
    assert "leave SO_LINGER alone" not in texts(story, "What to change")
    assert "if its kernel gave up retransmitting" in texts(story, "What the programs see (expected, not captured)")


@pytest.mark.parametrize("waited", [0.6, 2.4, 9.6])
def test_a_reset_at_another_time_is_the_programs(waited):
    """Sooner or later than the next retransmission was due a RST says nothing of retransmitting."""
    text = (SCENARIOS / "reset_when_the_next_retransmission_was_due.pkt").read_text()
    judged = written(text.replace("+4.8 ", f"+{waited} "))

    assert "resending_ns" not in judged.finding("abort-without-fin").data


@pytest.mark.parametrize("waited", [0.6, 9.6])
def test_a_reset_behind_vain_retransmissions_is_led_by_them(waited):
    """Whenever the RST comes: nothing answered what was sent again and again, so the other end is to be looked at."""
    text = (SCENARIOS / "reset_when_the_next_retransmission_was_due.pkt").read_text()
    judged = written(text.replace("+4.8 ", f"+{waited} "))
    story = told(judged)

    assert story.headline.startswith("Nothing answered the client's data, retransmitted 4 times in")
    assert "why did nothing acknowledge this data" in texts(story, "What to change")
    assert "leave SO_LINGER alone" not in texts(story, "What to change")
    assert "whether it did is unknown" in texts(story, "What happened")
    assert "if its program closed the socket" in texts(story, "What the programs see (expected, not captured)")


def test_two_retransmissions_are_no_vain_wait():
    """Data that was sent again once or twice leads nothing."""
    assert "in_vain_ns" not in scenario("reset_while_data_is_unanswered")[0].finding("abort-without-fin").data


def test_a_reset_behind_vain_probes_is_led_by_them():
    """Who resets after two probes or more that nothing answered did not read too little; after one that is open."""
    probes = "+15 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n+15 a > b . 5:5(0) ack 1\n"
    judged = opened(f"{probes}+10 a > b . 5:5(0) ack 1\n+4 a > b R. 6:6(0) ack 1\n")
    story = told(judged)

    assert story.headline.startswith("Nothing answered the client's last 2 probes; then it ended the connection")
    assert "why did nothing answer these probes" in texts(story, "What to change")
    assert "leave SO_LINGER alone" not in texts(story, "What to change")
    once = opened(f"{probes}+4 a > b R. 6:6(0) ack 1\n")
    assert not any("probes_in_vain" in finding.data for finding in once.findings)


def test_probes_of_a_closed_window_in_vain_come_before_unread_data():
    """Who resets when nothing answers its window probes any more is not said to have left data unread first of all."""
    (judged,) = scenario("window_probes_answered_then_not_and_a_reset")
    story = told(judged)

    assert (3, 1) == tuple(judged.finding("abort-without-fin").data[name] for name in ("probes_in_vain", "at_window"))
    assert "Nothing answered the client's last 3 probes of the server's closed window" in story.headline
    assert "whether it did is unknown, as the last 3 probes got no answer" in texts(story, "What happened")
    assert "look at the other end and the path first" in texts(story, "What to change")
