"""Texts written from columns, by a program, plain and compiled."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report import octets
from analyzer.report.octets import DECIMALS, MOST_NS, NUMBER, SECONDS, TEXT, WORD, Program, pieces
from analyzer.segment import NONE

JIT = [False, *([True] if os.environ.get("KEEPALIVE_JIT") != "0" else [])]


def written(program, data, flows, texts=b"", *, jit=False):
    """Return what a program writes of each flow."""
    text, ends = program.lay_out(data, flows, texts).render(jit=jit)
    stops = ends.tolist()
    return [text[first:stop] for first, stop in zip([0, *stops], stops, strict=False)]


def single(kind, words=(), nothing="null"):
    """Return a program that writes one value."""
    program = Program(nothing)
    program.value(kind, lambda data: data, words)
    program.end()
    return program


numbers = st.one_of(st.integers(-MOST_NS, MOST_NS), st.integers(-200_000, 200_000), st.just(NONE))


@given(st.lists(numbers, min_size=1, max_size=50))
def test_numbers_and_seconds_are_written_as_python_does(values):
    """An integer, a float as short as may be, and one with nine decimals have Python's own digits."""
    for jit in JIT:
        column = np.array(values, dtype=np.int64)
        expected = [
            ("null", "null", "null") if ns == NONE else (str(ns), repr(ns / 1e9), f"{ns / 1e9:.9f}") for ns in values
        ]

        found = [written(single(kind), column, len(values), jit=jit) for kind in (NUMBER, SECONDS, DECIMALS)]

        assert expected == list(zip(*found, strict=True))


@pytest.mark.parametrize("ns", [MOST_NS + 1, -MOST_NS - 1])
def test_what_a_float_cannot_tell_is_refused(ns):
    """Nanoseconds that a float does not tell apart are for Python to write."""
    with pytest.raises(OverflowError):
        single(SECONDS).lay_out(np.array([ns]), 1, b"")


@pytest.mark.parametrize("jit", JIT)
def test_words(jit):
    """Numbers stand for words, and nothing has a word of its own."""
    assert ["two", "one", ""] == written(single(WORD, ("one", "two"), ""), np.array([1, 0, NONE]), 3, jit=jit)


@pytest.mark.parametrize("jit", JIT)
def test_pieces_of_text(jit):
    """A text that was made before stands where it belongs."""
    text, starts = pieces(["ab", "", "c"])

    assert ["ab", "", "c"] == written(single(TEXT), starts, 3, text, jit=jit)


@pytest.mark.parametrize("jit", JIT)
def test_rows_of_a_table(jit):
    """Rows stand in brackets, with commas between them, whatever the flow; then the flow goes on."""
    program = Program("null")
    program.text("x")

    def row():
        program.text("<")
        program.value(NUMBER, lambda data: data["row"])
        program.text(">")

    program.table(lambda data: data["start"], row)
    program.value(NUMBER, lambda data: data["flow"])
    program.end()
    data = {"start": np.array([0, 2, 2, 3]), "row": np.array([7, 8, 9]), "flow": np.array([1, 2, 3])}

    assert ["x[<7>, <8>]1", "x[]2", "x[<9>]3"] == written(program, data, 3, jit=jit)


@pytest.mark.parametrize("jit", JIT)
def test_what_is_not_there_is_passed_over(jit):
    """What depends on a value is written where that is there, and else its word alone."""
    program = Program("null")
    opened = program.only_if(lambda data: data, "-")
    program.text("(")
    program.value(NUMBER, lambda data: data)
    program.text(")")
    program.close(opened)
    program.text(".")
    program.end()

    assert ["(4).", "-."] == written(program, np.array([4, NONE]), 2, jit=jit)


def test_every_kind_of_step_is_another_number():
    """No two kinds of steps are mistaken for each other."""
    kinds = [octets.FIXED, NUMBER, SECONDS, DECIMALS, WORD, TEXT, octets.IF, octets.TABLE, octets.END]

    assert len(kinds) == len(set(kinds))
