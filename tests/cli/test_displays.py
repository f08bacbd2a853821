"""What a watch shows while it runs: which flows are looked at again."""

from pathlib import Path

from analyzer.analyzing import analyze
from analyzer.cli.displays import Changes

CAPTURES = Path(__file__).parents[2] / "captures"


def test_flows_are_judged_when_they_change():
    """A flow is told of again only when something in its line has changed."""
    changes = Changes()
    analysis = analyze(str(CAPTURES / "founding_go_fin60.pcap"))

    assert [0] == [flow.number for flow in changes.of(analysis)]
    assert [] == list(changes.of(analysis))
