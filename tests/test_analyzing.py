"""Captures into an analysis: what is read, what is told meanwhile, and what cannot be read."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from analyzer import analyzing
from analyzer.analysis import Analysis
from analyzer.analyzing import Apart, analyze, read_flows, read_into
from analyzer.capture.reader import CaptureReader
from analyzer.capture.rotation import RotatedReader
from analyzer.errors import CaptureError, UnsupportedLinkTypeError
from analyzer.intake import Intake
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


@pytest.fixture
def tracking_apart(monkeypatch):
    """Have captures be tracked in a thread of their own, however short they are."""
    monkeypatch.setattr(analyzing, "_is_long", lambda _: True)
    monkeypatch.setattr(RotatedReader, "size", None)
    monkeypatch.setattr(CaptureReader, "__iter__", lambda reader: reader.batches(2))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def _finished(path, **options):
    flows = [batch for _, batch in read_flows([str(path)], Analysis(), **options)]
    names = ["number", "first_frame", "last_frame", "seen_count"]
    return [
        (batch.flow[names].tolist(), batch.seen.tolist(), batch.beside.tolist()) for batch in flows if batch is not None
    ]


@pytest.mark.parametrize("name", ["founding_go_fin60.pcap", "lab/port_reuse.pcap"])
def test_tracking_in_a_thread_of_its_own_finishes_the_same_flows(request, name):
    """Which thread tracks does not change which flows come, in which order, or what is in them."""
    alone = _finished(CAPTURES / name)
    request.getfixturevalue("tracking_apart")

    assert alone
    assert alone == _finished(CAPTURES / name, apart=Apart())


@pytest.mark.usefixtures("tracking_apart")
def test_what_goes_wrong_in_the_thread_that_tracks_reaches_the_caller(monkeypatch):
    """An error while tracking is raised to whoever takes the flows, and no thread is left."""
    monkeypatch.setattr(Intake, "feed", lambda *_: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        read_into(Analysis(), [str(FOUNDING)])
    assert not [thread for thread in threading.enumerate() if thread.name == "keepalive-read-ahead"]


@pytest.mark.usefixtures("tracking_apart")
def test_something_else_is_done_while_the_first_packets_are_read():
    """Once for a capture, and what is read is the same."""
    done, result = [], Analysis()
    read_into(result, [str(FOUNDING)], meanwhile=lambda: done.append(1))

    assert ([1], 1) == (done, len(result.captures))


@pytest.mark.usefixtures("tracking_apart")
def test_who_takes_no_more_flows_ends_all_threads(monkeypatch):
    """Whoever stops early leaves neither the thread that tracks nor the one that reads for it."""
    monkeypatch.setattr(analyzing, "QUIET", 1)
    flows = read_flows([str(FOUNDING)], Analysis(), apart=Apart())
    next(flows)
    flows.close()

    assert not [thread for thread in threading.enumerate() if thread.name == "keepalive-read-ahead"]


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
