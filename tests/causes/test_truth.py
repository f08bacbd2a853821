"""Causes against what kernels made true: captures of the lab's scenarios, played once and kept here."""

from pathlib import Path

import pytest

from analyzer.analyzing import analyze
from captures.recipes.lab import beside
from tests.causes.truth import EXPECTED, cause

CAPTURES = Path(__file__).parent / "captures"


@pytest.mark.parametrize("name", EXPECTED)
def test_the_cause_is_the_true_one(name):
    """The cause is what was done to the peer, or is among those that are said to remain."""
    analysis = analyze(CAPTURES / f"{name}.pcap")

    assert EXPECTED[name] == cause(analysis.flows[0].judged)


def test_every_scenario_has_its_cause():
    """Each scenario of the module stands in the table, with a capture."""
    names = {name for name in vars(beside) if name.startswith("beside_")}

    assert set(EXPECTED) == names == {path.stem for path in CAPTURES.glob("*.pcap")}


@pytest.mark.parametrize(("name", "machine"), [("beside_prohibited", "10.29.2.1"), ("beside_arp_silent", "10.19.0.1")])
def test_the_story_names_the_machine(name, machine):
    """Who must act is a machine with its address, not a program."""
    story = analyze(CAPTURES / f"{name}.pcap").flows[0].explain()

    assert machine in story.headline
    assert machine in story.section("Who must act").lines[0].text


def test_what_cannot_be_told_names_what_would():
    """A capture that was filtered to the port says which capture would have told."""
    story = analyze(CAPTURES / "beside_link_down_tcp_only.pcap").flows[0].explain()

    assert "port 4802 or arp or icmp or icmp6" in str(story)
