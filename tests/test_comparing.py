"""``compare(path)``: what it refuses, and how little it keeps."""

import asyncio
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import analyzer
from analyzer.comparing import compare
from analyzer.errors import CaptureError
from analyzer.wireshark.tshark import TsharkMissingError, WiresharkError
from tests.wireshark.needs import needs_tshark

ROOT = Path(__file__).parents[1]
FOUNDING = ROOT / "captures" / "founding_go_fin60.pcap"


def test_without_tshark_the_error_says_what_to_install(monkeypatch, tmp_path):
    """A system without tshark gets one sentence."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TsharkMissingError, match="needs tshark"):
        compare(FOUNDING)


@needs_tshark
def test_what_is_no_capture_is_an_error(tmp_path):
    """A text file is refused, by us or by tshark."""
    path = tmp_path / "notes.txt"
    path.write_text("no capture", encoding="utf-8")
    with pytest.raises((CaptureError, WiresharkError)):
        compare(path)


@needs_tshark
def test_a_compressed_capture(tmp_path):
    """Compression makes no difference."""
    import gzip

    packed = tmp_path / "founding.pcap.gz"
    packed.write_bytes(gzip.compress(FOUNDING.read_bytes()))

    assert compare(FOUNDING).beside == compare(packed).beside


@needs_tshark
@pytest.mark.slow
def test_no_packet_is_kept(tmp_path):
    """Ten times the packets take hardly more memory than what was said of them."""
    peaks = []
    for segments in (5_000, 50_000):
        path = tmp_path / f"{segments}.pcap"
        subprocess.run(
            [
                sys.executable,
                ROOT / "tests/bench/generate.py",
                "--segments",
                str(segments),
                "--flows",
                "60",
                "--out",
                path,
            ],
            check=True,
            capture_output=True,
            cwd=ROOT,
        )
        tracemalloc.start()
        comparison = compare(path, jit=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert 0 == comparison.unclassified
    assert peaks[1] < peaks[0] + 8_000_000


def test_compare_is_a_public_name():
    """The package offers it."""
    assert compare is analyzer.compare


@needs_tshark
def test_a_running_event_loop_does_not_matter():
    """Inside a coroutine, as in a notebook, the comparison is the same."""

    async def work():
        return compare(FOUNDING)

    assert compare(FOUNDING).beside == asyncio.run(work()).beside
