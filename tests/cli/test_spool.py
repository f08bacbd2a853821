"""Standard input, or a named pipe, as a file."""

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from analyzer.cli.spool import as_file
from analyzer.errors import AnalyzerError, CaptureError


def test_a_file_is_itself():
    """Whatever has a name keeps it."""
    with as_file("some.pcap") as path:
        assert "some.pcap" == path


def test_standard_input_is_there_meanwhile(monkeypatch):
    """What comes through the pipe is in a file, which is gone afterwards."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"octets")))
    with as_file("-") as path:
        assert b"octets" == Path(path).read_bytes()

    assert not Path(path).exists()


@pytest.mark.parametrize(
    "make", [lambda path: CaptureError(path, "is empty"), lambda path: AnalyzerError(f"{path}: is empty")]
)
def test_what_is_wrong_is_told_of_standard_input(monkeypatch, make):
    """No sentence has the name of the file that is there only meanwhile."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(AnalyzerError) as refused, as_file("-") as path:
        raise make(path)

    assert "standard input: is empty" == str(refused.value)


def filled(path, octets):
    """Make a named pipe, and begin to write into it; return who writes."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(octets,), daemon=True)
    writer.start()
    return writer


def test_a_named_pipe_is_there_meanwhile(tmp_path):
    """What can be read only once may be read as often as somebody likes, and what is wrong is told of the pipe."""
    pipe = tmp_path / "pipe"
    writer = filled(pipe, b"octets")

    with pytest.raises(AnalyzerError) as refused, as_file(str(pipe)) as path:
        raise CaptureError(path, ", ".join(Path(path).read_text(encoding="utf-8") for _ in range(2)))

    writer.join()
    assert f"{pipe}: octets, octets" == str(refused.value)


def test_a_pipe_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    """An error of the system is told of the pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(CaptureError, match=r"pipe: cannot be read \(Permission denied\)"), as_file(str(pipe)):
        pass


def test_a_closed_standard_input_is_named(monkeypatch):
    """Where nobody is behind standard input, that is said."""
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(CaptureError, match="standard input: is closed"), as_file("-"):
        pass
