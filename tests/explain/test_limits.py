"""What a capture cannot show is said."""

import pytest

from analyzer import explain
from tests.judging import captured, opened, scenario, texts

HEADING = "What this capture cannot show"


def limits(judged):
    """Return what a flow's story says it cannot show."""
    return texts(explain.story(judged, judged.record.first_ns), HEADING)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fixed_server.pcap", "States are derived from the packets seen here; settings from their spacing"),
        ("founding_go_fin60.pcap", "Why the client sent FIN: close(), exit and kill -9 send the same."),
        ("founding_go_fin60.pcap", "When exactly FIN-WAIT-2 ran out"),
        ("founding_go_fin60.pcap", "Which machine sent the RST"),
        ("synthetic_macos12_lo0.pcap", "close(), shutdown(), exit and kill -9 send the same."),
        (
            "capture_stops_early.pcap",
            "Whether the server's program forgot to close, or is still at work on purpose.",
        ),
        (
            "dead_peer_silence.pcap",
            "Whether 9 is really the count that was set (TCP_KEEPCNT): on Linux a TCP_USER_TIMEOUT overrides it.",
        ),
        ("dead_peer_silence.pcap", "Whether these probes, or their answers, were lost"),
        ("lab/fw_reject_rst.pcap", "Why that machine sent the RST, and whether it was another that bore its MAC"),
        ("lab/midstream_answered.pcap", "No SYN was captured"),
        ("lab/any_router_sll.pcap", "captured again; the first of each counts"),
        ("lab/any_router_sll.pcap", "the client's numbers jump (once)"),
        (
            "lab/zero_window_nothing_pending.pcap",
            "Under a closed window only spacing tells keepalive from window probes",
        ),
    ],
)
def test_each_doubt_is_said(name, expected):
    """What a story rests on without proof is named."""
    (judged,), _ = captured(name)

    assert expected in limits(judged)


def test_probes_known_only_by_their_answers_are_said():
    """Where the capture missed segments, probes that an answer proves are named as such."""
    assert "known only from what answered them" in limits(scenario("capture_missed_the_ack")[0])


def test_an_undecided_probe_is_left_undecided():
    """One probe under a closed window can be either kind."""
    assert "window probes or keepalive probes" in limits(scenario("one_probe_at_a_closed_window_is_undecided")[0])


def test_a_half_close_in_use_raises_no_doubt_about_closing():
    """A half-close that is in use is not said to be forgotten."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+1   b > a  P.  1:101(100) ack 7
+.01 a > b  .   7:7(0) ack 101
end: +20
""")

    assert "forgot to close" not in limits(judged)


@pytest.mark.parametrize(
    "name", ["one_probe_unanswered_but_packets_were_dropped", "many_probes_unanswered_though_packets_were_dropped"]
)
def test_what_was_dropped_while_capturing(name):
    """Where something rests on what is not there, the packets that were dropped while capturing are named."""
    assert "Which packets were dropped while capturing (3 of all hosts, at no known time)" in limits(scenario(name)[0])


def test_drops_do_not_matter_where_all_was_answered():
    """A flow of which nothing is missing says nothing of packets that were dropped."""
    judged = opened("+5 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\ndropped: 3\n")

    assert 3 == judged.record.lost
    assert "dropped" not in limits(judged)


def test_when_packets_were_dropped():
    """Where two looks at the drop counter tell when packets were dropped, the limits do."""
    text = limits(scenario("probe_unanswered_where_packets_were_dropped")[0])

    assert "Which packets are missing: from frame 5 to the end" in text
    assert "at no known time" not in text
    assert "7 packets were dropped while capturing, as its drop counter shows" in text
