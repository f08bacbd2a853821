"""Half-closes that are meant."""

from tests.judging import codes, opened, scenario

FIN = """
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
"""


def test_a_half_close_with_data_is_no_leak():
    """Data taken after the FIN makes it a half-close in use."""
    judged = opened(
        FIN
        + """
+5   b > a  .   0:0(0) ack 7
+.01 a > b  .   7:7(0) ack 1
+1   b > a  P.  1:101(100) ack 7
+.01 a > b  .   7:7(0) ack 101
end: +5
"""
    )

    assert ["half-close-in-use"] == [code for code in codes(judged) if "close" in code]


def test_the_probes_of_an_end_that_sent_fin_are_counted():
    """An end in FIN-WAIT-2 that probes is named with its probes and their answers."""
    (judged,) = scenario("probe_after_own_fin")
    found = judged.finding("fin-sender-still-probes")

    assert ("a", 2, 2) == (found.about, found.data["probes"], found.data["answered"])
