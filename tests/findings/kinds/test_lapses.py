"""Probes that stopped, and probes that were lost."""

from tests.judging import captured, codes, opened, scenario, texts, told, written
from tests.notation import SCENARIOS

PROBED = """
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
"""
"""Two answered probes, behind OPENING."""


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_silence_with_keepalive_on_is_not_called_unprobed():
    """Where probes were seen, keepalive is not off: then they stopped."""
    assert ["probes-stopped"] == codes(opened(PROBED + "end: +100"))


def test_probes_not_yet_overdue_have_not_stopped():
    """Twice the longest wait must pass before probes are said to have stopped."""
    assert [] == codes(opened(PROBED + "end: +11"))
    assert ["probes-stopped"] == codes(opened(PROBED + "end: +13"))


def test_outstanding_data_explains_why_no_probe_comes():
    """While its data is outstanding a prober is not said to have stopped."""
    judged = opened(PROBED + "+1   a > b  P.  6:7(1) ack 1\nend: +100")

    assert "probes-stopped" not in codes(judged)


def test_a_clock_that_went_back_makes_no_timing_finding():
    """Findings from spacing need a clock that runs forward."""
    assert ["clock-went-back"] == codes(scenario("clock_steps_back")[0])


def test_the_longest_run_of_lost_probes_is_counted():
    """How many probes in a row were lost tells what count would have ended the connection."""
    data = finding("lab/loss_acks.pcap", "probes-lost-but-recovered").data

    assert (8, 16, 2) == (data["lost"], data["probes"], data["longest_run"])


def test_probes_that_may_have_been_answered_by_dropped_packets_are_not_lost():
    """Where the drop counter grew, an answer may be among what is missing; elsewhere the probes are lost."""
    name = "probes_lost_where_the_capture_dropped_packets"
    text = (SCENARIOS / f"{name}.pkt").read_text().replace("dropped:", "#")

    assert [] == codes(scenario(name)[0])
    assert ["probes-lost-but-recovered"] == codes(written(text))


def test_a_path_that_changes_at_the_loss_is_named():
    """Where the peer's packets come with another TTL from the next answer on, that is told before packet loss."""
    judged = scenario("path_changes_at_a_lost_probe")[0]
    found = judged.finding("probes-lost-but-recovered")

    assert (10, 57, 61) == tuple(found.data[name] for name in ("way_frame", "ttl", "ttl_before"))
    change = texts(told(judged), "What to change")
    assert "The path changed at these losses (frame 10: TTL 57, 61 before, from another station than before)" in change


def test_a_prober_that_was_gone_before_its_peers_data_is_found():
    """Where an end that probed fell silent long before its peer's data drew a RST, that silence is its own."""
    beat = "+30 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n"
    data = " a > b P. 6:16(10) ack 1\n+.01 b > a R 1:1(0) win 0\nend: +5\n"
    gone, there = opened(6 * beat + "+300" + data), opened(6 * beat + "+40" + data)
    found = gone.finding("probes-stopped")

    assert ("b", 300_000_000_000) == (found.about, found.data["silent_ns"])
    assert "nothing came from it for 5 min" in texts(told(gone), "Also")
    assert "idle-beyond-middlebox-limit" not in codes(gone)
    assert "idle-limit" not in [cause.code for cause in gone.causes]
    assert "probes-stopped" not in codes(there)


def test_a_prober_that_had_ceased_before_its_peer_sent_something_is_found():
    """Its peer's data after a long silence, to which no answer is here, is no sign of the prober."""
    more, due = "+40 b > a P. 1:11(10) ack 6\n", "+11 b > a P. 1:11(10) ack 6\n"
    ceased = opened(PROBED + more)
    found, story = ceased.finding("probes-stopped"), told(ceased)

    assert ("a", 40_000_000_000, 10) == (found.about, found.data["silent_ns"], found.data["broke_frame"])
    assert "none in the 40.000 s before the server's next packet, nor an answer to that" in story.headline
    assert "client unknown since +10.050 (ESTABLISHED then)" in texts(story, "Timeline")
    assert "all is well" not in texts(story, "What to change")
    assert "The server: nothing yet." in texts(story, "What the programs see (expected, not captured)")
    assert "probes-stopped" not in codes(opened(PROBED + more + "+.01 a > b . 6:6(0) ack 11\n"))
    assert "probes-stopped" not in codes(opened(PROBED + due))
    assert ["probes-stopped"] == codes(opened(PROBED + more + "end: +90")), "once, whatever follows"


def test_who_refused_probes_for_a_while_is_named():
    """Where ICMP says why probes stayed unanswered, its sender is named, and no loss is looked for."""
    (judged,) = scenario("probes_refused_for_a_while")
    found = judged.finding("probes-lost-but-recovered")
    advice = texts(told(judged), "What to change")

    assert (2, 9) == (found.data["icmp_count"], found.data["icmp_frame"])
    assert {6, 7, 8, 9} <= set(found.frames)
    assert f"{found.data['icmp_sender']} did not pass them on for a while and said so by ICMP" in advice
    assert "packet loss" not in advice


def test_an_icmp_error_that_quotes_no_probe_explains_no_loss():
    """What quotes another number may be forged, and does not change the advice."""
    judged = written("""
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
+5      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+5      a > b  .   0:0(0) ack 1
+.001   a > b  icmp 3/13 90000:90000(0)
+2      a > b  .   0:0(0) ack 1
+2      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
""")

    assert "icmp_sender" not in judged.finding("probes-lost-but-recovered").data


def test_probes_that_a_closed_window_holds_back_have_not_stopped():
    """While its peer's window is closed an end may have data waiting, and probes of the window replace keepalive."""
    judged = opened("""
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+1   a > b  P.  6:1006(1000) ack 1
+.01 b > a  .   1:1(0) ack 1006 win 0
end: +60
""")

    assert "probes-stopped" not in codes(judged)
