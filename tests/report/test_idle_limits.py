"""Limits of idle time as a table."""

from analyzer.report.idle_limits import limits_table
from analyzer.report.screen import Screen
from analyzer.survey.limits import Trial
from tests.words.test_idle_limits import S, limit


def test_a_table_of_limits():
    """A row a limit with both bounds, the flows behind each, and how often to probe; then what it means."""
    lines = list(limits_table([limit()], Screen()))

    assert lines[0].split() == ["IDLE", "LIMITS", "OF", "SURVIVED", "NOT", "FLOWS", "PROBE", "EVERY"]
    assert lines[1].split() == [
        "connections",
        "to",
        "10.0.0.2:80",
        "100.0",
        "s",
        "130.0",
        "s",
        "5",
        "/",
        "7",
        "85",
        "s",
    ]
    assert "do not survive 130.000 s" in " ".join(lines)


def test_where_there_is_no_limit_the_table_says_so():
    """Without agreement there is no advice, and the reason stands below."""
    lines = list(limits_table([limit(shortest=Trial(50 * S, 4, 5, 6, 7))], Screen()))

    assert "90 s" not in " ".join(lines)
    assert "No limit of idle time shows" in " ".join(lines)


def test_nothing_without_limits():
    """Without trials there is no heading either."""
    assert list(limits_table([], Screen())) == []
