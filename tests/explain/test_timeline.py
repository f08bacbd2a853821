"""The timeline: one line an event, runs of probes as one line."""

from analyzer.explain.timeline import ALIKE, TURNS, timeline
from analyzer.words.teller import Teller, frames_text
from tests.judging import captured, opened, scenario, written


def told(judged, start_ns=None):
    """Return the timeline as pairs of frames and text."""
    t = Teller(judged, judged.record.first_ns if start_ns is None else start_ns)
    return [(frames_text(line.frames), line.text) for line in timeline(t)]


def test_the_founding_capture_is_eight_events():
    """Every event of the founding capture has its line, frames and states."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")

    assert [
        ("1-3", "client opens the connection: SYN, SYN,ACK, ACK in under 1 ms -> both ESTABLISHED"),
        ("4", "client sends 5 bytes of data"),
        ("6-9, 12-13", "server sends 3 probes, every 5.120 s, the first after 5.193 s idle: all answered"),
        ("10-11", "client probes, after 15.177 s idle: answered"),
        ("14", "client sends FIN -> client FIN-WAIT-1, server CLOSE-WAIT"),
        ("15", "server acknowledges the FIN -> client FIN-WAIT-2"),
        (
            "16-39",
            (
                "server sends 12 probes, every 5.120 s, the first after 5.143 s idle: the first 11 answered, the"
                " last by RST"
            ),
        ),
        ("39", "RST from the client in answer to the probe -> both CLOSED"),
    ] == told(judged, start_ns)


def test_times_count_from_the_start_of_the_capture():
    """Each line has its offset from the capture's first frame."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    lines = timeline(Teller(judged, start_ns))

    assert [0, 67_000, 5_193_039_000] == [line.at_ns for line in lines][:3]
    assert sorted(line.at_ns for line in lines) == [line.at_ns for line in lines]


def test_the_unanswered_tail_of_a_train_is_a_line_of_its_own():
    """Answered probes and those after the last answer are told apart."""
    (judged,), start_ns = captured("dead_peer_silence.pcap")

    assert ("10-18", "server sends 9 probes, every 5.120 s: no answer to any") in told(judged, start_ns)
    gave_up = "RST+ACK from the server: it gives up -> server CLOSED, client unknown since +10.230 (ESTABLISHED then)"
    assert ("19", gave_up) in told(judged, start_ns)


def test_each_rst_that_a_run_of_probes_drew_counts():
    """A prober that goes on after a RST is told with all RSTs: none of them counts as no answer."""
    probe, answer, rst = "+5 a > b . 5:5(0) ack 1\n", "+.01 b > a . 1:1(0) ack 6\n", "+.01 b > a R 1:1(0) win 0\n"
    flow = opened((probe + answer) * 2 + (probe + rst) * 2)

    assert any("2 answered, 2 drew a RST from the server" in line.text for line in timeline(Teller(flow, 0)))


def test_a_window_that_closes_and_opens_is_told_with_its_probes():
    """Window probes are not called keepalive."""
    (judged,), start_ns = captured("lab/zero_window_pending.pcap")
    text = " ".join(text for _, text in told(judged, start_ns))

    assert "server closes its receive window" in text
    assert "client sends 6 zero-window probes to ask whether the server's window has opened" in text
    assert "server opens its window again" in text


def test_icmp_errors_and_data_sent_again_are_told():
    """ICMP errors are named, retransmissions counted."""
    (judged,), start_ns = captured("lab/icmp_host_unreachable.pcap")
    (pending,), pending_ns = captured("lab/dead_data_pending.pcap")

    assert ("5 of 18-27", "5 ICMP errors to the client (host unreachable), which end nothing") in told(judged, start_ns)
    assert "server retransmits data, 6 times" in [text for _, text in told(pending, pending_ns)]


def test_resets_without_effect_are_told_as_such():
    """A RST that ends nothing does not change a state."""
    ignored = [text for _, text in told(scenario("reset_outside_the_window_is_ignored")[0]) if text.startswith("RST")]
    late = [text for _, text in told(scenario("reset_after_orderly_close")[0]) if text.startswith("RST")]

    assert all(text.endswith("; without effect in ESTABLISHED") for text in ignored)
    assert all(text.endswith("; both ends had closed") for text in late)
    assert ignored
    assert late


def test_a_challenge_ack_is_named():
    """The ACK that an ignored RST draws is told with it."""
    judged = opened("""
+5   b > a  R   101:101(0) win 0
+.01 a > b  .   6:6(0) ack 1
+2   a > b  P.  6:9(3) ack 1
""")
    (text,) = [text for _, text in told(judged) if text.startswith("RST")]

    assert text.endswith("; without effect in ESTABLISHED: the client answers with a challenge ACK")


def test_handshakes_that_are_not_whole_are_told_as_seen():
    """A missing SYN, ACK or SYN,ACK is said, not filled in."""
    assert ("1", "capture starts in mid-connection: its SYN is not in it") == told(scenario("midstream_live")[0])[0]
    assert "client sends SYN 4 times; no SYN,ACK comes" == told(scenario("syn_unanswered")[0])[0][1]
    assert "client sends SYN; server answers SYN,ACK" == told(scenario("syn_ack_unanswered")[0])[0][1]
    (judged,), start_ns = captured("lab/any_router_sll.pcap")
    assert "its first ACK seen 2.004 s later" in told(judged, start_ns)[0][1]


def test_a_syn_ack_alone_is_said():
    """A capture that begins with the SYN,ACK says that the SYN is missing."""
    judged = written("+0 b > a S. 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\nend: +1")

    assert ("1", "SYN,ACK from the server; the SYN before it was not captured") == told(judged)[0]


def test_an_unacknowledged_fin_is_said():
    """A FIN without acknowledgement has a line saying so."""
    assert "that FIN is not acknowledged in the capture, so whether it arrived is unknown" in [
        text for _, text in told(opened("+1 a > b F. 6:6(0) ack 1\nend: +5"))
    ]


def test_mixed_answers_are_counted():
    """A train of answered and unanswered probes is one line with both counts."""
    (judged,), start_ns = captured("lab/loss_acks.pcap")

    assert any(text.endswith("8 answered, 8 not") for _, text in told(judged, start_ns))


def test_what_drew_a_challenge_ack_is_named():
    """A SYN on an established connection, an ACK of data never sent, or a new SYN on an old connection."""
    syn = told(scenario("syn_again_on_an_established_connection")[0])
    ack = told(scenario("ack_of_unsent_data")[0])
    new_syn = told(scenario("half_open_connection_discovered")[0])

    assert ("6-7", "client sends SYN again: the server answers with a challenge ACK") in syn
    assert ("4-5", "client acknowledges data that was never sent: the server answers with a challenge ACK") in ack
    assert ["new SYN from the client on this connection: the server answers with a challenge ACK"] == [
        text for _, text in new_syn if "challenge" in text
    ]


def test_what_comes_after_the_end_is_told_as_what_it_is():
    """ACKs, data, SYNs behind the ending have lines of their own; none of them answers a probe."""
    lines = told(scenario("late_segments_behind_a_give_up")[0])

    assert [
        (
            "9",
            (
                "RST+ACK from the server: it gives up -> server CLOSED, client still ESTABLISHED (it sends again at"
                " +26.010)"
            ),
        ),
        ("10", "client sends an ACK, too late to answer a probe; the connection was over for the server"),
        ("11", "client sends 7 bytes of data; the connection was over for the server"),
        ("12", "RST from the server -> client CLOSED"),
    ] == lines[-4:]


def test_a_probe_behind_the_end_is_not_said_to_follow_idle_time():
    """Its time counts from its sender's probe before, or from the other end's last packet."""
    lines = told(scenario("reset_lost_behind_the_capture")[0])
    alone = told(scenario("reset_then_its_sender_probes")[0])

    assert (
        "7-8",
        "server still sends 2 probes, 2.000 s apart, the first 5.010 s after its previous probe: no answer to either",
    ) in lines
    assert ("5-6", "client still probes, 6.000 s after the server's last packet: answered by RST") in alone


def test_what_comes_after_both_fins_is_told():
    """When both ends had closed, that is said instead."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  F.  1:1(0) ack 7
+.01 a > b  .   7:7(0) ack 2
+1   b > a  F.  1:1(0) ack 7
+.01 a > b  .   7:7(0) ack 2
""")

    assert ("9", "server sends FIN; both ends had closed") in told(judged)


def test_of_many_that_are_alike_the_first_have_lines_of_their_own():
    """RSTs that say the same are one line from the seventh on, with all their frames; one that differs is apart."""
    judged = opened("+1 b > a R. 1:1(0) ack 6\n" + "+1 b > a R. 1:1(0) ack 6\n" * 20 + "+1 b > a R 1:1(0)\n")
    resets = [each for each in told(judged) if each[1].startswith("RST")]

    assert ("6", "RST+ACK from the server -> both CLOSED") == resets[0]
    assert [("7", "RST+ACK from the server; the connection was over")] == resets[1:2]
    assert 1 + ALIKE + 2 == len(resets)
    assert ("13-26", "RST+ACK from the server; the connection was over: 14 times more, until +21.040") in resets
    assert ("27", "RST from the server; the connection was over") == resets[-1]


def test_one_more_than_the_first_is_not_folded():
    """A line that stood for a single event would say less than the event's own."""
    judged = opened("+1 b > a R. 1:1(0) ack 6\n" * (ALIKE + 2))

    assert not any("more" in text for _, text in told(judged))


def test_what_comes_too_late_in_turns_is_one_line_of_each_kind():
    """ACKs and data by turns behind the end do not make a line each."""
    turns = "+1 a > b . 6:6(0) ack 1\n+1 a > b P. 6:13(7) ack 1\n" * TURNS
    lines = told(opened(f"+1 b > a R. 1:1(0) ack 6\n{turns}"))

    assert 2 == sum(text.endswith("the connection was over for the server") for _, text in lines)
    assert any(f"sends {TURNS} ACKs" in text for _, text in lines)


def test_resets_without_effect_do_not_part_a_train():
    """Unanswered probes between which RSTs came that did nothing are one run, at the interval."""
    lines = told(scenario("reset_far_below_is_forged")[0])

    assert ("6, 8, 10", "server sends 3 probes, every 2.000 s, the first after 2.010 s idle: no answer to any") in lines


def test_no_state_is_told_before_it_shows():
    """A RST without effect that comes before the client's first ACK was not without effect in ESTABLISHED."""
    lines = "+0 a > b S 0:0(0)\n+.01 b > a S. 0:0(0) ack 1\n+.01 b > a R 900000:900000(0) win 0\n"
    judged = written(lines + "+.5 a > b . 1:1(0) ack 1\nend: +1\n")
    (text,) = [text for _, text in told(judged) if text.startswith("RST")]

    assert "ESTABLISHED" not in text
