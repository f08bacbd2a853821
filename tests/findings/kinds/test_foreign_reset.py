"""RSTs that a box in between sent."""

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_a_foreign_reset_comes_with_both_ttls():
    """The TTL of the RST stands beside those of the endpoint's own packets."""
    data = finding("lab/fw_reject_rst.pcap", "reset-from-between").data

    assert (64, 63, 63) == (data["ttl"], data["own_ttl_low"], data["own_ttl_high"])


def test_a_reset_from_between_shows_its_ttl():
    """The box is inferred from the TTL, and its supposed sender not called closed."""
    (judged,), start_ns = captured("lab/fw_reject_rst.pcap")
    story = explain.story(judged, start_ns)

    assert "most likely a middlebox sent it" in story.headline
    assert "Its TTL is 64; the server's other packets have 63." in texts(story, "What happened")
    assert "Inferred: a firewall, NAT or load balancer" in texts(story, "Why")
    assert "learns nothing of it" in texts(story, "What the programs see (expected, not captured)")


def test_a_foreign_mac_address_is_shown():
    """A RST from another MAC address is told by it."""
    assert "Its source MAC address is not that of" in texts(
        told(scenario("reset_with_foreign_mac")[0]), "What happened"
    )


def test_after_a_fin_a_foreign_ttl_may_be_a_new_route():
    """Where the supposed sender had closed, its own expired FIN-WAIT-2 is named as the other reading."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1 ttl 60
+.01 b > a  .   1:1(0) ack 7
+45  b > a  .   0:0(0) ack 7
+.01 a > b  R   7:7(0) win 0 ttl 120
""")

    assert "Then its FIN-WAIT-2 had run out." in texts(told(judged), "Why")
