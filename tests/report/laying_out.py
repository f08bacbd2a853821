"""Reports to lay out."""

from analyzer.report.screen import Screen
from analyzer.report.text import report
from analyzer.survey.overview import CaptureSummary


def capture(**changes):
    """A capture of two segments."""
    summary = CaptureSummary(["x.pcap"], "pcap", ["EN10MB"], 0, 5_000_000_000, 3, 2, {"not_tcp": 1})
    for name, value in changes.items():
        setattr(summary, name, value)
    return summary


def lines(data, width=80):
    """The report as a list of lines."""
    return list(report(data, Screen(width)))
