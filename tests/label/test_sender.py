"""What is noted of an endpoint up to a RST."""

import itertools

import pytest

from analyzer.label.outcome import PROBE, Answer, Kind
from analyzer.label.sender import SENDER, forget, note_ip_id, note_other, note_probe
from analyzer.tolerances import ID_FAR
from tests.notation import plain, table


@pytest.fixture
def sender():
    """Return an endpoint of which nothing is known."""
    record = plain(table([{}], SENDER)[0])
    forget(record)
    return record


@pytest.mark.parametrize(
    ("ids", "expected"),
    [((5, 6, 7), 2), ((5, 6, 6), -1), ((5, 5 + ID_FAR), 1), ((5, 6 + ID_FAR), -1), ((0, 6, 7), 1), ((65535, 3), 1)],
)
def test_whether_ip_ids_count(sender, ids, expected):
    """Small steps forward are a counter's; one that is none shows that there is no counter."""
    for before, after in itertools.pairwise(ids):
        note_ip_id(sender, {"own_ip_id": before, "ip_id": after})

    assert expected == sender["id_steps"]


def test_the_interval_lies_between_unanswered_probes(sender):
    """Only what follows an unanswered probe, with nothing but keepalive between, is an interval."""
    rows = [
        {"kind": PROBE, "ts_ns": at, "answer": answer, "flow_active_ns": active}
        for at, answer, active in [
            (10, Answer.ACK, 0),
            (20, Answer.NONE, 0),
            (23, Answer.NONE, 0),
            (60, Answer.NONE, 50),
        ]
    ]
    intervals = []
    for at in range(len(rows)):
        note_probe(sender, rows, at)
        intervals.append(sender["interval_ns"])

    assert [-1, -1, 3, 3] == intervals
    assert (10, 37, 4) == (sender["first_gap_ns"], sender["last_gap_ns"], sender["count"])


def test_answers_lead_on_from_a_probe(sender):
    """An endpoint that only answers since its probe still waits for its own answer."""
    note_probe(sender, [{"kind": PROBE, "ts_ns": 5, "answer": 0, "flow_active_ns": 0}], 0)
    note_other(sender, {"kind": Kind.ANSWER, "own_last_ns": 5, "ts_ns": 7})
    assert 7 == sender["led_ns"]

    note_other(sender, {"kind": Kind.ANSWER, "own_last_ns": 6, "ts_ns": 9})
    assert 7 == sender["led_ns"]
