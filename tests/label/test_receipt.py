"""Data that stands for no answer to a probe."""

import pytest

from analyzer.label.receipt import LOOKED_AT, is_missed
from analyzer.loops.loop import records
from analyzer.track.seen import SEEN
from tests.judging import opened

PROBED = "+5 b > a . 0:0(0) ack 6\n"


def answers(lines):
    """Return by what each probe of b is answered."""
    return [probe.answer for probe in opened(lines).record.probes_from("b")]


def test_new_data_behind_a_probe_answers_it():
    """Data that was not sent before, and that the prober then acknowledges, stands for the answer."""
    assert ["data", "ack"] == answers(
        f"{PROBED}+.1 a > b P. 6:9(3) ack 1\n+.01 b > a . 1:1(0) ack 9\n"
        "+5 b > a . 0:0(0) ack 9\n+.1 a > b . 9:9(0) ack 1\n"
    )


def test_what_a_timer_sends_again_answers_nothing():
    """Data that was sent before is no answer; an empty ACK behind it is."""
    sent = "+4 a > b P. 6:9(3) ack 1\n"
    again = "+.1 a > b P. 6:9(3) ack 1\n"
    probe = "+.5 b > a . 0:0(0) ack 6\n"

    assert [None] == answers(sent + probe + again)
    assert ["ack"] == answers(sent + probe + again + "+.05 a > b . 9:9(0) ack 1\n")


def test_data_that_the_prober_never_acknowledges_answers_nothing():
    """Where two seconds later the prober acknowledges nothing of new data, that had not reached it."""
    talked = f"{PROBED}+1.8 a > b P. 6:9(3) ack 1\n"

    assert [None, None] == answers(f"{talked}+2.2 b > a . 0:0(0) ack 6\n")
    assert ["data", None] == answers(f"{talked}+1 b > a . 0:0(0) ack 6\n"), "it may be on its way"


def test_a_train_goes_on_behind_data_that_did_not_arrive():
    """What the prober has not heard does not end its train, so that its interval shows."""
    lines = (
        PROBED + "+2 b > a . 0:0(0) ack 6\n+1 a > b P. 6:9(3) ack 1\n+1 b > a . 0:0(0) ack 6\n+2 b > a . 0:0(0) ack 6\n"
    )
    probes = opened(lines).record.probes_from("b")

    assert {0} == {probe.train for probe in probes}
    assert [2_000_000_000] * 3 == [probe.gap_ns for probe in probes[1:]]


@pytest.mark.parametrize(("between", "missed"), [(0, True), (LOOKED_AT - 1, True), (LOOKED_AT, False)])
def test_only_so_many_rows_behind_are_looked_at(between, missed):
    """What its sender sends meanwhile is passed over, but not without end: a flood must not cost its square."""
    rows = records(SEEN, between + 2, jit=False)
    for row in rows:
        row["seq"], row["payload_len"] = 100, 1
    rows[-1].update(side=1, ack=100, ts_ns=3_000_000_000)

    assert missed == is_missed(rows, len(rows), 0)
