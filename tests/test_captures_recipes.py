"""The captures and their catalogue agree, and a recipe still makes what it says."""

import hashlib
import os
import shutil
import tomllib
from pathlib import Path

import pytest

from captures.recipes import truth
from captures.recipes.__main__ import RECIPES, make

CAPTURES = Path(__file__).parents[1] / "captures"
CATALOGUE = tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]
OURS = [entry for entry in CATALOGUE if "recipe" in entry]
SYNTHETIC = [entry["recipe"] for entry in OURS if entry.get("synthetic")]


def test_every_capture_is_in_the_catalogue():
    """Every capture file has one entry, and every entry its file."""
    files = {path.relative_to(CAPTURES).as_posix() for path in CAPTURES.rglob("*.pcap*")}

    assert sorted(files) == sorted(entry["file"] for entry in CATALOGUE)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["file"])
def test_a_capture_is_the_one_described(entry):
    """The file has the sum that its entry was written for."""
    assert entry["sha256"] == hashlib.sha256((CAPTURES / entry["file"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["file"])
def test_a_capture_says_where_it_comes_from(entry):
    """An entry names either a recipe or the file that holds its truth, and that exists."""
    assert ("recipe" in entry) != ("truth" in entry)
    assert entry.get("recipe") in RECIPES or (CAPTURES / entry["truth"]).is_file()


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry["file"])
def test_the_catalogue_counts_as_one_counts_by_hand(entry):
    """Probes, answers, FINs and resets stand in the frames that the entry names."""
    found = truth.read(CAPTURES / entry["file"])
    (flow,) = entry["flows"]

    assert (flow["a"], flow["b"]) == (found.a, found.b)
    assert flow["probe_frames"] == [probe.frame for probe in found.probes]
    assert flow["probes"] == len(found.probes) == entry.get("kernel_probes", flow["probes"])
    assert flow["probes_after_fin"] == sum(probe.after_fin for probe in found.probes)
    assert flow["answered"] == sum(probe.answer == "ack" for probe in found.probes)
    assert flow["fin_frames"] == [frame for frame, _, _ in found.fins]
    assert flow["reset_frames"] == [frame for frame, _, _ in found.resets]


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_synthetic_capture_comes_out_the_same_every_time(name, tmp_path):
    """Building a synthetic capture again gives the committed file, octet by octet."""
    RECIPES[name](tmp_path)

    assert (CAPTURES / f"{name}.pcap").read_bytes() == (tmp_path / f"{name}.pcap").read_bytes()


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("program", ["tcpdump", "our own live capture"])
def test_the_founding_question_happens_again_here(tmp_path, monkeypatch, program):
    """A server that never closes probes at SND.UNA-1, is answered after the FIN, and at last is reset."""
    missing = [tool for tool in ("ip", "tcpdump") if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    if program != "tcpdump":
        monkeypatch.setattr(shutil, "which", lambda _: None)

    failed = make(["short_timers"], tmp_path)

    assert failed == 0
    found = truth.read(tmp_path / "short_timers.pcap")
    assert {found.b} == {probe.sender for probe in found.probes}
    assert [found.a] == [sender for _, _, sender in found.fins]
    answers = [probe.answer for probe in found.probes if probe.after_fin]
    assert ["ack"] * (len(answers) - 1) + ["rst"] == answers
    assert len(answers) >= 2
    assert [found.a] == [sender for _, _, sender in found.resets]
