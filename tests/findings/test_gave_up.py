"""What programs see of a prober that gave up."""

from tests.judging import scenario, texts, told

SEEN = "What the programs see (expected, not captured)"


def test_the_other_program_learns_only_if_the_reset_arrives():
    """The prober's program gets ETIMEDOUT; what the other one sees hangs on the RST's arrival."""
    seen = texts(told(scenario("dead_peer_gave_up")[0]), SEEN)

    assert "ETIMEDOUT" in seen
    assert "read and write fail with ECONNRESET if that RST arrives" in seen


def test_a_reset_on_its_receivers_link_arrived():
    """A RST that was seen where its receiver had just answered a probe is said to have reached it."""
    seen = texts(told(scenario("answers_lost_behind_the_capture")[0]), SEEN)

    assert "for that RST was seen on its own link" in seen
    assert "if that RST arrives" not in seen


def test_who_is_heard_behind_the_reset_was_alive():
    """A peer that sends data long after the give-up still had the connection, and the RST that this draws is named."""
    seen = texts(told(scenario("heard_long_after_the_prober_gave_up")[0]), SEEN)

    assert "The client was alive, and still held the connection at +44.020 (frame 9)" in seen
    assert "What it sent drew another (frame 10)" in seen
    assert "if it still runs" not in seen
