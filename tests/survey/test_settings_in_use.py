"""Which keepalive settings are in use, over several flows."""

from analyzer.survey.settings_in_use import gathered
from analyzer.words.probes import waited
from tests.judging import captured, opened


def flows():
    """Flows of a bundled capture that probe."""
    return [flow for flow in captured("founding_go_fin60.pcap")[0] if flow.record.probes]


def test_flows_with_the_same_settings_are_one_row():
    """The same settings make one row, with its flows, hosts and services, and the gaps that were measured."""
    flow, *_ = flows()
    found = gathered([flow, flow], 7)

    sender = flow.record.probes[0].sender
    idle_ns = flow.settings(sender).idle.value_ns
    (row,) = [row for row in found.rows if row.idle_ns == idle_ns]
    gaps = [each.ns for probe in flow.record.probes_from(sender) if (each := waited(flow.record, probe))]
    assert (2, 7, 2) == (found.asked, found.flows, row.flows)
    assert (1, 1) == (len(row.hosts), len(row.services))
    assert (min(gaps), max(gaps)) == (row.shortest_ns, row.longest_ns)


def test_the_gap_before_a_first_probe_is_its_idle_time():
    """What the other end's probes or answers left between does not count: no gap is shorter than the timers."""
    (judged,) = [flow for flow in flows() if flow.record.probes_from("a")]
    shortest = {row.idle_ns: row.shortest_ns for row in gathered([judged], 1).rows}

    assert shortest
    assert all(shortest_ns >= idle_ns for idle_ns, shortest_ns in shortest.items() if idle_ns)


def test_flows_without_probes_have_none():
    """A flow in which nobody probes has no settings."""
    assert gathered([opened("")], 0).rows == ()
