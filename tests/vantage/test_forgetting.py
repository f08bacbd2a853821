"""Which connections that are over are forgotten, and how many there were."""

import numpy as np
import pytest

from analyzer.joining import join
from analyzer.report.joint_html import page
from analyzer.report.joint_text import text
from analyzer.report.screen import Screen
from analyzer.vantage import thinning
from analyzer.vantage.forgetting import MARGIN_NS, Forgetting, Known
from analyzer.vantage.settled import Settling
from tests.vantages import ACK, FIN, PSH, SYN, World


class Stub:
    """Connections that began so many nanoseconds after the first, of which some lack packets."""

    def __init__(self, began, missing=(), doubtful=()):
        self._began, self._missing, self._doubtful = np.array(began), list(missing), list(doubtful)

    def _flags(self, count, which):
        flags = np.zeros(count, dtype=np.bool_)
        flags[which] = True
        return flags

    def may_be_copies(self, moved_ns):
        return False, moved_ns

    def present(self, count):
        return np.ones(count, dtype=np.bool_)

    def changed(self, count, _):
        return self._flags(count, [])

    def doubtful(self, count, *_):
        return self._flags(count, self._doubtful), self._flags(count, self._doubtful)

    def lacking(self, count, *_):
        return self._flags(count, [])

    def missing(self, count):
        return self._flags(count, self._missing)

    unpaired = missing

    def began_ns(self, _, ahead_ns):
        return self._began, self._began + ahead_ns


def judged(forgetting, stub, *, quiet=(), told=(), late=(), changed=()):
    """Judge connections; return which stay as pairs and which are forgotten."""
    count = len(stub._began)
    flags = [np.isin(np.arange(count), list(each)) for each in (quiet, told, late, changed)]
    pairs, goes, _ = forgetting.judge(stub, Known(*flags), np.zeros_like, 0)
    return np.flatnonzero(pairs).tolist(), np.flatnonzero(goes).tolist()


LATE = 10 * MARGIN_NS


def test_first_that_have_something_to_tell_stay():
    """Of connections in which something happened, those stay that may be among the first; the others are counted."""
    forgetting = Forgetting(2)
    assert judged(forgetting, Stub([0, 1, LATE, LATE + 1], missing=[0, 2]), told=[1, 3]) == ([], [2, 3])
    assert (len(forgetting.counted()), forgetting.counted().eventful) == (2, 2)
    assert judged(forgetting, Stub([2, LATE], missing=[0, 1])) == ([], [1])


def test_connections_in_doubt_stay():
    """What only all packets together show is neither told nor forgotten, unless a flow tells something by itself."""
    forgetting = Forgetting(1)
    stub = Stub([0, LATE, LATE, LATE], missing=[1, 2], doubtful=[1, 2, 3])
    assert judged(forgetting, stub, told=[0, 2]) == ([], [2])


def test_quiet_connections_are_counted_by_when_they_began():
    """Of a quiet connection that may stand before one that is told its beginning stays, of others their number."""
    forgetting = Forgetting(1)
    assert judged(forgetting, Stub([0, 1, LATE]), quiet=[0, 1, 2], told=[1]) == ([1], [0, 2])
    counted = forgetting.counted()
    assert (counted.began_ns[0].tolist(), counted.quiet, counted.eventful, len(counted)) == ([0], 1, 0, 2)


def test_connections_that_are_late_are_all_counted():
    """Of a connection that began behind all that are told it is said whether something happened, in doubt or not."""
    forgetting, late = Forgetting(1), [1, 2, 3, 4]
    judged(forgetting, Stub([0], missing=[0]))
    stub = Stub([1] * 5, missing=[1], doubtful=[2])
    assert judged(forgetting, stub, late=late, told=[3], changed=[4]) == ([], [0, 1, 2, 3, 4])
    assert (forgetting.counted().eventful, forgetting.counted().quiet) == (3, 1)


def test_all_that_may_be_told_stay_without_a_limit():
    """Without a number all connections in which something happened stay."""
    forgetting = Forgetting(None)
    assert judged(forgetting, Stub([0, LATE], missing=[0, 1])) == ([], [])


def test_nothing_is_forgotten_of_what_may_be_one_capture_twice():
    """As long as all packets are the same at both points nothing is forgotten: copies are to be found out."""
    forgetting, stub = Forgetting(1), Stub([0, LATE])
    stub.may_be_copies = lambda _: (True, 0)
    assert judged(forgetting, stub, quiet=[0, 1]) == ([0, 1], [])


def busy(*, connections, odd):
    """Play short connections one after the other, of which ``odd`` ones lose a packet that is sent again."""
    world = World(offset_s=37.25)
    for number in range(connections):
        world.client, at_s = ("192.0.2.1", 40000 + number), 10.0 * number
        a, b = 100 + 100_000 * number, 500 + 100_000 * number
        world.send(at_s, "a", SYN, a - 1, 0, mss=1460)
        world.send(at_s + 0.001, "b", SYN | ACK, b - 1, a, mss=1460)
        world.send(at_s + 0.002, "a", ACK, a, b)
        for packet in range(40):
            sent, seq = at_s + 0.01 + packet * 0.02, b + 10 * packet
            lost = packet == 20 and number in odd
            world.send(sent, "b", ACK | PSH, seq, a, b"0123456789", fate="lost" if lost else "both")
            if lost:
                world.send(sent + 0.012, "b", ACK | PSH, seq, a, b"0123456789")
            world.send(sent + 0.015, "a", ACK, a, seq + 10)
        world.send(at_s + 1.0, "b", ACK | FIN, b + 400, a)
        world.send(at_s + 1.01, "a", ACK | FIN, a, b + 401)
        world.send(at_s + 1.02, "b", ACK, b + 401, a + 1)
    return world


def in_small_pieces(monkeypatch):
    """Let a short capture be read as a long one is: many batches, stretches and connections that are over."""
    monkeypatch.setattr(thinning, "STRETCH", 100)
    monkeypatch.setattr("analyzer.vantage.settled.WORTH", 2)
    monkeypatch.setattr("analyzer.capture.reader.BATCH_ROWS", 64)
    monkeypatch.setattr("analyzer.track.tracker.SWEEP", 50)
    monkeypatch.setattr("analyzer.track.tracker.AT_ONCE", 1)


@pytest.fixture(scope="module")
def thirty(tmp_path_factory):
    """The captures of thirty connections, of which five have something to tell, and all that is known of them."""
    paths = busy(connections=30, odd=(2, 3, 17, 20, 28)).write(tmp_path_factory.mktemp("thirty"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_small_pieces(monkeypatch)
        return paths, join(*paths, jit=False, keep_all=False)


@pytest.mark.parametrize("most", [1, 2, 3, 30])
def test_text_and_page_are_those_of_all(thirty, monkeypatch, most):
    """What is told of the first connections, and how many more there are, is the same when the others are forgotten."""
    paths, whole = thirty
    in_small_pieces(monkeypatch)
    few = join(*paths, jit=False, keep_all=False, most=most)
    assert (whole.eventful, whole.more) == ([2, 3, 17, 20, 28], 0)
    assert len(few.eventful) + few.more == 5
    assert few.more == {1: 4, 2: 3, 3: 2, 30: 0}[most]
    assert len(whole.flows) == len(few.flows) == 30
    told = [list(text(each, Screen(), limit=most))[3:] for each in (whole, few)]
    assert told[0] == told[1]
    assert len(page(few, limit=most)) == pytest.approx(len(page(whole, limit=most)), abs=10)


def test_of_what_will_not_be_told_no_packet_stays(tmp_path, monkeypatch):
    """Once the connections are known that are told, packets of later ones are let go as they are met."""
    paths = busy(connections=40, odd=(0, 1, 21, 38)).write(tmp_path)
    in_small_pieces(monkeypatch)
    kept = []
    keep = Settling.keep
    monkeypatch.setattr(Settling, "keep", lambda self, point, seen: (kept.append(len(seen)), keep(self, point, seen)))
    few = join(*paths, jit=False, keep_all=False, most=1)
    some, kept[:] = sum(kept), []
    whole = join(*paths, jit=False, keep_all=False)
    assert some < 0.8 * sum(kept)
    assert (few.eventful[:1], len(few.eventful) + few.more) == (whole.eventful[:1], len(whole.eventful))
    assert [list(text(each, Screen(), limit=1))[3:] for each in (few,)] == [list(text(whole, Screen(), limit=1))[3:]]


def test_forgotten_connections_cannot_be_looked_at(tmp_path, monkeypatch):
    """A connection of which nothing is left is not there to be asked for, whether its number is known or not."""
    monkeypatch.setattr(thinning, "STRETCH", 100)
    found = join(*busy(connections=20, odd=(1, 2, 18)).write(tmp_path), jit=False, keep_all=False, most=1)
    for number in (0, 18, 19):
        with pytest.raises(KeyError):
            found.fields(number)
    assert found.by_first_flow().keys() <= {1, 2}
