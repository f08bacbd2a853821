"""Which words tell a flow; one snapshot of wording per verdict."""

import pytest

from analyzer import explain
from analyzer.explain.storylines import STORYLINES, leader
from analyzer.judge.verdict import Verdict
from analyzer.words.teller import Teller
from tests.judging import captured, codes, opened, scenario

HEADLINES = {
    "closed": "Closed by both ends in order, the client first; 2 probes, all answered.",
    "half_closed": (
        "The client sent FIN; the server sent none in the 20.447 s until the capture ended. The server sent 4 probes"
        " after the FIN, all answered. 5 probes in all, each answered."
    ),
    "reset_on_probe": (
        "The client closed, the server never did: 12 probes after the FIN, 11 answered; the last drew a RST, 61.463"
        " s after the FIN. 16 probes in all: 15 answered, 1 drew a RST."
    ),
    "closing": "The client began to close 43 ms before the capture ended; 1 probe before, answered.",
    "timed_out": (
        "The server gave up on the client: 9 probes unanswered, then its own RST, 51.200 s after the client's last"
        " packet. 11 probes in all: 2 answered, 9 got no answer."
    ),
    "aborted": (
        "The client ended the connection with a RST instead of a FIN, as a close or kill with unread data does; 2"
        " probes before, all answered."
    ),
    "silent": (
        "The server's data stayed unacknowledged for 11.457 s, until the capture ended: retransmitted 6 times, no"
        " keepalive probe in that time. 1 probe in all, answered."
    ),
    "open": "Open when the capture ended; 8 of 16 probes unanswered, later ones answered.",
    "unestablished": "The client sent SYN 7 times and got neither SYN,ACK nor RST: never established.",
    "undetermined": "Undetermined: the snap length cut the TCP headers off before the window field.",
}
FILES = {
    "closed": "fixed_server.pcap",
    "half_closed": "capture_stops_early.pcap",
    "reset_on_probe": "founding_go_fin60.pcap",
    "timed_out": "dead_peer_silence.pcap",
    "aborted": "founding_killed_unread.pcap",
    "silent": "lab/dead_data_pending.pcap",
    "open": "lab/loss_acks.pcap",
    "unestablished": "lab/syn_only.pcap",
    "undetermined": "lab/snaplen_40.pcap",
}

SCENARIOS = {"closing": "fin_just_before_the_end"}


@pytest.mark.parametrize("verdict", [verdict.value for verdict in Verdict])
def test_the_wording_of_each_verdict(verdict):
    """Each verdict's headline reads as it was last approved."""
    if verdict in FILES:
        (judged,), start_ns = captured(FILES[verdict])
    else:
        (judged,) = scenario(SCENARIOS[verdict])
        start_ns = judged.record.first_ns

    assert verdict == judged.ending.verdict.value
    assert HEADLINES[verdict] == explain.headline(judged, start_ns)


def test_every_verdict_can_be_told_without_a_finding():
    """Whatever was found or not, every flow can be told."""
    assert set(Verdict) == set(STORYLINES)


def test_the_first_finding_with_a_story_leads():
    """Of several findings that could tell how a flow ended, the first in the table does."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    story, finding = leader(Teller(judged, start_ns))

    assert ("fin-wait-2-expired", judged.findings[0]) == (finding.code, finding)
    assert explain.headline(judged, start_ns).startswith(story.headline(Teller(judged, start_ns), finding))


def test_a_foreign_reset_overrules_what_it_pretends():
    """A give-up RST that does not look like the prober's own packets is told as a box's, not as the prober's."""
    judged = opened("""
+5   a > b  .   5:5(0) ack 1 ttl 60
+5   a > b  .   5:5(0) ack 1 ttl 60
+5   a > b  .   5:5(0) ack 1 ttl 60
+5   a > b  R.  6:6(0) ack 1 ttl 120 id 0
""")

    assert ["dead-peer-detected", "reset-from-between"] == [
        code for code in codes(judged) if code != "midstream-start"
    ][:2]
    assert "most likely a middlebox sent it" in explain.headline(judged, 0)


def test_silence_that_no_finding_explains_is_still_told():
    """A flow that is silent with both data and probes outstanding has words."""
    for name in (
        "prober_gave_up_while_data_is_unanswered",
        "window_probes_unanswered",
        "data_sent_again_once_is_silence",
    ):
        assert explain.headline(scenario(name)[0], 0).endswith(".")
