"""RSTs without effect."""

from analyzer import explain
from tests.judging import scenario


def test_a_reset_outside_the_window_is_counted():
    """A RST that ends nothing is a finding about the end in whose name it came."""
    (judged,) = scenario("reset_outside_the_window_is_ignored")
    found = judged.finding("reset-ignored")

    assert 1 == found.data["resets"]
    assert f"1 RST in {'the client' if found.about == 'a' else 'the server'}'s name had no effect." == explain.detail(
        found, judged
    )
