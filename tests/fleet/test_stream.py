"""The files of one capture point as one stream that can be saved between two files."""

import io
import json
from pathlib import Path

import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.fleet.state import StateError
from analyzer.fleet.stream import PointStream

CAPTURES = Path(__file__).parents[2] / "captures"


class Opened(io.BytesIO):
    """Octets in memory, read as a store's."""


def read(stream, path):
    """Read a file into a stream; return the numbers of flows that finish."""
    octets = path.read_bytes()
    return [
        (capture, batch.flow["number"].tolist())
        for capture, batch in stream.read(str(path), Opened(octets), len(octets))
    ]


def ended(stream):
    """End a stream; return the numbers of flows that were left."""
    return [(capture, batch.flow["number"].tolist()) for capture, batch in stream.end()]


def saved(stream):
    """Return a stream that goes on from what was saved of another."""
    arrays, facts = stream.save()
    return PointStream.restored(arrays, json.loads(json.dumps(facts)))


def test_what_does_not_go_on_is_another_capture():
    """Files of other times are captures of their own, with the summaries that ``report`` has of them."""
    paths = [CAPTURES / "founding_go_fin60.pcap", CAPTURES / "founding_killed.pcap", CAPTURES / "fixed_server.pcap"]
    stream = PointStream()
    for path in paths:
        read(stream, path)
        stream = saved(stream)
    ended(stream)
    whole = Analysis()
    for path in paths:
        for _ in read_flows([str(path)], whole):
            pass

    assert [[str(path)] for path in paths] == [each.paths for each in stream.captures]
    for ours, theirs in zip(stream.captures, whole.captures, strict=True):
        for name in ("format", "link_types", "start_ns", "end_ns", "frames", "tcp_segments", "skipped", "warnings"):
            assert getattr(theirs, name) == getattr(ours, name), name


def test_what_cannot_be_read_is_named(tmp_path):
    """A file that is no capture is refused with its reason, and ends the capture before it."""
    (tmp_path / "no.pcap").write_bytes(b"PK\3\4 something")
    stream = PointStream()
    read(stream, CAPTURES / "founding_go_fin60.pcap")
    left = read(stream, tmp_path / "no.pcap")

    assert [(0, [0])] == left
    assert [] == ended(stream)
    assert str(tmp_path / "no.pcap") == stream.refused[0][0]
    assert "zip" in stream.refused[0][1].lower()


def test_a_link_type_that_nobody_decodes_is_no_capture(tmp_path):
    """A file of which nothing could be decoded is refused."""
    octets = bytearray((CAPTURES / "founding_go_fin60.pcap").read_bytes())
    octets[20:24] = (222).to_bytes(4, "little")
    (tmp_path / "odd.pcap").write_bytes(octets)
    stream = PointStream()

    assert [] == read(stream, tmp_path / "odd.pcap")
    assert ([], 1) == (stream.captures, len(stream.refused))
    assert [] == ended(stream)


@pytest.mark.parametrize("key", ["captures", "at", "refused"])
def test_facts_that_no_stream_saved_are_refused(key):
    """What lacks in a state, or is of another kind, is damage."""
    stream = PointStream()
    read(stream, CAPTURES / "founding_go_fin60.pcap")
    arrays, facts = stream.save()
    facts[key] = {"x": 1}

    with pytest.raises(StateError):
        PointStream.restored(arrays, facts)
