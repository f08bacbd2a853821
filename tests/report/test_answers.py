"""Answers to questions about many points, as text and as a page."""

from datetime import UTC, datetime

import pytest

from analyzer.report.answers import Answer, objects, page, said, text
from analyzer.report.screen import Screen

ANSWER = Answer("who", "Who\x1b[1m", "Says who.", "SELECT 1", ("name", "n"), (("a" * 60, 1), ("<i>\n", None)), total=5)
NONE = Answer("no", "Nothing", "", "SELECT 2", ("x",), (), total=0)


def test_a_table_has_its_columns_in_line():
    """Numbers stand right, long cells lose their middle, and nothing unprintable gets through."""
    lines = list(text([ANSWER, NONE], "tables", Screen()))

    assert "Who\\x1b[1m" in lines
    assert f"  {'a' * 22}...{'a' * 23}  1" in lines
    assert "  and 3 more (--ask who --limit 0)" in lines
    assert "  none" == lines[-1]


def test_a_page_has_the_sql():
    """Each answer has the SQL that made it, and all text is escaped."""
    found = page([ANSWER, NONE], "t")

    assert "<pre>SELECT 1</pre>" in found
    assert "&lt;i&gt;" in found
    assert "<script" not in found


def test_objects_are_json():
    """Rows are objects by the columns' names."""
    assert {"name": "<i>\n", "n": None} == objects([ANSWER])[0]["rows"][1]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, ""),
        (True, "yes"),
        (1.5, "1.5"),
        (datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "2026-01-02 03:04:05.678+00:00"),
        (7, "7"),
    ],
)
def test_values_are_said(value, word):
    """Times are in UTC to the millisecond."""
    assert word == said(value)
