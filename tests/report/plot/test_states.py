"""Bands of states."""

from itertools import pairwise

import pytest

from analyzer.report.plot import flow_timeline
from analyzer.report.plot.states import stays
from tests.drawing import patches, said
from tests.judging import captured


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
