"""Bounded tables of records by key."""

import numpy as np
import pytest

from analyzer.track.flow import keys_of
from analyzer.track.hosts import (
    ASK,
)
from analyzer.track.subjects import Subjects, digest_of, entered, sought

KEYS = list(keys_of(5))


@pytest.mark.parametrize("jit", [False, True])
def test_a_full_table_forgets_what_was_heard_longest_ago(jit):
    """Half of the records go, the oldest; the others are found as before."""
    table = Subjects(ASK, 7, jit=jit)
    table.make_room(0, 8)
    keys = KEYS
    used = [0]
    for at in range(8):
        index = -1 - entered.plain(table.slots, table.records, used, 0, digest_of(0, at, 0, keys), 0, at, 0)
        table.records[index]["last_ns"] = (at * 5) % 8

    assert table.is_full(used[0])
    assert not table.is_full(used[0] - 1)
    assert table.forget(used[0]) == 4
    left = [at for at in range(8) if sought.plain(table.slots, table.records, digest_of(0, at, 0, keys), 0, at, 0) >= 0]
    assert sorted(at for at in range(8) if (at * 5) % 8 >= 4) == left


def test_a_table_grows_with_its_records():
    """However many records come, each is found, and there is room for half as many as slots."""
    table = Subjects(ASK, 1 << 20, jit=False)
    used = [0]
    for at in range(300):
        table.make_room(used[0], 1)
        entered(table.slots, table.records, used, 0, digest_of(at, 0, -1, KEYS), at, 0, -1)

    assert all(sought(table.slots, table.records, digest_of(at, 0, -1, KEYS), at, 0, -1) == at for at in range(300))
    assert 2 * used[0] <= len(table.slots)
    assert 0 <= table.room(used[0])


def test_a_plain_table_goes_on_compiled():
    """Nothing is lost when loops are compiled from now on."""
    table = Subjects(ASK, 64, jit=False)
    table.make_room(0, 4)
    used = [0]
    for at in range(4):
        entered(table.slots, table.records, used, 0, digest_of(at, 1, 2, KEYS), at, 1, 2)
        table.records[at]["count"] = at

    table.compile(4)

    assert [0, 1, 2, 3] == table.records["count"][:4].tolist()
    assert sought.plain(table.slots, table.records, digest_of(3, 1, 2, KEYS), 3, 1, 2) == 3


@pytest.mark.parametrize("jit", [False, True])
def test_what_connections_are_of_is_forgotten_last(jit):
    """Whatever was heard since, the favoured records stay: a flood of forged hosts drives none of them out."""
    table = Subjects(ASK, 8, jit=jit)
    table.make_room(0, 8)
    used = np.zeros(1, dtype=np.int64) if jit else [0]
    for lo in range(8):
        record = table.records[-1 - entered(table.slots, table.records, used, 0, digest_of(0, lo, 0, KEYS), 0, lo, 0)]
        record["last_ns"] = lo

    kept = table.forget(8, np.arange(8) < 2)

    assert 4 == kept
    assert [0, 1, 6, 7] == table.column("lo", kept).tolist()
