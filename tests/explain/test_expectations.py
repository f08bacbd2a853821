"""What the programs see is worded as expectation, per system."""

import pytest

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told, written

SEES = "What the programs see (expected, not captured)"


def sees(judged):
    """Return what a flow's programs are expected to see."""
    return texts(explain.story(judged, judged.record.first_ns), SEES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "founding_go_fin60.pcap",
            "The server, read: end of file at once from the FIN on, with or without keepalive",
        ),
        ("founding_go_fin60.pcap", "still end of file (Linux)"),
        ("founding_python_fin10.pcap", "still end of file on Linux; on macOS ECONNRESET once, then end of file"),
        ("founding_go_fin60.pcap", "the next write fails (EPIPE)"),
        ("capture_stops_early.pcap", "If the client has closed in full, the data draws a RST"),
        (
            "dead_peer_silence.pcap",
            "The server, read or write after it gave up: ETIMEDOUT once, not end of file",
        ),
        ("dead_peer_silence.pcap", "The client, if it still runs"),
        ("peer_rebooted.pcap", "The server, read: ECONNRESET, not end of file."),
        ("founding_killed_unread.pcap", "The server, read: ECONNRESET, not end of file."),
        ("fixed_server.pcap", "The server, read: end of file from the client's FIN on (after any unread data)."),
        ("lab/dead_data_pending.pcap", "read: waits until Linux gives up, then ETIMEDOUT"),
    ],
)
def test_each_ending_has_its_results(name, expected):
    """The results of read and write follow from how the flow ended, as measured in the lab."""
    (judged,), _ = captured(name)

    assert expected in sees(judged)


def test_a_prober_in_close_wait_reads_end_of_file():
    """After a FIN reads give end of file even where the prober then gives up."""
    assert "end of file from the FIN on, before and after the RST" in sees(scenario("half_close_dead_peer")[0])
    assert "read: end of file from the FIN on." in sees(scenario("half_close_silence")[0])


def test_an_unanswered_prober_blocks():
    """Until the prober gives up a read blocks."""
    assert "waits until its kernel gives up, then ETIMEDOUT" in sees(scenario("silence_after_probes")[0])


def test_a_reset_against_an_end_that_had_closed_may_meet_nobody():
    """An end that had sent FIN itself reads ECONNRESET only if its program still holds the socket."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+5   b > a  R.  1:1(0) ack 7
""")

    assert "(if its program still holds the socket)" in sees(judged)


def test_programs_notice_nothing_of_probes():
    """On an open connection a read waits and a write succeeds, whether kernels probe or not."""
    assert "Both: nothing of the probes" in sees(scenario("live_peer_answers")[0])
    assert sees(opened("end: +30")).startswith("Both: a read waits for data")


def test_a_close_is_told_from_both_ends():
    """What the ends of an orderly close get depends on whether they called shutdown or close."""
    (judged,), _ = captured("fixed_server.pcap")

    assert "The client, after shutdown(): read returns what the server still sends" in sees(judged)
    assert sees(scenario("simultaneous_close")[0]).startswith("Both, after shutdown(): read returns end of file")


def test_the_end_that_fell_silent_is_told_too():
    """What the program of a silent end would see, if it still runs, is said beside that of the prober."""
    assert "The server, if it still runs: notices nothing." in sees(scenario("silence_after_probes")[0])
    assert "The client: nothing, if its program has closed." in sees(scenario("half_close_silence")[0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("syn_unanswered", "The client, connect: ETIMEDOUT when its kernel stops repeating the SYN"),
        ("reset_refuses_the_syn", "The client, connect: ECONNREFUSED."),
        ("syn_ack_unanswered", "The server, accept: does not return this connection."),
    ],
)
def test_connect_and_accept_are_told_where_no_connection_was_made(name, expected):
    """A failed handshake shows in what connect and accept return."""
    assert expected in sees(scenario(name)[0])


def test_the_end_whose_kernel_sent_the_reset_sees_no_error():
    """A RST with ACK came of its own program, one without from a kernel that knew no such connection."""
    (aborted,), _ = captured("founding_killed_unread.pcap")
    (rebooted,), _ = captured("peer_rebooted.pcap")

    assert "The client: nothing; most likely its program closed the socket" in sees(aborted)
    assert "its kernel had no such connection any more" in sees(rebooted)


def test_an_end_that_a_reset_went_back_to_is_told():
    """Where a box resets both ends, neither program is said to wait on."""
    story = told(scenario("box_resets_both_ends")[0])

    assert "is not told" not in texts(story, "What the programs see (expected, not captured)")
    assert "The server, read: ECONNRESET, if the RST in the client's name arrives and fits." in (
        texts(story, "What the programs see (expected, not captured)")
    )
    assert "still holds the connection" not in texts(story, "Why")


def test_fins_behind_a_reset_in_an_older_time_closed_nothing():
    """Where clocks leap, a FIN in a frame behind the RST is not in time, for the verdict as for the words."""
    judged = opened("""
+5    a > b  R.  6:6(0) ack 1
@1    a > b  F.  6:6(0) ack 1
@1.1  b > a  F.  1:1(0) ack 7
""")

    assert ("aborted", ()) == (judged.ending.verdict.value, judged.record.fins_in_time)
    assert "read: ECONNRESET" in sees(judged)


def test_an_icmp_error_ends_a_connection_attempt():
    """While nothing is established an ICMP error fails connect() at once on Linux."""
    for error, name in (("3/13", "EHOSTUNREACH"), ("3/3", "ECONNREFUSED")):
        story = told(written(f"+0 a > b S 0:0(0)\n+.01 a > b icmp {error} 0:0(0)\nend: +30\n"))
        seen = texts(story, "What the programs see (expected, not captured)")
        assert f"connect: {name} at once (Linux), if the ICMP error in frame 2 reached it" in seen
