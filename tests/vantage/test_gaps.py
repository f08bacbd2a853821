"""Holes that no counter shows are found by what passed them."""

from types import SimpleNamespace

import pytest

from analyzer.joining import join
from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.gaps import unseen_gaps
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, RST, World, keepalive


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
    lacked.flags, lacked.sender = ACK, "a"
    record = SimpleNamespace(facts=lambda _: SimpleNamespace(segments=4))
    part = SimpleNamespace(side=str, judged=SimpleNamespace(record=record))
    point = SimpleNamespace(clock=THE_REFERENCE, first_ns=first_ns, last_ns=last_ns)

    flow = SimpleNamespace(notable=(lacked,), part_at=lambda _: part)
    (found,) = unseen_gaps([flow], [seen], [point])

    assert holes == len(found)


@pytest.mark.parametrize(("lacking", "holes"), [("one", 1), ("none", 0), ("reset", 0), ("all", 0)])
def test_a_hole_is_shown_by_what_a_point_lacks_though_it_has_others_of_its_sender(tmp_path, lacking, holes):
    """A RST may be made to look like its sender's, and who has nothing of an end sees one direction only."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(6.0, "a", ACK | PSH, a + 31, b + 1, b"something", missed="B" if lacking == "one" else "")
    made.send(6.1, "b", ACK, b + 1, a + 40)
    made.send(7.0, "a", RST | ACK, a + 40, b + 1, missed="A" if lacking == "reset" else "")
    made.send(9.0, "a", ACK | PSH, a + 40, b + 1, b"more")
    made.send(9.1, "b", ACK, b + 1, a + 44)
    if lacking == "all":
        made.frames["B"] = [each for each in made.frames["B"] if each[1][34:36] == b"\x01\xbb"]

    assert holes == sum(len(point.gaps_ns) for point in join(*made.write(tmp_path)).points)
