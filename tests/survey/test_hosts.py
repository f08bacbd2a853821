"""Which hosts sent probes."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.label.reset import ENDING
from analyzer.label.trains import RUN
from analyzer.segment import address_halves
from analyzer.survey import hosts as hosts_module
from analyzer.survey.hosts import HostSums
from analyzer.survey.overview import CaptureSummary
from analyzer.track.batch import FlowBatch
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW
from analyzer.track.seen import SEEN

CAPTURES = Path(__file__).parents[2] / "captures"
MINUTE = CaptureSummary(["x"], start_ns=0, end_ns=60_000_000_000)


def batch_of(*flows):
    """Return flows of (address a, probes of a, address b, probes of b)."""
    tables = {
        name: np.zeros(len(flows), dtype=dtype)
        for name, dtype in {"flow": FLOW, "a": ENDPOINT, "b": ENDPOINT, "run_a": RUN, "run_b": RUN}.items()
    }
    for at, (*a, address, probes) in enumerate(flows):
        for side, (text, count) in {"a": a, "b": (address, probes)}.items():
            tables["flow"][at][f"{side}_hi"], tables["flow"][at][f"{side}_lo"] = address_halves(text)
            tables[f"run_{side}"][at]["probes"] = count
    ending, seen = np.zeros(len(flows), dtype=ENDING), np.zeros(0, dtype=SEEN)
    return FlowBatch(**tables, ending=ending, seen=seen, start=np.zeros(len(flows) + 1, dtype=np.int64), end_ns=0)


def listed(sums, captures=(MINUTE,)):
    """Return hosts as (capture, address, flows, probes)."""
    return [(host.capture, host.address, host.flows, host.probes) for host in sums.listed(captures)]


def test_hosts_that_probe_are_added_up():
    """Probes are counted by sender and capture, the most talkative first."""
    analysis = analyze(CAPTURES / "founding_go_fin60.pcap", CAPTURES / "lab" / "both_sides.pcap")

    hosts = analysis.probing_hosts()

    assert [(0, "127.0.0.1", 1, 16), (1, "10.17.1.2", 1, 9), (1, "10.17.2.2", 1, 4)] == [
        (host.capture, host.address, host.flows, host.probes) for host in hosts
    ]
    assert hosts[0].per_minute == pytest.approx(16 * 60 / 81.480956)


@pytest.mark.parametrize("most", range(8))
def test_only_the_most_talkative_may_be_asked_for(most):
    """The head of the list is the same however long a list is wanted, also where hosts sent as many probes."""
    sums = HostSums()
    sums.add(0, batch_of(*((f"10.0.0.{host}", probes, "::1", 0) for host, probes in enumerate((3, 9, 3, 3, 1)))))
    sums.add(1, batch_of(("10.0.0.7", 50, "::1", 2)))
    captures = (MINUTE, MINUTE)

    assert sums.listed(captures)[:most] == sums.listed(captures, most)
    assert (7, 71) == sums.total()


def test_a_flow_within_one_host_counts_once():
    """Both ends of it may probe; the probes are added, the flow is one."""
    sums = HostSums()
    sums.add(0, batch_of(("::1", 2, "::1", 3), ("::1", 0, "10.0.0.1", 4), ("10.0.0.1", 1, "::1", 1)))

    assert [(0, "::1", 2, 6), (0, "10.0.0.1", 2, 5)] == listed(sums)


@pytest.mark.parametrize("unsettled", [1, 10_000])
def test_batches_add_up_however_often_they_are_settled(unsettled, monkeypatch):
    """Sums do not depend on when equal hosts become one."""
    monkeypatch.setattr(hosts_module, "UNSETTLED", unsettled)
    sums = HostSums()
    for turn in range(20):
        sums.add(0, batch_of(*((f"10.0.0.{host}", 1 + turn % 2, "192.0.2.1", 0) for host in range(1, 6))))

    assert [(0, f"10.0.0.{host}", 20, 30) for host in range(1, 6)] == listed(sums)


def test_a_copy_goes_its_own_way():
    """What is added to a copy is not in the original."""
    sums = HostSums()
    sums.add(0, batch_of(("10.0.0.1", 1, "10.0.0.2", 0)))
    other = sums.copy()
    other.add(0, batch_of(("10.0.0.1", 1, "10.0.0.2", 0)))

    assert [(0, "10.0.0.1", 1, 1)] == listed(sums)
    assert [(0, "10.0.0.1", 2, 2)] == listed(other)


def test_captures_of_another_analysis_come_behind():
    """Merged hosts count for captures of higher numbers."""
    sums, other = HostSums(), HostSums()
    for each in (sums, other):
        each.add(0, batch_of(("10.0.0.1", 1, "10.0.0.2", 0)))
    sums.merge(other, 1)

    assert [(0, "10.0.0.1", 1, 1), (1, "10.0.0.1", 1, 1)] == listed(sums, (MINUTE, MINUTE))
    assert [] == listed(HostSums())


def test_without_time_there_is_no_rate():
    """A capture of one instant has no probes a minute."""
    sums = HostSums()
    sums.add(0, batch_of(("10.0.0.1", 7, "10.0.0.2", 0)))

    assert 0 == sums.listed([CaptureSummary(["x"], start_ns=5, end_ns=5)])[0].per_minute
    assert 7 == sums.listed([MINUTE])[0].per_minute
