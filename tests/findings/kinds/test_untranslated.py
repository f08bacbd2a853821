"""What a NAT let pass untranslated."""

import pytest

from analyzer import explain
from tests.judging import codes, judge, scenario, texts
from tests.notation import parse

CODE = "reset-left-untranslated"
BEGIN = """# A connection.
+0 e > f S 0:0(0)
+.01 f > e S. 0:0(0) ack 1
+.01 e > f . 1:1(0) ack 1
+.1 e > f P. 1:6(5) ack 1
"""


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


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        ("F. 6:6(0) ack 1", "A FIN from 10.0.0.9:50001 (frame 5, flow 1) has both numbers"),
        ("P. 6:9(3) ack 1", "Data from 10.0.0.9:50001 (frame 5, flow 1) have both numbers"),
        (". 6:6(0) ack 1", "An ACK from 10.0.0.9:50001 (frame 5, flow 1) has both numbers"),
    ],
)
def test_what_else_leaves_untranslated_is_told_on_both_flows(segment, words):
    """The connection's flow names what was sent; the other one says whose it is, and that it is no connection."""
    outside, lone = judge(parse(BEGIN + f"+60 g > h {segment}\n"))
    details = [explain.detail(flow.finding("segment-left-untranslated"), flow) for flow in (outside, lone)]

    assert words in details[0]
    assert "this flow is no connection of its own" in details[1]


def test_a_connection_inside_or_one_that_goes_on_keeps_its_own_story():
    """The flow inside a NAT is a connection; and one whose end is heard again translated is not told as held alone."""
    inside, _ = scenario("reset_untranslated_on_a_nat_host")
    goes_on, _ = judge(parse(BEGIN + "+9 g > h . 6:6(0) ack 1\n+2 e > f P. 6:9(3) ack 1\n+.01 f > e . 1:1(0) ack 9\n"))
    soon, _ = judge(parse(BEGIN + "+.2 g > h F. 6:6(0) ack 1\n"))
    headlines = [explain.headline(flow, flow.record.first_ns) for flow in (inside, goes_on)]

    assert not [text for text in headlines if "Not a connection of its own" in text or "most likely alone" in text]
    assert "idle limit" not in texts(explain.story(soon, 0), "Why")


def test_a_probe_is_told_as_one_and_each_flow_leads_with_it():
    """A probe that passed untranslated drew a RST for its own end alone: neither flow is told as closed at both."""
    lines = "+4 e > f P. 6:9(3) ack 1\n+.01 f > e . 1:1(0) ack 9\n+8 g > h . 8:8(0) ack 1\n+.001 h > g R 1:1(0)\n"
    held, lone = judge(parse(BEGIN + lines))
    stories = [explain.story(flow, held.record.first_ns) for flow in (held, lone)]

    assert "still has this connection when the capture ends, and most likely alone" in stories[0].headline
    assert "after 8.000 s in which nothing passed" in stories[0].headline
    assert "one of 4.000 s was survived" in texts(stories[0], "What to change")
    assert "by its number a keepalive probe, of flow 0" in stories[1].headline
    assert "ends the connection at endpoint a, if it arrives; not flow 0" in texts(stories[1], "Timeline")
    assert "It still has flow 0" in texts(stories[1], "What the programs see (expected, not captured)")
    assert stories[1].section("What it may be, and how to find out") is None


@pytest.mark.parametrize(
    ("wait", "limit"),
    [(60, "an idle limit of the NAT may have run out"), (20, "no known box forgets a connection so soon")],
)
def test_only_a_silence_that_a_known_box_forgets_in_is_offered_as_a_limit(wait, limit):
    """The silence before what left untranslated speaks for a limit from the shortest known one on."""
    outside, _ = judge(parse(BEGIN + f"+{wait} g > h F. 6:6(0) ack 1\n"))

    assert limit in texts(explain.story(outside, outside.record.first_ns), "Why")
