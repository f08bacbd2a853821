"""A capture that is known to lack a packet which passed it proves no loss by what else it lacks."""

import random

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantage.test_fates import third_point
from tests.vantages import ACK, FIN, PSH, RST, SYN, World, keepalive, odd

LACKS = (Fate.UNPROVEN, False, Why.LACKS)


def begun(*, missed="B", lost=(), **world):
    """Play a connection that probes, with data that B lacks although it was acknowledged; return its numbers, too."""
    made = World(**world)
    a, b = keepalive(made, probes=4, lost=lost)
    made.send(20.0, "a", ACK | PSH, a + 31, b + 1, b"something", missed=missed)
    made.send(20.1, "b", ACK, b + 1, a + 40)
    return made, a + 40, b + 1


def ended(made, a, b):
    """Let both ends go on after all that is asked about."""
    made.send(90.0, "a", ACK | PSH, a, b, b"more")
    made.send(90.1, "b", ACK, b, a + 4)
    return made


@pytest.mark.parametrize(
    ("missed", "expected"),
    [("B", LACKS), ("", (Fate.LOST, True, Why.RUNNING)), ("A", (Fate.LOST, True, Why.RUNNING))],
    ids=["B lacks another", "B lacks none", "A lacks another"],
)
def test_what_asks_for_nothing_may_have_passed_a_capture_that_lacks_others(tmp_path, missed, expected):
    """Of an ACK nothing tells but that it is absent, which proves nothing where others are absent that passed."""
    made, a, b = begun(missed=missed)
    made.send(40.0, "a", ACK, a, b, fate="lost")

    assert expected == odd(join(*ended(made, a, b).write(tmp_path)))[-1]


@pytest.mark.parametrize("missed", ["B", ""], ids=["B lacks another", "B lacks none"])
def test_a_probe_in_vain_was_most_likely_lost(tmp_path, missed):
    """What has to be answered, got no answer and is absent was most likely lost, if all that is there was answered."""
    made, a, b = begun(missed=missed, lost=(2,))

    expected = (Fate.LOST, False, Why.LACKS) if missed else (Fate.LOST, True, Why.RUNNING)
    assert expected == odd(join(*ended(made, a, b).write(tmp_path)))[0]


def test_a_probe_among_others_in_vain_may_have_passed(tmp_path):
    """That an absent probe got no answer tells nothing where none of those got one that are there."""
    made, a, b = begun()
    for number in range(4):
        made.send(40.0 + 2 * number, "a", ACK, a - 1, b, fate="lost" if number == 2 else "both")

    assert odd(join(*ended(made, a, b).write(tmp_path)))[-1] == LACKS


@pytest.mark.parametrize("missed", ["B", ""], ids=["B lacks another", "B lacks none"])
def test_what_its_receiver_lacks_may_have_been_lost_behind_a_capture_that_lacks_others(tmp_path, missed):
    """That less is acknowledged proves a loss, but not before a point that the packet may have passed unseen."""
    made, a, b = begun(missed=missed)
    made.send(40.0, "a", ACK | PSH, a, b, b"first", fate="lost")
    made.send(40.1, "a", ACK | PSH, a + 5, b, b"second")
    made.send(40.2, "b", ACK, b, a)
    made.send(40.3, "a", ACK | PSH, a, b, b"first")
    made.send(40.4, "b", ACK, b, a + 11)

    found = odd(join(*ended(made, a + 11, b).write(tmp_path)))
    assert (Fate.LOST, not missed, Why.NOT_ACKNOWLEDGED) == found[-1]


@pytest.mark.parametrize(
    ("then", "expected"), [("on", (Fate.MADE, False, Why.LACKS)), ("over", LACKS)], ids=["it goes on", "it is over"]
)
def test_a_reset_may_have_left_by_a_capture_that_lacks_others(tmp_path, then, expected):
    """A RST that its sender's point lacks was most likely made between only if that end sent on behind it."""
    made, a, b = begun(missed="A", timestamps=False, ids=False)
    made.send(30.0, "a", ACK | PSH, a, b, b"and")
    a += 3
    made.send(30.1, "b", ACK, b, a)
    made.send(40.0, "a", RST, a, 0, missed="A")
    if then == "on":
        made.send(45.0, "a", ACK | PSH, a, b, b"more")
    made.send(90.0, "b", ACK | PSH, b, a, b"nobody hears")

    assert expected in odd(join(*made.write(tmp_path)))


@pytest.mark.parametrize(("on", "expected"), [(True, (Fate.LOST, False, Why.LACKS)), (False, LACKS)])
def test_a_reset_that_its_receiver_outlived_was_most_likely_lost(tmp_path, on, expected):
    """Who sends on was not reset."""
    made, a, b = begun()
    made.send(40.0, "a", RST | ACK, a, b, fate="lost")
    if on:
        made.send(60.0, "b", ACK | PSH, b, a, b"still here")
    made.send(60.1, "a", RST, a, 0)

    assert expected == odd(join(*made.write(tmp_path)))[1]


def test_the_packet_that_shows_it_is_named(tmp_path):
    """With a fate of which a lacking capture leaves nothing proven comes where one that passed unseen was captured."""
    made, a, b = begun()
    made.send(40.0, "a", ACK, a, b, fate="lost")

    lacked, absent = (
        each for each in join(*ended(made, a, b).write(tmp_path)).flows[0].notable if each.fate is not Fate.BOTH
    )
    assert (lacked.first.point, lacked.first.frame) == absent.lacks
    assert lacked.lacks is None


@pytest.mark.parametrize("direction", ["both", "one"])
def test_who_sees_one_direction_lacks_none_of_the_other(tmp_path, direction):
    """A capture of what one end sends lacks all of the other, and proves losses all the same."""
    made, a, b = begun(missed="", timestamps=False)
    made.send(40.0, "a", ACK, a, b, fate="lost")
    ended(made, a, b)
    if direction == "one":
        made.frames["B"] = [each for each in made.frames["B"] if each[1][34:36] == made.client[1].to_bytes(2, "big")]

    joined = join(*made.write(tmp_path))
    assert [None, None] == [point.lacks for point in joined.points]
    assert not any(each.lacks for each in joined.flows[0].notable)


def test_data_in_other_pieces_is_not_lacking(tmp_path):
    """What segmentation offload cut or put together is there: a loss beside it stays proven."""
    made = World()
    a, b = keepalive(made, probes=4)
    made.send(20.0, "a", ACK | PSH, a + 31, b + 1, b"some data, " * 2, missed="B")
    made.send(20.0, "a", ACK | PSH, a + 31, b + 1, b"some data, ", missed="A")
    made.send(20.0001, "a", ACK | PSH, a + 42, b + 1, b"some data, ", missed="A")
    made.send(20.1, "b", ACK, b + 1, a + 53)
    made.send(40.0, "a", ACK, a + 53, b + 1, fate="lost")

    assert odd(join(*ended(made, a + 53, b + 1).write(tmp_path)))[-1] == (Fate.LOST, True, Why.RUNNING)


@pytest.mark.parametrize("part", [slice(9, None), slice(0, -2)], ids=["begins late", "ends early"])
def test_what_passed_before_or_behind_a_capture_is_not_lacking(tmp_path, part):
    """That a capture begins late or ends early leaves proven what it lacks meanwhile."""
    made, a, b = begun(missed="")
    made.send(40.0, "a", ACK, a, b, fate="lost")
    made.send(50.0, "a", ACK | PSH, a, b, b"once more")
    made.send(50.1, "b", ACK, b, a + 9)
    ended(made, a + 9, b)

    found = join(*made.write(tmp_path, parts=(None, part)))
    assert [None, None] == [point.lacks for point in found.points]
    assert (Fate.LOST, True, Why.RUNNING) in odd(found)


@pytest.mark.parametrize("lacks", [True, False])
def test_what_one_connection_shows_goes_for_others(tmp_path, lacks):
    """Who lacks a packet of one connection may lack those of another."""
    made, a, b = begun(missed="B" if lacks else "")
    other = World(client=("192.0.2.1", 40001))
    c, d = keepalive(other, isn=(5000, 9000), every_s=1.7)
    other.send(30.0, "a", ACK, c + 31, d + 1, fate="lost")
    other.send(90.05, "a", ACK | PSH, c + 31, d + 1, b"more")
    other.send(90.15, "b", ACK, d + 1, c + 35)
    ended(made, a, b)
    made.frames = {point: sorted(made.frames[point] + other.frames[point]) for point in "AB"}

    found = join(*made.write(tmp_path))
    (absent,) = (each for each in found.flows[1].notable if each.fate is not Fate.BOTH)
    assert (Why.LACKS if lacks else Why.RUNNING, found.points[1].lacks) == (absent.why, absent.lacks)
    assert lacks == (absent.lacks is not None)


def test_of_three_points_the_last_one_proves_what_the_middle_one_cannot(tmp_path):
    """Behind a middle capture that lacks others a loss is told of the way from the first point to the last."""
    made, a, b = begun(missed="")
    at = len(made.frames["B"])
    made.send(40.0, "a", ACK, a, b)
    ended(made, a, b)
    paths = third_point(made, tmp_path, lost={at}, until=None)
    made.frames["B"] = [each for number, each in enumerate(made.frames["B"]) if number not in {at, at - 2}]
    made.write(tmp_path)

    (lost,) = (each for each in join(*paths).flows[0].notable if each.fate is Fate.LOST)
    assert (0, 2, True) == (*lost.between, lost.proven)


def silently(seed):
    """Play some connections of which one capture, or both, lack packets at random."""
    dice = random.Random(seed)
    made = World(timestamps=dice.random() < 0.5, ids=dice.random() < 0.5, offset_s=37.25, ppm=20)
    points = dice.choice(["A", "B", "AB"])

    def send(*packet):
        missed = "".join(point for point in points if dice.random() < 0.1)
        fate = "lost" if dice.random() < 0.03 else "both"
        made.send(*packet, fate=fate, missed=missed)
        return fate == "both"

    for number in range(3):
        made.client, at_s = ("192.0.2.1", 40000 + number), 200.0 * number
        a, b = dice.randrange(2**32), dice.randrange(2**32)
        made.send(at_s, "a", SYN, a - 1, 0, mss=1460)
        made.send(at_s + 0.01, "b", SYN | ACK, b - 1, a, mss=1460)
        made.send(at_s + 0.02, "a", ACK, a, b)
        for turn in range(12):
            at_s += dice.choice([1, 5])
            size = dice.choice([0, 0, 30])  # a probe, or data, until it is answered
            for again in range(6):
                sent = at_s + 0.3 * 2**again
                came = send(sent, "b", ACK | PSH * (size > 0), b if size else b - 1, a, bytes([turn]) * size)
                if came and send(sent + 0.002, "a", ACK, a, b + size):
                    break
            b, at_s = b + size, at_s + 20
        made.send(at_s, "b", ACK | FIN, b, a)
        made.send(at_s + 0.01, "a", ACK | FIN, a, b + 1)
        made.send(at_s + 0.02, "b", ACK, b + 1, a + 1)
    return made


@pytest.mark.parametrize("seed", range(12))
def test_where_captures_lack_packets_at_random_no_false_loss_is_proven(tmp_path, seed):
    """Of sessions whose truth is known nothing that passed is called lost for certain."""
    made = silently(seed)
    truth = {sight: fate for fate, _, seen in made.truth for sight in seen}

    for flow in join(*made.write(tmp_path)).flows:
        for each in flow.notable:
            if each.fate in (Fate.LOST, Fate.MADE) and each.proven:
                assert {each.fate.value} == {truth["AB"[sight.point], sight.frame] for sight in each.seen}
