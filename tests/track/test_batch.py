"""Flows as columns, some of them, with and without their rows."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.judge import recording
from analyzer.judge.facts import Facts
from analyzer.loops.loop import thaw
from analyzer.track.beats import TRAINS
from tests.capture.craft import Kept, ipv4, pcap, tcp
from tests.notation import follow, parse

THREE = """# One probe, nothing, two probes.
+0      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+0      c > d  S   0:0(0)
+1      a > b  .   0:0(0) ack 1 vlan 5
+.01    b > a  .   1:1(0) ack 1 vlan 5
+5      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+5      a > b  .   0:0(0) ack 1 vlan 5
+.01    b > a  .   1:1(0) ack 1 vlan 5
+5      a > b  .   0:0(0) ack 1 vlan 5
+.01    b > a  .   1:1(0) ack 1 vlan 5
"""


@pytest.fixture
def batch():
    """Three flows in one batch."""
    (flows,) = follow([parse(THREE).batch()])
    return flows


def test_some_flows_are_taken_with_their_rows(batch):
    """What is known of a flow does not depend on its neighbours."""
    some = batch.take(np.array([2, 0]))

    assert 2 == len(some)
    assert [recording.build(batch, at) for at in (2, 0)] == [recording.build(some, at) for at in (0, 1)]


def test_flows_without_rows_keep_their_sums(batch):
    """Who needs no rows gets flows, ends and sums all the same."""
    some = batch.take(np.array([2, 1]), rows=False)

    assert (0, [0, 0, 0]) == (len(some.seen), some.start.tolist())
    assert batch.run_a["probes"][[2, 1]].tolist() == some.run_a["probes"].tolist()
    assert batch.flow["number"][[2, 1]].tolist() == some.flow["number"].tolist()


def test_packed_flows_are_built_as_before(batch):
    """Records of flows whose rows are packed are equal."""
    assert [recording.build(batch, at) for at in range(3)] == [recording.build(batch.packed(), at) for at in range(3)]


def test_a_flow_ends_where_another_takes_its_addresses():
    """Flows could be heard until the end, or until their addresses were used anew."""
    reused = parse("# Reused.\n+0 a > b S 0:0(0)\n+1 a > b S 7:7(0)\nend: +50\n")
    (both,) = follow([reused.batch()])

    assert both.ends_ns[0] < both.ends_ns[1]
    assert both.end_ns == both.ends_ns[1]


class Counting(list):
    """A list that counts how often one looks at its entries."""

    looked_at = 0

    def __getitem__(self, at):
        """Return an entry."""
        Counting.looked_at += 1
        return super().__getitem__(at)


THERE = {"src": bytes([10, 0, 0, 1]), "dst": bytes([10, 0, 0, 2])}
BACK = {"src": bytes([10, 0, 0, 2]), "dst": bytes([10, 0, 0, 1])}
ONE_PROBE = [
    ipv4(tcp(seq=999, ack=5000), **THERE),
    ipv4(tcp(seq=5000, ack=1000, ports=(80, 40000)), **BACK),
]
FLOODS = {
    "one side only": lambda at: ipv4(tcp(seq=5000, ack=7000), **THERE),
    "one octet": lambda at: ipv4(tcp(b"x", seq=5000, ack=7000), **THERE),
    "numbers going down": lambda at: ipv4(tcp(seq=9_000_000 - at, ack=7000), **THERE),
    "RSTs": lambda at: ipv4(tcp(seq=1000 + 7 * at, ack=0, flags=4, window=0), **THERE),
    "RSTs with ACK": lambda at: ipv4(tcp(seq=1000, ack=at, flags=0x14), **THERE),
    "RSTs of the peer": lambda at: ipv4(tcp(seq=5000, ack=1000, flags=0x14, ports=(80, 40000)), **BACK),
    "a RST to each probe": lambda at: ipv4(tcp(seq=999 + at % 2, ack=5000, flags=0x14 if at % 2 else 0x10), **THERE),
}


@pytest.mark.parametrize("before", [[], ONE_PROBE], ids=["nothing before", "a probe before"])
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_twice_as_many_rows_take_twice_the_looks(flood, before, tmp_path, monkeypatch):
    """Whatever a flow consists of, each of its rows is looked at a few times, not once for each other row."""
    monkeypatch.setattr("analyzer.track.batch.thaw", lambda table, jit: Counting(thaw(table, jit=jit)))
    looks = []
    for count in (400, 800):
        Counting.looked_at = 0
        frames = [*before, *map(flood, range(count))]
        path = tmp_path / "flood.pcap"
        path.write_bytes(pcap([Kept(frame, 10**18 + at * 10**9) for at, frame in enumerate(frames)], 101))
        analyze(path, jit=False)
        looks.append(Counting.looked_at)

    assert looks[1] < 2.1 * looks[0]
    assert looks[1] < 800 * 30


def test_the_octet_of_a_probe_is_no_data():
    """A capture that begins with a probe of one octet has not seen a byte of data by that."""
    pytest.importorskip("numba")
    text = "+0 a > b . 99:100(1) ack 50 octet 00\n+.01 b > a . 50:50(0) ack 100 <sack 99-100>\n"
    for jit in (False, True):
        (batch,) = follow([parse("# A probe of Windows first.\n" + text).batch()], jit=jit)

        assert (0, 0) == (batch.a[0]["payload"], batch.a[0]["first_data_frame"])
        assert 1 == batch.run_a[0]["probes"]


def test_a_flow_that_is_picked_twice_has_its_heartbeats_twice(batch):
    """Trains are found in whichever order they lie, and lead to every place where their flow was asked for."""
    trains = np.zeros(3, dtype=TRAINS)
    trains["number"], trains["count"] = (2, 0, 2), (5, 6, 7)
    beating = replace(batch, trains=trains)

    found, owner = beating.trains_of(np.array([2, 1, 0, 2]))

    assert list(zip(owner.tolist(), found["count"].tolist(), strict=True)) == [(0, 5), (0, 7), (2, 6), (3, 5), (3, 7)]
    assert [record.heartbeats for record in recording.records(Facts((beating, np.array([0, 0]))))] == [
        record.heartbeats for _ in range(2) for record in recording.records(Facts((beating, np.array([0]))))
    ]
