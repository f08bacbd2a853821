"""Reading the captures that were named, and the progress bar."""

import io
from types import SimpleNamespace

import pytest

from analyzer.cli import reading


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self):
        return True


SOURCE = SimpleNamespace(bytes_read=500, size=1000)


@pytest.fixture
def clock(monkeypatch):
    """A clock to set."""
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr(reading.time, "monotonic", lambda: now.s)
    return now


def test_a_bar_is_drawn_only_after_a_second(clock, monkeypatch):
    """What takes less than a second shows no bar, what takes longer shows octets, rate and time left."""
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with reading.Progress("a\x1b[2Jb.pcap") as progress:
        progress(SOURCE, 100)
        assert terminal.getvalue() == ""

        clock.s = 2.0
        progress(SOURCE, 30_000)
        progress._bar.refresh()

    drawn = terminal.getvalue()
    assert "a\\x1b[2Jb.pcap" in drawn
    assert "15,000 packets/s" in drawn


def test_no_bar_where_stderr_is_no_terminal(clock, capsys):
    """Into a file or a pipe nothing is drawn."""
    with reading.Progress("x.pcap") as progress:
        clock.s = 9.0
        progress(SOURCE, 1)

    assert ("", "") == capsys.readouterr()
