"""Writing live packets as pcapng, with notes between them that move no frame."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from analyzer.capture import open_capture
from analyzer.capture.host_notes import host_notes
from analyzer.capture.pcapng_writer import LONGEST_NOTE, PcapngWriter
from tests.capture.test_pcap_writer import BOTH, FRAMES, write

SECOND = 1_000_000_000


def written(folder, *, jit=False, notes=()):
    """Return the path of a file with the frames, in two goes, and notes between and behind them."""
    path = str(folder / "out.pcapng")
    writer = PcapngWriter(path, 1, snaplen=65535, interface="lo")
    write(writer, FRAMES[:4], jit=jit)
    for note in notes[:1]:
        writer.note(5 * SECOND, note, received=4, dropped=0)
    write(writer, FRAMES[4:], jit=jit)
    for note in notes[1:]:
        writer.note(6 * SECOND, note, received=9, dropped=0)
    writer.close()
    assert len(FRAMES) == writer.frames
    return path


def read(path):
    """Return the rows of a capture, and what is said of it."""
    with open_capture(path) as source:
        return np.concatenate([batch.rows for batch in source]), source.warnings


@BOTH
def test_what_is_written_is_read_the_same(tmp_path, jit):
    """The reader finds every frame, its number, time and length, with notes and without."""
    rows, warnings = read(written(tmp_path, jit=jit))
    noted, _ = read(written(tmp_path, jit=jit, notes=["one", "two", "three"]))

    assert [ts_ns for _, ts_ns, _ in FRAMES] == rows["ts_ns"].tolist()
    assert list(range(1, 10)) == rows["frame"].tolist()
    assert [] == warnings
    assert rows.tolist() == noted.tolist()


@pytest.mark.slow
def test_plain_and_compiled_write_the_same(tmp_path):
    """Both ways of writing make the same octets."""
    plain = Path(written(tmp_path)).read_bytes()

    assert plain == Path(written(tmp_path, jit=True)).read_bytes()


def test_notes_are_read_from_the_end(tmp_path):
    """Notes come back in order with their times, whatever stands in them, and too long a one is left out."""
    notes = ["first", '{"x": "\N{GREEK SMALL LETTER ALPHA}"}', "x" * LONGEST_NOTE, "last\nline"]
    path = written(tmp_path, notes=notes)

    assert [(5 * SECOND, "first"), (6 * SECOND, notes[1]), (6 * SECOND, "last\nline")] == host_notes(path)


def test_drops_are_kept_too(tmp_path):
    """What the kernel dropped until a note is a count of the file."""
    path = str(tmp_path / "out.pcapng")
    writer = PcapngWriter(path, 1, snaplen=65535)
    write(writer, FRAMES[:2])
    writer.note(FRAMES[1][1], "x", received=2, dropped=0)
    write(writer, FRAMES[2:4])
    writer.note(FRAMES[3][1], "x", received=7, dropped=3)
    write(writer, FRAMES[4:])
    writer.close()

    with open_capture(path) as source:
        losses = [loss for batch in source for loss in batch.losses["packets"].tolist()]

    assert [3] == losses


def test_a_note_on_a_full_disk_is_taken_back(tmp_path, monkeypatch):
    """A note that does not fit leaves a whole file behind, and is said."""
    path = str(tmp_path / "out.pcapng")
    writer = PcapngWriter(path, 1, snaplen=65535)
    write(writer, FRAMES)
    real = os.write

    def full(file, octets):
        if len(octets) > 40:
            return real(file, octets[:40])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    writer.note(SECOND, "x" * 100, received=9, dropped=0)
    monkeypatch.undo()
    writer.close()

    assert "No space left on device" in writer.damage
    assert len(FRAMES) == len(read(path)[0])


def test_blocks_are_as_the_draft_has_them(tmp_path):
    """Each block says its length at both ends, a multiple of four, and they fill the file."""
    octets = Path(written(tmp_path, notes=["x"])).read_bytes()
    kinds, at = [], 0
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        assert struct.unpack_from("<I", octets, at + length - 4) == (length,)
        assert length % 4 == 0
        kinds.append(kind)
        at += length

    assert [0x0A0D0D0A, 1, *[6] * 4, 5, *[6] * 5] == kinds
