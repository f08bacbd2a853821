"""Rotated files of one capture point as one stream."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.capture import open_capture
from analyzer.capture.rotation import RotatedReader, in_folders, series_of, streams
from analyzer.errors import AnalyzerError
from tests.capture.craft import block, enhanced, interface, section

CAPTURES = Path(__file__).parents[2] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"


def split(path, folder, at):
    """Write a pcap as files of ``at`` frames each, and return their paths as text."""
    octets = path.read_bytes()
    head, place, count, parts = octets[:24], 24, 0, [b""]
    while place < len(octets):
        length = 16 + int.from_bytes(octets[place + 8 : place + 12], "little")
        if count == at:
            parts.append(b"")
            count = 0
        parts[-1] += octets[place : place + length]
        place, count = place + length, count + 1
    names = []
    for index, part in enumerate(parts):
        name = folder / f"trace.pcap{index}"
        name.write_bytes(head + part)
        names.append(str(name))
    return names


def columns(reader):
    """Return all rows of a reader as one array."""
    return np.concatenate([batch.rows for batch in reader])


def test_files_of_one_series_are_one_stream_with_frames_counted_through(tmp_path):
    """The rows of split files equal those of the whole."""
    names = split(FOUNDING, tmp_path, 7)
    with open_capture(str(FOUNDING)) as whole, RotatedReader(names) as parts:
        expected, got = columns(whole), columns(parts)

    assert expected.tolist() == got.tolist()
    assert [1, 8, 15, 22, 29, 36] == [part.first_frame for part in parts.parts]


def test_names_that_differ_in_digits_are_a_series_in_order_of_time(tmp_path):
    """trace.pcap10 comes behind trace.pcap9, and a file of another name stands alone."""
    names = split(FOUNDING, tmp_path, 3)
    other = tmp_path / "other.pcap"
    other.write_bytes(FOUNDING.read_bytes())

    assert [names, [str(other)]] == series_of([*reversed(names), str(other)])


def test_a_file_that_overlaps_its_forerunner_is_left_for_a_capture_of_its_own():
    """Two captures made at the same time are no series, however they are called."""
    paths = [str(CAPTURES / name) for name in ("founding_go_fin10.pcap", "founding_go_fin60.pcap")]
    analysis = analyze(*paths)

    assert [[paths[0]], [paths[1]]] == sorted(capture.paths for capture in analysis.captures)


def test_a_series_is_read_in_parts_that_go_on(tmp_path):
    """A file that cannot be opened, or does not go on, ends a part; the rest of the series still comes."""
    names = split(FOUNDING, tmp_path, 13)
    absent, alone = str(tmp_path / "absent.pcap"), str(CAPTURES / "founding_go_fin10.pcap")
    got = []
    for source in streams([absent, *names, alone]):
        if isinstance(source, AnalyzerError):
            got.append("refused")
            continue
        with source:
            got.append((source.path, len(columns(source)), [part.path for part in source.parts]))

    assert ["refused", (names[0], 39, names)] == got[:2]
    assert [alone] == [path for path, _, _ in got[2:]]


def test_a_flow_may_span_files(tmp_path):
    """One flow, one verdict, though its frames lie in six files."""
    analysis = analyze(tmp_path) if split(FOUNDING, tmp_path, 7) else None

    assert ["reset_on_probe"] == [flow.verdict for flow in analysis.flows]
    assert 6 == len(analysis.captures[0].paths)


def test_each_file_for_itself_if_asked(tmp_path):
    """Without one_stream every file is a capture point."""
    names = split(FOUNDING, tmp_path, 7)

    assert 6 == len(analyze(*names, one_stream=False).captures)


def test_a_warning_names_its_file(tmp_path):
    """A cut file within a row is read as far as it goes, and the warning says which it is."""
    names = split(FOUNDING, tmp_path, 20)
    first = Path(names[0])
    first.write_bytes(first.read_bytes()[:-5])

    warnings = analyze(*names).captures[0].warnings

    assert [True] == [warning.startswith("trace.pcap0: ") for warning in warnings]


def test_a_folder_stands_for_the_captures_in_it(tmp_path):
    """Other files are passed over, and a folder without captures stays to be refused."""
    names = split(FOUNDING, tmp_path, 20)
    (tmp_path / "notes.txt").write_text("no packets")
    empty = tmp_path / "empty"
    empty.mkdir()

    assert names == in_folders([str(tmp_path)])
    assert [str(empty)] == in_folders([str(empty)])


@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap (package tshark or wireshark-common) is not there")
def test_what_editcap_splits_reads_as_the_whole(tmp_path):
    """Twenty files from editcap give the same flows as the one they were cut from."""
    subprocess.run(["editcap", "-F", "pcap", "-c", "2", FOUNDING, tmp_path / "x.pcap"], check=True, timeout=60)
    whole, parts = analyze(FOUNDING), analyze(tmp_path)

    assert 20 == len(parts.captures[0].paths)
    assert [flow.judged for flow in whole.flows] == [flow.judged for flow in parts.flows]


def test_the_start_is_that_of_the_first_frame_with_a_time(tmp_path):
    """Frames without a time before it, such as custom blocks, do not take its place."""
    path = tmp_path / "made.pcapng"
    path.write_bytes(section() + interface() + block(0xBAD, bytes(8)) + enhanced(bytes(60), 1_600_000_000_000_000))
    with RotatedReader([str(path)]) as reader:
        for _ in reader:
            pass

        assert 1_600_000_000_000_000_000 == reader.start_ns


def test_drops_are_told_by_the_frames_of_the_whole_series(tmp_path):
    """Stretches with drops of a later file count the frames of those before it."""

    def looked(count):
        return block(5, struct.pack("<III", 0, 0, 0) + struct.pack("<HHQ", 5, 8, count))

    frames = [enhanced(bytes(60), at) for at in range(4)]
    for name, count in (("trace.0.pcapng", 0), ("trace.1.pcapng", 9)):
        blocks = section(), interface(), looked(0), frames[0], frames[1], looked(count), frames[2]
        (tmp_path / name).write_bytes(b"".join(blocks))
    with RotatedReader([str(tmp_path / "trace.0.pcapng"), str(tmp_path / "trace.1.pcapng")]) as reader:
        found = [loss for batch in reader for loss in batch.losses.tolist()]

    assert [(4, 6, 9, 0)] == [loss[2:] for loss in found]


def test_pipes_are_no_series_whatever_they_are_called(tmp_path):
    """What can be read only once is not opened to see when it began: each is a capture of its own."""
    pipes = [str(tmp_path / name) for name in ("62", "63")]
    for pipe in pipes:
        os.mkfifo(pipe)

    assert [[pipes[0]], [pipes[1]]] == series_of(pipes)
