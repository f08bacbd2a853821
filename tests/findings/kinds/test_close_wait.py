"""Ends that got a FIN and do not close."""

from analyzer import explain
from analyzer.findings.kinds import close_wait
from tests.judging import captured, codes, opened, scenario

FIN = """
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
"""


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_an_unacknowledged_fin_puts_nobody_in_close_wait():
    """Whether a FIN arrived is unknown until something acknowledges it."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
end: +100
""")

    assert "close-wait-without-probes" not in codes(judged)


def test_a_fin_answered_by_nothing_for_a_minute_is_found():
    """An end that does not close for a minute, unprobed, is a finding, and a shorter time is none."""
    assert "close-wait-without-probes" in codes(opened(FIN + "end: +61"))
    assert "close-wait-without-probes" not in codes(opened(FIN + "end: +59"))


def test_close_wait_counts_the_probes_after_the_fin():
    """The probes after the FIN and how many were answered are counted."""
    found = finding("founding_go_fin60.pcap", "close-wait-held-by-keepalive")

    assert ("b", 12, 11) == (found.about, found.data["probes"], found.data["answered"])
    assert (14, *range(16, 39, 2)) == found.frames


def test_a_leak_is_not_found_where_the_server_closes():
    """The fixed server is not accused of what the other does."""
    (leaking,), _ = captured("founding_go_fin60.pcap")
    (fixed,), _ = captured("fixed_server.pcap")

    assert "close-wait-held-by-keepalive" in codes(leaking)
    assert "close-wait-held-by-keepalive" not in codes(fixed)


def test_the_leak_is_mended_in_the_handler():
    """What to change for a leaked CLOSE-WAIT is to read to the end and close in the handler, not in main."""
    change = close_wait.HELD.text.change

    assert "Read until end of file" in change
    assert "in the handler itself, not in main" in change


def test_an_end_that_takes_its_time_is_told_with_its_probes():
    """A FIN that comes late, after probes, is told with the time and the probes between."""
    (judged,) = scenario("slow_to_close")

    assert "The server closed 6.020 s after the client's FIN, with 1 probe of its own between." == explain.detail(
        judged.finding("slow-to-close"), judged
    )
