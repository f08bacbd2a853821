"""One capture read by two processes."""

import gzip
import os
from pathlib import Path

import pytest

from analyzer import halves
from analyzer.analysis import Analysis, analyze, read_into
from analyzer.errors import CaptureError

CAPTURES = Path(__file__).parents[1] / "captures"
NAMES = ["founding_go_fin60.pcap", "lab/port_reuse.pcap", "lab/both_sides.pcap", "lab/any_router_sll.pcap"]


@pytest.fixture
def many(tmp_path):
    """Return the path of a capture of many flows: bundled ones, one behind the other, as rotated files."""
    parts = []
    for at, name in enumerate(("founding_go_fin10.pcap", "dead_peer_silence.pcap", "lab/port_reuse.pcap")):
        path = tmp_path / f"row{at}.pcap"
        path.write_bytes((CAPTURES / name).read_bytes())
        parts.append(str(path))
    return parts


def read(row, **options):
    """Return an analysis of a row read in halves, and what is left of the row."""
    result = Analysis(keep_all=False, most=100)
    left = halves.read_in_halves(result, row, jit=False, **options)
    return result, left


@pytest.mark.parametrize("name", NAMES)
def test_halves_give_what_the_whole_gives(name):
    """Totals, numbers, lines and every judged flow are the same."""
    path = str(CAPTURES / name)
    whole = Analysis(keep_all=False, most=100)
    read_into(whole, [path], jit=False)
    result, _ = read([path])

    assert whole.totals == result.totals
    assert whole.captures == result.captures
    assert whole.probing_hosts() == result.probing_hosts()
    assert [flow.number for flow in whole] == [flow.number for flow in result]
    assert [flow.judged for flow in whole] == [flow.judged for flow in result]


def test_each_half_has_flows():
    """The hash splits the flows of a capture, or else nothing here was tested."""
    path = str(CAPTURES / "lab" / "port_reuse.pcap")
    shares = []
    for seed in range(20):
        part = Analysis()
        halves._read(part, [path], "auto", (seed, 1, 2), jit=False)
        shares.append(part.totals.flows)

    assert {0, analyze(path).totals.flows} <= set(shares)


def test_what_is_no_continuation_is_left(many):
    """A row that breaks off is read to there, by both, and the rest returned."""
    _, left = read(many)

    assert many[1:] == left


def test_an_unreadable_file_is_refused_as_ever(tmp_path):
    """The error names the file, and no process is left behind."""
    with pytest.raises(CaptureError, match=r"absent\.pcap"):
        read([str(tmp_path / "absent.pcap")])


def test_a_second_process_that_dies_is_no_result(monkeypatch):
    """Half a result is not passed off as a whole one."""
    monkeypatch.setattr(halves, "_other_half", lambda *_: os._exit(1))

    with pytest.raises(CaptureError, match="the second process ended before its time"):
        read([str(CAPTURES / "founding_go_fin60.pcap")])


def test_it_pays_for_large_plain_files_only(tmp_path):
    """Small or compressed files are read by one process."""
    packed = tmp_path / "x.pcap.gz"
    packed.write_bytes(gzip.compress(b""))

    assert not halves.pays(halves.LARGE - 1, ["x.pcap"])
    assert not halves.pays(halves.LARGE, [str(packed)])
