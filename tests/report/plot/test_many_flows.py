"""All flows that probe, a row each."""

from dataclasses import replace

import pytest

from analyzer.judge.verdict import Verdict
from analyzer.report.plot import flows_overview
from analyzer.report.plot.many_flows import HEADER_PT, MOST_SERVICES, heights, probing, service_of, services_of
from analyzer.track.flow import Endpoint
from analyzer.units import NS_PER_S
from tests import drawing
from tests.judging import captured

NAMES = ["founding_go_fin10.pcap", "dead_peer_silence.pcap", "half_close_deliberate.pcap", "capture_stops_early.pcap"]


def moved(judged, number, *, by_ns=0, service=None):
    """A flow as another one, later, and to another service."""
    record = judged.record
    shift = {"first_ns", "last_ns", "end_ns"}
    probes = tuple(probe._replace(ts_ns=probe.ts_ns + by_ns) for probe in record.probes)
    fins = tuple(replace(fin, ts_ns=fin.ts_ns + by_ns) for fin in record.fins)
    times = {field: getattr(record, field) + by_ns for field in shift}
    b = record.b if service is None else service
    a = replace(record.a, port=20000 + number)
    return replace(judged, record=record._replace(number=number, a=a, b=b, probes=probes, fins=fins, **times))


def fleet(count, services=3):
    """Many flows to some services, of all kinds of endings, over ten minutes."""
    kinds = []
    for name in NAMES:
        flows, start_ns = captured(name)
        kinds.append(moved(flows[0], 0, by_ns=-start_ns))
    return [
        moved(
            kinds[number % len(kinds)],
            number,
            by_ns=number * 600 * NS_PER_S // count,
            service=Endpoint(f"10.0.0.{number % services}", 443),
        )
        for number in range(count)
    ]


def ticks(axes, label):
    """How many ticks of a kind were drawn."""
    return sum(len(c.get_segments()) for c in axes.collections if c.get_label() == label)


@pytest.mark.parametrize("count", [1, 8, 60, 500])
def test_every_flow_has_a_row_and_an_ending(count):
    """There is a mark of its ending for each flow, whatever their number, and all words have room."""
    axes = flows_overview(fleet(count), 0)

    assert count == sum(drawing.marks(axes).values())
    assert [] == drawing.misplaced(axes.figure)


def test_probes_are_ticks_answered_and_not():
    """Each probe is a tick; those that nothing answered are another kind."""
    flows = fleet(4)
    axes = flows_overview(flows, 0)
    probes = [probe for judged in flows for probe in judged.record.probes]

    assert sum(probe.answer is not None for probe in probes) == ticks(axes, "probe, answered")
    assert sum(probe.answer is None for probe in probes) == ticks(axes, "probe, no answer captured")


def test_flows_without_probes_are_left_out():
    """Only flows that probe have a row."""
    flows, start_ns = captured("lab/syn_only.pcap")

    assert [] == probing(flows)
    assert "no flow with probes" in drawing.said(flows_overview(flows, start_ns))


def test_rows_are_sorted_by_service_and_ending():
    """Flows of one service stand together, the worst endings first."""
    services, left_out = services_of(fleet(40, services=2))
    endings = [judged.ending.verdict for judged in services[0].flows]

    assert ["10.0.0.0:443", "10.0.0.1:443"] == [service.name for service in services]
    assert sorted(endings, key=list(Verdict).index) != []
    assert endings == sorted(endings, key=endings.index)
    assert 0 == left_out


def test_a_service_is_headed_by_what_became_of_its_flows():
    """Its heading counts the endings."""
    axes = flows_overview(fleet(8, services=1), 0)

    assert "10.0.0.0:443   2 reset_on_probe, 2 timed_out, 2 half_closed, 2 closed" in drawing.said(axes)


def test_few_flows_are_named():
    """As long as rows are high enough each bears its number and the other end."""
    axes = flows_overview(fleet(4), 0)
    few, many = drawing.said(axes), drawing.said(flows_overview(fleet(200), 0))

    assert "2: 192.0.2.1:20002" in few
    assert not any(words.startswith("2: ") for words in many)


def test_a_long_name_is_shortened():
    """An IPv6 address does not take half of the picture."""
    flows, start_ns = captured("lab/ipv6_graceful.pcap")
    record = flows[0].record._replace(a=Endpoint("2001:db8:1234:5678:9abc:def0:1234:5678", 44419))
    axes = flows_overview([replace(flows[0], record=record)], start_ns)

    assert "0: 2001:db8:1\N{HORIZONTAL ELLIPSIS}" not in drawing.said(axes)
    assert any("\N{HORIZONTAL ELLIPSIS}" in words for words in drawing.said(axes))


def test_a_service_without_handshake_is_the_smaller_port():
    """Where no handshake was seen the smaller port is taken for the service."""
    flows, _ = captured("lab/midstream_half_closed.pcap")

    assert "10.61.0.2:5703" == str(service_of(flows[0]))


def test_many_small_services_share_a_heading():
    """Only the largest services are named; nothing is left out."""
    services, left_out = services_of(fleet(200, services=100))

    assert MOST_SERVICES + 1 == len(services)
    assert "60 other services" == services[-1].name
    assert (200, 0) == (sum(len(service.flows) for service in services), left_out)


def test_too_many_flows_are_cut_and_it_is_said():
    """Beyond the most that can be seen, the axis says how many of how many are drawn."""
    axes = flows_overview(fleet(2100), 0)

    assert "2000 of 2100 flows that probe" == axes.get_ylabel()
    assert 2000 == sum(drawing.marks(axes).values())


def test_rows_share_the_height_there_is():
    """Few rows are high, many low, but never too low to be seen."""
    rows = {count: heights(services_of(fleet(count))[0])[0] for count in (3, 100, 500)}

    assert rows[3] > rows[100] > rows[500] >= 2
    assert HEADER_PT > rows[3]


def test_themes_and_legend():
    """It can be drawn for a dark page, and without a legend."""
    assert None is flows_overview(fleet(4), 0, theme="dark", legend=False).get_legend()
