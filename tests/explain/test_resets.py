"""RSTs without a FIN."""

from analyzer import explain
from tests.judging import captured, opened, scenario, texts


def told(judged):
    """Return a flow's story, told from its first segment."""
    return explain.story(judged, judged.record.first_ns)


def test_a_rebooted_peer_is_one_of_several_causes():
    """A RST without FIN is told as no such connection, its causes as inference."""
    (judged,), start_ns = captured("peer_rebooted.pcap")
    story = explain.story(judged, start_ns)

    assert "The client's address answered a probe of the server with a RST" in story.headline
    assert "RFC 9293 3.10.7.1" in texts(story, "What happened")
    assert "Inferred causes: its host restarted" in texts(story, "Why")


def test_in_mid_connection_a_fin_may_have_come_before():
    """Without the start of the connection a FIN before the capture is possible, and so is end of file."""
    (judged,), start_ns = captured("lab/midstream_half_closed.pcap")
    story = explain.story(judged, start_ns)

    assert "had sent FIN before, and its FIN-WAIT-2 ran out" in texts(story, "Why")
    assert "end of file (on Linux) if a FIN had come before" in texts(
        story, "What the programs see (expected, not captured)"
    )


def test_a_refusal_of_data_is_told_as_such():
    """A RST can answer data as well as a probe."""
    assert "answered data of the client with a RST" in explain.headline(scenario("reset_answers_data")[0], 0)


def test_a_reset_from_between_shows_its_ttl():
    """The box is inferred from the TTL, and its supposed sender not called closed."""
    (judged,), start_ns = captured("lab/fw_reject_rst.pcap")
    story = explain.story(judged, start_ns)

    assert "most likely a box in between" in story.headline
    assert "Its TTL is 64, that of the server's other packets 63." in texts(story, "What happened")
    assert "Inferred: a firewall, NAT or load balancer" in texts(story, "Why")
    assert "is not told" in texts(story, "What the programs see (expected, not captured)")


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


def test_a_kill_with_unread_data_is_the_usual_cause():
    """A RST in place of a FIN is told with unread data as usual cause, not as fact."""
    (judged,), start_ns = captured("founding_killed_unread.pcap")
    story = explain.story(judged, start_ns)

    assert "with a RST in place of a FIN, as a close or kill with unread data does" in story.headline
    assert "The server had sent 14 bytes; whether they were read, no capture shows." in texts(story, "Why")


def test_without_data_nothing_was_unread():
    """An abort of a connection that carried nothing points at SO_LINGER."""
    (judged, *_), start_ns = captured("lab/port_reuse.pcap")
    story = explain.story(judged, start_ns)

    assert "as SO_LINGER 0 does" in story.headline
    assert "none can have been unread" in texts(story, "Why")
    assert "Leave SO_LINGER alone" in texts(story, "What to change")


def test_outstanding_data_before_an_abort_is_told():
    """An abort after retransmissions may be a kernel that gave up."""
    story = told(scenario("reset_while_data_is_unanswered")[0])

    assert "its data had stayed unacknowledged, sent again twice" in story.headline
    assert "macOS ends that with such a RST too (by its source), Linux does not" in texts(story, "Why")
