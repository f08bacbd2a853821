"""The founding question's own words."""

from analyzer import explain
from tests.judging import captured, opened, texts


def story(name):
    """Return the story of a capture's only flow."""
    (judged,), start_ns = captured(name)
    return explain.story(judged, start_ns)


def test_the_limit_is_named_with_its_bounds():
    """The founding story names Linux's 60 s and the bounds that it fits."""
    why = texts(story("founding_go_fin60.pcap"), "Why")

    assert "at least 56.300 s (the last ACK) and less than 61.420 s (the RST)" in why
    assert "60 s (net.ipv4.tcp_fin_timeout; measured 60 to 62 s" in why
    assert "macOS differs (by its source): version 12 and later send RST+ACK unasked after 60 s" in why


def test_a_shorter_time_is_not_explained_by_the_default():
    """With tcp_fin_timeout lowered the default is said not to explain it."""
    assert "Linux's default of 60 s does not explain that" in texts(story("founding_go_fin10.pcap"), "Why")


def test_old_macos_is_recognised_by_two_minutes():
    """A Go client's 8 x 15 s on macOS up to 11 is named where it fits."""
    assert "8 x 15 s = 120 s, with Go's settings, fits." in texts(story("synthetic_macos1014_lo0.pcap"), "Why")


def test_new_macos_resets_unasked():
    """A RST asked by nothing after a minute is told as macOS 12 and later do it."""
    told = story("synthetic_macos12_lo0.pcap")

    assert (
        "11 probes after the FIN, 11 answered; then the client sent RST unasked, 60.090 s after its FIN."
        in told.headline
    )
    assert "asked by nothing" in texts(told, "What happened")
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
    assert "FIN's acknowledgement, less than 45.010 s (the RST)" in texts(told, "Why")


def test_an_unprompted_reset_without_probes_is_told():
    """The closing end may give up before any probe was due."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+60  a > b  R.  7:7(0) ack 1
""")

    assert "no probe after the FIN; then the client sent RST unasked" in explain.headline(judged, 0)
