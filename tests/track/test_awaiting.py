"""Which probes still wait for answers, and which answer was written before its probe."""

import pytest

from tests.notation import SCENARIOS, follow, load


def rows_of(name, jit):
    """Return the SEEN rows of a scenario with one flow."""
    (batch,) = follow([load(SCENARIOS / f"{name}.pkt").batch()], jit=jit)
    return batch.seen


@pytest.mark.parametrize("jit", [False, True])
def test_all_overlapping_answers_are_kept(jit):
    """Behind the first answer further ones are still waited for, as many as there were probes on their way."""
    if jit:
        pytest.importorskip("numba")
    rows = rows_of("answers_overlap", jit)

    assert {7, 9, 10, 11, 13} <= set(rows["frame"].tolist())


@pytest.mark.parametrize("jit", [False, True])
def test_an_answer_written_too_early_is_no_activity(jit):
    """A probe whose answer stands right before it was idle since the activity before that."""
    if jit:
        pytest.importorskip("numba")
    rows = rows_of("answer_written_before_its_probe", jit)
    probe = rows[rows["frame"] == 5][0]

    assert (3, 2) == (probe["own_active_frame"], probe["peer_active_frame"])
    assert 3 == probe["flow_active_frame"]


def test_an_ack_some_time_before_a_probe_is_activity():
    """An ACK that stands five milliseconds before a segment of that form was heard by its sender."""
    rows = rows_of("ack_some_time_before_a_probe_is_no_answer", jit=False)

    assert [7] == rows[rows["frame"] == 8]["peer_active_frame"].tolist()


def test_a_fin_leaves_a_probe_waiting():
    """What comes behind a FIN without data is still noted as an answer."""
    rows = rows_of("fin_crosses_a_probe", jit=False)

    assert [1] == rows[rows["frame"] == 9]["answers_pending"].tolist()
