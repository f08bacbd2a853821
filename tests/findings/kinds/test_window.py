"""Closed windows."""

from analyzer import explain
from tests.judging import captured, codes, opened, scenario


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_a_window_closed_by_an_end_that_got_a_fin_matters_to_nobody():
    """After its FIN the peer sends no more, so a closed window holds nothing back."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7 win 0
end: +100
""")

    assert "window-closed" not in codes(judged)


def test_window_probes_come_with_the_closing_and_the_opening():
    """The frames that close and open the window enclose the probes."""
    data = finding("lab/zero_window_pending.pcap", "window-closed").data

    assert (6, 11, 33) == (data["probes"], data["shut_frame"], data["opened_frame"])


def test_a_window_that_stays_closed_is_told_without_probes():
    """A closed window that nobody probes has words of its own."""
    (judged,) = scenario("keepalive_under_a_closed_window")

    assert "stayed closed; its peer sent no window probe" in explain.detail(judged.finding("window-closed"), judged)
