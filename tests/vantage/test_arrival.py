"""A packet that a point lacks arrived, or not, by what its receiver says and does."""

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, FIN, PSH, RST, SYN, World, fates, keepalive, odd, stamp


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


def test_a_fin_is_no_answer_to_a_probe(tmp_path):
    """A FIN that its sender sends by itself, moments after a probe was lost, does not show that the probe came."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(8.008, "b", ACK | FIN, b + 1, a + 31)
    made.send(8.02, "a", ACK, a + 31, b + 2)

    flow = join(*made.write(tmp_path)).flows[0]

    assert [Fate.LOST] == [crossing.fate for crossing in flow.notable if crossing.fate is not Fate.BOTH]


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


def test_an_acknowledgement_that_was_under_way_proves_no_loss(tmp_path):
    """What the receiver sent before the data can have reached it says nothing of that data."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK | PSH, a + 31, b + 1, b"abc", fate="lost")
    made.send(9.0015, "b", ACK, b + 1, a + 31)

    assert [(Fate.UNPROVEN, False, Why.NOTHING_LATER)] == odd(join(*made.write(tmp_path)))


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


def test_an_answer_to_a_syn_that_was_refused_is_lost_whatever_is_acknowledged_of_the_next(tmp_path):
    """A router resets who answers a SYN; of the answer to the next SYN, with another number, the ACK says nothing."""
    made = World()
    made.send(0.0, "a", SYN, 1000, 0, mss=1460)
    made.send(0.001, "b", SYN | ACK, 5000, 1001, mss=1460, fate="lost")
    made.send(0.0015, "a", RST, 1001, 0, fate="made", ttl=70)
    made.send(1.0, "a", SYN, 1000, 0, mss=1460)
    made.send(1.001, "b", SYN | ACK, 900_000, 1001, mss=1460)
    made.send(1.002, "a", ACK, 1001, 900_001)
    made.send(2.0, "a", ACK | PSH, 1001, 900_001, b"hello")
    made.send(2.01, "b", ACK, 900_001, 1006)

    found = join(*made.write(tmp_path))

    assert [fate for fate in made.truth if fate[0] != "both"] == [each for each in fates(found) if each[0] != "both"]
    assert 1 == len(found.flows)
    assert not found.lone
