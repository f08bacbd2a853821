"""Flows by display filter."""

import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.survey.selection import Selection
from analyzer.wireshark.display_filter import check_filter, matching_frames
from analyzer.wireshark.tshark import TsharkFailedError, find
from tests.wireshark.needs import needs_tshark

CAPTURES = Path(__file__).parents[2] / "captures"
REUSE = CAPTURES / "lab" / "port_reuse.pcap"

pytestmark = needs_tshark


def flows(paths, display_filter):
    """The numbers of the flows that a filter selects, and how many were left out."""
    result = Analysis(select=Selection(display_filter=display_filter))
    for capture, batch in read_flows([str(path) for path in paths], result):
        result.add(capture, batch)
    return sorted(flow.number for flow in result), result.left_out


def streams(path, display_filter):
    """How many TCP streams of tshark's a filter matches in."""
    printed = subprocess.run(
        [find(), "-n", "-r", path, "-Y", display_filter, "-T", "fields", "-e", "tcp.stream"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return len(set(printed.split()))


@pytest.mark.parametrize(
    ("display_filter", "expected"),
    [("tcp", [0, 1, 2]), ("frame.number == 30", [1]), ("tcp.flags.reset == 1", None), ("udp", [])],
)
def test_flows_that_contain_a_match_are_selected(display_filter, expected):
    """A flow is selected by any of its frames, each use of the ports for itself; the others are counted."""
    numbers, left_out = flows([REUSE], display_filter)

    assert 3 == len(numbers) + left_out
    assert expected in (None, numbers)
    assert streams(REUSE, display_filter) == len(numbers)


def test_a_dissectors_knowledge_selects():
    """What only a dissector knows selects too."""
    assert 1 == len(flows([CAPTURES / "lab" / "icmp_host_unreachable.pcap"], "icmp.type == 3")[0])


def test_rotated_files_are_asked_one_by_one(tmp_path):
    """The frames of a second file count on from the first."""
    for at, wanted in enumerate(("frame.number <= 20", "frame.number > 20")):
        subprocess.run(
            [
                find(),
                "-r",
                CAPTURES / "founding_go_fin60.pcap",
                "-Y",
                wanted,
                "-F",
                "pcap",
                "-w",
                tmp_path / f"{at}.pcap",
            ],
            check=True,
            capture_output=True,
        )
    numbers, _ = flows([tmp_path / "0.pcap", tmp_path / "1.pcap"], "tcp.flags.reset == 1")

    assert [0] == numbers
    assert [19] == matching_frames(str(tmp_path / "1.pcap"), "tcp.flags.reset == 1").tolist()


def test_a_cut_file_matches_as_far_as_it_goes(tmp_path):
    """Damage does not keep the frames before it from matching."""
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CAPTURES / "founding_go_fin60.pcap").read_bytes()[:1500])

    assert len(matching_frames(str(cut), "tcp")) > 5


@pytest.mark.parametrize("wrong", ["tcp.port ==", "no.such == 1", "tcp.port == 80 ||"])
def test_a_wrong_filter_is_explained_by_tshark(wrong):
    """The error has the words that tshark has for it."""
    said = subprocess.run(
        [find(), "-n", "-r", REUSE, "-Y", wrong], check=False, capture_output=True, text=True
    ).stderr.splitlines()
    with pytest.raises(TsharkFailedError) as caught:
        check_filter(wrong)

    assert set(caught.value.said) <= {line.removeprefix("tshark: ") for line in said}
    assert caught.value.said


def test_a_right_filter_is_let_through():
    """A filter that tshark understands raises nothing."""
    check_filter("tcp.port == 80")


def test_a_file_that_is_gone_is_an_error(tmp_path):
    """What cannot be read at all is said by tshark."""
    gone = tmp_path / "gone.pcap"
    shutil.copy(REUSE, gone)
    gone.unlink()
    with pytest.raises(TsharkFailedError, match="exist"):
        matching_frames(str(gone), "tcp")
