"""Holes that no counter shows are found by what passed them."""

from types import SimpleNamespace

import pytest

from analyzer.joining import join
from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.gaps import unseen_gaps
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, World, keepalive


def beside(folder, missed):
    """Join two connections: in the second an empty ACK is not at B while of the first B lacks all that ``missed``."""
    made, other = World(), World(client=("192.0.2.1", 40001))
    a, b = keepalive(made, probes=2)
    made.send(6.0, "b", ACK | PSH, b + 1, a + 31, b"something", missed=missed)
    made.send(6.1, "a", ACK, a + 31, b + 10, missed=missed)
    made.send(9.0, "b", ACK | PSH, b + 10, a + 31, b"more")
    made.send(9.1, "a", ACK, a + 31, b + 14)
    a, b = keepalive(other, probes=2, isn=(5000, 9000), every_s=1.7)
    other.send(5.5, "b", ACK | PSH, b + 1, a + 31, b"data")
    other.send(6.2, "a", ACK, a + 31, b + 5, fate="lost")
    other.send(9.05, "b", ACK | PSH, b + 5, a + 31, b"data")
    other.send(9.15, "a", ACK, a + 31, b + 9)
    made.frames = {point: sorted(made.frames[point] + other.frames[point]) for point in "AB"}
    found = join(*made.write(folder))
    return found, found.flows[1]


@pytest.mark.parametrize(
    ("missed", "expected"), [("B", (Fate.UNPROVEN, Why.HOLE)), ("", (Fate.LOST, Why.RUNNING))], ids=["hole", "no hole"]
)
def test_what_falls_into_a_hole_of_a_capture_is_no_loss(tmp_path, missed, expected):
    """Where one connection shows that a capture lacks packets, it may lack those of another, too."""
    _, flow = beside(tmp_path, missed)

    assert [expected] == [(each.fate, each.why) for each in flow.notable if each.fate is not Fate.BOTH]


def test_a_hole_reaches_from_the_packet_before_to_the_one_behind(tmp_path):
    """A hole is as long as the capture has nothing at all."""
    found, _ = beside(tmp_path, "B")
    (hole,) = found.points[1].gaps_ns

    since = [(at - found.points[0].first_ns) / 1e9 for at in hole]
    assert pytest.approx([5.5, 9.0], abs=0.01) == since


@pytest.mark.parametrize(("ms", "holes"), [(0.5, 0), (1500, 1), (2995, 0)], ids=["at its begin", "amid", "at its end"])
def test_what_passed_when_a_capture_began_or_ended_makes_no_hole(sightings, ms, holes):
    """So near to its ends a capture need not have run: what it lacks there shows nothing of the rest."""
    seen = sightings(*((at, 0, 1, 1) for at in (0, 1000, 2000, 3000)))
    first_ns, last_ns = seen["ts_ns"].tolist()[0], seen["ts_ns"].tolist()[-1]
    lacked = SimpleNamespace(
        fate=Fate.NOT_CAPTURED, why=Why.ACKNOWLEDGED, missed_at=(0,), first=SimpleNamespace(ts_ns=first_ns + ms * 1e6)
    )
    point = SimpleNamespace(clock=THE_REFERENCE, first_ns=first_ns, last_ns=last_ns)

    (found,) = unseen_gaps([SimpleNamespace(notable=(lacked,))], [seen], [point])

    assert holes == len(found)
