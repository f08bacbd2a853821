"""Flows with heartbeats among those that are held."""

from pathlib import Path

from analyzer.analyzing import analyze

CAPTURES = Path(__file__).parents[1] / "captures"
BEATING = CAPTURES / "lab" / "app_heartbeat_one_byte.pcap"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"


def test_flows_with_heartbeats_are_found_among_others():
    """Of several captures those flows are yielded, and marked, that have trains."""
    analysis = analyze(FOUNDING, BEATING)
    lines = analysis.lines()

    assert [(kept.capture, kept.batch.flow["number"][rows].tolist()) for kept, rows in analysis.beating()] == [(1, [0])]
    assert lines["capture"][analysis.with_heartbeats(lines)].tolist() == [1]


def test_who_may_have_said_why_is_none_that_beats():
    """Flows whose ends may have given a reason are yielded apart, and those with trains of none are not marked."""
    analysis = analyze(FOUNDING, BEATING)
    assert [] == [kept.capture for kept, _ in analysis.parting()]

    ((kept, _),) = analysis.beating()
    kept.batch.trains["count"] = 0

    assert not analysis.with_heartbeats(analysis.lines()).any()


def test_a_flow_of_which_more_is_known_is_searched_again():
    """When heartbeats turn out to be none, the finding that rests on them is gone."""
    before, analysis = analyze(BEATING), analyze(BEATING)
    ((kept, rows),) = analysis.beating()
    kept.batch.trains["count"] = 0

    analysis.search_again(kept, int(rows[0]))

    assert [flow.codes for flow in before.flows] == [["keepalive-masked"]]
    assert [flow.codes for flow in analysis.flows] == [[]]
