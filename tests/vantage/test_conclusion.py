"""Probes, RSTs and the ending follow from what all points show together."""

import pytest

from analyzer.joining import join
from tests.vantages import ACK, FIN, PSH, RST, World, keepalive


def flow_of(world, folder):
    """Return the one connection of a world."""
    (flow,) = join(*world.write(folder)).flows
    return flow


def test_outcomes_of_probes(tmp_path):
    """A probe was answered, or lost, or its answer was."""
    made = World(offset_s=1.0)
    keepalive(made, probes=4, lost=(1,), answers_lost=(2,))

    assert ["answered", "lost", "answer_lost", "answered"] == [p.outcome for p in flow_of(made, tmp_path).probes]


def test_a_probe_that_arrived_and_drew_nothing_is_unanswered(tmp_path):
    """A probe that reached the other point without an answer there was not lost."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.send(9.0, "a", ACK, a + 30, b + 1)

    assert ["unanswered"] * 2 == [p.outcome for p in flow_of(made, tmp_path).probes[2:]]


@pytest.mark.parametrize("lost", [True, False])
def test_the_end_that_one_point_shows_is_that_of_the_connection(tmp_path, lost):
    """A prober that gave up ended it, also where its RST never arrived; its RST is its own."""
    made = World()
    a, b = keepalive(made, probes=6, lost=(3, 4, 5))
    made.send(14.0, "a", RST | ACK, a + 31, b + 1, fate="lost" if lost else "both")
    made.send(40.0, "b", ACK, b, a + 31, fate="lost")

    ending = flow_of(made, tmp_path).ending

    assert ("timed_out", "a", True) == (ending.verdict, ending.by, ending.proven)


def test_a_close_that_one_point_missed_is_one(tmp_path):
    """If the last FIN was lost before one point, the other's verdict counts."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(5.0, "a", FIN | ACK, a + 31, b + 1)
    made.send(5.01, "b", FIN | ACK, b + 1, a + 32, missed="A")
    made.send(5.02, "a", ACK, a + 32, b + 2)

    flow = flow_of(made, tmp_path)

    assert "closed" == flow.ending.verdict
    assert 1 == flow.counts["not_captured"]


def test_counts_add_up(tmp_path):
    """Every packet is counted once, by its fate and its sender."""
    made = World(change={"window": 100})
    keepalive(made, lost=(2,))

    flow = flow_of(made, tmp_path)

    assert len(made.truth) == sum(count for name, count in flow.counts.items() if name != "changed")
    assert flow.counts["changed"] == flow.counts["both"]
    assert flow.counts == {name: sum(flow.counts_from[side][name] for side in ("a", "b")) for name in flow.counts}
    assert 400_000 == flow.delays_ns["a"][0]


def test_an_answer_is_that_of_the_last_probe_that_arrived(tmp_path):
    """A point that lacks a probe takes its answer for that of a lost one before; all points together do not."""
    made = World()
    a, b = keepalive(made, probes=2, lost=(1,))
    made.send(6.0, "a", ACK, a + 30, b + 1, missed="A")
    made.send(6.001, "b", ACK, b + 1, a + 31)

    flow = flow_of(made, tmp_path)

    assert ["answered", "lost", "answered"] == [probe.outcome for probe in flow.probes]


@pytest.mark.parametrize(("ran", "outcome"), [(False, "not_captured"), (True, "unanswered")])
def test_a_probe_that_no_capture_saw_arrive_is_not_called_unanswered(tmp_path, ran, outcome):
    """Whether a probe arrived nobody saw where the capture of that side had ended before."""
    made = World()
    a, b = keepalive(made, probes=2)
    upto = len(made.frames["B"]) + (3 if ran else 0)
    made.send(6.0, "b", ACK | PSH, b + 1, a + 31, b"later")
    made.send(6.1, "a", ACK, a + 31, b + 6)
    made.send(8.0, "a", ACK, a + 30, b + 6)

    flow = join(*made.write(tmp_path, parts=(None, slice(0, upto)))).flows[0]

    assert outcome == flow.probes[2].outcome
