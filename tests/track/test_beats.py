"""Heartbeats found by form: what is a train, what its numbers are, and what is none."""

import itertools

import numpy as np
import pytest

from analyzer.segment import SegmentBatch
from analyzer.track.beats import BEATS, FREE, LIVE, USED, is_train
from analyzer.track.tracker import LINGER_NS, Tracker
from tests.heartbeats import OPENING, Talk, each
from tests.notation import START_NS, follow, parse

S = 1_000_000_000
modes = pytest.mark.parametrize("jit", [False, pytest.param(True, id="compiled")])


@pytest.fixture(autouse=True)
def _numba_where_needed(request):
    """Skip compiled variants without numba."""
    if "jit" in request.fixturenames and request.getfixturevalue("jit"):
        pytest.importorskip("numba")


def known(train, *names):
    """Some fields of a train."""
    return tuple(int(train[name]) for name in names)


@modes
def test_answered_heartbeats(jit):
    """Ping and pong at even intervals are a train with period, length, answers and frames."""
    (train,) = Talk().beats(each(20, 20, 5)).trains(jit=jit)

    assert known(train, "side", "length", "count", "answered", "missed", "due") == (0, 6, 5, 5, 0, 1)
    assert train["sum_ns"] // train["gaps"] == 20 * S
    assert known(train, "first_frame", "last_frame", "answer_frame") == (4, 16, 17)
    assert known(train, "slowest_ns", "number") == (10_000_000, 0)


@modes
def test_the_last_heartbeats_stay_unanswered(jit):
    """What the peer's kernel acknowledged and its program did not answer is counted from the last answer on."""
    (train,) = Talk().beats(each(5, 5, 4)).beats(each(25, 5, 3), answer=0).trains(jit=jit)

    assert known(train, "count", "answered", "missed", "unanswered", "acked", "due") == (7, 4, 3, 3, 3, 1)
    assert known(train, "silent_frame", "silent_ns") == (16, START_NS + 25 * S)


def test_unanswered_and_not_acknowledged():
    """Where the peer's kernel is silent too, no heartbeat counts as acknowledged."""
    talk = Talk().beats(each(5, 5, 4))
    for at in each(25, 5, 3):
        talk.says(at, "a", 6, acked=False)
    (train,) = talk.trains()

    assert known(train, "unanswered", "acked") == (3, 0)


def test_one_way():
    """Where nobody ever answers, nothing says that answers are due."""
    (train,) = Talk().beats(each(30, 30, 5), length=8, answer=0).trains()

    assert known(train, "count", "answered", "due") == (5, 0, 0)


def test_both_ends_beat_by_themselves():
    """Heartbeats of both ends out of step are two trains without answers."""
    talk = Talk()
    for at in range(5):
        talk.beats([30 + 30 * at], length=8, answer=0).beats([43 + 30 * at], length=8, answer=0, who="b")
    trains = talk.trains()

    assert [known(train, "side", "count", "due") for train in trains] == [(0, 5, 0), (1, 5, 0)]


def test_both_ends_beat_at_once():
    """Pings of both ends in the same moment, each answered, are one train of who began."""
    talk = Talk()
    for at in each(20, 20, 5):
        talk.says(at, "a", 10, acked=False).says(at + 0.001, "b", 6, acked=False)
        talk.says(at + 0.002, "a", 10, acked=False).says(at + 0.003, "b", 6)
    (train,) = talk.trains()

    assert known(train, "side", "count", "answered") == (0, 5, 5)


@modes
def test_other_data_in_between(jit):
    """Requests between heartbeats are neither counted nor break the train, whose period is that of the clock."""
    talk = Talk().beats(each(20, 20, 4)).says(85, "a", 300).says(85.1, "b", 4000).beats([100, 120]).trains(jit=jit)

    assert [known(train, "count", "answered", "gaps") for train in talk] == [(6, 6, 5)]


def test_a_timer_that_data_restarts():
    """Who beats so long after other data has the same period, however that data comes."""
    talk = Talk().beats(each(15, 15, 4)).says(67, "b", 4000).beats([82.04, 97.05]).says(103, "b", 900)
    (train,) = talk.beats([118.04]).trains()

    assert known(train, "count") == (7,)
    assert train["high_ns"] - train["low_ns"] < S // 10


def test_heartbeats_that_a_busy_time_hides():
    """Behind a busy time the train goes on if it is in step."""
    talk = Talk().beats(each(10, 10, 5))
    for at in range(80):
        talk.says(52 + at / 2, "a", 500)
    (train,) = talk.beats([100, 110]).trains()

    assert known(train, "count", "gaps") == (7, 5)


@pytest.mark.parametrize(
    "talk",
    [
        Talk().beats(each(10, 10, 3)),
        Talk().beats([10, 13, 25, 31, 50, 54, 77]),
        Talk().beats(each(10, 10, 6), length=161),
        Talk().beats(each(10, 10, 6), length=40, answer=120),
        Talk().beats(each(10, 10, 6), length=40, answer=2000),
        Talk().beats(each(2, 1, 20), length=40, answer=0),
        Talk().beats(each(1, 0.5, 30)),
    ],
    ids=["three", "uneven", "long", "longer answer", "a page", "output once a second", "twice a second"],
)
def test_what_is_no_train(talk):
    """Few, uneven, long or quick messages, and polls that get more than they sent, are no heartbeats."""
    assert talk.trains() == []


def test_lengths_that_differ():
    """Messages of any length at even intervals are no heartbeats."""
    talk = Talk()
    for at, length in zip(each(10, 10, 8), (20, 90, 33, 70, 48, 120, 25, 60), strict=True):
        talk.beats([at], length=length)

    assert talk.trains() == []


def test_answers_that_differ():
    """A poll that gets something else each time is no heartbeat."""
    talk = Talk()
    for at, answer in zip(each(10, 10, 6), (20, 66, 33, 70, 48, 25), strict=True):
        talk.beats([at], length=40, answer=answer)

    assert talk.trains() == []


def test_more_than_an_exchange():
    """A message that is followed by others at once is none, however even."""
    talk = Talk()
    for at in each(10, 10, 6):
        for part in range(4):
            talk.says(at + part / 10, "a", 30)

    assert talk.trains() == []


def test_keepalive_probes_are_no_heartbeats():
    """A probe of one octet sends nothing new."""
    text = OPENING + "+0 a > b P. 1:101(100) ack 1\n+.01 b > a . 1:1(0) ack 101\n"
    for _ in range(6):
        text += "+10 a > b . 100:101(1) ack 1\n+.01 b > a . 1:1(0) ack 101\n"
    (batch,) = follow([parse(text).batch()])

    assert len(batch.trains) == 0


@modes
def test_the_first_comes_with_the_greeting(jit):
    """A message as long, one period before the first beat, counts though other data came just before it."""
    talk = Talk().says(1, "a", 300).says(1.1, "b", 800).beats([1.2])
    (train,) = talk.beats(each(11.2, 10, 4)).trains(jit=jit)

    assert known(train, "count", "answered", "missed", "gaps") == (5, 5, 0, 4)
    assert known(train, "first_frame", "first_ns") == (8, START_NS + 1_200_000_000)


def test_the_first_gets_no_answer():
    """What nobody answered of it is missed as any other is."""
    talk = Talk().says(1, "a", 300).says(1.2, "a", 6).beats(each(11.2, 10, 4))
    (train,) = talk.trains()

    assert known(train, "count", "answered", "missed", "unanswered") == (5, 4, 1, 0)


def test_a_message_as_long_at_another_distance_is_not_the_first():
    """What came before the first beat at any other distance begins no train."""
    (train,) = Talk().says(1, "a", 300).says(1.2, "a", 6).beats(each(5, 10, 5)).trains()

    assert known(train, "count", "first_ns", "missed") == (5, START_NS + 5 * S, 0)


@modes
def test_a_beat_amid_other_data_counts(jit):
    """A heartbeat that other data stands just before is found by the one after it."""
    talk = Talk().beats(each(20, 20, 4)).says(99.5, "b", 300).beats([100, 120, 140])
    (train,) = talk.trains(jit=jit)

    assert known(train, "count", "answered", "missed", "gaps") == (7, 7, 0, 6)


@modes
def test_both_ends_beat_and_cross(jit):
    """Where either end comes first in turn each heartbeat counts as its sender's own, and none as an answer."""
    talk = Talk()
    for at in range(12):
        first, second, lag = ("a", "b", 0) if at in {0, 2, 5, 6, 10} else ("b", "a", 0.4)
        talk.beats([30 + 30 * at - lag], length=19, answer=0, who=first)
        talk.beats([30.4 + 30 * at - lag], length=19, answer=0, who=second)
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count") for train in trains] == [(0, 12), (1, 12)]


JITTER_S = (0, 3.8, 7.2, 1.1, 6.5, 0.4, 5.9, 2.7, 7.4, 4.6, 0.9, 6.8, 3.3)
"""What a timer of 30 s subtracts from it, up to a quarter (RFC 4271 10)."""


def routers(period):
    """Two ends that beat by themselves, of which each draws how late it is; lists of their times."""
    drawn = [period - period * jitter / 30 for jitter in JITTER_S]
    return [list(itertools.accumulate(drawn[at:] + drawn[:at], initial=20 + period * at / 10)) for at in (0, 5)]


def talk_of(times, length):
    """What passes where the ends beat at these times."""
    talk = Talk()
    for at, who in sorted([(at, who) for who, own in zip("ab", times, strict=True) for at in own]):
        talk.beats([at], length=length, answer=0, who=who)
    return talk


@modes
@pytest.mark.parametrize(
    ("period", "found"), [(30, [(0, 14, 0), (1, 14, 0)]), (2, [(0, 14, 1)])], ids=["each alone", "in pairs"]
)
def test_routers(jit, period, found):
    """KEEPALIVEs of two routers with a jitter of a quarter are counted; who always comes second seems to answer."""
    trains = talk_of(routers(period), 19).trains(jit=jit)

    assert [known(train, "side", "count", "due") for train in trains] == found


def test_routers_that_come_first_in_turn():
    """Short messages of both ends, by the same timer, are heartbeats of each even where they come every few seconds."""
    firsts, seconds = routers(3)
    trains = talk_of([firsts, [at + 1.5 for at in seconds]], 19).trains()

    assert [known(train, "side", "due") for train in trains] == [(0, 0), (1, 0)]
    assert trains[0]["count"] == 14


def test_only_one_end_says_so_much_so_often():
    """What is longer and comes as often, with jitter, and from one end alone, is no heartbeat."""
    assert talk_of([routers(3)[0], []], 19).trains() == []


def test_a_jitter_that_no_timer_has():
    """Messages of one end that come at random in the long run are no train."""
    times = itertools.accumulate([30, 17, 26, 41, 12, 35, 22, 44, 19, 29, 38, 15])

    assert talk_of([list(times), []], 19).trains() == []


@modes
def test_answers_that_take_most_of_the_period(jit):
    """A ping that follows the answer to the one before closely is the next ping, not more of that exchange."""
    (train,) = Talk().beats(each(10, 1, 6), length=6, answer=10, after=0.6).trains(jit=jit)

    assert known(train, "side", "count", "answered", "missed", "due") == (0, 6, 6, 0, 1)


def test_clients_of_one_server_that_beat_at_once():
    """Heartbeats of several connections within a millisecond are a train each, with numbers of its own."""
    rows = []
    for client in range(3):
        some = Talk().beats(each(20 + client / 2000, 20, 5 + client)).batch().rows.copy()
        port = np.where(some["src_port"] == some["src_port"][0], "src_port", "dst_port")
        for row, name in zip(some, port, strict=True):
            row[name] += client
        rows.append(some)
    merged = np.concatenate(rows)
    merged = merged[np.argsort(merged["ts_ns"], kind="stable")]
    merged["frame"] = np.arange(1, len(merged) + 1)
    tracker = Tracker()
    tracker.feed(SegmentBatch(merged, len(merged)))
    trains = [known(train, "count", "answered") for batch in tracker.close() for train in batch.trains]

    assert trains == [(5, 5), (6, 6), (7, 7)]


def test_another_length_takes_the_place():
    """Messages of many lengths leave room for the heartbeats between them."""
    talk = Talk()
    for at, other in enumerate((20, 30, 40, 50, 60, 70, 80, 90)):
        talk.beats([10 + 20 * at]).says(17 + 20 * at, "a", other).says(17.1 + 20 * at, "b", 2 * other)
    (train,) = talk.trains()

    assert known(train, "length", "count") == (6, 8)


def test_another_pace():
    """A train that never had enough beats begins anew at another distance."""
    (train,) = Talk().beats([3, 7, 11, 31, 51, 71, 91]).trains()

    assert known(train, "count", "first_ns") == (5, START_NS + 11 * S)
    assert train["sum_ns"] // train["gaps"] == 20 * S


def test_a_snapshot_changes_nothing():
    """What is open is counted in a snapshot, and once when the flow is finished."""
    rows = Talk().beats(each(20, 20, 5)).batch().rows
    tracker = Tracker()
    tracker.feed(SegmentBatch(rows[:-3], len(rows) - 3))

    assert [known(train, "count") for train in tracker.snapshot().trains] == [(4,)]
    assert [known(train, "count") for train in tracker.snapshot().trains] == [(4,)]

    tracker.feed(SegmentBatch(rows[-3:], 3))

    assert [known(train, "count") for batch in tracker.close() for train in batch.trains] == [(5,)]


@modes
def test_records_are_given_back(jit):
    """A flow that left has no record in the table of trains."""
    tracker = Tracker(jit=jit)
    talk = Talk().beats(each(20, 20, 5)).says(101, "a", 0, flags="R.", acked=False)
    tracker.feed(talk.batch())

    assert tracker._beat_registers[LIVE] == 1

    finished = tracker.advance(START_NS + 101 * S + LINGER_NS + S)

    assert [known(train, "count") for train in finished.trains] == [(5,)]
    assert list(tracker._beat_registers) == [1, 0, 0]
    assert (USED, FREE, LIVE) == (0, 1, 2)


def test_compiling_meanwhile():
    """Compiled loops go on where plain ones stopped."""
    pytest.importorskip("numba")
    rows = Talk().beats(each(20, 20, 6)).batch().rows
    tracker = Tracker()
    tracker.feed(SegmentBatch(rows[:10], 10))
    tracker.compile()
    tracker.feed(SegmentBatch(rows[10:], len(rows) - 10))

    assert [known(train, "count") for batch in tracker.close() for train in batch.trains] == [(6,)]


def test_unlike_answers_are_counted():
    """One answer in four may be of another length."""
    train = dict.fromkeys(BEATS.names, 0) | {
        "count": 8, "gaps": 7, "sum_ns": 70 * S, "low_ns": 10 * S, "high_ns": 10 * S, "length": 6, "answered": 8,
    }  # fmt: skip

    assert [unlike for unlike in range(9) if is_train(train | {"unlike": unlike})] == [0, 1, 2]
    assert np.dtype(BEATS).itemsize <= 256
