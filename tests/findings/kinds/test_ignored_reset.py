"""RSTs without effect."""

from analyzer import explain
from tests.judging import scenario, texts


def test_a_reset_between_a_syn_and_its_answer_is_as_it_should_be():
    """A RST that ends what the peer knew of an earlier connection is no stranger's, and needs no change."""
    _, judged = scenario("time_wait_meets_an_older_syn")
    told = explain.story(judged, judged.record.first_ns)

    assert "came between its SYN and the SYN,ACK" in texts(told, "Also")
    assert "Nothing, unless opening must not take so long" in texts(told, "What to change")
    assert "scanner" not in texts(told, "What to change")


def test_a_reset_outside_the_window_is_counted():
    """A RST that ends nothing is a finding about the end in whose name it came."""
    (judged,) = scenario("reset_outside_the_window_is_ignored")
    found = judged.finding("reset-ignored")

    assert 1 == found.data["resets"]
    assert f"1 RST in {'the client' if found.about == 'a' else 'the server'}'s name had no effect." == explain.detail(
        found, judged
    )
