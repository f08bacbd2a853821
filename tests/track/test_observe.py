"""The columns of SEEN against the scalar reference, plain against compiled, and batches cut anywhere."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.judge import recording, verdict
from analyzer.segment import ACK, FIN, RST, SYN, SegmentBatch
from analyzer.track.seen import HISTORY
from tests.notation import SCENARIOS, follow, load
from tests.reference import Reference
from tests.traffic import at_random, captures, plains

COLUMNS = ["frame", "side", "is_copy", "seq", "ack", "answers_pending", *(name for name, _ in HISTORY)]


def seen_rows(batches):
    """Return frame number to (flow number, SEEN row) of everything notable."""
    return {
        int(row["frame"]): (int(batch.flow[index]["number"]), row)
        for batch in batches
        for index in range(len(batch))
        for row in batch.rows(index)
    }


def from_reference(rows):
    """Return frame number to the columns that the reference gives, for every TCP segment and ICMP error."""
    reference = Reference()
    return {row["frame"]: reference.take(row) for row in plains(rows)}


def differences(rows, *, jit=False):
    """Return where SEEN rows differ from the reference: (frame, column, expected, actual)."""
    known = from_reference(rows)
    wrong = []
    for frame, (number, row) in seen_rows(follow([SegmentBatch(rows, len(rows))], jit=jit)).items():
        actual = {name: int(row[name]) for name in COLUMNS} | {"flow": number}
        wrong += [
            (frame, name, known[frame][name], value) for name, value in actual.items() if known[frame][name] != value
        ]
    return wrong


def split(rows, cuts):
    """Return rows as batches that begin at these rows."""
    edges = itertools.pairwise([0, *sorted(cuts), len(rows)])
    return [SegmentBatch(rows[low:high], high - low) for low, high in edges]


def records_of(batches):
    """Return each flow's record and ending, in order of the flows."""
    found = [
        (recording.build(batch, index), verdict.ending_of(batch, index, int(winner)))
        for batch in batches
        for index, winner in enumerate(verdict.decide(batch))
    ]
    return sorted(found, key=lambda each: each[0].number)


@settings(max_examples=250)
@given(captures())
def test_columns_equal_the_reference(rows):
    """What is known before each notable segment is what the scalar reference knows, whatever was captured."""
    assert [] == differences(rows)


def test_columns_of_scenarios_equal_the_reference():
    """What is known before each notable segment of a scenario is what the scalar reference knows."""
    found = {path.stem: differences(load(path).rows) for path in sorted(SCENARIOS.glob("*.pkt"))}

    assert {} == {name: wrong for name, wrong in found.items() if wrong}


def test_columns_of_much_traffic_equal_the_reference():
    """Longer captures than Hypothesis draws equal the reference too."""
    assert [] == [wrong for seed in range(40) for wrong in differences(at_random(seed, 200))]


@settings(max_examples=100)
@given(captures())
def test_everything_that_may_be_keepalive_is_notable(rows):
    """No RST, and no segment with the form of a probe, passes unnoticed unless it is a copy."""
    seen = seen_rows(follow([SegmentBatch(rows, len(rows))]))
    for row in plains(rows):
        known = from_reference(rows)[row["frame"]]
        form = row["payload_len"] <= 1 and row["flags"] & ACK and not row["flags"] & (SYN | FIN | RST)
        below = known and form and 0 <= known["snd_una"] == known["seq"] + 1
        if known and not known["is_copy"] and (below or row["flags"] & RST):
            assert row["frame"] in seen


@settings(max_examples=100)
@given(captures(), st.data())
def test_cutting_into_batches_changes_nothing(rows, data):
    """Records and endings do not depend on where the capture is cut into batches."""
    cuts = data.draw(st.sets(st.integers(1, max(1, len(rows) - 1)), max_size=6)) & set(range(1, len(rows)))
    whole = records_of(follow([SegmentBatch(rows, len(rows))]))

    assert whole == records_of(follow(split(rows, cuts)))
    assert whole == records_of(follow(split(rows, range(1, len(rows)))))


def test_compiled_equals_plain():
    """The compiled loop gives the rows, records and endings that the plain one gives."""
    pytest.importorskip("numba")
    for seed in range(60):
        rows = at_random(seed, 80)
        batch = SegmentBatch(rows, len(rows))

        assert records_of(follow([batch])) == records_of(follow([batch], jit=True))
        assert [] == differences(rows, jit=True)


def test_compiled_does_not_depend_on_batches_either():
    """The compiled loop gives the same in batches of one."""
    pytest.importorskip("numba")
    rows = at_random(5, 60)

    assert records_of(follow([SegmentBatch(rows, len(rows))])) == records_of(
        follow(split(rows, range(1, len(rows))), jit=True)
    )


@settings(max_examples=30)
@given(captures(), st.integers(0, 0x7FFFFFFF))
def test_the_seed_of_the_table_changes_nothing(rows, seed):
    """However the flow table is stirred, the flows are the same."""
    batch = SegmentBatch(rows, len(rows))

    assert records_of(follow([batch])) == records_of(follow([batch], seed=seed))


def test_seen_rows_keep_the_order_of_the_capture():
    """The rows of a flow stand in the order in which they were captured."""
    for seed in range(20):
        for batch in follow([SegmentBatch(rows := at_random(seed, 60), len(rows))]):
            for index in range(len(batch)):
                frames = batch.rows(index)["frame"].tolist()

                assert sorted(frames) == frames


def test_an_error_that_quotes_no_known_flow_is_passed_by():
    """An ICMP error whose quoted connection was never captured opens no flow."""
    rows = at_random(0, 1)[:1].copy()
    rows["note"] = 1

    assert [] == follow([SegmentBatch(rows, 1)])


def test_a_cut_header_opens_a_flow_and_nothing_more():
    """A frame cut behind the ports names its flow and counts, and leaves no row."""
    rows = at_random(0, 1)[:1].copy()
    rows["note"] = 2
    (batch,) = follow([SegmentBatch(np.repeat(rows, 3), 3)])

    assert [3] == batch.flow["cut"].tolist()
    assert 0 == len(batch.seen)
