"""One connection under two pairs of addresses."""

from analyzer.survey.hosts import HostSums
from analyzer.survey.overview import Totals
from tests.judging import scenario, texts, told
from tests.notation import SCENARIOS, follow, load


def test_both_addresses_are_told():
    """Each flow names the other, and what its end is called there, and where probes are counted."""
    first, copy = scenario("translated_on_the_way")
    shown = texts(told(first), "What this capture cannot show")

    assert "192.0.2.1:40001 is 203.0.113.9:50001 in flow 1" in shown
    assert "Probes are counted here only." in shown
    assert "203.0.113.9:50001 is 192.0.2.1:40001 in flow 0" in texts(told(copy), "What this capture cannot show")


def test_probes_count_once():
    """Neither totals nor hosts count the probes of the copy."""
    (batch,) = follow([load(SCENARIOS / "translated_on_the_way.pkt").batch()])
    totals, hosts = Totals(), HostSums()
    totals.add(batch, [0, 0])
    hosts.add(0, batch)

    assert (2, 1, 1, 1) == (totals.flows, totals.flows_with_probes, totals.probes, totals.probes_answered)
    assert [1] == hosts.settled()["probes"].tolist()
