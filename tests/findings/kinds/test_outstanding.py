"""What stays unacknowledged."""

from analyzer import explain
from tests.judging import captured, scenario, texts


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_outstanding_fin_and_data_are_told_apart():
    """What is unacknowledged may be a FIN."""
    code = "data-unacknowledged-no-keepalive"

    assert "FIN" == scenario("fin_unanswered_is_silence")[0].finding(code).data["what"]
    assert "data" == finding("lab/dead_data_pending.pcap", code).data["what"]


def test_outstanding_data_keeps_keepalive_from_running():
    """While data is unacknowledged there are no probes, and its end sends no RST."""
    (judged,), start_ns = captured("lab/dead_data_pending.pcap")
    story = explain.story(judged, start_ns)

    assert "The server's data stayed unacknowledged for 11.457 s" in story.headline
    assert "MUST-26" in texts(story, "Why")
    assert "TCP_USER_TIMEOUT" in texts(story, "What to change")


def test_an_outstanding_fin_is_called_one():
    """What is unacknowledged is named."""
    assert "The client's FIN stayed unacknowledged" in explain.headline(scenario("fin_unanswered_is_silence")[0], 0)
