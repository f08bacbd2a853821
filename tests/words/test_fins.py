"""What every story with a FIN says."""

from analyzer import explain
from analyzer.words.fins import fin_lines, probes_after_fin, stub_line, until, why_keepalive_goes_on
from analyzer.words.teller import Teller
from tests.judging import captured, opened, scenario


def founding():
    """Return the founding flow's teller."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    return Teller(judged, start_ns)


def test_the_fin_comes_with_the_states_it_derives():
    """Who sent FIN, who did not, and the two states are told with the FIN's frames."""
    sent, none = fin_lines(founding(), "a")

    assert "The client sent FIN at +20.018, acknowledged 43 ms later." == sent.text
    assert (14, 15) == sent.frames == none.frames
    assert "The server sent no FIN in the 61.463 s until the RST" in none.text
    assert "States derived from that: client FIN-WAIT-2, server CLOSE-WAIT." in none.text


def test_an_unacknowledged_fin_derives_no_state():
    """Whether the other end got a FIN that nothing acknowledges is said to be unknown."""
    judged = opened("+1 a > b F. 6:6(0) ack 1\nend: +5")
    text = " ".join(line.text for line in fin_lines(Teller(judged, judged.record.first_ns), "a"))

    assert "whether the server got it is unknown" in text
    assert "CLOSE-WAIT" not in text


def test_the_kernel_answers_the_probes():
    """The probes after the FIN are counted, and the peer's kernel is named as who answers."""
    t = founding()
    (line,) = probes_after_fin(t, "a", t.probes_after_fin_of("a"))

    assert "12 probes after the FIN, every 5.120 s" in line.text
    assert "The client's kernel answered the first 11 with ACK" in line.text
    assert tuple(range(16, 39)) == line.frames


def test_answers_in_part_are_counted():
    """Probes after the FIN of which the last were not answered are told by number."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+5   b > a  .   0:0(0) ack 7
+.01 a > b  .   7:7(0) ack 1
+5   b > a  .   0:0(0) ack 7
+5   b > a  .   0:0(0) ack 7
end: +5
""")
    t = Teller(judged, judged.record.first_ns)
    probes = t.probes_after_fin_of("a")

    assert "answered 1 of them" in probes_after_fin(t, "a", probes)[0].text
    assert "answered it" in probes_after_fin(t, "a", probes[:1])[0].text


def test_keepalive_is_said_to_test_only_the_peers_tcp():
    """Why keepalive goes on is said with the answers as evidence, and not said without answers."""
    t = founding()
    text = " ".join(line.text for line in why_keepalive_goes_on(t, "a", t.probes_after_fin_of("a")))

    assert "does the peer's TCP still answer? It did." in text
    assert "keepalive will not get" in text
    assert [] == why_keepalive_goes_on(t, "a", [])


def test_the_stub_is_told_only_where_the_ip_id_shows_it():
    """IP ID 0 after the FIN speaks for a closed socket, and nothing is said where it counts on."""
    (shut,), start_ns = captured("half_close_deliberate.pcap")

    assert (17,) == stub_line(founding(), "a").frames
    assert None is stub_line(Teller(shut, start_ns), "a")


def test_a_leak_leads_the_headline_of_what_came_after_it():
    """That an end closed and the other did not comes before the silence that followed."""
    (dead,) = scenario("half_close_dead_peer")
    (silent,) = scenario("half_close_silence")

    assert explain.headline(dead, 0).startswith("The client closed, the server did not; then the client fell silent,")
    assert explain.headline(silent, 0).startswith("The client closed, the server did not; then the client stopped")


def test_no_time_is_negative_where_the_clock_went_back():
    """How long nothing came is said only where the capture's clock says so."""
    assert until(1_500_000_000, "the RST") == "in the 1.500 s until the RST"
    assert until(-87_000_000, "the capture ended") == "before the capture ended"


def test_fins_that_cross_are_no_lost_acknowledgement():
    """After a simultaneous close no acknowledgement is said to be lost, for no FIN was sent again."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.002 b > a F.  1:1(0) ack 6
+.01 a > b  .   7:7(0) ack 2
+.002 b > a .   2:2(0) ack 7
end: +5
""")
    sent, closed = fin_lines(Teller(judged, judged.record.first_ns), "a")

    assert "acknowledged 14 ms later." in sent.text
    assert "retransmitted" not in sent.text
    assert "The server closed as well" in closed.text
