"""Flows that never began, that cannot be told, and endings that no finding explains."""

import pytest

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told, written


def test_a_syn_without_answer_never_established():
    """Unanswered SYNs are counted, and keepalive has no part in it."""
    (judged,), start_ns = captured("lab/syn_only.pcap")
    story = explain.story(judged, start_ns)

    assert "The client sent SYN 7 times and got neither SYN,ACK nor RST: never established." == story.headline
    assert "Keepalive does not run before" in texts(story, "Why")


def test_a_refused_syn_is_told():
    """A RST to a SYN is a refusal."""
    story = told(scenario("reset_refuses_the_syn")[0])

    assert "refused with a RST" in story.headline
    assert "nothing listens there" in texts(story, "What happened")


def test_a_handshake_left_half_way_is_told():
    """A SYN,ACK that nobody acknowledges is told."""
    story = told(scenario("syn_ack_unanswered")[0])

    assert "got SYN,ACK, and never answered it" in story.headline
    assert "but no ACK from the client follows" in texts(story, "What happened")


def test_one_direction_cannot_be_judged():
    """A one-sided capture gives suspicion only, and says how to capture better."""
    story = told(scenario("one_sided_even_spacing_is_suspected")[0])

    assert (
        "Undetermined: only packets from endpoint a were captured, none of its peer; 4 suspected probes, answers not "
        "visible here." == story.headline
    )
    assert "4 suspected probes, every 5.120 s: answers not visible here" in texts(story, "Timeline")
    assert "endpoint b not captured" in texts(story, "Timeline")
    assert "no answer" not in str(story)
    assert "suspected to be probes" in texts(story, "What happened")
    assert "Capture on one of the hosts" in texts(story, "What to change")


def test_suspected_probes_tell_a_little_of_their_settings():
    """The distance of suspected probes, and the wait from their sender's last data, bound its settings."""
    text = texts(told(scenario("one_sided_even_spacing_on_both_sides_of_data")[0]), "What happened")

    assert "suspected to be probes: every 5.120 s, the longer of idle time and interval if they are answered" in text
    assert "idle time at most 5.060 s, from its last data to the next one" in text


def test_an_end_that_was_not_captured_is_heard_of():
    """What the captured end acknowledges shows that the other one sent, and a single last octet that it closed."""
    data = "+0 b > a S. 0:0(0) ack 1\n+1 b > a P. 1:50(49) ack 100\n+1 b > a P. 50:99(49) ack 200\n"
    more = "The server acknowledged something new {}, so packets of the client reached it"
    open_, closed = (
        told(written(data)),
        told(written(data + "+9 b > a . 99:99(0) ack 201\n+1 b > a F. 99:99(0) ack 201")),
    )

    assert more.format("2 times, the last at +2.000") in texts(open_, "What happened")
    assert "a FIN" not in texts(open_, "What happened")
    assert more.format("3 times, the last at +11.000") in texts(closed, "What happened")
    assert "most likely a FIN; if so, the client had closed" in texts(closed, "What happened")
    assert "server FIN-WAIT-1 (LAST-ACK if the client had closed before)" in texts(closed, "Timeline")


def test_cut_headers_cannot_be_judged():
    """A snap length that cuts the headers is named, with the remedy."""
    (judged,), start_ns = captured("lab/snaplen_40.pcap")
    story = explain.story(judged, start_ns)

    assert "the snap length cut the TCP headers off" in story.headline
    assert "13 segments" in texts(story, "What happened")
    assert "96 bytes" in texts(story, "What to change")


def test_a_reset_after_the_senders_own_fin_is_told():
    """A RST of an end that had closed is told with its FIN."""
    story = told(scenario("macos_gives_up_waiting_for_the_fin")[0])

    assert story.headline == (
        "The client sent FIN and 12.540 s later a RST, which ended the connection. 2 probes in all, each answered."
    )
    assert "It had sent FIN 12.540 s earlier." in texts(story, "What happened")
    assert "usually means" in texts(story, "Why")


def test_a_bare_reset_out_of_nowhere_is_told():
    """A RST without ACK that answers nothing known is told as just that."""
    story = told(opened("+5 a > b R 6:6(0) win 0"))

    assert "A RST from the client ended the connection." == story.headline
    assert "it answers nothing that was captured: the server had sent nothing for 5.000 s" in texts(story, "Why")


def test_answers_that_may_be_dropped_are_told():
    """Where packets were dropped, a single unanswered probe is told as what it is."""
    story = told(scenario("one_probe_unanswered_but_packets_were_dropped")[0])

    assert "may be among the packets that were dropped while capturing" in story.headline
    assert "3 packets were dropped while capturing" in texts(story, "What happened")


def test_answers_that_may_be_dropped_at_a_known_time_are_told():
    """Where a drop counter says when, those packets count as well."""
    story = told(scenario("probe_unanswered_where_packets_were_dropped")[0])

    assert "7 packets were dropped while capturing" in texts(story, "What happened")


def test_a_syn_ack_that_draws_a_reset_is_answered():
    """Who refuses a SYN,ACK is not said never to have answered it."""
    story = told(scenario("syn_ack_refused_with_a_reset")[0])

    assert "answered the SYN,ACK with a RST" in story.headline
    assert "no ACK of the client follows" not in texts(story, "What happened")


def test_a_silence_counts_from_what_was_never_acknowledged():
    """Where probes came while a FIN was sent again, the silence began with the FIN, not with the last probe."""
    story = told(scenario("fin_sent_again_while_its_sender_probes")[0])

    assert story.headline == (
        "The client's FIN stayed unacknowledged for 11.300 s, until the capture ended."
        " 3 probes in all: 1 answered, 2 got no answer."
    )
    assert "The client retransmitted its FIN 4 times; nothing acknowledged it." in texts(story, "What happened")


def test_a_bare_rst_behind_a_retransmission():
    """A RST without ACK that comes at once behind what was sent again most likely answers that."""
    again = "@10 a > b P. 6:12(6) ack 1\n@10.3 a > b P. 6:12(6) ack 1\n@10.9 a > b P. 6:12(6) ack 1\n"
    judged = opened(f"{again}@10.91 b > a R 1:1(0)\nend: +5\n")

    assert "to the data that the client had just sent again" in str(told(judged))


def test_a_bare_reset_that_fits_the_segment_before_answers_it():
    """A RST without ACK whose number is the acknowledgement number of the segment just before it answers that."""
    story = told(
        written("""
+0    a > b  .   500:500(0) ack 700
+.001 b > a  R   700:700(0) win 0
""")
    )

    assert "the acknowledgement number of endpoint a's segment 1 ms before it" in texts(story, "Why")


@pytest.mark.parametrize(("late", "sure"), [(0.03, True), (1.5, False)])
def test_a_bare_reset_long_after_the_round_trip_may_be_unprompted(late, sure):
    """A RST with the right number that comes much later than its sender's answers is not said to answer."""
    text = str(told(opened(f"+5 a > b . 6:6(0) ack 1\n+{late} b > a R 1:1(0) win 0\nend: +5\n")))

    assert ("so it answers that" in text, "or was sent unprompted" in text) == (sure, not sure)


@pytest.mark.parametrize(("ttl", "fits"), [(64, False), (62, True)])
def test_a_reset_that_answers_nothing_leaves_its_sender_open(ttl, fits):
    """A RST without ACK after a long silence is told as unasked; whether its end is gone is not known."""
    story = told(opened(f"+240.4 b > a R 1:1(0) win 0 ttl {ttl}"))

    assert "the client had sent nothing for 4 min" in texts(story, "Why")
    assert "when an idle limit runs out" in texts(story, "Why")
    assert (f"Its TTL ({ttl})" in texts(story, "Why")) == fits
    assert "server unknown since" in texts(story, "Timeline")


def test_a_give_up_seen_from_one_side_tells_that_no_answer_came():
    """Where only the prober's packets were captured, its giving up shows that it was not answered."""
    probes = "".join(f"+{wait} a > b . 5:5(0) ack 1\n" for wait in (1, 15, 15, 15))
    judged = written(f"# One direction.\n{probes}+15 a > b R. 6:6(0) ack 1\n")

    assert "no answer to these probes reached it" in texts(told(judged), "What happened")


def test_a_rst_that_finds_who_had_sent_data_in_vain():
    """It most likely answers what came just before, and its sender had most likely given up long before, unseen."""
    why = texts(told(scenario("close_draws_rst_after_data_in_vain")[0]), "Why")

    assert 'the answer "no such connection"' in why
    assert "not clear here" not in why
    assert "The client had sent its data 4 times more, unacknowledged, the last 30.000 s before that RST." in why
    assert "Most likely its kernel had given up by then, of which Linux sends nothing" in why


def test_a_connection_that_was_given_up_meets_a_new_syn():
    """The ACK that a new SYN draws belongs to the old connection: its peer was alive, and had not got the RST."""
    old, new = scenario("new_syn_meets_a_connection_that_was_given_up")
    story = told(old)

    assert "the server was alive, and still held the connection" in texts(story, "What happened")
    assert "So that RST had not reached it. " not in texts(story, "Timeline")
    assert "client CLOSED" in texts(story, "Timeline")
    assert "had lost this connection before" not in str(story)
    assert "open" == new.ending.verdict.value
