"""Colouring rules for annotated copies, as tshark applies them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from analyzer.annotating import annotate
from analyzer.wireshark.colouring import COLOURINGS, colorfilters
from analyzer.wireshark.tshark import find
from tests.wireshark.needs import needs_tshark

CAPTURES = Path(__file__).parents[2] / "captures"
LINE = re.compile(r"@(keepalive: [^@]+)@([^@]+)@\[(\d+),(\d+),(\d+)\]\[(\d+),(\d+),(\d+)\]")
FOUNDING, MIDSTREAM = "founding_go_fin60.pcap", "lab/midstream_answered.pcap"


@pytest.fixture
def profile(tmp_path):
    """The environment in which a profile of the test's own holds the rules and nothing else."""
    folder = tmp_path / "config" / "profiles" / "keepalive"
    folder.mkdir(parents=True)
    (folder / "colorfilters").write_text("\n".join(colorfilters()) + "\n", encoding="utf-8")
    return {**os.environ, "WIRESHARK_CONFIG_DIR": str(tmp_path / "config")}


def tshark(*words, env=None):
    """Run tshark; anything that it complains of is an error."""
    done = subprocess.run([find(), "-n", *words], check=True, capture_output=True, text=True, env=env)
    assert [] == [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    return [line.split("\t") for line in done.stdout.splitlines()]


def coloured(name, tmp_path, profile):
    """The rule that tshark colours each frame of an annotated capture by, without the prefix, by frame."""
    annotate(CAPTURES / name, tmp_path / "out.pcapng", force=True)
    fields = ("-T", "fields", "-e", "frame.number", "-e", "frame.coloring_rule.name")
    rows = tshark("--color", "-C", "keepalive", "-r", tmp_path / "out.pcapng", *fields, env=profile)
    return {int(frame): rule.removeprefix("keepalive: ") for frame, rule in rows}


def test_lines_are_those_of_a_colorfilters_file():
    """Every line is a comment or a rule: name, filter, and two colours of three 16-bit numbers."""
    rules = [line for line in colorfilters() if not line.startswith("#")]
    found = [LINE.fullmatch(line) for line in rules]

    assert len(COLOURINGS) == len(rules)
    assert all(found)
    assert all(int(number) <= 0xFFFF for match in found for number in match.groups()[2:])
    assert len(rules) == len({match[1] for match in found})


@needs_tshark
@pytest.mark.parametrize(
    ("capture", "frame", "expected"),
    [
        (FOUNDING, 1, ""),
        (FOUNDING, 6, "probe"),
        (FOUNDING, 7, "answer to a probe"),
        (FOUNDING, 14, "FIN"),
        (FOUNDING, 16, "probe after a FIN"),
        (FOUNDING, 38, "probe, answered by RST"),
        (FOUNDING, 39, "ends the flow, RST"),
        ("dead_peer_silence.pcap", 10, "probe, no answer"),
    ],
)
def test_tshark_loads_the_profile_and_colours_by_it(profile, tmp_path, capture, frame, expected):
    """A profile that holds the file is loaded without complaint, and the first rule that fits colours the frame."""
    assert expected == coloured(capture, tmp_path, profile)[frame]


@needs_tshark
@pytest.mark.parametrize("name", [FOUNDING, MIDSTREAM, "lab/zero_window_pending.pcap", "lab/any_router_sll.pcap"])
def test_every_comment_has_a_colour_and_nothing_else_has(profile, tmp_path, name):
    """Frames with a comment of ours are coloured, and only these."""
    found = coloured(name, tmp_path, profile)
    said = tshark("-r", tmp_path / "out.pcapng", "-Y", "frame.comment", "-T", "fields", "-e", "frame.number")

    assert {int(frame) for (frame,) in said} == {frame for frame, rule in found.items() if rule}


@needs_tshark
@pytest.mark.parametrize("rule", COLOURINGS, ids=lambda rule: rule.name)
def test_every_rule_colours_something(rule, tmp_path):
    """The filter of each rule is one that tshark takes, and finds a frame in an annotated capture of the project."""
    where = {
        "RST": "lab/howdy_close_unread.pcap",
        "probe, no answer": "dead_peer_silence.pcap",
        "zero-window probe or its answer": "lab/zero_window_pending.pcap",
        "no probe, but might be taken for one": "lab/any_router_sll.pcap",
        "last frame of a flow here": "lab/dead_data_pending.pcap",
    }
    annotate(CAPTURES / where.get(rule.name, FOUNDING), tmp_path / "out.pcapng")

    assert tshark("-r", tmp_path / "out.pcapng", "-Y", rule.display_filter, "-T", "fields", "-e", "frame.number")
