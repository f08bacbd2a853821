"""The table of trains of heartbeats: room for each length, given back with the flow, looked at without changing."""

import numpy as np
import pytest

from analyzer.segment import SegmentBatch
from analyzer.track.beats import BEATS, FREE, LIVE, USED, new_train
from analyzer.track.tracker import LINGER_NS, Tracker
from tests.heartbeats import S, Talk, each, known, modes
from tests.notation import START_NS


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

    used = tracker._beat_registers[LIVE]
    assert 1 <= used <= 3

    finished = tracker.advance(START_NS + 101 * S + LINGER_NS + S)

    assert [known(train, "count") for train in finished.trains] == [(5,)]
    assert (tracker._beat_registers[USED], tracker._beat_registers[LIVE]) == (used, 0)
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


def test_a_record_that_is_used_again_knows_nothing_of_before():
    """A train that begins has no distances, and nothing out of step, of the flow that had its record."""
    used = dict.fromkeys(BEATS.names, 7)
    registers = [1, 0, 0]
    registers[USED], registers[FREE], registers[LIVE] = 1, 0, 0

    new_train([used], registers, 1)

    assert [0, 0, 0, 0, 0] == [used[name] for name in ("count", "gaps", "sum_ns", "others", "late")]
