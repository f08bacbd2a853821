"""Bands of states."""

from itertools import pairwise

import pytest

from analyzer.judge.connection import State
from analyzer.report.plot import flow_timeline
from analyzer.report.plot.states import bands as bands_of
from analyzer.report.plot.states import stays
from tests.drawing import patches, said
from tests.judging import captured, scenario


def timeline(name, **options):
    """The timeline of the first flow of a capture."""
    flows, start_ns = captured(name)
    return flow_timeline(flows[0], start_ns, **options)


def bands(axes, side):
    """The states in an endpoint's lane, in order."""
    found = [p for p in axes.patches if p.get_label().startswith(f"_{side} ")]
    return [p.get_label()[3:] for p in sorted(found, key=lambda patch: patch.get_x())]


def test_states_follow_one_another():
    """The bands of a lane are the record's states, without those too short to be seen."""
    axes = timeline("founding_go_fin60.pcap")

    assert ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"] == bands(axes, "a")
    assert ["ESTABLISHED", "CLOSE-WAIT"] == bands(axes, "b")


def test_a_band_spans_its_state():
    """CLOSE-WAIT lasts from the FIN to the RST."""
    flows, start_ns = captured("founding_go_fin60.pcap")
    record = flows[0].record
    (band,) = patches(flow_timeline(flows[0], start_ns), "_b CLOSE-WAIT")

    assert pytest.approx((record.resets[0].ts_ns - start_ns) / 1e9) == band.get_x() + band.get_width()


def test_states_have_a_begin_and_an_end():
    """Each state lasts until the next, the last until the end of the picture."""
    record = captured("founding_go_fin60.pcap")[0][0].record
    found = stays(record, "b", record.end_ns)

    assert record.first_ns == found[0][0]
    assert record.end_ns == found[-1][1]
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_a_silent_end_is_hatched():
    """Where an endpoint answers nothing any more its state is not more than a guess, and drawn so."""
    flows, start_ns = captured("dead_peer_silence.pcap")
    (hatched,) = patches(flow_timeline(flows[0], start_ns), "does not answer")

    assert pytest.approx((flows[0].record.facts_a.last_ns - start_ns) / 1e9) == hatched.get_x()
    assert hatched.get_hatch()


def test_no_end_is_silent_where_all_is_answered():
    """A flow in which everything was answered has no hatched band."""
    assert [] == patches(timeline("founding_go_fin60.pcap"), "does not answer")


@pytest.mark.parametrize("theme", ["light", "transparent"])
def test_a_capture_that_starts_in_mid_flow_claims_no_state(theme):
    """A FIN may have passed before the first frame, so what looks established may be half-closed."""
    words = said(timeline("lab/midstream_half_closed.pcap", theme=theme))

    assert 2 == words.count("ESTABLISHED or half-closed")
    assert "ESTABLISHED" not in words


def test_a_state_without_room_for_its_name_has_none():
    """A band narrower than its name is left without."""
    words = said(timeline("lab/zero_window_pending.pcap"))

    assert 2 == words.count("ESTABLISHED")
    assert "FIN-WAIT-2" not in words


def drawn(name, side):
    """The bands of an end in a scenario's first flow: state, and begin, last heard and end in seconds."""
    judged = scenario(name)[0]
    record = judged.record
    return [
        (band.state, *(round((ns - record.first_ns) / 1e9, 1) for ns in (band.begin_ns, band.heard_ns, band.end_ns)))
        for band in bands_of(judged, side, record.last_ns)
    ][-1]


@pytest.mark.parametrize(
    ("name", "side", "expected"),
    [
        # a middlebox reset the server; the client goes on until its probe draws a RST
        ("reset_then_its_sender_probes", "a", (State.ESTABLISHED, 0.0, 6.0, 6.0)),
        ("reset_then_its_sender_probes", "b", (State.ESTABLISHED, 0.0, 1.0, 1.0)),
        # the client's RST never reached the server, which probes and gives up
        ("reset_lost_behind_the_capture", "a", (State.ESTABLISHED, 0.0, 7.0, 7.0)),
        ("reset_lost_behind_the_capture", "b", (State.ESTABLISHED, 0.0, 14.0, 14.0)),
        # the client had lost the connection when it sent a new SYN
        ("half_open_prober_meets_a_new_syn", "a", (State.ESTABLISHED, 0.0, 6.1, 11.1)),
        ("half_open_prober_meets_a_new_syn", "b", (State.ESTABLISHED, 0.0, 11.1, 11.1)),
        # the server gave up, and the client slept until then
        ("late_segments_behind_a_give_up", "a", (State.ESTABLISHED, 26.0, 26.3, 26.3)),
        ("late_segments_behind_a_give_up", "b", (State.ESTABLISHED, 0.0, 25.0, 25.0)),
    ],
)
def test_bands_end_where_the_text_says_that_an_end_closed(name, side, expected):
    """A RST that only one end had ends that end's band alone; from where the other is unheard it is hatched."""
    assert expected == drawn(name, side)


def test_a_state_that_a_middlebox_leaves_open_is_not_said_to_be_unanswered():
    """What is hatched because nobody knows has its own word in the legend."""
    judged = scenario("box_resets_both_ends")[0]

    assert ["state not known"] == [band.hatched for band in bands_of(judged, "b", judged.record.last_ns)][-1:]
