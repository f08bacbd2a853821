"""Many flows at once: sums, ranks, services."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_into
from analyzer.judge.verdict import VERDICTS, Severity, Verdict
from analyzer.segment import address_halves
from analyzer.survey import overview
from analyzer.survey.overview import LINE, RANKS, CaptureSummary

CAPTURES = Path(__file__).parents[2] / "captures"


def lines_of(*flows):
    """Ranked lines from (rank, service, port, verdict, probes)."""
    lines = np.zeros(len(flows), dtype=LINE)
    for number, (line, (rank, address, port, verdict, probes)) in enumerate(zip(lines, flows, strict=True)):
        line["number"], line["flows"] = number, 1
        line["rank"] = RANKS.index(rank)
        line["service_hi"], line["service_lo"] = address_halves(address)
        line["service_port"], line["probes"] = port, probes
        line["winner"] = next(index for index, rule in enumerate(VERDICTS) if rule.verdict is verdict)
    return overview.ranked(lines)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("capture_stops_early.pcap", "held_in_close_wait"),
        ("dead_peer_silence.pcap", "timed_out"),
        ("founding_go_fin60.pcap", "reset_on_probe"),
        ("founding_killed_unread.pcap", "aborted_after_probes"),
        ("half_close_deliberate.pcap", "probed_after_fin"),
        ("fixed_server.pcap", "closed_after_probes"),
        ("lab/dead_data_pending.pcap", "silent"),
        ("lab/snaplen_40.pcap", "undetermined"),
        ("lab/midstream_answered.pcap", "closed_after_probes"),
        ("lab/zero_window_nothing_pending.pcap", "open_probing"),
        ("lab/syn_only.pcap", "unestablished"),
        ("lab/telnet_lost_byte.pcap", "closed"),
    ],
)
def test_flows_are_ranked_by_what_became_of_them(name, expected):
    """How a flow ended, and whether probes ran, decide how early a reader should see it."""
    assert expected == RANKS[analyze(CAPTURES / name).lines()["rank"][0]]


def test_ranks_follow_severity():
    """Of flows of which only the verdict is known, the more severe come first, in reports as in colours."""
    severities = [Verdict(word).severity for word in RANKS if word in {verdict.value for verdict in Verdict}]
    assert severities == sorted(severities, key=list(Severity).index)


def test_what_is_not_notable_has_nothing_to_say():
    """A flow that is not notable has no probes, and its end is closed, open or refused."""
    for path in sorted(CAPTURES.rglob("*.pcap*")):
        analysis = analyze(path)
        for line in analysis.lines():
            flow = analysis.flow(line)
            if not line["notable"]:
                assert flow.verdict in {"closed", "open", "unestablished"}
                assert not flow.judged.record.probes


def test_dropping_uneventful_flows_changes_no_sum():
    """Totals count every flow, kept or not."""
    path = CAPTURES / "lab" / "telnet_lost_byte.pcap"
    every, notable = analyze(path), analyze(path, keep_all=False)

    assert (1, 0) == (len(every), len(notable))
    assert every.totals == notable.totals


def test_a_sample_is_mixed():
    """A sample takes as many flows of each rank as there are, up to an equal share."""
    lines = lines_of(
        *[("closed", "192.0.2.1", 1, Verdict.CLOSED, 0)] * 100,
        *[("silent", "192.0.2.1", 1, Verdict.SILENT, 0)] * 100,
        *[("open", "192.0.2.1", 1, Verdict.OPEN, 0)] * 2,
    )

    picked = lines[overview.mixed(lines, 20)]

    assert {"silent": 9, "open": 2, "closed": 9} == {
        name: int((picked["rank"] == RANKS.index(name)).sum()) for name in ("silent", "open", "closed")
    }
    assert len(lines) == len(overview.mixed(lines, 1000))
    assert ["silent", "open", "closed"] == [RANKS[rank] for rank in overview.one_of_each(lines)["rank"]]


@pytest.mark.parametrize(("start_ns", "end_ns", "expected"), [(None, None, 0), (5, None, 0), (5, 9, 4), (9, 5, 0)])
def test_a_capture_lasts_from_its_first_to_its_last_frame(start_ns, end_ns, expected):
    """Duration is never negative, and 0 where there is no frame."""
    assert expected == CaptureSummary(["x"], start_ns=start_ns, end_ns=end_ns).duration_ns


def test_analyses_of_two_captures_merge_into_what_both_together_give():
    """Reading captures side by side and merging gives what one analysis of both has."""
    paths = [CAPTURES / "founding_go_fin60.pcap", CAPTURES / "lab" / "both_sides.pcap"]
    together = analyze(*paths)
    first, second = (analyze(path) for path in paths)
    first.merge(second)

    assert together.totals == first.totals
    assert together.probing_hosts() == first.probing_hosts()
    assert together.lines().tolist() == first.lines().tolist()
    assert [flow.judged for flow in together.flows] == [flow.judged for flow in first.flows]


def test_flows_beyond_the_most_of_a_rank_leave_a_line():
    """Totals and lines stay complete; only so many flows of a rank can be looked at, the first ones."""
    path = CAPTURES / "lab" / "port_reuse.pcap"
    full, digest = Analysis(keep_all=False), Analysis(keep_all=False, most=0)
    for result in (full, digest):
        read_into(result, [str(path)])

    assert full.totals == digest.totals
    assert len(full.lines()) == len(digest.lines())
    assert [] == list(digest)
    assert {-1} == set(digest.lines()["batch"].tolist())


def test_the_first_of_each_rank_are_picked():
    """Room is given rank by rank, in the order of the lines."""
    lines = np.zeros(6, dtype=LINE)
    lines["rank"] = [2, 0, 2, 2, 0, 1]
    room = np.zeros(len(RANKS), dtype=np.int64)
    room[:3] = [1, 5, 2]

    assert [0, 1, 2, 5] == overview.first_of_each(lines, room).tolist()
