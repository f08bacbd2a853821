"""RSTs in place of a FIN."""

from analyzer import explain
from tests.judging import captured, scenario, texts, told


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
