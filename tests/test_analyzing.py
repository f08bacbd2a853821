"""Captures into an analysis: what is read, what is told meanwhile, and what cannot be read."""

import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_flows, read_into
from analyzer.capture.reader import CaptureReader
from analyzer.errors import CaptureError, UnsupportedLinkTypeError
from tests.capture.craft import ethernet, ipv4, pcap, pcapng, tcp

CAPTURES = Path(__file__).parents[1] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"


def test_progress_is_told():
    """Whoever asks learns how far reading has come."""
    told = []
    analyze(FOUNDING, progress=lambda source, frames: told.append((source.bytes_read <= source.size, frames)))

    assert (True, 39) == told[-1]


def test_a_capture_of_which_nothing_can_be_read_raises():
    """The error says which file, and leaves no trace in the analysis."""
    analysis = Analysis()

    with pytest.raises(CaptureError, match=r"absent\.pcap"):
        list(read_flows([str(CAPTURES / "absent.pcap")], analysis))
    assert [] == analysis.captures


def test_what_cannot_be_read_leaves_the_rest_of_its_series(tmp_path):
    """Files behind one that is absent, or of which nothing can be decoded, are read; what is wrong is told."""
    foreign = tmp_path / "foreign.pcapng"
    foreign.write_bytes(pcapng([bytes(60)] * 3, 147))
    told, result = [], Analysis()

    read_into(result, [str(tmp_path / "absent.pcap"), str(foreign), str(FOUNDING)], refused=told.append)

    assert ["CaptureError", "UnsupportedLinkTypeError"] == [type(error).__name__ for error in told]
    assert [[str(FOUNDING)]] == [capture.paths for capture in result.captures]


def test_what_was_read_before_an_error_is_in_the_summary(tmp_path, monkeypatch):
    """A capture in which nothing could be decoded is refused at its end, and all its frames are set aside."""
    path = tmp_path / "foreign.pcapng"
    path.write_bytes(pcapng([bytes(60)] * 50, 147))
    monkeypatch.setattr(CaptureReader, "__iter__", lambda reader: reader.batches(10))
    result = Analysis()

    with pytest.raises(UnsupportedLinkTypeError):
        read_into(result, [str(path)])
    assert (50, 50) == (result.captures[0].frames, result.captures[0].skipped["not_tcp"])


REHEARSALS = """
import sys
from analyzer.analyzing import analyze, rehearse_pcap, rehearse_pcapng
from analyzer.loops.rehearsal import rehearsed

own = {"pcap": rehearse_pcap, "pcapng": rehearse_pcapng}[sys.argv[1]]
known = {(part.loop, part.types) for each in (rehearse_pcap, own) for part in rehearsed(each)}
wanted = {(part.loop, part.types) for part in rehearsed(lambda: analyze(sys.argv[2], jit=True))}
for name, loops in (("missing", wanted - known), ("wanted", wanted), ("more", known - wanted)):
    print(name, *sorted({loop.rpartition(".")[2] for loop, _ in loops}))
"""


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_a_rehearsal_calls_every_loop_that_reading_takes(tmp_path, make):
    """No loop, and no types of arguments, that a capture takes is left to be compiled later, when it is waited for."""
    # in a process of its own: loops that other tests have loaded are not rehearsed
    frames = [
        ethernet(ipv4(tcp(seq=seq, flags=flags))) for seq, flags in ((1, 2), (9, 4), (500, 2), (501, 16), (500, 16))
    ]
    (tmp_path / "capture").write_bytes(make(frames))
    child = subprocess.run(
        [sys.executable, "-P", "-c", REHEARSALS, make.__name__, str(tmp_path / "capture")],
        capture_output=True,
        text=True,
        check=True,
    )
    loops = {name: set(rest) for name, *rest in map(str.split, child.stdout.splitlines())}

    assert {"settle", "observe", "decode"} < loops["wanted"]
    assert set() == loops["missing"]
    assert {"refill", "sweep", "retire"} <= loops["more"]
