"""What captures have that is not joined: with whom each flow belongs, and what clocks that shows."""

import pytest

from analyzer.joining import join
from analyzer.refusing import NotJoinedError
from tests.vantage.test_relatives import PROXY, proxied, talk
from tests.vantages import ACK, World, keepalive, pcap


def test_a_clock_that_packets_show_stays(tmp_path):
    """Where packets are at both points they tell the offset, whatever a proxy carries beside them."""
    made = World(offset_s=12.5)
    keepalive(made, probes=2)
    client, made.client = made.client, ("192.0.2.1", 40001)
    made.client = client[0], 40001
    proxied(made)

    found = join(*made.write(tmp_path))

    assert [False, False] == [point.by_data for point in found.points]
    assert 1 == len(found.halves)
    assert 1 == len(found.flows)


def test_flows_without_another_half_are_alone(tmp_path):
    """A flow of which no other carries the same has none named beside it."""
    made = World()
    keepalive(made, probes=1)
    made.client = ("192.0.2.77", 50000)
    made.send(30, "a", ACK, 7777, 1, b"nobody else has this", fate="lost")

    (lone,) = join(*made.write(tmp_path)).lone

    assert ("absent", None) == (lone.why, lone.other)


def test_halves_have_the_numbers_of_their_connections(tmp_path):
    """With a point on the proxy each half is the connection that it is joined to, whatever came first."""
    before, behind = World(server=("203.0.113.6", 443)), World(client=(PROXY, 51000))
    talk(before, (1000, 2000), fate_of={"a": "both", "b": "both"})
    talk(behind, (777_000, 888_000), fate_of={"a": "both", "b": "both"}, from_s=0.01, late_s=0.02)
    before.client = ("192.0.2.1", 40001)
    talk(before, (31_000, 32_000), b"something else", fate_of={"a": "both", "b": "both"}, from_s=5)
    made = {"A": before.frames["A"], "P": sorted(before.frames["B"] + behind.frames["A"]), "S": behind.frames["B"]}
    for name, frames in made.items():
        (tmp_path / f"{name}.pcap").write_bytes(pcap(frames))

    found = join(*(tmp_path / f"{name}.pcap" for name in made))

    (pair,) = found.halves
    joined = [
        [str(found.flows[half.joint].parts[0].judged.record.a), half.flow.judged.record.number]
        for half in (pair.front, pair.back)
    ]
    assert [["192.0.2.1:40000", 0], [f"{PROXY}:51000", 1]] == joined


def sides_of_a_proxy(folder):
    """Write two captures of one side of a proxy, and one of the other; return their paths."""
    before, behind = World(server=("203.0.113.6", 443)), World(client=(PROXY, 51000))
    talk(before, (1000, 2000), fate_of={"a": "both", "b": "both"})
    talk(behind, (777_000, 888_000), fate_of={"a": "both", "b": "both"}, from_s=0.01, late_s=0.02)
    made = {"A": before.frames["A"], "P": before.frames["B"], "S": behind.frames["B"]}
    for name, frames in made.items():
        (folder / f"{name}.pcap").write_bytes(pcap(frames))
    return [folder / f"{name}.pcap" for name in made]


def test_a_capture_beyond_a_proxy_belongs_to_a_connection_that_others_joined(tmp_path):
    """What two points have of one side is joined, and is the other half of what the third one has."""
    client, proxy, server = sides_of_a_proxy(tmp_path)
    found = [join(client, proxy, server), join(client, server, proxy)]

    assert [[(0, None)], [(0, None)]] == [[(p.front.joint, p.back.joint) for p in each.halves] for each in found]
    assert [[False, False, True], [False, True, False]] == [[p.by_data for p in each.points] for each in found]


def test_who_is_beyond_a_proxy_is_to_be_named_behind_the_others(tmp_path):
    """The clock of the first is the reference, and nothing but data compares others with it; so that is refused."""
    client, proxy, server = sides_of_a_proxy(tmp_path)

    with pytest.raises(NotJoinedError, match=r"S\.pcap has no packet in common with the others.*name it behind them"):
        join(server, proxy, client)
