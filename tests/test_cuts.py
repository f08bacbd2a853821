"""Less of a capture never shows more probes; ``tests/cuts.py`` tries all cuts, this a sample of them."""

import pytest

from tests.cuts import ROOT, SUFFIXES, connections, invented, lessened, main, rows_of

CAPTURES = sorted(path for path in (ROOT / "captures").rglob("*") if path.name.endswith(SUFFIXES))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_part_of_a_capture_shows_no_other_probe(path):
    """Cut at its front, or without one frame, a capture has no probe that is none in all of it."""
    wrong, tried = invented(path, every=7)

    assert [] == wrong
    assert tried > 0


def test_a_sample_has_cuts_and_drops():
    """Of every connection some cuts and some drops are tried, all of them if asked."""
    assert 11 == len(list(lessened(6, 1)))
    assert ["from row 2", "from row 5", "without row 1", "without row 4"] == [name for name, _ in lessened(6, 3)]


def test_connections_are_tried_by_themselves():
    """A capture of several connections is taken apart, and no row is lost."""
    rows = rows_of(ROOT / "captures" / "lab" / "port_reuse.pcap")

    assert len(rows) == sum(map(len, connections(rows)))


def test_the_command_says_what_it_tried(capsys):
    """Run by hand it counts captures, cuts and what they invent."""
    assert 0 == main([str(ROOT / "captures" / "peer_rebooted.pcap")])
    assert "1 captures, " in capsys.readouterr().out
