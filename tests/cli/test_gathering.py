"""What a report shows of an analysis."""

from pathlib import Path

from analyzer.analyzing import analyze
from analyzer.cli.failing import FailOn
from analyzer.cli.gathering import gathered, ranked, shown
from analyzer.survey import by_service

CAPTURES = Path(__file__).parents[2] / "captures"


def analysis():
    """Two captures: one whose end is bad, one that closes in order."""
    return analyze(CAPTURES / "fixed_server.pcap", CAPTURES / "founding_go_fin60.pcap", one_stream=False)


def test_the_worst_comes_first():
    """Lines come by importance, whatever the order of the captures."""
    result = analysis()
    lines = ranked(result, FailOn([]))

    assert ["reset_on_probe", "closed"] == [result.flow(line).verdict for line in lines]


def test_what_is_asked_of_every_flow_is_asked():
    """A finding named by --fail-on is looked for in all flows, told or not."""
    met, not_met = FailOn(["close-wait-held-by-keepalive"]), FailOn(["clock-went-back"])
    ranked(analysis(), met)
    ranked(analysis(), not_met)

    assert (1, 0) == (met.status, not_met.status)


def test_both_forms_show_the_same():
    """What is told is chosen by the caller; sums, services, findings and hosts are of all lines."""
    result = analysis()
    lines = ranked(result, FailOn([]))
    services = by_service.services(lines, 15)
    report = gathered(result, lines, lines[:1], services, result.count_findings())

    assert (2, 1, len(services)) == (report.notable, len(report.flows), len(report.services))
    assert report.flows[0].judged.record == shown(result, lines[:1])[0].judged.record
    assert "close-wait-held-by-keepalive" in report.findings


def test_flows_that_are_judged_together_are_judged_as_they_are_alone():
    """Of several captures, in any order: each is what it is by itself, in its place."""
    result = analyze(
        *sorted((CAPTURES / "lab").glob("*.pcap"))[:12], CAPTURES / "founding_go_fin60.pcap", one_stream=False
    )
    lines = result.lines()[::-1]
    alone = [result.flow(line).judged for line in lines]

    assert len(alone) == 13
    assert alone == [flow.judged for flow in shown(result, lines)]
    assert [] == shown(result, lines[:0])
