"""A fate says no more than the captures show: what cannot be proven is called so."""

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, FIN, PSH, RST, World, keepalive, stamp


def last_of(world, folder, **files):
    """Return the last packet of the first connection, with its fate."""
    flow = join(*world.write(folder, **files)).flows[0]
    return max((*flow.notable, *flow.others), key=lambda crossing: crossing.first.ts_ns)


def test_what_a_capture_with_nothing_later_lacks_is_only_likely_lost(tmp_path):
    """That a capture still ran when its last frame was long past is an assumption, and is said to be one."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    crossing = last_of(made, tmp_path)

    assert (Fate.LOST, False, Why.NOTHING_LATER) == (crossing.fate, crossing.proven, crossing.why)


def test_a_capture_that_had_ended_is_told_from_a_loss(tmp_path):
    """If the receiver goes on to be heard elsewhere, the capture near it had ended: nothing is called lost."""
    made = World()
    keepalive(made, probes=6)

    flow = join(*made.write(tmp_path, parts=(None, slice(0, 9)))).flows[0]

    assert 0 == flow.counts["lost"] + flow.counts["made"]
    assert {Why.ENDED, Why.ANSWERED} >= {c.why for c in flow.notable if c.fate is Fate.NOT_CAPTURED and c.sender == "a"}


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


def test_data_that_was_sent_again_was_lost_the_first_time(tmp_path):
    """The receiver acknowledged less after it should have arrived, so the first copy was lost for certain."""
    made = World(offset_s=3.0)
    a, b = keepalive(made, probes=1)
    made.send(5.0, "a", ACK | PSH, a + 31, b + 1, b"abc", fate="lost")
    made.send(5.1, "b", ACK | PSH, b + 1, a + 31, b"unasked")
    made.send(5.3, "a", ACK | PSH, a + 31, b + 8, b"abc")
    made.send(5.31, "b", ACK, b + 8, a + 34)

    flow = join(*made.write(tmp_path)).flows[0]

    assert [(Fate.LOST, True, Why.NOT_ACKNOWLEDGED)] == [
        (c.fate, c.proven, c.why) for c in flow.notable if c.fate is not Fate.BOTH
    ]


def test_a_reset_outside_the_other_capture_proves_nothing(tmp_path):
    """A RST with its sender's TTL, behind the end of the sender's capture, may be its own or not."""
    made = World(hops=0)
    _, b = keepalive(made, probes=2)
    made.send(9.0, "b", RST, b + 1, 0, missed="B")

    crossing = last_of(made, tmp_path)

    assert Fate.UNPROVEN is crossing.fate or not crossing.proven


def test_points_without_an_order_call_nothing_lost(tmp_path):
    """If neither hops nor times tell which point is nearer, what one of them lacks is of unproven fate."""
    made = World(hops=0)
    made.send(0.0, "a", ACK | PSH, 100, 200, b"one")
    made.send(0.5, "a", ACK | PSH, 103, 200, b"two", fate="lost")
    made.send(1.0, "a", ACK | PSH, 106, 200, b"three")

    flow = join(*made.write(tmp_path)).flows[0]

    assert () == flow.way
    assert [Why.ORDER] == [crossing.why for crossing in flow.notable]


def test_a_fin_is_no_answer_to_a_probe(tmp_path):
    """A FIN that its sender sends by itself, moments after a probe was lost, does not show that the probe came."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(8.008, "b", ACK | FIN, b + 1, a + 31)
    made.send(8.02, "a", ACK, a + 31, b + 2)

    flow = join(*made.write(tmp_path)).flows[0]

    assert [Fate.LOST] == [crossing.fate for crossing in flow.notable if crossing.fate is not Fate.BOTH]


def odd(found):
    """Return fate, certainty and reason of each packet of the first connection that is not at all points."""
    return [(c.fate, c.proven, c.why) for c in found.flows[0].notable if c.fate is not Fate.BOTH]


@pytest.mark.parametrize(
    ("goes_on", "said", "by"),
    [
        (False, (Fate.UNPROVEN, False, Why.ENDED), ("b", False)),
        (True, (Fate.MADE, True, Why.RUNNING), ("between", True)),
    ],
    ids=["ends with the probe", "goes on"],
)
def test_a_reset_that_a_capture_may_have_ended_before_is_not_said_to_be_made(tmp_path, goes_on, said, by):
    """A RST that drew a probe is made between only if the server's capture has something clearly behind both."""
    made = World(ids=False, timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK, a + 30, b + 1)
    made.send(9.0002, "b", RST, b + 1, 0, missed="B")
    if goes_on:
        made.send(9.5, "a", ACK, a + 30, b + 1)

    found = join(*made.write(tmp_path))

    assert [said] == odd(found)
    assert by == (found.flows[0].ending.by, found.flows[0].ending.proven)


@pytest.mark.parametrize(
    ("echoed_s", "said"),
    [(6.002, (Fate.NOT_CAPTURED, True, Why.ECHOED)), (4.002, (Fate.LOST, True, Why.RUNNING))],
    ids=["its own", "an older one"],
)
def test_an_answer_whose_timestamp_is_echoed_arrived(tmp_path, echoed_s, said):
    """An answer that the prober's capture lacks came if the next probe echoes its timestamp, else it was lost."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(6.0, "a", ACK, a + 30, b + 1, echo=stamp(4.002, "b"))
    made.send(6.002, "b", ACK, b + 1, a + 31, missed="A")
    made.send(8.0, "a", ACK, a + 30, b + 1, echo=stamp(echoed_s, "b"))
    made.send(8.002, "b", ACK, b + 1, a + 31)

    assert [said] == odd(join(*made.write(tmp_path)))


def test_an_acknowledgement_behind_which_its_receiver_probes_arrived(tmp_path):
    """Nobody probes with data outstanding, so that the only acknowledgement of it came, captured or not."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(6.0, "a", ACK | PSH, a + 31, b + 1, b"abc")
    made.send(6.002, "b", ACK, b + 1, a + 34, missed="A")
    made.send(8.0, "a", ACK, a + 33, b + 1)
    made.send(8.002, "b", ACK, b + 1, a + 34)

    assert [(Fate.NOT_CAPTURED, True, Why.REACTED)] == odd(join(*made.write(tmp_path)))


def test_a_probe_that_drew_a_reset_from_beyond_arrived(tmp_path):
    """A probe that the server's capture lacks passed it, if a RST with the number it acknowledged came from there."""
    made = World(ids=False, timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK, a + 30, b + 1, missed="B")
    made.send(9.001, "b", RST, b + 1, 0)

    assert [(Fate.NOT_CAPTURED, True, Why.ANSWERED)] == odd(join(*made.write(tmp_path)))


def test_a_capture_that_lacks_a_probe_lacks_its_answer(tmp_path):
    """Where a capture lacks several packets in a row, nothing proves that the answer among them was lost."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(6.0, "a", ACK, a + 30, b + 1, missed="A")
    made.send(6.002, "b", ACK, b + 1, a + 31, missed="A")
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.send(8.002, "b", ACK, b + 1, a + 31)

    assert [
        (Fate.NOT_CAPTURED, False, Why.FITS_SENDER),
        (Fate.UNPROVEN, False, Why.MISSES),
    ] == odd(join(*made.write(tmp_path)))


@pytest.mark.parametrize(
    ("last_s", "said"),
    [(9.003, (Fate.LOST, False, Why.NOTHING_LATER)), (9.5, (Fate.LOST, True, Why.RUNNING))],
    ids=["about then", "later"],
)
def test_nothing_is_proven_about_when_a_capture_ends(tmp_path, last_s, said):
    """A packet at the end of the capture that lacks it, as near as clocks and unwritten frames go, is likely lost."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "b", ACK, b + 1, a + 31, fate="lost")
    made.send(last_s, "a", ACK, a + 30, b + 1)

    assert [said] == odd(join(*made.write(tmp_path)))


def test_an_acknowledgement_that_was_under_way_proves_no_loss(tmp_path):
    """What the receiver sent before the data can have reached it says nothing of that data."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK | PSH, a + 31, b + 1, b"abc", fate="lost")
    made.send(9.0015, "b", ACK, b + 1, a + 31)

    assert [(Fate.LOST, False, Why.NOTHING_LATER)] == odd(join(*made.write(tmp_path)))


@pytest.mark.parametrize(
    ("timestamps", "second"),
    [(True, (Fate.NOT_CAPTURED, False, Why.ECHOED)), (False, (Fate.NOT_CAPTURED, False, Why.ACKNOWLEDGED))],
    ids=["with timestamps", "without"],
)
def test_an_acknowledgement_is_of_one_transmission(tmp_path, timestamps, second):
    """Of a FIN that was sent twice an acknowledgement shows that one came: which one, the echoed timestamp tells."""
    made = World(timestamps=timestamps)
    a, b = keepalive(made, probes=2)
    upto = len(made.frames["B"])
    made.send(9.0, "a", ACK | FIN, a + 31, b + 1, fate="lost")
    made.send(9.2, "a", ACK | FIN, a + 31, b + 1)
    made.send(9.202, "b", ACK, b + 1, a + 32, echo=stamp(9.2, "a"))

    first, again, _ = odd(join(*made.write(tmp_path, parts=(None, slice(0, upto)))))

    assert Why.ENDED is first[2]
    assert not first[1]
    assert second == again


def test_an_acknowledgement_that_data_overtook_is_only_likely_lost(tmp_path):
    """Of an ACK behind which its sender at once sends data with the same number, the receiver shows nothing."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(6.0, "b", ACK, b + 1, a + 31, missed="A")
    made.send(6.001, "b", ACK | PSH, b + 1, a + 31, b"abc")
    made.send(6.002, "a", ACK, a + 31, b + 4, echo=stamp(6.001, "b"))

    assert [(Fate.LOST, False, Why.RUNNING)] == odd(join(*made.write(tmp_path)))
