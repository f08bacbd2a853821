"""Data sent to an end that had closed."""

from tests.judging import scenario, texts, told


def test_data_after_a_full_close_draws_a_reset():
    """Data that a closed end cannot deliver is told with FIN, data and RST."""
    (judged,) = scenario("write_after_the_peer_closed")
    story = told(judged)
    fin, data, reset = (judged.findings[0].data[key] for key in ("fin_frame", "data_frame", "reset_frame"))

    assert fin < data < reset
    assert "; the client had closed in full, and a RST answered." in story.headline
    assert "answered with a RST: nobody is there to take it" in texts(story, "What happened")
    assert "it cannot deliver data" in texts(story, "Why")
