"""What a report is of: a line for each capture, or what many are together."""

import pytest

from analyzer.report.headings import headings, together
from analyzer.report.screen import Screen
from analyzer.report.shown import Report, ShownFlow
from analyzer.report.sums import MOST_LISTED, names_of
from analyzer.survey.overview import Totals
from tests.report.laying_out import capture, lines

S = 1_000_000_000


def many(count, folder="/var/tmp/"):
    """So many captures, each five seconds, one behind the other."""
    return [capture(paths=[f"{folder}{at}.pcap"], start_ns=5 * S * at, end_ns=5 * S * (at + 1)) for at in range(count)]


def heading(captures, notable, flows):
    """The lines before the totals."""
    return list(headings(Report(captures, Totals(flows=notable), notable, flows=flows), Screen(200)))


def test_few_captures_are_listed():
    """Each of some captures has its number, its name and how much it is."""
    found = heading(many(MOST_LISTED), 9, [])

    assert [f"{at}: /var/tmp/{at}.pcap: 2 segments, 5.000 s" for at in range(MOST_LISTED)] == [
        line.partition(" from ")[0] for line in found
    ]


def test_of_many_those_are_listed_whose_flows_are_told():
    """What was found is on the first screen, however many files were named."""
    flows = [ShownFlow(at, 0, None) for at in (7, 3, 7)]
    found = heading(many(50), 9, flows)

    assert found == [
        "50 captures in /var/tmp: 100 TCP segments, from 1970-01-01 00:00:00.000 UTC to 1970-01-01 00:04:10.000 UTC.",
        "3: /var/tmp/3.pcap: 2 segments, 5.000 s from 1970-01-01 00:00:15.000 UTC",
        "7: /var/tmp/7.pcap: 2 segments, 5.000 s from 1970-01-01 00:00:35.000 UTC",
        "48 more captures: --limit 0 lists all, with all flows.",
    ]


def test_with_all_flows_all_captures_are_listed():
    """Nothing is left out of a report in which every flow is told."""
    found = heading(many(50), 1, [ShownFlow(7, 0, None)])

    assert len(found) == 51
    assert found[-1].startswith("49: /var/tmp/49.pcap")


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (("/var/tmp/", "/var/tmp/a/"), " in /var/tmp"),
        (("", "a/"), ""),
        (("/", "/var/"), ""),
        (("/var/", "a/"), ""),
        (("a/b/", "a/c/"), " in a"),
    ],
)
def test_a_folder_is_named_that_all_lie_in(folders, expected):
    """Nothing is said where there is none but the root, or the current one."""
    captures = [*many(5, folders[0]), *many(5, folders[1])]

    assert f"10 captures{expected}" == names_of(captures)


def test_captures_of_no_time_have_none():
    """Files without a frame do not say when they were made."""
    captures = [capture(start_ns=None, end_ns=None, tcp_segments=0) for _ in range(9)]

    assert together(captures) == "9 captures: 0 TCP segments"


def test_many_uneventful_captures_are_not_named_one_by_one():
    """Where there is nothing to report of fifty files, that is two lines."""
    found = " ".join(lines(Report(many(50), Totals(flows=3), 0)))

    assert found.startswith("50 captures in /var/tmp: nothing to report. 3 flows;")
