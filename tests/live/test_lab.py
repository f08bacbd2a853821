"""The lab: its scenarios come out as told, and a report of each says what its truth says."""

import inspect
import json
import shutil

import pytest

from analyzer.cli import main
from captures.recipes.__main__ import play
from captures.recipes.lab import playing
from captures.recipes.lab.flow import ENDINGS
from tests import lab_truth

QUICK = ["dead_linkdown_bridge", "howdy_close_unread", "zero_window_nothing_pending"]
"""Scenarios of some ten seconds: a give-up, an abort, probes under a closed window."""


def report(path, capsys):
    """The JSON report of a capture."""
    assert 0 == main(["report", str(path), "--json"])
    return json.loads(capsys.readouterr().out)


def test_every_scenario_says_what_it_does():
    """There are 117 scenarios, each with one line that says what happens, and one argument: its stage."""
    assert 117 == len(playing.SCENARIOS)
    for name, scenario in playing.SCENARIOS.items():
        assert ["stage"] == list(inspect.signature(scenario).parameters), name
        assert (scenario.__doc__ or "").strip(), name


def test_scenarios_have_addresses_of_their_own():
    """No two scenarios share addresses, and every number fits into an octet and into a network's name."""
    numbers = playing.NUMBERS.values()

    assert len(set(numbers)) == len(playing.SCENARIOS)
    assert max(numbers) + 10 < 256


def test_without_a_tool_it_says_which(monkeypatch, capsys, tmp_path):
    """Where a program is missing, nothing is played, and the program is named."""
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "iptables" else f"/bin/{tool}")

    assert 3 == play(["howdy_lo_fin10"], tmp_path, 1)
    assert "the lab needs iptables\n" == capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_can_play(monkeypatch, user):
    """Namespaces need root."""
    monkeypatch.setattr(shutil, "which", lambda tool: f"/bin/{tool}")
    monkeypatch.setattr(playing.os, "geteuid", lambda: user)

    assert (None if user == 0 else "the lab needs root, for network namespaces") == playing.why_not(["howdy_lo_fin10"])


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A folder with the captures of the quick scenarios."""
    if reason := playing.why_not(QUICK):
        pytest.skip(reason)
    out = tmp_path_factory.mktemp("lab")
    said = []
    failed = playing.play_all(QUICK, out, len(QUICK), said.append, sampled=False)
    assert not failed, "\n".join(said)
    return out


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_report_of_a_fresh_scenario_says_what_happened(played, name, capsys):
    """Probes, answers, verdict and settings of what is played now equal the truth that is written beside it."""
    for path in sorted(played.glob(f"{name}*.pcap")):
        truth = lab_truth.beside(path)

        assert truth["failed"] is None
        assert [] == truth["checks"]
        assert {flow["expected"]["ending"] for flow in truth["flows"]} <= set(ENDINGS)
        assert [] == lab_truth.differences(report(path, capsys), truth)
