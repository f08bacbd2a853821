"""Causes against what kernels made true: captures of the lab's scenarios, played once and kept here."""

from pathlib import Path

import pytest

from analyzer.analyzing import analyze
from captures.recipes.lab import beside
from tests.causes.truth import EXPECTED, cause, probed

CAPTURES = Path(__file__).parent / "captures"


@pytest.mark.parametrize("name", EXPECTED)
def test_the_cause_is_the_true_one(name):
    """The cause is what was done to the peer, or is among those that are said to remain."""
    (path,) = CAPTURES.glob(f"{name}.pcap*")

    assert EXPECTED[name] == cause(probed(analyze(path)))


def test_every_scenario_has_its_cause():
    """Each scenario of the module stands in the table, with a capture."""
    names = {name for name in vars(beside) if name.startswith("beside_")}

    assert set(EXPECTED) == names == {path.name.partition(".")[0] for path in CAPTURES.iterdir()}


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


def test_a_filter_that_a_capture_tells_is_told():
    """The filter of a pcapng stands in the evidence, and says why nothing beside the flow is there."""
    story = str(analyze(CAPTURES / "beside_filtered_to_port.pcapng").flows[0].explain())

    assert "filtered to 'tcp port 4818'" in story
    assert "cannot contain ARP" in " ".join(story.split())


def test_drops_of_a_capture_are_known():
    """What a capturing program dropped while it was stopped is known, and no flow is called dead for it."""
    analysis = analyze(CAPTURES / "beside_capture_drops.pcapng.gz")

    assert analysis.captures[0].dropped > 1000
    assert {flow.judged.ending.verdict.value for flow in analysis.flows} == {"open"}
