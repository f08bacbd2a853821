"""What is said of a RST that came from another station."""

import pytest

from tests.judging import opened, texts, told

LIMITS = "What this capture cannot show"


def reset(wait, ttl=61, own=61, mac="mac 99"):
    """The story of a probe that is answered 20 ms later, and of the next, which draws a RST."""
    judged = opened(f"""
+30     a > b  .   5:5(0) ack 1
+.02    b > a  .   1:1(0) ack 6 ttl {own}
+30     a > b  .   5:5(0) ack 1
+{wait} b > a  R   1:1(0) win 0 ttl {ttl} {mac}
""")
    return judged, told(judged)


@pytest.mark.parametrize(
    ("wait", "says", "says_not"),
    [
        (".02", "nothing speaks for a box between", "nearer"),
        (".0003", "most likely something nearer sent it", "nothing speaks"),
    ],
    ids=["as late as the others", "much too soon"],
)
def test_delay_tells_where_a_mac_address_does_not(wait, says, says_not):
    """Another MAC address with the TTL and delay of the others is another first hop; one too soon is from nearer."""
    judged, story = reset(wait)
    story_limits = texts(story, LIMITS)

    assert judged.ending.by == "b"
    assert "middlebox" not in story.headline
    assert "Its source MAC address is not that of the server's other packets." in texts(story, "What happened")
    assert says in story_limits
    assert says_not not in story_limits


def test_on_the_link_it_stays_open():
    """Of a host on the link another machine, interface or box may have sent it."""
    _, story = reset(".02", 64, 64)

    assert "Another machine may have the address now (failover)" in texts(story, LIMITS)


def test_the_own_station_is_not_mentioned():
    """A RST from the station of the others raises no such question."""
    _, story = reset(".02", mac="")

    assert "MAC address" not in texts(story, "What happened") + texts(story, LIMITS)


def test_answers_of_a_nearer_box_are_told():
    """Probes that something nearer answers show nothing of the peer."""
    story = told(
        opened("""
+30     a > b  .   5:5(0) ack 1
+.0005  b > a  .   1:1(0) ack 6 ttl 250
+30     a > b  .   5:5(0) ack 1
+.0005  b > a  .   1:1(0) ack 6 ttl 250
""")
    )

    assert "most likely something nearer answers in the server's name" in texts(story, "What happened")
