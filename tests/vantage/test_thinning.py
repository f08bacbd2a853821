"""What is forgotten while captures are read changes nothing that is said."""

import numpy as np
import pytest

from analyzer.joining import join
from analyzer.loops.rehearsal import rehearsed
from analyzer.report.joint_json import flow_object
from analyzer.vantage import settled, thinning
from analyzer.vantage.forgetting import Forgetting
from analyzer.vantage.sighting import SIGHTING
from tests.vantages import ACK, FIN, PSH, World, fates


def bulk(world, *, packets=400, lost=(), resent=(), missed=()):
    """Play a download with losses: numbers of packets that are lost, sent again 40 ms later, and not captured."""
    world.send(0.0, "a", 2, 99, 0, mss=1460)
    world.send(0.001, "b", 18, 499, 100, mss=1460)
    world.send(0.002, "a", ACK, 100, 500)
    taken = 0
    for number in range(packets):
        at_s = 0.01 + number * 0.02
        world.send(
            at_s, "b", ACK | PSH, 500 + 10 * number, 100, b"0123456789",
            fate="lost" if number in lost else "both", missed="A" if number in missed else "",
        )  # fmt: skip
        if number in lost:
            taken = number
            world.send(at_s + 0.012, "b", ACK | PSH, 500 + 10 * taken, 100, b"0123456789")
        if number in resent:
            world.send(at_s + 0.012, "b", ACK | PSH, 500 + 10 * (number - 5), 100, b"0123456789", fate="lost")
        world.send(at_s + 0.015, "a", ACK, 100, 510 + 10 * number)
    end = 500 + 10 * packets
    world.send(20.0, "b", ACK | FIN, end, 100)
    world.send(20.01, "a", ACK | FIN, 100, end + 1)
    world.send(20.02, "b", ACK, end + 1, 101)


def both(monkeypatch, paths):
    """Return what is said when all packets are kept, and when nearly all are forgotten."""
    whole = join(*paths, jit=False)
    forgets = []
    forget = thinning.Thinner.left

    def left(self):
        thinned = forget(self)
        forgets.append(sum(int(each["gone"].sum()) for each in thinned.senders))
        return thinned

    monkeypatch.setattr(thinning, "STRETCH", 100)
    monkeypatch.setattr(thinning.Thinner, "left", left)
    thin = join(*paths, jit=False)
    return whole, thin, forgets[0]


@pytest.mark.parametrize(
    "world",
    [
        {},
        {"offset_s": 37.25, "ppm": 150},
        {"nat": "203.0.113.9", "nat_port": 6000},
        {"timestamps": False, "ids": False},
    ],
)
def test_forgetting_changes_no_fate(world, tmp_path, monkeypatch):
    """Losses, repetitions and holes are told the same from what is left, by any clock, through NAT, without IDs."""
    played = World(**world)
    bulk(played, lost=(40, 41, 200, 333), resent=(100, 260), missed=(150, 151, 300))
    whole, thin, forgotten = both(monkeypatch, played.write(tmp_path))
    assert forgotten > 500
    assert [each for each in fates(whole) if each[0] != "both"] == [each for each in fates(thin) if each[0] != "both"]
    one, other = (flow_object(each.flows[0], each.points, each.points[0].first_ns) for each in (whole, thin))
    assert one["segments_from"] == other["segments_from"]
    assert [(each["what"], each["packets"]) for each in one["changes"]] == [
        (each["what"], each["packets"]) for each in other["changes"]
    ]
    for side in "ab":
        assert other["delay_s"][side] == pytest.approx(one["delay_s"][side], abs=2e-6)


def test_short_captures_stay_whole(tmp_path, monkeypatch):
    """Of captures shorter than a stretch nothing is forgotten."""
    played = World()
    bulk(played, packets=30)
    _, thin, forgotten = both(monkeypatch, played.write(tmp_path))
    assert forgotten == 0
    assert len(thin.flows[0].others) > 30


def test_captures_with_nothing_in_common_are_left_whole():
    """As long as nothing tells how clocks stand to each other, nothing is forgotten."""
    thinner = thinning.Thinner(2)
    row = np.zeros(1, dtype=SIGHTING)
    thinner.add(0, row, 5, jit=False)
    thinner.add(1, row, 7, jit=False)
    assert [len(each) for each in thinner.left().seen] == [1, 1]


def test_capture_that_is_behind_is_read_next():
    """Of two captures the one is read on whose last frame is earlier, as far as both began at once."""
    thinner = thinning.Thinner(2)
    none = np.zeros(0, dtype=SIGHTING)
    assert thinner.next == 0
    thinner.add(0, none, 1000, jit=False)
    assert thinner.next == 1
    thinner.add(1, none, 9000, jit=False)
    thinner.add(1, none, 9500, jit=False)
    assert thinner.next == 0
    thinner.end(0)
    assert thinner.next == 1
    thinner.end(1)
    assert thinner.next is None


def test_what_is_over_is_looked_for_some_batches_later(sightings, monkeypatch):
    """Batches are taken between a stretch and the look for connections that are over; or the next stretch comes."""
    monkeypatch.setattr(thinning, "STRETCH", 100)
    monkeypatch.setattr(settled, "WORTH", 1)
    rows = sightings(*((20 * at, 0, 100 + at, 7) for at in range(600)), raw=True)

    def looked(*batches):
        thinner, found = thinning.Thinner(2), []
        for batch in batches:
            for point in (0, 1):
                thinner.add(point, batch.copy(), int(batch["ts_ns"][-1]), jit=False)
                found.append(thinner.sifted)
        return found

    assert looked(rows[:150], *np.split(rows[150:153], 3)) == [0] * (1 + thinning.PAUSE) + [1]
    assert looked(rows[:150], rows[150:]) == [0, 0, 1, 1]


def test_silent_end_is_taken_up_again(sightings, monkeypatch):
    """The last packet before a silence stays if the one behind it is missing, however long the silence was."""
    monkeypatch.setattr(thinning, "STRETCH", 100)
    early = sightings(*((at, 0, 100 + at, 7) for at in range(120)), raw=True)
    between = sightings(*((2000 + 20 * at, 0, 5000 + at, 9) for at in range(400)), flow=1, raw=True)
    late = sightings(*((11_000 + at, 0, 300 + at, 7) for at in range(200)), raw=True)
    for first, each in ((1, early), (121, between), (521, late)):
        each["frame"] = np.arange(first, first + len(each))
    thinner = thinning.Thinner(2)
    for piece in (early, *np.split(between, 8), late):
        for point in (0, 1):
            seen = piece[1:] if point and piece is late else piece
            thinner.add(point, seen.copy(), int(seen["ts_ns"][-1]), jit=False)
    there, here = (each["frame"].tolist() for each in thinner.left().seen)
    assert {120, 521} <= set(there)
    assert 120 in here
    assert not {60, 300} & set(there)


def test_quiet_connection_is_settled_and_told_alike(tmp_path, monkeypatch):
    """A connection without losses is settled while captures are read, and its JSON is that of one kept whole."""
    played = World(offset_s=37.25, ppm=150)
    bulk(played)
    whole, thin, forgotten = both(monkeypatch, played.write(tmp_path))
    assert forgotten > 500
    assert [len(thin.flows), len(thin._flow(0).notable)] == [1, len(whole._flow(0).notable)]
    one, other = (each.fields(0) for each in (whole, thin))
    for field in ("parts", "way", "way_by", "segments_from", "probes", "packets", "ending", "ends"):
        assert one[field] == other[field]
    first = thin.points[1].clock.first
    assert first.low_ns <= 37_250_000_000 <= first.high_ns


def test_connections_with_nothing_to_tell_are_forgotten_on_request(tmp_path, monkeypatch):
    """Without ``keep_all`` a settled connection counts, and its flows are at neither point any more."""
    played = World()
    bulk(played)
    monkeypatch.setattr(thinning, "STRETCH", 100)
    found = join(*played.write(tmp_path), jit=False, keep_all=False)
    assert (len(found.flows), found.eventful, found.lone) == (1, [], [])
    with pytest.raises(KeyError):
        found.fields(0)


@pytest.mark.parametrize("keep_all", [False, True])
def test_all_that_comparing_takes_is_compiled_beforehand(tmp_path, monkeypatch, keep_all):
    """The rehearsal calls each loop that a long capture does, with the same types: no first run compiles it."""
    played = World()
    bulk(played, lost=(40, 41, 200, 333))
    paths = played.write(tmp_path)
    monkeypatch.setattr(thinning, "STRETCH", 100)
    called = {part for part in rehearsed(lambda: join(*paths, jit=True, keep_all=keep_all)) if "vantage" in part.module}
    beforehand = set(rehearsed(lambda: thinning.rehearse(Forgetting(1))))
    assert {"write_in", "judge_pairs", "look_around", "cover"} <= {part.name for part in called}
    assert not called - beforehand
