"""Many flows at once: sums, ranks, services."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_into
from analyzer.judge.verdict import VERDICTS, Severity, Verdict
from analyzer.segment import address_halves
from analyzer.survey import overview
from analyzer.survey.overview import LINE, RANKS, CaptureSummary
from analyzer.track.flow import Endpoint

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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("founding_go_fin60.pcap", "127.0.0.1:4001"),
        ("lab/ipv6_graceful.pcap", None),
        ("lab/midstream_answered.pcap", None),
        ("lab/port_reuse.pcap", "10.76.2.2:6001"),
    ],
)
def test_the_service_is_the_responder(name, expected):
    """A flow belongs to the endpoint that was connected to, and if no SYN was seen to the lower port."""
    analysis = analyze(CAPTURES / name)
    service = overview.services(analysis.lines(), 10)[0].endpoint
    record = analysis.flows[0].judged.record
    guess = (
        record.endpoint(record.responder) if record.responder else min((record.a, record.b), key=lambda end: end.port)
    )

    assert guess == service
    assert expected in {None, str(service)}


def test_a_port_that_is_connected_to_is_the_service():
    """A guess by the lower port gives way to what handshakes of other flows show."""
    lines = lines_of(
        ("open", "192.0.2.1", 50051, Verdict.OPEN, 1),
        ("open", "192.0.2.9", 32768, Verdict.OPEN, 1),
        ("open", "192.0.2.9", 1234, Verdict.OPEN, 1),
    )
    lines["guessed"] = [0, 1, 1]
    lines["other_port"] = [40000, 50051, 40001]
    lines["other_lo"] = address_halves("192.0.2.1")[1]

    overview.settle_services(lines)

    assert [50051, 50051, 1234] == lines["service_port"].tolist()
    assert lines["service_lo"][0] == lines["service_lo"][1]
    assert 32768 == lines["other_port"][1]


def test_services_come_by_urgency_then_size():
    """The service with the most important flow is first, then the one with more of them."""
    lines = lines_of(
        *[("silent", "192.0.2.1", 80, Verdict.SILENT, 2)] * 2,
        *[("silent", "192.0.2.2", 80, Verdict.SILENT, 3)] * 3,
        *[("closed", "192.0.2.2", 80, Verdict.CLOSED, 0)] * 5,
        *[("open", "192.0.2.3", 443, Verdict.OPEN, 1)] * 90,
    )

    found = overview.services(lines, 10)

    assert ["192.0.2.2:80", "192.0.2.1:80", "192.0.2.3:443"] == [str(service.endpoint) for service in found]
    assert [8, 2, 90] == [service.flows for service in found]
    assert [9, 4, 90] == [service.probes for service in found]
    assert {"closed": 5, "silent": 3} == found[0].verdicts
    assert [int(lines["service_lo"][service.first]) for service in found] == [
        address_halves(service.endpoint.address)[1] for service in found
    ]


def test_many_small_services_are_taken_together_by_port():
    """Beyond so many services, those with few flows share a line with others of their port."""
    lines = lines_of(
        *[("closed", f"198.51.100.{n}", 443, Verdict.CLOSED, 1) for n in range(100)],
        *[("silent", f"203.0.113.{n}", 5432, Verdict.SILENT, 1) for n in range(5)],
        *[("closed", "192.0.2.1", 443, Verdict.CLOSED, 1)] * 50,
        ("closed", "2001:db8::1", 22, Verdict.CLOSED, 1),
    )

    found = overview.services(lines, 3)

    assert [(None, 5432, 5, 5), (None, 443, 100, 100), (Endpoint("192.0.2.1", 443), 443, 1, 50)] == [
        (service.endpoint, service.port, service.addresses, service.flows) for service in found[:3]
    ]
    assert [Endpoint("2001:db8::1", 22)] == [service.endpoint for service in found[3:]]
    assert len(lines) == sum(service.flows for service in found)


def test_no_flows_are_no_services():
    """Grouping nothing gives nothing."""
    assert [] == overview.services(np.zeros(0, dtype=LINE), 10)


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


def test_flows_that_nobody_can_look_at_become_one_line():
    """Folded lines say the same of services as the flows did."""
    flows = [
        ("silent", f"10.0.0.{n % 3}", 80 + n % 2, Verdict.SILENT if n % 5 else Verdict.OPEN, n) for n in range(200)
    ]
    lines = lines_of(*flows, ("open", "10.0.0.9", 22, Verdict.OPEN, 1))
    lines["batch"] = -1
    lines["batch"][7], lines["guessed"][9] = 0, 1
    few = overview.folded(lines)

    assert len(few) == 2 + 3 * 2 * 2 + 1
    assert lines["flows"].sum() == few["flows"].sum()
    for most in (2, 10):
        before, after = (overview.services(overview.ranked(each), most) for each in (lines, few))
        assert [replace(service, first=None) for service in before] == [replace(each, first=None) for each in after]


def test_lines_of_flows_at_hand_are_not_folded():
    """Flows that can be looked at, and those whose service is a guess, keep their lines."""
    lines = lines_of(*[("open", "10.0.0.1", 80, Verdict.OPEN, 1)] * 4)
    lines["batch"][2:], lines["guessed"][2:] = -1, 1

    assert lines.tolist() == overview.folded(lines).tolist()


def test_very_many_guesses_are_folded(monkeypatch):
    """Where very many flows wait for their service to be known, the guess stands, and lines that are alike are one."""
    monkeypatch.setattr(overview, "MOST_GUESSED", 3)
    lines = lines_of(*[("open", "10.0.0.1", 80, Verdict.OPEN, 1)] * 4)
    lines["batch"], lines["guessed"] = -1, 1
    few = overview.folded(lines.copy())

    assert (1, 4, 0) == (len(few), few["flows"].sum(), few["guessed"][0])
    assert 3 == len(overview.folded(lines[:3].copy()))


def test_a_report_of_folded_lines_is_that_of_all(monkeypatch):
    """Folding at every batch changes neither totals nor services."""
    path = CAPTURES / "lab" / "port_reuse.pcap"
    whole = Analysis(keep_all=False, most=0)
    read_into(whole, [str(path)])
    monkeypatch.setattr("analyzer.holding.FOLD", 1)
    folded = Analysis(keep_all=False, most=0)
    read_into(folded, [str(path)])

    assert whole.lines()["flows"].sum() == folded.lines()["flows"].sum()
    assert overview.services(overview.ranked(whole.lines()), 5) == overview.services(overview.ranked(folded.lines()), 5)
