"""Whether a prober's RST comes where its next probe was due."""

import pytest

from analyzer.label.giving_up import gave_up
from analyzer.label.outcome import PROBE, Answer
from analyzer.label.sender import SENDER, forget, note_probe
from tests.notation import plain, table

S = 1_000_000_000


def told(*times_s, reset_s, number=10):
    """Say whether a RST is a giving up behind unanswered probes, number 9, at these times."""
    rows = [
        {"kind": PROBE, "ts_ns": int(at * S), "seq": 9, "answer": Answer.NONE, "flow_active_ns": 0} for at in times_s
    ]
    sender = plain(table([{}], SENDER)[0])
    forget(sender)
    for at in range(len(rows)):
        note_probe(sender, rows, at)
    row = {"ts_ns": int(reset_s * S), "seq": number, "own_last_ns": rows[-1]["ts_ns"] if rows else 0}
    return gave_up(rows, row, sender)


@pytest.mark.parametrize(
    ("times_s", "reset_s", "expected"),
    [
        ((10, 13, 16), 19, 1),
        ((10, 13, 16), 16.6, 0),
        ((10, 13, 16), 22, 0),
        ((10,), 10.9, 1),
        ((10,), 10.8, 0),
        ((), 10, 0),
    ],
)
def test_the_interval_is_measured(times_s, reset_s, expected):
    """The last time between unanswered probes is the interval; where there is none, a second is the least."""
    assert expected == told(*times_s, reset_s=reset_s)


def test_another_number_is_no_giving_up():
    """A prober's RST bears the number one above its probe."""
    assert 0 == told(10, 13, 16, reset_s=19, number=11)
