"""Standard input as a file."""

import io
import sys
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
