"""Flows that both ends closed, and open ones."""

from analyzer import explain
from tests.causes.scenes import Shown
from tests.judging import captured, opened, scenario, texts, told


def test_a_plain_close_needs_no_change():
    """The fixed server's flow is closed in order, and nothing is to be changed, which is said."""
    (judged,), start_ns = captured("fixed_server.pcap")
    story = explain.story(judged, start_ns)

    assert "Closed by both ends in order, the client first; 2 probes, all answered." == story.headline
    assert "Nothing: both ends closed, as they should." == texts(story, "What to change")
    assert None is story.section("Why")


def test_crossing_fins_are_a_simultaneous_close():
    """FINs that cross are not put in an order."""
    story = told(scenario("simultaneous_close")[0])

    assert "Closed by both ends at the same time; no keepalive probes." == story.headline
    assert "a simultaneous close" in texts(story, "What happened")


def test_a_deliberate_half_close_is_told_as_in_order():
    """Probes inside a half-close in use are in order."""
    (judged,), start_ns = captured("half_close_deliberate.pcap")
    story = explain.story(judged, start_ns)

    assert "after 16.001 s half-closed with data still flowing; 6 probes in that time." in story.headline
    assert "probes after the FIN are normal" in texts(story, "Why")


def test_a_slow_close_is_told_without_blame():
    """Why an end closed late is said to be unknown."""
    story = told(scenario("slow_to_close")[0])

    assert "1 probe in between" in story.headline
    assert "cannot be seen" in texts(story, "Why")


def test_an_open_flow_with_answered_probes_is_fine():
    """All probes answered is all there is to say."""
    story = told(scenario("live_peer_answers")[0])

    assert "Open when the capture ended; 2 probes, all answered." == story.headline


def test_lost_probes_are_told_in_the_headline():
    """Unanswered probes before answered ones are lost, not death."""
    (judged,), start_ns = captured("lab/loss_acks.pcap")

    assert "8 of 16 probes unanswered, later ones answered" in explain.headline(judged, start_ns)


def test_uneven_answered_probes_hint_at_loss_elsewhere():
    """Captured at the peer, uneven spacing of answered probes speaks for answers lost on the way back."""
    judged = opened("""
+2   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+1   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+2   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
end: +1
""")

    assert "may have been lost elsewhere than here" in texts(told(judged), "What happened")


def test_probes_that_came_sooner_speak_for_answers_that_arrive_no_more():
    """Answered probes that fall into a shorter rhythm are those of a prober that hears nothing, or set anew."""
    reply = "+.1 b > a P. 1:2(1) ack 6\n+.01 a > b . 6:6(0) ack 2\n"
    slow, soon = (f"+{gap_s} a > b . 5:5(0) ack 2 ttl 63\n+.01 b > a . 2:2(0) ack 6\n" for gap_s in (60, 10))
    story = told(opened(reply + slow * 4 + soon * 4))

    assert "came every 10.010 s, much sooner than before, although each is answered here" in texts(
        story, "What happened"
    )
    assert "see whether the answers to its probes still reach it" in texts(story, "What to change")
    assert "all is well" not in texts(story, "What to change")
    assert "much sooner" not in texts(told(opened(reply + slow * 4 + soon * 2)), "What happened")


def test_two_rhythms_seen_from_far_are_most_likely_a_setting_made_anew():
    """Where each probe echoes the answer before, no answer was lost: what happened, time line and settings say so."""
    lines, stamp = ["+.1 b > a P. 1:2(1) ack 6", "+.01 a > b . 6:6(0) ack 2"], 1000
    for gap_s in (7.01, 7.01, 7.01, 13.05, 13.05, 13.05):
        lines.append(f"+{gap_s} a > b . 5:5(0) ack 2 ttl 63 <ts {stamp} {stamp}>")
        stamp += round(gap_s * 1000)
        lines.append(f"+.01 b > a . 2:2(0) ack 6 <ts {stamp} {stamp}>")
    story = told(opened("\n".join(lines)))

    assert "; the client most likely set keepalive anew after +" in story.headline
    assert "then every 13.060 s: most likely its program set" in texts(story, "What happened")
    assert "sends 3 probes, every 7.020 s" in texts(story, "Timeline")
    assert "sends 3 probes, every 13.060 s" in texts(story, "Timeline")
    assert "then every 13 s (on Linux" in texts(story, "Keepalive settings, inferred")


def test_a_last_probe_without_answer_is_too_soon_to_judge():
    """A probe sent just before the capture's end proves nothing."""
    judged = opened("+5 a > b . 5:5(0) ack 1\nend: +.1")

    assert "too soon to tell" in texts(told(judged), "What happened")


def test_how_long_one_listened_is_open_where_nothing_follows():
    """A file does not say when capturing ended: the next probe's time is said, and what it would mean."""
    probes = 2 * "+5 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"

    happened = texts(told(opened("+.1 b > a . 1:1(0) ack 6\n" + probes)), "What happened")
    assert "if capturing went on until then, the probes had ceased" in happened
    assert "had ceased" not in texts(told(opened(probes + "end: +3")), "What happened")


def test_silence_without_probes_is_explained_as_off_or_longer():
    """Without probes keepalive is off, or its idle time longer than the silence."""
    story = told(opened("end: +30"))

    assert "no keepalive probes, longest silence 30.000 s" in story.headline
    assert "No probe reached this point" in texts(story, "Why")


def test_probes_that_stop_are_told():
    """An end whose probes stop is said to be gone only as inference."""
    story = told(scenario("answered_by_data")[0])

    assert story.headline == (
        "The client's probes stopped: none in the last 60.000 s, though one was due after 5.000 s."
        " 1 probe in all, answered."
    )
    assert "Inferred:" in texts(story, "Why")


def test_a_last_fin_that_drew_a_rst_is_no_end_in_order():
    """Who closed first had no such connection any more: the RST is told, and no TIME-WAIT is claimed."""
    story = told(scenario("last_fin_draws_a_rst")[0])
    told_of = texts(story, "What happened")

    assert story.headline.startswith("Closed by both ends, the client 90.000 s after the server; its FIN drew a RST")
    assert "Nothing acknowledged that FIN, sent again once, and it drew a RST" in told_of
    assert "Both directions are closed" not in told_of
    assert "TIME-WAIT" not in texts(story, "Timeline")
    assert "as they should" not in texts(story, "What to change")
    assert "then close the connection" in texts(story, "What to change")


def test_a_fin_that_was_sent_again_is_told():
    """How often a FIN was sent again before its acknowledgement came is told, in words and in the timeline."""
    story = told(scenario("fin_sent_again_until_acknowledged")[0])

    assert "The client retransmitted its FIN 3 times before it was acknowledged, 2.110 s after" in texts(
        story, "What happened"
    )
    assert "client retransmits its FIN, 3 times, until it is acknowledged" in texts(story, "Timeline")
    assert "retransmit" not in texts(told(scenario("simultaneous_close")[0]), "What happened")


def test_data_that_was_acknowledged_late_is_no_well_being():
    """Data that was sent again and again, each time behind a longer wait, is told, and what lost it is to be found."""
    again = "".join(f"+{wait} a > b P. 6:9(3) ack 1\n" for wait in (0.3, 0.6, 1.2, 2.4))
    story = told(opened(f"+1 a > b P. 6:9(3) ack 1\n{again}+.01 b > a . 1:1(0) ack 9\nend: +1\n"))

    assert "The client retransmitted data 4 times from" in texts(story, "What happened")
    assert "Look for what lost these packets" in texts(story, "What to change")
    assert "keepalive is off" not in texts(story, "Why")
    assert "retransmitted data" not in texts(told(scenario("live_peer_answers")[0]), "What happened")


def test_a_prober_whose_host_is_heard_elsewhere_is_not_called_gone():
    """Where probes stop and the prober's host is heard in another flow, the host is not told to be gone."""
    made = Shown()
    made.opened(0)
    for at_s in (10, 20, 30):
        made.a(at_s, seq=0)
        made.b(at_s + 0.001)
    made.opened(200, port=40001)

    assert "10.0.0.1 was heard outside this flow at +200.002" in made.section("Why")
    assert "is gone" not in made.section("Why")
