"""The settings in use, as a table of text."""

from analyzer.report.screen import Screen
from analyzer.report.settings_table import MOST_ROWS, NOTE, settings_table
from analyzer.survey.settings_in_use import InUse, SettingsInUse
from analyzer.track.flow import Endpoint

S = 1_000_000_000


def row(idle_s, interval_s=None, count=None, flows=1):
    """A combination of settings."""
    idle_ns, interval_ns = (None if each is None else each * S for each in (idle_s, interval_s))
    return InUse(idle_ns, interval_ns, count, flows, {"10.0.0.1"}, {Endpoint("10.0.0.2", 80)}, 5 * S, 6 * S)


def lines(*rows, asked=9, flows=9):
    """The table, without what stands below."""
    return [line.split() for line in settings_table(SettingsInUse(rows, asked, flows), Screen())]


def test_what_is_inferred_stands_beside_what_was_measured():
    """A row has the settings, a dash for what is not visible, how many use them, and the measured gaps."""
    told = lines(row(5, 1, 3, 8), row(7200))

    assert ["5", "s", "1", "s", "3", "8", "1", "1", "5.000", "s", "to", "6.000", "s"] == told[1]
    assert ["2", "h", "-", "-", "1", "1", "1"] == told[2][:7]
    assert NOTE.split()[:4] == told[3][:4]


def test_many_combinations_are_summed_up():
    """What is not listed is counted, and how many flows were asked is said."""
    told = " ".join(" ".join(line) for line in lines(*map(row, range(1, MOST_ROWS + 3)), flows=5000))

    assert "2 more combinations, of 2 flows, are not listed." in told
    assert "9 of the 5,000 flows that probe, chosen from each kind of ending" in told


def test_one_flow_has_no_table():
    """Of a single flow the story tells the settings."""
    assert lines(row(5), flows=1) == []
