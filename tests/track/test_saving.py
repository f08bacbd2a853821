"""A tracker that is saved and restored goes on as if nothing had been."""

import json
from pathlib import Path

import numpy as np
import pytest

from analyzer.capture.reader import open_capture
from analyzer.segment import SegmentBatch
from analyzer.track import saving
from analyzer.track.tracker import Tracker
from tests.heartbeats import Talk, each

CAPTURES = Path(__file__).parents[2] / "captures"
READ = ("founding_go_fin60.pcap", "lab/port_reuse.pcap", "lab/any_router_sll.pcap", "lab/fw_reject_rst.peer.pcap")


def once_more(tracker, *, jit=False):
    """Save a tracker and return one restored of it, by way of JSON and octets."""
    arrays, facts = saving.save(tracker)
    copies = {name: np.frombuffer(each.tobytes(), dtype=each.dtype) for name, each in arrays.items()}
    return saving.restore(copies, json.loads(json.dumps(facts)), jit=jit)


def finished(path, *, rows, saved, jit=False):
    """Return all fields of the flows of a capture, read so many rows at a time."""
    tracker = Tracker(jit=jit, seed=7)
    found = []
    with open_capture(path, jit=jit) as source:
        for batch in source.batches(rows):
            found.append(tracker.feed(batch))
            if saved:
                tracker = once_more(tracker, jit=jit)
    found += tracker.close()
    parts = ("flow", "a", "b", "run_a", "run_b", "ending", "seen", "beside", "trains")
    return [
        (batch.end_ns, batch.holes, *(getattr(batch, part).tolist() for part in parts))
        for batch in found
        if batch is not None
    ]


@pytest.mark.parametrize("name", READ)
def test_a_tracker_goes_on_where_it_was_saved(name):
    """A capture read with the tracker saved and restored behind every few frames shows the same in every field."""
    path = CAPTURES / name

    assert finished(path, rows=5, saved=False) == finished(path, rows=5, saved=True)


def test_packed_rows_come_back(monkeypatch):
    """The rows of long flows that are packed while the flow lives are in what is saved."""
    monkeypatch.setattr("analyzer.track.collecting.WORTH", 4)
    monkeypatch.setattr("analyzer.track.tracker.CROWDED_PLAIN", 0)
    monkeypatch.setattr("analyzer.track.tracker.SWEEP", 1)
    path = CAPTURES / "founding_go_fin60.pcap"
    tracker = Tracker(seed=7)
    with open_capture(path, jit=False) as source:
        for batch in source.batches(9):
            tracker.feed(batch)
            assert len(tracker._packed) == len(once_more(tracker)._packed)

    assert tracker._packed
    assert finished(path, rows=9, saved=False) == finished(path, rows=9, saved=True)


KEPT = {
    *("_flows", "_ends", "_seen", "_slots", "_registers", "_digests", "_hints", "_peers", "_beginnings", "_habits"),
    *("_packed", "_beside", "jit", "_seed", "now_ns", "hurried", "lost", "filters", "dropped", "_since_sweep", "_more"),
    *("_beats", "_beat_registers", "_rows", "_pushed_out", "_holes", "_losses", "_leap", "_doubt"),
}
OWN = {"limits", "_leaving", "_observe", "_no_told", "_telling", "_told"}
KEPT_BESIDE = {"_tables", "_clocks", "_notes", "_others", "_waiting", "_room", "_registers", "_keys", "_digests"}


def test_nothing_that_a_tracker_keeps_is_forgotten():
    """Whatever a tracker has is saved, or is named here as what it makes anew."""
    tracker = Tracker(seed=7)

    assert KEPT | OWN == set(vars(tracker))
    assert {*KEPT_BESIDE, "_jit"} == set(vars(tracker._beside))
    assert len(saving.BESIDE) == len(tracker._beside._tables)


def some():
    """Return what is saved of a tracker in the middle of a capture."""
    tracker = Tracker(seed=7)
    with open_capture(CAPTURES / "lab" / "port_reuse.pcap", jit=False) as source:
        for batch in source.batches(40):
            tracker.feed(batch)
            break
    return saving.save(tracker)


def wrong_slot(arrays, facts):
    """Let a slot name a flow that is not there."""
    arrays["slots"][np.flatnonzero(arrays["slots"] > 0)[0]] += 1 << 20


def full_slots(arrays, facts):
    """Leave no free slot: a search would never end."""
    arrays["slots"][arrays["slots"] == 0] = -1


def wrong_next(arrays, facts):
    """Let a row be followed by one that is not there."""
    arrays["seen"]["next"][0] = 1 << 40


def round_chain(arrays, facts):
    """Let a flow's rows go round."""
    arrays["seen"]["next"][0] = 0


def wrong_free(arrays, facts):
    """Let the first free flow be far away."""
    arrays["registers"][1] = 1 << 30


def wrong_type(arrays, facts):
    """Have rows of another type."""
    arrays["seen"] = np.zeros(len(arrays["seen"]), dtype=np.int64)


def wrong_host(arrays, facts):
    """Count more hosts than there are."""
    arrays["beside_registers"][0] += 1000


def too_much_room(arrays, facts):
    """Ask for memory that nobody has."""
    facts["rooms"]["flows"] = 1 << 60


def lacking(arrays, facts):
    """Lack a table."""
    del arrays["hosts"]


def beating():
    """Return what is saved of a tracker in the middle of a train of heartbeats."""
    tracker = Tracker(seed=7)
    rows = Talk().beats(each(20, 20, 6)).batch().rows
    tracker.feed(SegmentBatch(rows[:14], 14))
    return (*saving.save(tracker), rows)


@pytest.mark.parametrize("jit", [False, pytest.param(True, id="compiled")])
def test_heartbeats_go_on(jit):
    """A train that is saved half way has all its beats in the end, and what it held can be used again."""
    if jit:
        pytest.importorskip("numba")
    arrays, facts, rows = beating()
    tracker = saving.restore(arrays, facts, jit=jit)
    tracker.feed(SegmentBatch(rows[14:], len(rows) - 14))

    assert [int(train["count"]) for batch in tracker.close() for train in batch.trains] == [6]


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ("flows", "beats", 9),
        ("flows", "exchange", 3),
        ("flows", "beats", -1),
        ("beats", "next", 0),
        ("beats", "next", 5),
        ("beats", "side", 2),
    ],
)
def test_heartbeats_that_no_tracker_saved_are_refused(table, name, value):
    """Places in the table of trains are looked at too."""
    arrays, facts, _ = beating()
    arrays[table][name][0] = value

    with pytest.raises(saving.DamagedStateError):
        saving.restore(arrays, facts, jit=False)


WRONG = (wrong_slot, full_slots, wrong_next, round_chain, wrong_free, wrong_type, wrong_host, too_much_room, lacking)


@pytest.mark.parametrize("change", WRONG)
def test_what_no_tracker_saved_is_refused(change):
    """Places that are not there, in whatever table, never reach a loop."""
    arrays, facts = some()
    change(arrays, facts)

    with pytest.raises(saving.DamagedStateError):
        saving.restore(arrays, facts, jit=False)
