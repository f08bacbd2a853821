"""FIN-WAIT-2 that ran out."""

import pytest

from analyzer import explain
from tests.judging import captured, codes, opened, texts

FIN = """
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
"""


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def story(name):
    """Return the story of a capture's only flow."""
    (judged,), start_ns = captured(name)
    return explain.story(judged, start_ns)


def test_the_founding_question_is_bracketed():
    """FIN-WAIT-2 lasted at least to the last answer and less than to the RST."""
    found = finding("founding_go_fin60.pcap", "fin-wait-2-expired")

    assert (14, 15, 38, 39) == found.frames
    assert "a" == found.about
    assert "answer" == found.data["how"]
    assert "default" == found.data["fits"]
    assert 56_300_025_000 == found.data["held_low_ns"]
    assert 61_420_023_000 == found.data["held_high_ns"]


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("founding_go_fin60_sleep60.pcap", "default"),
        ("founding_go_fin10.pcap", "shorter"),
        ("synthetic_macos1014_lo0.pcap", "longer"),
    ],
)
def test_the_limit_that_fits_is_named(name, fits):
    """Which known limit a FIN-WAIT-2 agrees with follows from its bounds."""
    assert fits == finding(name, "fin-wait-2-expired").data["fits"]


def test_an_unprompted_reset_is_told_apart():
    """A RST that nothing asked for has no probe to its name."""
    found = finding("synthetic_macos12_lo0.pcap", "fin-wait-2-expired")

    assert "unprompted" == found.data["how"]
    assert "probe_frame" not in found.data


def test_a_reset_right_after_a_probe_is_not_unprompted():
    """Only a RST that nothing asked for can be FIN-WAIT-2 given up by itself."""
    lines = (
        FIN
        + """
+30  b > a  .   0:0(0) ack 7
+.01 a > b  .   7:7(0) ack 1
+{wait}  a > b  R.  7:7(0) ack 1
"""
    )

    assert "fin-wait-2-expired" in codes(opened(lines.format(wait=30)))
    assert "fin-wait-2-expired" not in codes(opened(lines.format(wait=10)))


def test_the_limit_is_named_with_its_bounds():
    """The founding story names Linux's 60 s and the bounds that it fits."""
    why = texts(story("founding_go_fin60.pcap"), "Why")

    assert "between 56.300 s and 61.420 s, which fits Linux's limit of 60 s" in why
    assert "60 s (net.ipv4.tcp_fin_timeout)." in why
    assert "macOS differs" not in why


def test_a_shorter_time_is_not_explained_by_the_default():
    """With tcp_fin_timeout lowered the default is said not to explain it."""
    assert "less than Linux's default of 60 s" in texts(story("founding_go_fin10.pcap"), "Why")


def test_old_macos_is_recognised_by_two_minutes():
    """A Go client's 8 x 15 s on macOS up to 11 is named where it fits."""
    assert "8 x 15 s = 120 s, with Go's settings, fits." in texts(story("synthetic_macos1014_lo0.pcap"), "Why")


def test_new_macos_resets_unprompted():
    """A RST asked by nothing after a minute is told as macOS 12 and later do it."""
    told = story("synthetic_macos12_lo0.pcap")

    assert (
        "11 probes after the FIN, 11 answered; then the client sent RST unprompted, 60.090 s after its FIN."
        in told.headline
    )
    assert "sent RST+ACK unprompted" in texts(told, "What happened")
    assert "That is how macOS 12 and later do it, by their source" in texts(told, "Why")


def test_a_first_probe_that_draws_the_reset_leaves_the_lower_bound_open():
    """Without an answer after the FIN there is only an upper bound."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+45  b > a  .   0:0(0) ack 7
+.01 a > b  R   7:7(0) win 0
""")
    told = explain.story(judged, judged.record.first_ns)

    assert "the first probe after the FIN drew a RST" in told.headline
    assert "lasted less than 45.010 s" in texts(told, "Why")


def test_bounds_that_hold_every_limit_are_no_hint():
    """Where the first probe came two hours after the FIN nothing tells Linux's limit from that of an older macOS."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+7200 b > a .   0:0(0) ack 7
+.01 a > b  R   7:7(0) win 0
""")
    why = texts(explain.story(judged, judged.record.first_ns), "Why")

    assert "lasted less than 2 h, which may be Linux's limit of 60 s (net.ipv4.tcp_fin_timeout), the 600 s of" in why
    assert "fits Linux's limit" not in why


def test_an_unprompted_reset_without_probes_is_told():
    """The closing end may give up before any probe was due."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+60  a > b  R.  7:7(0) ack 1
""")

    assert "no probe after the FIN; then the client sent RST unprompted" in explain.headline(judged, 0)
