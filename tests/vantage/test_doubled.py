"""What one point alone has twice within moments is not called lost, made or missed; what is another packet still is."""

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, RST, SYN, World, keepalive, odd

MOMENT_NS = 5_000


def again(world, point, after_ns=MOMENT_NS):
    """Capture the last packet at a point a second time."""
    ts_ns, octets = world.frames[point][-1]
    world.frames[point].append((ts_ns + after_ns, octets))


def played(twice, point, **world):
    """Return a world in which one packet was captured twice at a point: the SYN,ACK, an answer or a RST."""
    made = World(**{"ids": False} | world)
    a, b = 1000, 5000
    for kind, *packet in (
        ("SYN", 0.0, "a", SYN, a, 0),
        ("SYN,ACK", 0.01, "b", SYN | ACK, b, a + 1),
        ("ACK", 0.02, "a", ACK, a + 1, b + 1),
        ("data", 0.03, "a", ACK | PSH, a + 1, b + 1, b"hello"),
        ("ACK of data", 0.04, "b", ACK, b + 1, a + 6),
        ("probe", 2.0, "a", ACK, a + 5, b + 1),
        ("answer", 2.01, "b", ACK, b + 1, a + 6),
        ("RST", 4.0, "b", RST, b + 1, 0),
        ("late", 5.0, "a", ACK, a + 6, b + 1),
    ):
        made.send(*packet)
        if kind == twice:
            again(made, point)
    return made


@pytest.mark.parametrize("timestamps", [True, False], ids=["timestamps", "none"])
@pytest.mark.parametrize("point", ["A", "B"])
@pytest.mark.parametrize("twice", ["SYN", "SYN,ACK", "ACK", "data", "ACK of data", "probe", "answer", "RST", "late"])
@pytest.mark.parametrize("swap", [False, True], ids=["A B", "B A"])
def test_one_packet_that_a_point_has_twice_is_neither_lost_nor_made(tmp_path, twice, point, timestamps, swap):
    """Where nothing tells two captures apart it is not known whether they are one packet, whichever point has both."""
    made = played(twice, point, timestamps=timestamps)

    found = odd(join(*made.write(tmp_path, swap=swap)))

    assert found in ([], [(Fate.UNPROVEN, False, Why.CAPTURED_TWICE)])


def test_it_says_of_which_packet_it_may_be_a_second_capture(tmp_path):
    """The frame of the other one is known, at the point that has both."""
    (flow,) = join(*played("SYN,ACK", "B").write(tmp_path)).flows

    assert [(1, 2)] == [crossing.like for crossing in flow.notable if crossing.why is Why.CAPTURED_TWICE]


def sent_twice(folder, *, after_s=0.000_005, window=500, first="both", **world):
    """Return what is told of a RST that was sent again, and lost then."""
    made = played("", "", **{"timestamps": False} | world)
    made.send(6.0, "b", RST, 5001, 0, fate=first)
    made.send(6.0 + after_s, "b", RST, 5001, 0, fate="lost")
    ts_ns, octets = made.frames["B"].pop()
    made.frames["B"].append((ts_ns, octets[:48] + window.to_bytes(2, "big") + octets[50:]))
    made.send(8.0, "b", ACK | PSH, 5001, 1006, b"later")
    return odd(join(*made.write(folder)))


@pytest.mark.parametrize(
    "apart",
    [{"after_s": 0.02}, {"ids": True}, {"timestamps": True, "after_s": 0.002}, {"window": 400}],
    ids=["later", "another IP ID", "another timestamp", "another window"],
)
def test_another_packet_is_lost_as_before(tmp_path, apart):
    """Where time, IP ID, timestamp or window tell two packets apart, the second one was lost."""
    assert [(Fate.LOST, True, Why.RUNNING)] == sent_twice(tmp_path, **apart)


def test_of_two_that_nothing_tells_apart_the_second_is_not_called_lost(tmp_path):
    """A RST that a host really sent twice at once, the second of which was lost, may be one packet all the same."""
    assert [(Fate.UNPROVEN, False, Why.CAPTURED_TWICE)] == sent_twice(tmp_path)


def test_what_was_lost_both_times_is_lost(tmp_path):
    """A packet that no other point has is lost, however often the point has it."""
    assert {Fate.LOST} == {fate for fate, *_ in sent_twice(tmp_path, first="lost")}


def test_both_of_two_that_passed_are_packets(tmp_path):
    """What a host sent twice at once, and both points have twice, is two packets that passed."""
    made = played("", "")
    for at_s in (6.0, 6.000_005):
        made.send(at_s, "b", RST, 5001, 0)

    assert [] == odd(join(*made.write(tmp_path)))


def test_a_second_capture_does_not_show_that_the_other_missed_something(tmp_path):
    """A packet that was lost just behind what one point has twice is lost, as if that were there once."""
    made = played("", "")
    made.send(6.0, "b", ACK | PSH, 5001, 1006, b"data")
    made.send(6.01, "a", ACK, 1006, 5005)
    again(made, "A")
    made.send(8.0, "a", ACK, 1005, 5005, fate="lost")
    made.send(10.0, "a", ACK, 1005, 5005)
    made.send(10.01, "b", ACK, 5005, 1006)

    found = odd(join(*made.write(tmp_path)))

    assert [(Fate.UNPROVEN, Why.CAPTURED_TWICE), (Fate.LOST, Why.RUNNING)] == [(fate, why) for fate, _, why in found]


@pytest.mark.parametrize("what", ["probe", "answer"])
@pytest.mark.parametrize("swap", [False, True], ids=["A B", "B A"])
def test_what_waited_for_the_next_or_was_lost_is_not_known(tmp_path, what, swap):
    """A packet that seems to come with the next one was held, or lost while that was captured twice: nothing tells."""
    made = World(ids=False, timestamps=False)
    a, b = keepalive(made, probes=2)
    for at_s in (6.0, 8.0):
        made.send(at_s, "a", ACK, a + 30, b + 1, fate="lost" if (what, at_s) == ("probe", 6.0) else "both")
        if (what, at_s) == ("probe", 8.0):
            again(made, "B")
        if (what, at_s) != ("probe", 6.0):
            made.send(at_s + 0.002, "b", ACK, b + 1, a + 31, fate="lost" if at_s == 6.0 else "both")
        if (what, at_s) == ("answer", 8.0):
            again(made, "A")
    made.send(9.0, "a", ACK | PSH, a + 31, b + 1, b"more")
    made.send(9.01, "b", ACK, b + 1, a + 35)

    found = join(*made.write(tmp_path, swap=swap))

    assert [(Fate.UNPROVEN, False, Why.CAPTURED_TWICE)] == odd(found)
    assert ["answered", "answered", "unproven", "answered"] == [probe.outcome for probe in found.flows[0].probes]


def test_what_equals_a_packet_of_unknown_fate_is_not_surely_lost(tmp_path):
    """Of three packets that are alike one point has two within moments: the third was most likely lost."""
    made = World(ids=False, timestamps=False)
    a, b = keepalive(made, probes=2)
    for at_s, fate in ((6.0, "lost"), (7.0, "lost"), (8.0, "both")):
        made.send(at_s, "a", ACK, a + 30, b + 1, fate=fate)
    again(made, "B")
    made.send(8.002, "b", ACK, b + 1, a + 31)
    made.send(9.0, "a", ACK | PSH, a + 31, b + 1, b"more")
    made.send(9.01, "b", ACK, b + 1, a + 35)

    assert {(Fate.UNPROVEN, False, Why.CAPTURED_TWICE), (Fate.LOST, False, Why.RUNNING)} == set(
        odd(join(*made.write(tmp_path)))
    )
