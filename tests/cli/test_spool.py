"""Standard input as a file."""

import io
import sys
from pathlib import Path

from analyzer.cli.spool import as_file


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
