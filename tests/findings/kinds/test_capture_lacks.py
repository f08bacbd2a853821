"""What captures lack."""

from tests.judging import codes, scenario, texts, told, written


def test_mid_connection_is_said_of_every_flow_that_has_something_to_say():
    """A start in mid-connection is a finding wherever a flow is told, and not where it is healthy and quiet."""
    plain = "+0 a > b P. 100:105(5) ack 1\n+.01 b > a . 1:1(0) ack 105\nend: +"
    waits = written(f"{plain}70")

    assert [] == codes(written(f"{plain}1"))
    assert "midstream-start" in codes(waits)
    assert "capture starts in mid-connection: its SYN is not in it" in texts(told(waits), "Timeline")
    assert "midstream-start" in codes(scenario("midstream_live")[0])


def test_a_syn_may_be_behind_headers_that_are_cut():
    """Where the snap length cut headers off, neither finding nor timeline says that there was no SYN."""
    judged = scenario("headers_cut_but_for_the_fin")[0]

    assert "midstream-start" not in codes(judged)
    assert "mid-connection" not in texts(told(judged), "Timeline")
    assert "a SYN cannot be told from any other segment" in texts(told(judged), "Timeline")
