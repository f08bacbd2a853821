"""Arithmetic on sequence numbers, and unwrapping them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.seqnum import HALF, SPACE, UNKNOWN, after, before, unwrap

words = st.integers(0, SPACE - 1)


@given(words, st.integers(0, 1 << 60))
def test_unwrapped_number_is_congruent_and_close(value, near):
    """Unwrapping keeps the 32 bits and stays within half a turn of the known number."""
    number = unwrap(value, near)

    assert value == number % SPACE
    assert -HALF <= number - near < HALF


@given(words)
def test_first_number_stands_one_turn_up(value):
    """Where nothing is known, a number is placed one turn up, so that going back a little stays positive."""
    assert value + SPACE == unwrap(value, UNKNOWN)


@pytest.mark.parametrize(
    ("value", "near", "expected"),
    [
        (5, SPACE - 5, SPACE + 5),
        (SPACE - 5, SPACE + 5, SPACE - 5),
        (7, 7, 7),
        (HALF, SPACE, HALF),
        (HALF - 1, SPACE, SPACE + HALF - 1),
    ],
    ids=["forward over the wrap", "back over the wrap", "the same", "half a turn is behind", "less is ahead"],
)
def test_unwrapping_takes_the_shorter_way(value, near, expected):
    """The number closest to the known one is taken; of two at half a turn the one behind."""
    assert expected == unwrap(value, near)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(1, 2, True), (2, 1, False), (1, 1, False), (SPACE - 1, 0, True), (0, SPACE - 1, False), (0, HALF, False)],
)
def test_order_modulo_the_space(left, right, expected):
    """A number precedes those less than half a turn ahead, across the wrap too, and never itself."""
    assert expected == before(left, right)
    assert expected == after(right, left)
