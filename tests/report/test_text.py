"""The report as text: layout that the command's tests do not reach."""

import pytest

from analyzer.report.shown import Report, ShownFlow, ShownService
from analyzer.report.text import advice
from analyzer.survey.by_service import Service
from analyzer.survey.found import Found
from analyzer.survey.hosts import ProbingHost
from analyzer.survey.overview import Totals
from analyzer.track.flow import Endpoint
from tests.report.laying_out import capture, lines


def test_advice_says_what_it_is_and_what_to_do():
    """A finding's title is followed by what to do, unless that is nothing."""
    assert advice("close-wait-held-by-keepalive").startswith("The application never closed; keepalive goes on")
    assert "Read until end of file" in advice("close-wait-held-by-keepalive")
    assert "Nothing" not in advice("fin-wait-2-expired")


@pytest.fixture
def dead(flow):
    """A shown flow."""
    judged, start_ns = flow("dead_peer_silence.pcap")
    return ShownFlow(0, start_ns, judged)


def test_services_have_a_line_each_and_their_worst_flow(dead):
    """A service shows its sums, its verdicts and its worst flow, and addresses that do not fit have their own line."""
    several = Service(None, 443, 1250, 1300, 12_000, 11_000, 10, {"closed": 1299, "silent": 1}, 0)
    long = Service(Endpoint("2001:db8:1111:2222:3333:4444:5555:6666", 50051), 50051, 1, 3, 1, 1, 0, {"open": 3}, 0)
    data = Report(
        [capture()],
        Totals(flows=1400, probes=12_050),
        1340,
        flows=[dead],
        services=[ShownService(several, dead), ShownService(long, dead)],
        all_services=5,
        findings={
            "dead-peer-detected": Found(300, [(0, number) for number in range(1000, 1040)]),
            "peer-forgot-connection": Found(1200, [(0, number) for number in range(40)]),
        },
        hosts=[ProbingHost(0, f"192.0.2.{n}", 2, 100 - n, 120.6) for n in range(7)],
    )
    shown = lines(data)

    assert "port 443, 1,250 addresses              1,300      12,000      11,000          10" in shown
    assert "  1,299 closed, 1 silent; worst flow 0: dead-peer-detected" in shown
    at = shown.index("[2001:db8:1111:2222:3333:4444:5555:6666]:50051")
    assert ["3", "1", "1", "0"] == shown[at + 1].split()
    assert "3 more services: 37 flows, 49 probes." in shown
    assert "A row counts the flows that have something to say, 1,340 in all; the other 60" in shown
    assert "   300  dead-peer-detected  flows 1000 1001 1002 1003 1004 1005 1006 1007 ..." in shown
    assert " 1,200  peer-forgot-connection  flows 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 ..." in shown
    assert "192.0.2.0 sent 100 probes on 2 flows" in shown
    assert "2 more hosts sent 189 probes" in shown
    assert all(len(line) <= 80 for line in shown)


def test_long_numbers_and_addresses_keep_the_columns(flow):
    """Numbers of five digits widen their column, and long pairs of addresses take a line of their own."""
    from dataclasses import replace

    judged, start_ns = flow("dead_peer_silence.pcap")
    record = judged.record._replace(
        number=123_456,
        a=Endpoint("2001:db8:1111:2222:3333:4444:5555:6666", 59285),
        b=Endpoint("2001:db8:1111:2222:3333:4444:5555:7777", 4001),
    )
    shown = lines(Report([capture()], Totals(), 1, flows=[ShownFlow(0, start_ns, replace(judged, record=record))]))

    row = next(index for index, line in enumerate(shown) if line.startswith("123456  "))
    assert ["11", "2", "0"] == shown[row + 1].split()
    assert len(shown[row + 1]) == 80 == len(shown[row - 1])
