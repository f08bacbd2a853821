"""What captures lack."""

from tests.judging import codes, scenario, written


def test_mid_connection_matters_only_with_probes_or_a_reset():
    """A start in mid-connection is worth saying only where something hangs on it."""
    plain = written("+0 a > b P. 100:105(5) ack 1\n+.01 b > a . 1:1(0) ack 105\nend: +1")

    assert [] == codes(plain)
    assert "midstream-start" in codes(scenario("midstream_live")[0])
