"""Tables of facts: columns, and what their numbers stand for."""

import numpy as np
import pytest

from analyzer.judge.table import AT_ONCE, RECEIVERS, STRANGE, WORDS, Table
from analyzer.segment import NONE


def table(start, words, **columns):
    """A table of these columns."""
    return Table(np.array(start), words, {name: np.array(values) for name, values in columns.items()})


def test_values_are_words_numbers_and_none():
    """Places in a list of words become these words, and NONE becomes None in any column."""
    some = table([0, 3], {"from": ("a", "b")}, **{"from": [1, NONE, 0], "frame": [7, 8, NONE]})

    assert ["b", None, "a"] == some.values("from")
    assert [7, 8, None] == some.values("frame")
    assert [8] == some.values("frame", slice(1, 2))


def test_rows_are_made_flow_by_flow():
    """Each flow gets its rows, one that has none an empty tuple."""
    some = table([0, 2, 2, 3], {}, x=[1, 2, 3], y=[4, 5, 6])

    assert [((4, 1), (5, 2)), (), ((6, 3),)] == some.made(lambda *row: row, ("y", "x"))


@pytest.mark.parametrize("count", [AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 1])
def test_many_rows_are_made_a_few_at_a_time(count):
    """However many rows there are, none is lost."""
    (rows,) = table([0, count], {}, x=np.arange(count)).made(lambda x: x, ("x",))

    assert tuple(range(count)) == rows


def test_what_differs_about_a_reset_is_told_bit_by_bit():
    """Bits are words, in order."""
    assert () == STRANGE[0]
    assert ("ttl", "ip_id") == STRANGE[5]
    assert STRANGE is WORDS["resets"]["strange"]


def test_states_are_spelled_as_the_rfc_does():
    """The receiver of a RST has one of the states of RFC 9293."""
    assert {"SYN-SENT", "FIN-WAIT-2"} <= set(RECEIVERS)
