"""A RST that a NAT let pass untranslated."""

from analyzer import explain
from tests.judging import codes, scenario

CODE = "reset-left-untranslated"


def told(judged):
    """What the finding says of a flow."""
    return explain.detail(judged.finding(CODE), judged)


def test_both_flows_tell_it_as_likely():
    """The held connection and the RST name each other, with frame, addresses and flow numbers, as an inference."""
    held, lone = scenario("reset_left_untranslated")

    assert ((4,), (7,)) == (held.finding(CODE).frames, lone.finding(CODE).frames)
    assert "A RST from 10.0.0.9:50001 (frame 7, flow 1) has the number that 203.0.113.9:50001 would send" in told(held)
    assert "likely a NAT let it pass untranslated. 198.51.100.2:80 has no connection with 10.0.0.9:50001" in told(held)
    assert "(frame 7) has the number that 203.0.113.9:50001 would send in flow 0: likely" in told(lone)


def test_a_nat_host_shows_it_pass():
    """Captured on both sides, the RST is seen again behind the router, and the connection outside goes on."""
    inside, outside = scenario("reset_untranslated_on_a_nat_host")

    assert ((8,), (6,)) == (inside.finding(CODE).frames, outside.finding(CODE).frames)
    assert "captured again behind a router (frame 8), not as one from 203.0.113.9:50001" in told(inside)
    assert "198.51.100.2:80 has no connection with 10.0.0.9:50001, and keeps this one." in told(outside)


def test_other_numbers_show_nothing():
    """A lone RST that fits no connection is told of neither flow."""
    assert [] == [judged for judged in scenario("lone_reset_of_other_numbers") if CODE in codes(judged)]
