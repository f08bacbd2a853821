"""What is noted beside a flow of the end in question; more is in test_beside, from captures."""

import pytest

from analyzer.track.flow import keys_of
from analyzer.track.hosts import HOST, new_host
from analyzer.track.subjects import Subjects, digest_of, entered
from analyzer.track.testimony import recall
from tests.track.test_beside import dead

KEYS = list(keys_of(5))


@pytest.mark.parametrize(
    ("active_ns", "last_ns", "heard"),
    [
        (50, 60, (50, 5)),
        (50, 90, (90, 9)),
        (20, 60, (30, 3)),
    ],
    ids=["last activity", "last of the flow", "heard beside it since"],
)
def test_when_each_end_was_heard_is_called_to_mind(active_ns, last_ns, heard):
    """A host was heard when its end of a flow was last active, unless it was heard later in the flow or beside it."""
    table = Subjects(HOST, 8, jit=False)
    table.make_room(0, 1)
    entered(table.slots, table.records, [0], 0, digest_of(0, 1, 0, KEYS), 0, 1, 0)
    new_host(table.records[0], 30, 3, 7)
    flow = {"alive": 1, "a_hi": 0, "a_lo": 1, "b_hi": 0, "b_lo": 2, "tag": 0, "last_ns": 90, "last_frame": 9}
    a = {"segments": 4, "active_ns": active_ns, "active_frame": active_ns // 10, "last_ns": last_ns}
    b = {"segments": 0}

    recall(1, [flow], [a, b], table.slots, table.records, KEYS)

    assert heard == (table.records[0]["last_ns"], table.records[0]["last_frame"])


def test_the_end_in_question_is_the_one_that_is_silent(tmp_path):
    """Probes that nobody answers ask about their receiver, since it was last heard in the flow."""
    (about,) = dead().testimony(tmp_path)

    assert (0, 1, 1) == (about["flow"], about["side"], about["silent"])
    assert 1 == round(about["since_ns"] / 1_000_000) % 1000
