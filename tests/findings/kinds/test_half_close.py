"""Half-closes that are meant."""

from analyzer import explain
from tests.heartbeats import Talk, each
from tests.judging import codes, judge, opened, scenario
from tests.notation import parse

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


def test_heartbeats_that_only_a_kernel_takes():
    """Heartbeats into a half-closed connection show that its program holds it, and not that it reads."""
    talk = Talk().beats(each(10, 10, 5), 8, 0)
    fin = "@55 b > a F. 1:1(0) ack 41\n@55.01 a > b . 41:41(0) ack 2\n"
    beats = "".join(
        f"@{at} a > b P. {seq}:{seq + 8}(8) ack 2\n@{at}.01 b > a . 2:2(0) ack {seq + 8}\n"
        for at, seq in ((60, 41), (70, 49), (80, 57))
    )
    (judged,) = judge(parse("\n".join(talk.lines) + f"\n{fin}{beats}end: +5\n"))
    text = explain.detail(judged.finding("half-close-in-use"), judged)

    assert "The server's kernel took the client's heartbeats after its own FIN" in text
    assert "whether it still reads cannot be seen" in text
