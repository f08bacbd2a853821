"""Findings bring the frames that show them and the numbers their words need."""

import pytest

from tests.judging import captured, opened, scenario


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


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


def test_close_wait_counts_the_probes_after_the_fin():
    """The probes after the FIN and how many were answered are counted."""
    found = finding("founding_go_fin60.pcap", "close-wait-held-by-keepalive")

    assert ("b", 12, 11) == (found.about, found.data["probes"], found.data["answered"])
    assert (14, *range(16, 39, 2)) == found.frames


def test_a_dead_peer_comes_with_the_time_it_took():
    """Detection counts from the peer's last word to the prober's RST."""
    found = finding("dead_peer_silence.pcap", "dead-peer-detected")

    assert (*range(10, 19), 19) == found.frames
    assert 9 == found.data["unanswered"]
    assert 51_199_999_000 == found.data["detection_ns"]
    assert (5_000_000_000, 5_000_000_000) == (found.data["wait_ns"], found.data["interval_ns"])


def test_the_wait_after_an_answered_probe_is_the_period():
    """Where the last word was an answer, Linux waits the longer of idle time and interval."""
    (_, _, judged), _ = captured("lab/port_reuse.pcap")

    assert 2_000_000_000 == judged.finding("dead-peer-detected").data["wait_ns"]


def test_an_abort_knows_whether_data_can_have_been_unread():
    """Without any data from the peer nothing can have been unread."""
    (first, *_), _ = captured("lab/port_reuse.pcap")

    assert "impossible" == first.finding("abort-without-fin").data["unread"]
    assert "possible" == finding("founding_killed_unread.pcap", "abort-without-fin").data["unread"]


def test_an_abort_with_outstanding_data_says_so():
    """Data sent again before the RST is counted, and SO_LINGER is not the only cause."""
    data = scenario("reset_while_data_is_unanswered")[0].finding("abort-without-fin").data

    assert ("unknown", 2) == (data["unread"], data["resent"])


def test_a_foreign_reset_comes_with_both_ttls():
    """The TTL of the RST stands beside those of the endpoint's own packets."""
    data = finding("lab/fw_reject_rst.pcap", "reset-from-between").data

    assert (64, 63, 63) == (data["ttl"], data["own_ttl_low"], data["own_ttl_high"])


def test_outstanding_fin_and_data_are_told_apart():
    """What is unacknowledged may be a FIN."""
    code = "data-unacknowledged-no-keepalive"

    assert "FIN" == scenario("fin_unanswered_is_silence")[0].finding(code).data["what"]
    assert "data" == finding("lab/dead_data_pending.pcap", code).data["what"]


def test_the_longest_run_of_lost_probes_is_counted():
    """How many probes in a row were lost tells what count would have ended the connection."""
    data = finding("lab/loss_acks.pcap", "probes-lost-but-recovered").data

    assert (8, 16, 2) == (data["lost"], data["probes"], data["longest_run"])


def test_window_probes_come_with_the_closing_and_the_opening():
    """The frames that close and open the window enclose the probes."""
    data = finding("lab/zero_window_pending.pcap", "window-closed").data

    assert (6, 11, 33) == (data["probes"], data["shut_frame"], data["opened_frame"])


def test_icmp_errors_of_one_kind_are_named():
    """Errors of one kind carry their type and code, and how many quote a probe."""
    data = finding("lab/icmp_host_unreachable.pcap", "icmp-errors-end-nothing").data

    assert (5, 4, 4, 3, 1) == tuple(data[key] for key in ("errors", "quote_probes", "version", "type", "code"))


def test_a_refused_connection_names_what_was_asked():
    """A RST without FIN says whether it answered a probe or data."""
    probe = finding("peer_rebooted.pcap", "peer-forgot-connection").data
    data = scenario("reset_answers_data")[0].finding("peer-forgot-connection").data

    assert ("probe", 10, 11) == (probe["what"], probe["asked_frame"], probe["reset_frame"])
    assert "data" == data["what"]


def test_the_limits_shorter_than_a_silence_are_listed():
    """Boxes that forget sooner than the silence lasted are named with their limits."""
    judged = opened("""
+400 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")
    limits = judged.finding("idle-beyond-middlebox-limit").data["limits"]

    assert "Azure Load Balancer 240 s" in limits
    assert "350 s" in limits
    assert "600 s" not in limits
