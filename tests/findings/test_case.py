"""A case looks at one flow from one endpoint."""

from analyzer.findings import Case
from tests.judging import captured, opened, scenario


def case(judged, side):
    """Return a flow seen from an endpoint."""
    return Case(judged.record, judged.ending, side, judged.inferred)


def test_a_case_sees_its_own_end_and_its_peer():
    """Probes, FIN and RST belong to the endpoint that sent them."""
    (judged,), _ = captured("founding_go_fin60.pcap")
    client, server = case(judged, "a"), case(judged, "b")

    assert (14, 14) == (client.fin.frame, server.peer_fin.frame)
    assert (None, None) == (server.fin, client.peer_fin)
    assert (39, None, 39) == (client.own_reset.frame, server.own_reset, server.reset.frame)
    assert (1, 15, 12) == (len(client.probes), len(server.probes), len(server.after_peer_fin))
    assert judged.settings("b") == server.settings


def test_trailing_probes_are_those_after_the_peers_last_word():
    """Only unanswered probes since the peer was last heard are trailing."""
    (judged,), _ = captured("dead_peer_silence.pcap")

    assert list(range(10, 19)) == [probe.frame for probe in case(judged, "b").trailing]


def test_lost_probes_stand_before_an_answered_one():
    """A probe is lost if a later one was answered."""
    (judged,) = scenario("lost_probes_recovered")
    prober = next(side for side in "ab" if judged.record.probes_from(side))

    assert 2 == len(case(judged, prober).lost)


def test_probes_within_the_rate_limit_of_answers_are_not_lost():
    """A probe without answer half a second before the next one proves nothing."""
    judged = opened("""
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+1   a > b  .   5:5(0) ack 1
+.5  a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
end: +.1
""")

    assert () == case(judged, "a").lost


def test_answered_gaps_leave_out_the_first_of_a_train():
    """Only the spacing after an answered probe of the same train counts."""
    (judged,), _ = captured("half_close_deliberate.pcap")
    gaps = case(judged, "b").answered_gaps

    assert 3 == len(gaps)
    assert all(2_000_000_000 < gap < 2_100_000_000 for gap in gaps)
