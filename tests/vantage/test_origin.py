"""A packet is its sender's own, or not, by what it bears and by what its sender goes on with."""

from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from analyzer.vantage.origin import outlived
from tests.vantages import ACK, PSH, RST, World, keepalive, pcap


@pytest.mark.parametrize(
    ("ttl", "fate", "why"),
    [(64, Fate.NOT_CAPTURED, Why.FITS_SENDER), (200, Fate.MADE, Why.UNLIKE_SENDER)],
    ids=["its sender's", "another's"],
)
def test_an_empty_segment_at_one_point_is_its_senders_or_not(tmp_path, ttl, fate, why):
    """A packet that its sender's own capture lacks fits the sender's others, or was made by something else."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(7.0, "a", ACK, a + 30, b + 1, ttl=ttl, missed="A")
    made.send(9.0, "b", ACK | PSH, b + 1, a + 31, b"later")

    flow = join(*made.write(tmp_path)).flows[0]

    (odd,) = (crossing for crossing in flow.notable if crossing.fate is not Fate.BOTH)
    assert (fate, why) == (odd.fate, odd.why)


@pytest.mark.parametrize("stations", [True, False], ids=["stations known", "no stations"])
def test_a_reset_on_one_side_of_a_router_is_its_senders_only_if_the_link_tells(tmp_path, stations):
    """What a router made has as many hops left as what came in: without a link nothing says on which side it was."""
    made = World(delay_ns=20_000)
    a, b = keepalive(made, probes=3)
    made.send(20.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(20.001, "b", RST, b + 1, 0, fate="made")
    frames = [
        (ts_ns, octets[:6] + bytes([2, 0, 0, 0, side, octets[34 + 1] & 1 if stations else 0]) + octets[12:])
        for side, point in enumerate("AB" if stations else "")
        for ts_ns, octets in made.frames[point]
    ]
    path = tmp_path / "router.pcap"
    path.write_bytes(pcap(sorted(frames or made.frames["A"] + made.frames["B"])))

    (flow,) = join(path).flows

    (reset,) = flow.resets
    assert ((Fate.MADE, True) if stations else (Fate.UNPROVEN, False)) == (reset.fate, reset.proven)
    assert ("between" if stations else None, stations) == (flow.ending.by, flow.ending.proven)


def reset_both(world, *, named=False, ran_on=False, lost=()):
    """Play a connection of which something between the points resets both ends; RSTs look like their senders'."""
    a, b = keepalive(world, probes=2)
    world.ids, world.timestamps = named, False
    for sender, seq in (("a", a + 31), ("b", b + 1)):
        if sender not in lost:
            world.send(9.0, sender, RST, seq, 0, fate="made", ttl=world.ttl - world.hops)
    if ran_on:
        world.send(12.0, "b", ACK | PSH, b + 1, a + 31, b"there?", fate="lost")
        world.send(13.0, "a", ACK, a + 30, b + 1, fate="lost")
    return world


@pytest.mark.parametrize("swap", [False, True], ids=["A B", "B A"])
@pytest.mark.parametrize(
    ("how", "proven", "why"),
    [
        ({}, False, Why.BOTH_RESET),
        ({"named": True}, False, Why.BOTH_RESET),
        ({"named": True, "ran_on": True}, False, Why.BOTH_RESET),
        ({"ran_on": True}, True, Why.RUNNING),
    ],
    ids=["captures end", "captures end, IP IDs fit", "IP IDs fit", "captures go on"],
)
def test_a_reset_of_both_ends_was_made_between(tmp_path, how, proven, why, swap):
    """Where each end's capture has the RST that came, and neither has its own end's, a box made both."""
    (flow,) = join(*reset_both(World(), **how).write(tmp_path, swap=swap)).flows

    assert [(Fate.MADE, proven, why)] * 2 == [(each.fate, each.proven, each.why) for each in flow.resets]
    assert ("between", proven) == (flow.ending.by, flow.ending.proven)


@pytest.mark.parametrize("how", [{}, {"named": True}, {"named": True, "ran_on": True}])
def test_a_reset_of_one_end_may_be_its_senders(tmp_path, how):
    """A single RST that looks like its sender's is not said to be made between where a capture may have missed it."""
    (flow,) = join(*reset_both(World(), lost="a", **how).write(tmp_path)).flows

    assert [] == [each for each in flow.resets if each.fate is Fate.MADE]


@pytest.mark.parametrize(("at_s", "expected"), [(9.0, True), (7.5, False), (None, False)])
def test_who_sends_on_behind_a_reset_in_its_name_outlived_it(at_s, expected):
    """A host that resets a connection sends no more of it, but what was under way."""
    times_s = [1.0, 7.0, 8.0] + [at_s] * (at_s is not None)
    p = SimpleNamespace(
        side=np.array([0, 0, 1, 0])[: len(times_s)],
        flags=np.array([ACK, RST, ACK, ACK])[: len(times_s)],
        sent_in=np.zeros(len(times_s), dtype=np.int64),
        ts_ns=(np.array(times_s) * 1e9).astype(np.int64),
    )

    assert expected == outlived(p, 1)
