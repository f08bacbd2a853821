"""Reading the captures that were named, and the progress bar."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.cli import reading

TEXT = Path(__file__).parents[1] / "pasted" / "tcpdump_3.txt"


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self):
        return True


SOURCE = SimpleNamespace(path="x.pcap", bytes_read=500, size=1000)


def test_a_bar_is_drawn_only_after_a_while(monkeypatch):
    """What takes less than a second shows no bar, what takes longer shows octets and rate."""
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(reading, "PATIENCE_S", 60.0)
    with reading.Progress("x.pcap") as progress:
        progress(SOURCE, 100)
    assert terminal.getvalue() == ""

    monkeypatch.setattr(reading, "PATIENCE_S", 0.0)
    with reading.Progress("a\x1b[2Jb.pcap") as progress:
        progress._timer.join()
        progress._since_s -= 2.0
        progress(SimpleNamespace(path=progress.path, bytes_read=500, size=1000), 30_000)
        progress._bar.refresh()

    drawn = terminal.getvalue()
    assert "a\\x1b[2Jb.pcap" in drawn
    assert re.search(r"0\.5/1\.0 kB [\d,]+ packets/s", re.sub(r"\x1b\[[0-9;]*m", "", drawn))


def test_a_part_that_does_not_go_on_begins_anew(monkeypatch):
    """The bar names the file at hand, and its rate counts from there."""
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(reading, "PATIENCE_S", 0.0)
    with reading.Progress("w.pcap") as progress:
        progress._timer.join()
        progress._since_s -= 1000
        since_s = progress._since_s
        progress(SOURCE, 1)
        progress._bar.refresh()

    assert "x.pcap" in terminal.getvalue()
    assert progress._since_s > since_s


def test_no_bar_where_stderr_is_no_terminal(monkeypatch, capsys):
    """Into a file or a pipe nothing is drawn."""
    monkeypatch.setattr(reading, "PATIENCE_S", 0.0)
    with reading.Progress("x.pcap") as progress:
        progress(SOURCE, 1)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with reading.Progress("x.pcap", wanted=False) as progress:
        progress(SOURCE, 1)

    assert ("", "") == capsys.readouterr()


def test_compiling_is_said(monkeypatch, capsys):
    """Whoever waits because loops are being compiled is told so, terminal or not, and once."""
    monkeypatch.setattr(reading, "PATIENCE_S", 0.0)
    monkeypatch.setattr("analyzer.loops.machine.compiling", lambda: True)
    with reading.Progress("x.pcap") as progress:
        progress._timer.join()
        progress(SOURCE, 1)

    assert ("", f"keepalive: {reading.COMPILING}\n") == capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "purpose"),
    [
        (("compare",), "compare"),
        (("annotate", "-", "out"), "annotate"),
        (("report", "-Y", "tcp"), "a display filter (-Y)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_needs_packets_refuses_text(arguments, purpose, keepalive, tmp_path):
    """Where Wireshark or a copy needs packets, text is refused with one sentence and status 2."""
    verb, *more = arguments
    words = [tmp_path / "out.pcapng" if word == "out" else TEXT if word == "-" else word for word in more]
    done = keepalive(verb, *(words if TEXT in words else [*words, TEXT]))

    assert (2, "") == (done.status, done.out)
    assert (
        f"keepalive: {TEXT}: is text, and {purpose} needs packets, a pcap or pcapng file; report, explain and plot "
        "read text\n"
    ) == done.err
    assert [] == list(tmp_path.iterdir())


def test_a_text_is_explained_with_what_it_lacks(keepalive):
    """The story of a text has its probes, and says once what the text cannot show."""
    done = keepalive("explain", TEXT)

    assert 0 == done.status
    assert 1 == " ".join(done.out.split()).count("the text has no numbers of segments without data")
    assert "16 probes" in done.out or "12 probes after the FIN" in done.out
