"""The report as text: layout that the command's tests do not reach."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from analyzer.report.screen import Screen
from analyzer.report.text import (
    Report,
    ShownFlow,
    ShownService,
    _talkative,
    advice,
    pair_text,
    report,
    tag_text,
)
from analyzer.survey.found import Found
from analyzer.survey.hosts import ProbingHost
from analyzer.survey.overview import CaptureSummary, Service, Totals
from analyzer.track.flow import Endpoint


@dataclass
class Record:
    """As much of a flow as its endpoints need."""

    a: Endpoint
    b: Endpoint
    initiator: str | None = "a"
    tag: int = 0
    extra: dict = field(default_factory=dict)


A, B = Endpoint("192.0.2.1", 40000), Endpoint("2001:db8::1", 443)


@pytest.mark.parametrize(
    ("record", "unicode", "expected"),
    [
        (Record(A, B), True, "192.0.2.1:40000 → [2001:db8::1]:443"),
        (Record(A, B, "b"), True, "[2001:db8::1]:443 → 192.0.2.1:40000"),
        (Record(A, B, None), True, "192.0.2.1:40000 ↔ [2001:db8::1]:443"),
        (Record(A, B), False, "192.0.2.1:40000 -> [2001:db8::1]:443"),
        (Record(A, B, None, 42), False, "192.0.2.1:40000 <-> [2001:db8::1]:443 vlan 42"),
    ],
)
def test_the_initiator_comes_first(record, unicode, expected):
    """A flow's endpoints stand in the direction in which it was opened, where that is known."""
    assert expected == pair_text(SimpleNamespace(record=record), Screen(unicode=unicode))


@pytest.mark.parametrize(
    ("tag", "expected"), [(0, ""), (7, " vlan 7"), (100 * 4096 + 7, " vlan 100.7"), (1 << 24, " tag 0x1000000")]
)
def test_vlans_are_named(tag, expected):
    """The VLAN that tells a flow from others is part of its name."""
    assert expected == tag_text(tag)


def test_advice_says_what_it_is_and_what_to_do():
    """A finding's title is followed by what to do, unless that is nothing."""
    assert advice("close-wait-held-by-keepalive").startswith("The application never closed; keepalive goes on")
    assert "Read until end of file" in advice("close-wait-held-by-keepalive")
    assert "Nothing" not in advice("fin-wait-2-expired")


def capture(**changes):
    """A capture of two segments."""
    summary = CaptureSummary(["x.pcap"], "pcap", ["EN10MB"], 0, 5_000_000_000, 3, 2, {"not_tcp": 1})
    for name, value in changes.items():
        setattr(summary, name, value)
    return summary


def lines(data, width=80):
    """The report as a list of lines."""
    return list(report(data, Screen(width)))


def test_a_capture_without_tcp_says_so():
    """Frames that are no TCP are counted, not listed."""
    data = Report([capture(tcp_segments=0)], Totals(), 0)

    assert ["x.pcap: no TCP in 3 frames."] == lines(data)


def test_what_is_wrong_with_an_uneventful_capture_is_said():
    """Warnings and cut frames are shown even if there is nothing else to say, other protocols are not."""
    data = Report(
        [capture(warnings=["cut in a record at byte 9"], skipped={"not_tcp": 1, "fragment": 2})], Totals(flows=1), 0
    )

    assert [
        "x.pcap: nothing to report. 1 flow; no keepalive probes; 2 segments in 5.000 s.",
        "Set aside: 2 IP fragments.",
        "Warning: cut in a record at byte 9",
    ] == lines(data)


def test_a_filter_that_leaves_nothing_is_said_to():
    """What was read is not said to be what matched."""
    data = Report([capture(tcp_segments=39)], Totals(), 0, left_out=3)

    assert ["x.pcap: no flow matches the filter. 39 segments of 3 flows in 5.000 s were read."] == lines(data)


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


def test_probes_that_were_captured_twice_are_said_to_count_once():
    """Where a connection is in the capture before and behind a translation, the total says what it counts."""
    twice = {"captured-before-and-after-translation": Found(2, [(0, 0), (0, 1)])}
    said = " ".join(lines(Report([capture()], Totals(flows=2, probes=3), 2, findings=twice)))

    assert "Probes that were captured before and after a translation of addresses are counted once." in said
    assert "counted once" not in " ".join(lines(Report([capture()], Totals(flows=2, probes=3), 2)))


@pytest.mark.parametrize(
    ("per_minute", "words"), [(4.7e-07, "under 0.01"), (0.0125, "0.0125"), (3.854, "3.85"), (1234.5, "1,234")]
)
def test_rates_are_written_for_a_reader(per_minute, words):
    """A rate of a capture of a minute or more has three digits or its thousands, and never an exponent."""
    host = ProbingHost(0, "192.0.2.1", 1, 1, per_minute)

    long, short = capture(end_ns=60_000_000_000), capture(end_ns=59_000_000_000)
    assert f"flow ({words} a minute)" in next(_talkative(Report([long], Totals(), 1, [], hosts=[host])))
    assert "minute" not in next(_talkative(Report([short], Totals(), 1, [], hosts=[host])))
