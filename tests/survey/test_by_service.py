"""Services: which there are, and lines that become one."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_into
from analyzer.judge.verdict import Verdict
from analyzer.segment import address_halves
from analyzer.survey import by_service, overview
from analyzer.survey.overview import LINE
from analyzer.track.flow import Endpoint
from tests.survey.test_overview import CAPTURES, lines_of


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
    service = by_service.services(analysis.lines(), 10)[0].endpoint
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

    by_service.settle_services(lines)

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

    found = by_service.services(lines, 10)

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

    found = by_service.services(lines, 3)

    assert [(None, 5432, 5, 5), (None, 443, 100, 100), (Endpoint("192.0.2.1", 443), 443, 1, 50)] == [
        (service.endpoint, service.port, service.addresses, service.flows) for service in found[:3]
    ]
    assert [Endpoint("2001:db8::1", 22)] == [service.endpoint for service in found[3:]]
    assert len(lines) == sum(service.flows for service in found)


def test_no_flows_are_no_services():
    """Grouping nothing gives nothing."""
    assert [] == by_service.services(np.zeros(0, dtype=LINE), 10)


def test_flows_that_nobody_can_look_at_become_one_line():
    """Folded lines say the same of services as the flows did."""
    flows = [
        ("silent", f"10.0.0.{n % 3}", 80 + n % 2, Verdict.SILENT if n % 5 else Verdict.OPEN, n) for n in range(200)
    ]
    lines = lines_of(*flows, ("open", "10.0.0.9", 22, Verdict.OPEN, 1))
    lines["batch"] = -1
    lines["batch"][7], lines["guessed"][9] = 0, 1
    few = by_service.folded(lines)

    assert len(few) == 2 + 3 * 2 * 2 + 1
    assert lines["flows"].sum() == few["flows"].sum()
    for most in (2, 10):
        before, after = (by_service.services(overview.ranked(each), most) for each in (lines, few))
        assert [replace(service, first=None) for service in before] == [replace(each, first=None) for each in after]


def test_lines_of_flows_at_hand_are_not_folded():
    """Flows that can be looked at, and those whose service is a guess, keep their lines."""
    lines = lines_of(*[("open", "10.0.0.1", 80, Verdict.OPEN, 1)] * 4)
    lines["batch"][2:], lines["guessed"][2:] = -1, 1

    assert lines.tolist() == by_service.folded(lines).tolist()


def test_very_many_guesses_are_folded(monkeypatch):
    """Where very many flows wait for their service to be known, the guess stands, and lines that are alike are one."""
    monkeypatch.setattr(by_service, "MOST_GUESSED", 3)
    lines = lines_of(*[("open", "10.0.0.1", 80, Verdict.OPEN, 1)] * 4)
    lines["batch"], lines["guessed"] = -1, 1
    few = by_service.folded(lines.copy())

    assert (1, 4, 0) == (len(few), few["flows"].sum(), few["guessed"][0])
    assert 3 == len(by_service.folded(lines[:3].copy()))


def test_a_report_of_folded_lines_is_that_of_all(monkeypatch):
    """Folding at every batch changes neither totals nor services."""
    path = CAPTURES / "lab" / "port_reuse.pcap"
    whole = Analysis(keep_all=False, most=0)
    read_into(whole, [str(path)])
    monkeypatch.setattr("analyzer.holding.FOLD", 1)
    folded = Analysis(keep_all=False, most=0)
    read_into(folded, [str(path)])

    assert whole.lines()["flows"].sum() == folded.lines()["flows"].sum()
    assert by_service.services(overview.ranked(whole.lines()), 5) == by_service.services(
        overview.ranked(folded.lines()), 5
    )
