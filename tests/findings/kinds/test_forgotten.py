"""Peers that forgot the connection."""

from analyzer import explain
from tests.judging import captured, scenario, texts, told, written


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_a_refused_connection_names_what_was_asked():
    """A RST without FIN says whether it answered a probe or data."""
    probe = finding("peer_rebooted.pcap", "peer-forgot-connection").data
    data = scenario("reset_answers_data")[0].finding("peer-forgot-connection").data

    assert ("probe", 10, 11) == (probe["what"], probe["asked_frame"], probe["reset_frame"])
    assert "data" == data["what"]


def test_a_probe_of_a_closed_window_may_find_no_connection():
    """A RST that answers a window probe is told as one that knows no such connection, not as one nothing explains."""
    (judged,) = scenario("window_probe_meets_no_connection")
    story = told(judged)

    assert ("window_probe", 10) == tuple(
        judged.finding("peer-forgot-connection").data[k] for k in ("what", "asked_frame")
    )
    assert "answered a probe of its closed window from the client with a RST (no such connection)" in story.headline
    assert "The last probe of its closed window drew a RST" in texts(story, "What happened")


def test_a_rebooted_peer_is_one_of_several_causes():
    """A RST without FIN is told as no such connection, its causes as inference."""
    (judged,), start_ns = captured("peer_rebooted.pcap")
    story = explain.story(judged, start_ns)

    assert "The client's address answered a probe from the server with a RST" in story.headline
    assert '"no such connection"' in texts(story, "What happened")
    assert "Inferred causes: its host restarted" in texts(story, "Why")


def test_in_mid_connection_a_fin_may_have_come_before():
    """Without the start of the connection a FIN before the capture is possible, and so is end of file."""
    (judged,), start_ns = captured("lab/midstream_half_closed.pcap")
    story = explain.story(judged, start_ns)

    assert "had sent FIN before, and its FIN-WAIT-2 ran out" in texts(story, "Why")
    assert "end of file (on Linux) if a FIN came before" in texts(
        story, "What the programs see (expected, not captured)"
    )


def test_a_refusal_of_data_is_told_as_such():
    """A RST can answer data as well as a probe."""
    assert "answered data from the client with a RST" in explain.headline(scenario("reset_answers_data")[0], 0)


def test_a_fin_that_was_not_captured_is_told():
    """Where the peer's numbers are one further than what was captured, it most likely closed, and its host runs."""
    judged = scenario("fin_not_captured_before_a_rst")[0]
    story = told(judged)

    assert judged.finding("peer-forgot-connection").data["unseen_fin"] == 1
    assert "No FIN came before" not in story.headline
    assert "a FIN of the server is missing in this capture" in story.headline
    assert "A single byte of data that is missing would look the same" in texts(story, "Why")
    assert "restarted" not in texts(story, "What to change")
    assert "numbers jump by one: most likely a FIN" in texts(story, "What this capture cannot show")


def test_a_handshake_that_the_server_never_completed():
    """SYN,ACKs sent again behind the handshake's ACK show a server in SYN-RECEIVED: it forgot no connection."""
    judged = written("""
+0    a > b  S   0:0(0)
+.01  b > a  S.  0:0(0) ack 1
+.01  a > b  .   1:1(0) ack 1
+1    b > a  S.  0:0(0) ack 1
+.001 a > b  .   1:1(0) ack 1
+2    b > a  S.  0:0(0) ack 1
+.001 a > b  .   1:1(0) ack 1
+30   a > b  .   0:0(0) ack 1
+.01  b > a  R   1:1(0) win 0
""")
    story = told(judged)

    assert judged.finding("peer-forgot-connection").data["synacks_again"] == 2
    assert story.headline.startswith("The server never completed the handshake: it sent its SYN,ACK 2 more times")
    assert "TCP_DEFER_ACCEPT" in texts(story, "Why")
    assert "restarted" not in texts(story, "Why")
    assert "ListenOverflows" in texts(story, "What to change")
    assert "server SYN-RECEIVED" in texts(story, "Timeline")
    assert "sends SYN,ACK again" in texts(story, "Timeline")


def test_a_handshake_whose_ack_was_lost_once_is_complete():
    """A server that went on after it had sent its SYN,ACK again had the connection."""
    judged = written("""
+0    a > b  S   0:0(0)
+.01  b > a  S.  0:0(0) ack 1
+.01  a > b  .   1:1(0) ack 1
+1    b > a  S.  0:0(0) ack 1
+.001 a > b  .   1:1(0) ack 1
+30   a > b  .   0:0(0) ack 1
+.01  b > a  .   1:1(0) ack 1
+30   a > b  .   0:0(0) ack 1
+.01  b > a  R   1:1(0) win 0
""")

    assert "synacks_again" not in judged.finding("peer-forgot-connection").data
    assert "both ESTABLISHED" in texts(told(judged), "Timeline")


def test_an_end_that_gave_up_its_own_data():
    """Data that was sent again in vain explains the RST: a kernel that gave up, before a restart comes to mind."""
    (judged,) = scenario("data_in_vain_then_a_probe_draws_rst")
    story = told(judged)

    assert (3, 7) == tuple(judged.finding("peer-forgot-connection").data[name] for name in ("resent", "resent_frame"))
    assert "data was retransmitted 3 times and never acknowledged" in story.headline
    assert "TCP_USER_TIMEOUT" in texts(story, "Why")
    assert "why what it sent was not acknowledged" in texts(story, "What to change")
    assert "The client: read or write: ETIMEDOUT" in texts(story, "What the programs see (expected, not captured)")


def test_on_one_link_no_box_is_to_blame():
    """Advice for a host on the captured link names no NAT or load balancer, as there is none between."""
    (judged,), start_ns = captured("peer_rebooted.pcap")
    near = judged.finding("peer-forgot-connection")
    advice = texts(explain.story(judged, start_ns), "What to change")

    assert ("on_link" in near.data) == ("It is on this link" in advice)
    assert ("on_link" in near.data) != ("a NAT or load balancer dropped" in advice)


def test_in_mid_connection_the_other_program_may_have_to_close():
    """If the FIN came before the capture, the program at the other end is to close, and the advice says so."""
    (judged,), start_ns = captured("lab/midstream_half_closed.pcap")

    assert "is to close when it reads end of file" in texts(explain.story(judged, start_ns), "What to change")
