"""``keepalive compare``."""

import json
from pathlib import Path

import pytest

from tests.wireshark.needs import needs_tshark

MIDSTREAM = "lab/midstream_answered.pcap"
CAPTURES = Path(__file__).parents[2] / "captures"


@needs_tshark
def test_text_has_counts_differences_and_reasons(keepalive):
    """The page goes from counts to frames to why."""
    done = keepalive("compare", MIDSTREAM)
    parts = [done.out.index(part) for part in ("OURS ", "FLOW  FRAME", "began-midstream: 5 frames, right: ours")]

    assert 0 == done.status
    assert parts == sorted(parts)
    assert "The capture began in the middle of the connection" in done.out
    assert done.out.count("unclassified: 0.") == 1


@needs_tshark
def test_json_is_one_object(keepalive):
    """Differences, classes and the number of unclassified ones, as issue 7 has them."""
    found = json.loads(keepalive("compare", MIDSTREAM, "--json").out)
    first = found["differences"][0]

    assert ["differences", "classes", "unclassified"] == list(found)[:3]
    assert 0 == found["unclassified"]
    assert ["frame", "flow", "ours", "wireshark", "class", "right", "why"] == list(first)
    assert (4, 0, "keepalive_probe", None, "began-midstream", "ours") == tuple(first.values())[:6]
    assert 5 == found["classes"]["began-midstream"]["frames"]
    assert sum(entry["frames"] for entry in found["classes"].values()) == len(found["differences"])


@needs_tshark
def test_where_both_agree(keepalive):
    """A capture without differences says so."""
    done = keepalive("compare", "founding_go_fin60.pcap")

    assert "31 frames compared, 31 the same, 0 different; unclassified: 0." in done.out


@needs_tshark
def test_a_limit_and_a_flow(keepalive):
    """--limit cuts the list and says so; --flow asks for one flow."""
    few = keepalive("compare", MIDSTREAM, "--limit", 2).out
    none = keepalive("compare", MIDSTREAM, "--flow", 7).out

    assert "8 more; --limit 0 lists all" in few.replace("\n", " ").replace("  ", " ")
    assert "0 frames compared" in none


@needs_tshark
def test_standard_input(program):
    """A capture may come through a pipe."""
    done = program("compare", "-", stdin=(CAPTURES / MIDSTREAM).read_bytes())

    assert 0 == done.status
    assert done.out.startswith("-: keepalive beside Wireshark")


@needs_tshark
def test_a_cut_capture_is_compared_as_far_as_it_goes(keepalive, tmp_path):
    """What tshark says of the damage is a warning."""
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CAPTURES / MIDSTREAM).read_bytes()[:-9])
    done = keepalive("compare", cut)

    assert 0 == done.status
    assert "warning: tshark: The file" in done.err


def test_without_tshark(keepalive, monkeypatch, tmp_path):
    """A missing tshark is status 2 and one sentence with the way out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = keepalive("compare", MIDSTREAM)

    assert (2, "") == (done.status, done.out)
    assert done.err.startswith("keepalive: this needs tshark, which comes with Wireshark and is not installed here: ")


@needs_tshark
def test_another_version_is_noted(keepalive, monkeypatch):
    """The reasons were written for one version; of another, the user is told."""
    monkeypatch.setattr("analyzer.wireshark.tshark.JUDGED", (3, 6, 1))
    done = keepalive("compare", MIDSTREAM)

    assert "the reasons were written for 3.6.1" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no capture named"),
        (["a.pcap", "-r", "b.pcap"], "one capture at a time: b.pcap or a.pcap"),
        (["good.pcap", "bad.pcap"], "from two points are laid side by side by keepalive join, those of two runs by"),
    ],
)
def test_one_capture_has_to_be_named(keepalive, arguments, sentence):
    """None is too few, two are too many."""
    done = keepalive("compare", *arguments)

    assert 2 == done.status
    assert sentence in done.err
