"""A capture with both sides of a NAT host: what left on one side and never on the other is told in the flow's story."""

import pytest

from analyzer import both_sides, joining
from analyzer.analyzing import analyze
from analyzer.report.joint_text import both_sides_words
from tests.judging import CAPTURES
from tests.vantages import ACK, RST, World, keepalive, pcap


@pytest.fixture
def nat_host(tmp_path):
    """Return the capture of a NAT host that loses the third probe, and resets the client at the last one."""
    made = World(nat="203.0.113.9", nat_port=61000, delay_ns=20_000)
    a, b = keepalive(made, probes=6, lost=(2,))
    made.send(20.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(20.001, "b", RST, b + 1, 0, fate="made")
    path = tmp_path / "nat.pcap"
    path.write_bytes(pcap(sorted(made.frames["A"] + made.frames["B"])))
    return path


def test_second_side_shows_what_became_of_each_probe(nat_host):
    """A probe that came and did not leave was lost in the host, and a RST that only one side has was made there."""
    result = analyze(nat_host)
    sides = both_sides.BothSides(result.captures)

    joint, points = sides.of(result.flows[0])

    assert [0, 1] == [point.leg for point in points]
    assert ["answered", "answered", "lost", "answered", "answered", "answered", "reset"] == [
        probe.outcome for probe in joint.probes
    ]
    assert ("between", True) == (joint.ending.by, joint.ending.proven)
    assert sides.of(result.flows[1]) is None


def test_a_flow_with_one_side_is_joined_by_nobody(monkeypatch):
    """Where packets are there once, the capture is not read again."""
    monkeypatch.setattr(joining, "join", None)
    result = analyze(CAPTURES / "dead_peer_silence.pcap")

    assert both_sides.BothSides(result.captures).of(result.flows[0]) is None


def test_a_long_capture_is_not_read_again(nat_host, monkeypatch):
    """Of a capture with more segments than that both sides are told by ``join`` alone."""
    monkeypatch.setattr(both_sides, "MOST_SEGMENTS", 5)
    result = analyze(nat_host)

    assert both_sides.BothSides(result.captures).of(result.flows[0]) is None


def test_both_pairs_of_addresses_are_said(nat_host):
    """The sentence of a report names the connection as it is on either side."""
    result = analyze(nat_host)
    words = both_sides_words(*both_sides.BothSides(result.captures).of(result.flows[0]))

    for part in (
        "192.0.2.1:40000 and 198.51.100.1:443 at A, 203.0.113.9:61000 and 198.51.100.1:443 at B",
        "1 lost between A and B",
    ):
        assert part in words


@pytest.mark.parametrize("prober", ["a", "b"])
def test_what_one_side_of_a_translation_lacks_contradicts_the_other_nowhere(tmp_path, prober):
    """An end that gave up aborted nothing on the far side, where its last probes never came."""
    made = World(nat="203.0.113.9", nat_port=61000, delay_ns=20_000)
    a, b = keepalive(made, probes=2)
    mine, theirs = (a + 31, b + 1) if prober == "a" else (b + 1, a + 31)
    for at_s in (6.0, 8.0, 10.0):
        made.send(at_s, prober, ACK, mine - 1, theirs, fate="lost")
    made.send(12.0, prober, RST | ACK, mine, theirs)
    path = tmp_path / "nat.pcap"
    path.write_bytes(pcap(sorted(made.frames["A"] + made.frames["B"])))

    result = analyze(path)
    near, far = result.flows if prober == "a" else result.flows[::-1]
    joint, _ = both_sides.BothSides(result.captures).of(result.flows[0])

    assert "timed_out" == near.judged.ending.verdict.value == joint.ending.verdict
    assert not far.judged.finding("abort-without-fin")
    story = str(far.explain())
    assert "SO_LINGER" not in story
    assert f"flow {near.number}" in story
