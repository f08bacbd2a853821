"""Wireshark's labels of frames."""

import subprocess
from pathlib import Path

import pytest

from analyzer.wireshark.frame_labels import FAMILY, NONE, Label, Labels
from analyzer.wireshark.tshark import TsharkFailedError, find
from tests.wireshark.needs import needs_tshark

CAPTURES = Path(__file__).parents[2] / "captures"
LAB = CAPTURES / "lab"


def all_labels(path):
    """The labels of a capture, once tshark is done."""
    with Labels(str(path)) as labels:
        labels.wait()
    return labels


@needs_tshark
@pytest.mark.parametrize("name", ["any_router_sll.pcap", "zero_window_pending.pcap", "telnet_lost_byte.pcap"])
def test_labels_are_those_that_tshark_prints_as_fields(name):
    """Whatever ``-T fields`` has for a label, we have, frame by frame."""
    labels = all_labels(LAB / name)
    fields = [word for label in Label for word in ("-e", f"tcp.analysis.{label.name.lower()}")]
    printed = subprocess.run(
        [find(), "-n", "-r", LAB / name, "-T", "fields", "-e", "frame.number", *fields],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    expected = {}
    for line in printed.splitlines():
        number, *values = line.split("\t")
        expected[int(number)] = Label(sum(label for label, value in zip(Label, values, strict=True) if value))

    assert expected == {frame: labels.of(frame) for frame in expected}


def test_a_label_is_called_as_wireshark_calls_it():
    """The text is the names of the fields, and nothing where there is no label."""
    assert "keep_alive, ack_lost_segment" == (Label.KEEP_ALIVE | Label.ACK_LOST_SEGMENT).text
    assert NONE.text is None


@needs_tshark
def test_frames_are_found_by_label_and_by_number():
    """The frames with a label can be asked for in parts."""
    labels = all_labels(LAB / "telnet_lost_byte.pcap")
    frames = labels.among(FAMILY).tolist()
    middle = frames[len(frames) // 2]

    assert frames == labels.among(FAMILY, 0, middle).tolist() + labels.among(FAMILY, middle).tolist()
    assert labels.counts()["keep_alive"] == len(labels.among(Label.KEEP_ALIVE))
    assert NONE == labels.of(10**6)


@needs_tshark
def test_a_file_that_tshark_cannot_read_is_an_error(tmp_path):
    """What tshark says of it is raised where somebody waits."""
    path = tmp_path / "text.pcap"
    path.write_text("no capture", encoding="utf-8")
    with Labels(str(path)) as labels, pytest.raises(TsharkFailedError, match="capture file"):
        labels.wait()


@needs_tshark
def test_a_cut_file_has_labels_up_to_there(tmp_path):
    """Damage is a warning, and what was read counts."""
    path = tmp_path / "cut.pcap"
    whole = (CAPTURES / "founding_go_fin60.pcap").read_bytes()
    path.write_bytes(whole[:-7])
    labels = all_labels(path)

    assert (
        all_labels(CAPTURES / "founding_go_fin60.pcap").among(FAMILY).tolist()[:30]
        == labels.among(FAMILY).tolist()[:30]
    )
    assert any("cut short" in said for said in labels.warnings)


@needs_tshark
def test_leaving_early_stops_tshark():
    """Whoever does not wait for the end leaves no program behind."""
    with Labels(str(LAB / "telnet_lost_byte.pcap")) as labels:
        pass

    assert labels._run._process.poll() is not None
