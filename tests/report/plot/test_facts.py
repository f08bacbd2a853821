"""The words in a picture of one flow."""

import pytest

from analyzer.report.plot import facts
from analyzer.units import NS_PER_S
from tests.judging import captured, opened, scenario, written


def flow(name, number=0):
    """A judged flow of a capture."""
    return captured(name)[0][number]


def ending(judged):
    """How the end of a flow is put."""
    return facts.ending_words(judged, facts.reach_ns(judged))[1][0]


def bracket(judged):
    """What is said of the stretch that tells the end, and how long it is, or None."""
    found = facts.bracket(judged)
    return found and (found.wordings[0], round((found.end_ns - found.begin_ns) / NS_PER_S, 1))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("founding_go_fin60.pcap", "client answers the probe with RST"),
        ("dead_peer_silence.pcap", "server gives up after 9 unanswered probes: RST"),
        ("founding_killed_unread.pcap", "client resets the connection"),
        ("fixed_server.pcap", "closed: FIN both ways"),
        ("capture_stops_early.pcap", "server has not closed when the capture ends"),
        ("lab/loss_acks.pcap", "open when the capture ends"),
        ("lab/dead_data_pending.pcap", "unanswered when the capture ends"),
        ("lab/fw_reject_rst.pcap", "RST in the server's name, but not its own"),
        ("lab/syn_only.pcap", "no handshake completed"),
        ("lab/midstream_half_closed.pcap", "b answers the probe with RST"),
        ("lab/snaplen_40.pcap", "the capture cannot tell the end"),
    ],
)
def test_each_ending_has_its_words(name, expected):
    """The end of a flow is put in a few words, with the ends by their names."""
    assert expected == ending(flow(name))


def test_data_for_a_socket_that_is_gone_is_told():
    """A RST for data that came after a close says that there is no such socket."""
    (judged,) = scenario("reset_answers_data")

    assert ending(judged).endswith("has no such socket: RST")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("founding_go_fin60.pcap", ("RST 61.5 s after the FIN, 12 probes between", 61.5)),
        ("synthetic_macos12_lo0.pcap", ("RST 60.1 s after the FIN, 11 probes between", 60.1)),
        ("dead_peer_silence.pcap", ("RST 51.2 s after the client's last answer, 9 probes unanswered", 51.2)),
        ("peer_rebooted.pcap", ("RST 5.12 s after the client's last answer", 5.1)),
        ("half_close_deliberate.pcap", ("half-closed for 16 s, 6 probes between", 16.0)),
        ("capture_stops_early.pcap", ("half-closed for 20.4 s, 4 probes between", 20.4)),
        ("lab/dead_data_pending.pcap", ("the client not heard for 12.3 s", 12.3)),
        ("lab/midstream_half_closed.pcap", ("RST 2.02 s after b's last answer", 2.0)),
        ("founding_killed_unread.pcap", None),
        ("lab/zero_window_pending.pcap", None),
        ("lab/loss_acks.pcap", None),
        ("lab/syn_only.pcap", None),
    ],
)
def test_the_telling_stretch_is_measured(name, expected):
    """Bracketed is what led to the end, unless nothing did or it is too short to be seen."""
    assert expected == bracket(flow(name))


def test_every_wording_of_a_bracket_is_shorter():
    """Where there is no room for the longest wording, the duration is what stays."""
    wordings = facts.bracket(flow("founding_go_fin60.pcap")).wordings

    assert ("RST 61.5 s after the FIN", "61.5 s") == wordings[1:]


def test_a_lane_names_its_endpoint():
    """Beside a lane stand address, port, and who it is."""
    assert "127.0.0.1:59285\nclient (a)" == facts.lane_words(flow("founding_go_fin60.pcap").record, "a")
    assert "10.61.0.1:35765\nb" == facts.lane_words(flow("lab/midstream_half_closed.pcap").record, "b")


def test_a_long_address_takes_two_lines():
    """An IPv6 address of full length is broken at a colon."""
    judged = written("ip: 6\n+0 a > b S 0:0(0)\n+.1 b > a S. 0:0(0) ack 1\n+.1 a > b . 1:1(0) ack 1")

    assert "[2001:db8:ffff:\nffff:ffff::2]:80\nserver (b)" == facts.lane_words(judged.record, "b")


def test_a_long_tail_is_cut():
    """Of a capture that goes on for days after the last segment a part is drawn, and the words say how long it was."""
    judged = opened("+10 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\nend: +200000")
    record = judged.record

    assert facts.reach_ns(judged) < record.last_ns + 10 * NS_PER_S
    assert "open, with nothing more for 2 d 8 h" == ending(judged)


def test_a_moment_is_drawn_as_a_second():
    """A flow of a single segment still has a time axis."""
    judged = written("+0 a > b S 0:0(0)")
    low_ns, high_ns = facts.with_margin(judged)

    assert NS_PER_S < high_ns - low_ns


@pytest.mark.parametrize("idle_s", [7200, 100])
def test_crowded_last_probes_get_a_close_up(idle_s):
    """Two hours of idle time and then nine probes need one; probes that are seen well do not."""
    probes = "\n".join("+75 a > b . 5:5(0) ack 1" for _ in range(8))
    judged = opened(f"+{idle_s} a > b . 5:5(0) ack 1\n{probes}\n+75 a > b R. 6:6(0) ack 1")
    found = facts.close_up(judged)

    if idle_s == 100:
        assert found is None
    else:
        first, last = judged.record.probes[0].ts_ns, judged.record.resets[0].ts_ns
        assert found[0] < first < last < found[1] < last + 100 * NS_PER_S


def test_silence_is_that_of_the_end_which_owes_an_answer():
    """An endpoint is unheard from its last segment on, if the other then probed or sent data in vain."""
    dead, alive = flow("dead_peer_silence.pcap").record, flow("founding_go_fin60.pcap").record

    assert dead.facts_a.last_ns == facts.unheard_since(dead, "a")
    assert None is facts.unheard_since(dead, "b")
    assert [None, None] == [facts.unheard_since(alive, side) for side in "ab"]


def test_an_end_never_heard_is_silent_from_the_start():
    """Who never answers a SYN is silent for the whole flow."""
    record = flow("lab/syn_only.pcap").record

    assert record.first_ns == facts.unheard_since(record, "b")
