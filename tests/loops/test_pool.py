"""Records that grow in place."""

import mmap

import numpy as np
import pytest

from analyzer.loops import pool as pool_module
from analyzer.loops.loop import CACHE_LINE
from analyzer.loops.pool import FEWEST, Pool, gather, gathered, whole_lines

DTYPE = np.dtype([("number", np.int64), ("rest", np.int64, (7,))])


@pytest.fixture(params=[True, False], ids=["moving pages", "copying"])
def table(request, monkeypatch):
    """A compiled table, on a system that can lengthen a mapping or cannot."""
    monkeypatch.setattr(pool_module, "MOVES_PAGES", request.param and pool_module.MOVES_PAGES)
    return Pool(DTYPE, jit=True)


def test_a_plain_table_has_what_was_asked_for():
    """Plain records are dicts of zeros, as many as somebody made room for."""
    plain = Pool(DTYPE, jit=False)
    plain.make_room(3)
    plain.make_room(2)

    assert [{"number": 0, "rest": 0}] * 3 == plain.records
    assert 3 == len(plain)


def test_a_sparse_plain_table_makes_records_when_they_are_asked_for():
    """Room costs nothing in a sparse plain table, and what was written survives growing and being compiled."""
    plain = Pool(DTYPE, jit=False, sparse=True)
    plain.make_room(1 << 40)
    plain.records[1]["number"] = 5

    assert 1 << 40 == len(plain)
    assert 1 == len(plain.records)
    plain.records.room = 1 << 12
    plain.compile()
    assert 1 << 12 == len(plain)
    assert [0, 5, 0] == plain.records["number"][:3].tolist()


@pytest.mark.parametrize(("jit", "sparse"), [(False, False), (False, True), (True, False)])
def test_a_pool_filled_has_the_records_and_the_room(jit, sparse):
    """Records that were kept elsewhere come to the front of a fresh pool of exactly that room."""
    filled = Pool(DTYPE, jit=jit, sparse=sparse)
    rows = np.zeros(2, dtype=DTYPE)
    rows["number"] = [7, 9]
    filled.fill(rows, 5 * FEWEST)

    assert 5 * FEWEST == len(filled)
    assert [7, 9, 0] == [int(filled.records[index]["number"]) for index in range(3)]


def test_records_stay_as_they_are_while_a_table_grows(table):
    """Growing keeps what is there, and what is new is zero."""
    table.records["number"] = np.arange(FEWEST)
    for count in (FEWEST + 1, 5 * FEWEST, 100 * FEWEST):
        table.make_room(count)

    assert len(table) >= 100 * FEWEST
    assert np.arange(FEWEST).tolist() == table.records["number"][:FEWEST].tolist()
    assert 0 == table.records["number"][FEWEST:].sum()


def test_who_holds_records_keeps_them(table):
    """A table that grows takes its records along; an array that somebody holds stays as it was."""
    table.records["number"][:3] = [1, 2, 3]
    held = table.records
    table.make_room(10 * FEWEST)
    table.records["number"][0] = 7

    assert [1, 2, 3] == held["number"][:3].tolist()
    assert [7, 2, 3] == table.records["number"][:3].tolist()


def test_room_that_is_there_changes_nothing(table):
    """Asking for less than there is leaves the records where they are."""
    before = table.records
    table.make_room(FEWEST)

    assert table.records is before


@pytest.mark.skipif(not pool_module.MOVES_PAGES, reason="mappings cannot be lengthened here")
def test_records_lie_at_cache_lines():
    """A record of whole cache lines touches no other line."""
    table = Pool(DTYPE, jit=True)
    table.make_room(10 * FEWEST)

    assert 0 == table.records.ctypes.data % CACHE_LINE


@pytest.mark.parametrize("count", [0, 2, 3 * FEWEST])
def test_a_plain_table_becomes_a_compiled_one(count):
    """A stream that turns out to be long takes its records along."""
    grown = Pool(np.dtype([("number", np.int64)]), jit=False)
    grown.make_room(count)
    for number, record in enumerate(grown.records):
        record["number"] = number
    grown.compile()

    assert len(grown) >= FEWEST
    assert list(range(count)) == grown.records["number"][:count].tolist()


def test_records_from_all_over_are_gathered():
    """Copies stand in the order asked for, plain and compiled."""
    rows = np.arange(20 * 8).view(DTYPE)
    indices = np.array([3, 17, 0, 3, 19, 5, 6, 7, 8, 9, 10])
    plain = [None] * len(indices)
    gather.bare(rows, indices, 1, plain)

    assert rows[indices].tobytes() == gathered(rows, indices).tobytes()
    assert rows[indices].tobytes() == b"".join(each.tobytes() for each in plain)
    assert 0 == len(gathered(rows, indices[:0]))


def test_records_of_whole_cache_lines_keep_their_fields():
    """A type made to fill its lines has the fields in order, aligned, and none lies in what was added."""
    whole = whole_lines([("octet", np.int8), ("wide", np.int64), ("narrow", np.int16)])

    assert CACHE_LINE == whole.itemsize
    assert [("octet", 0), ("wide", 8), ("narrow", 16)] == [(name, whole.fields[name][1]) for name in whole.names]
    assert whole.isalignedstruct


def test_large_pages_are_asked_for_unless_records_are_looked_at_once(monkeypatch):
    """A table says which it is; with either kind of page it holds the same."""
    asked = []

    class Mapping(mmap.mmap):
        def madvise(self, option, *where):
            asked.append(option)

    monkeypatch.setattr(pool_module.mmap, "mmap", Mapping)
    monkeypatch.setattr(pool_module, "MOVES_PAGES", True)
    monkeypatch.setattr(pool_module.mmap, "MADV_HUGEPAGE", 14, raising=False)

    once = Pool(DTYPE, jit=True, large_pages=False)
    assert asked == []
    often = Pool(DTYPE, jit=True)
    assert asked == [14]
    assert (once.records == often.records).all()
