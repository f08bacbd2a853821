"""What a report shows, before it is laid out."""

from types import SimpleNamespace

import pytest

from analyzer.report.shown import Report, ShownFlow, by_count, number_of, plural
from analyzer.survey.overview import CaptureSummary, Totals


@pytest.mark.parametrize(("captures", "expected"), [(1, "7"), (2, "1:7")])
def test_a_flow_is_numbered_within_its_capture(captures, expected):
    """Only where there are several captures, the number of a flow has its capture's before it."""
    shown = ShownFlow(1, 0, SimpleNamespace(record=SimpleNamespace(number=7)))
    data = Report([CaptureSummary(["some.pcap"])] * captures, Totals(), 1)

    assert expected == number_of(shown, data)


@pytest.mark.parametrize(
    ("count", "words", "expected"), [(1, ("flow",), "flow"), (2, ("flow",), "flows"), (0, ("is", "are"), "are")]
)
def test_words_agree_with_numbers(count, words, expected):
    """Of one thing the word for one is said, of none and of several the other."""
    assert expected == plural(count, *words)


def test_what_is_most_comes_first():
    """What was counted equally often keeps its order."""
    assert [("b", 3), ("a", 1), ("c", 1)] == by_count({"a": 1, "b": 3, "c": 1})
