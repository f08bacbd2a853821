import gzip
import io
import os
import sys
import threading

import pytest

from analyzer.capture.source import RawSource, is_stream, open_source
from analyzer.errors import CaptureError


def octets_of(source):
    """Everything a source gives."""
    view, found = memoryview(bytearray(1000)), b""
    while got := source.readinto(view):
        found += view[:got]
    return found


class Stdin:
    """Stands in for sys.stdin."""

    closed = False

    def __init__(self, octets=b"", *, terminal=False):
        self.buffer = io.BufferedReader(io.BytesIO(octets))
        self.terminal = terminal

    def isatty(self):
        """Whether a person types here."""
        return self.terminal


def test_a_file(tmp_path):
    """A file is read to its end; its size is known, and how much of it was read."""
    path = tmp_path / "made"
    path.write_bytes(b"abc" * 1000)
    source = open_source(str(path))

    assert (3000, 0, "", "") == (source.size, source.bytes_read, source.compression, source.damage)
    assert b"abc" * 1000 == octets_of(source)
    assert 3000 == source.bytes_read
    source.close()


@pytest.mark.parametrize("length", range(6))
def test_short_files(tmp_path, length):
    """A file shorter than a magic number gives what it has."""
    path = tmp_path / "made"
    path.write_bytes(b"x" * length)
    source = open_source(str(path))

    assert b"x" * length == octets_of(source)
    source.close()


def test_standard_input(monkeypatch):
    """A dash is standard input, whose size nobody knows."""
    monkeypatch.setattr(sys, "stdin", Stdin(b"abc"))
    source = open_source("-")

    assert (None, b"abc") == (source.size, octets_of(source))
    source.close()
    assert not sys.stdin.buffer.closed


def test_compressed_standard_input(monkeypatch):
    """Compression is told by octets, so a stream may be compressed."""
    monkeypatch.setattr(sys, "stdin", Stdin(gzip.compress(b"abc")))
    source = open_source("-")

    assert ("gzip", b"abc") == (source.compression, octets_of(source))
    source.close()


def test_a_fifo_gives_what_there_is(tmp_path):
    """A FIFO gives octets when they come, without waiting for more."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    asked = threading.Event()

    def write():
        with path.open("wb", buffering=0) as stream:
            stream.write(b"abcdef")
            asked.wait(10)
            stream.write(b"ghi")

    writer = threading.Thread(target=write)
    writer.start()
    source = open_source(str(path))
    view = memoryview(bytearray(100))
    first = bytes(view[: source.readinto(view)]) + bytes(view[: source.readinto(view)])
    asked.set()

    assert (None, b"abcdef") == (source.size, first)
    assert b"ghi" == octets_of(source)
    writer.join()
    source.close()


def test_no_such_file(tmp_path):
    """A missing file is an error."""
    with pytest.raises(CaptureError) as caught:
        open_source(f"{tmp_path}/missing.pcap")

    assert f"{tmp_path}/missing.pcap: no such file" == str(caught.value)


def test_a_directory(tmp_path):
    """A directory is an error."""
    with pytest.raises(CaptureError) as caught:
        open_source(str(tmp_path))

    sentence = "is a directory without captures; expected a pcap or pcapng file, or a directory of them"
    assert f"{tmp_path}: {sentence}" == str(caught.value)


def test_no_permission(tmp_path, monkeypatch):
    """A file that may not be read is an error."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "made"
    path.write_bytes(b"abc")
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(CaptureError) as caught:
        open_source(str(path))

    assert f"{path}: no permission to read it" == str(caught.value)


def test_a_name_that_is_none():
    """A path that no system takes is an error."""
    with pytest.raises(CaptureError, match=r"cannot be opened \(.*null"):
        open_source("a\0b")


def test_a_terminal(monkeypatch):
    """Waiting for a person to type a capture helps nobody."""
    monkeypatch.setattr(sys, "stdin", Stdin(terminal=True))
    with pytest.raises(CaptureError) as caught:
        open_source("-")

    assert ("standard input: is a terminal; expected a pcap or pcapng stream, as from: tcpdump -w - | ...") == str(
        caught.value
    )


def test_no_standard_input(monkeypatch):
    """A closed standard input is an error."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CaptureError) as caught:
        open_source("-")

    assert "standard input: is closed; expected a pcap or pcapng stream" == str(caught.value)


class Broken:
    """A stream of a device that fails after a while."""

    def __init__(self, *octets):
        self.octets = list(octets)

    def readinto(self, view):
        """Give the next octets, then fail."""
        if not self.octets:
            raise OSError(5, "Input/output error")
        octets = self.octets.pop(0)
        view[: len(octets)] = octets
        return len(octets)

    def close(self):
        """Close nothing."""


def test_a_device_that_fails_later():
    """An error of the device ends the octets; what was read before counts."""
    source = RawSource("disk", Broken(b"abc", b"def"), 100, owned=True)

    assert b"abcdef" == octets_of(source)
    assert "reading stopped at byte 6: cannot be read (Input/output error)" == source.damage


def test_a_device_that_fails_at_once(tmp_path, monkeypatch):
    """An error before the first octet is an error."""
    path = tmp_path / "made"
    path.write_bytes(b"abc")
    monkeypatch.setattr(RawSource, "peek", lambda *_: Broken().readinto(b""))
    with pytest.raises(CaptureError) as caught:
        open_source(str(path))

    assert f"{path}: cannot be read (Input/output error)" == str(caught.value)


def test_what_can_be_read_once_is_known(tmp_path):
    """Standard input and pipes are streams; files, folders and names of nothing are none."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")

    found = [
        path for path in ("-", *(str(tmp_path / name) for name in ("pipe", "file", "", "nothing"))) if is_stream(path)
    ]

    assert ["-", str(tmp_path / "pipe")] == found
    assert not is_stream("a\0b")
