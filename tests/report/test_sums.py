"""What captures add up to, as sentences."""

import pytest

from analyzer.report.shown import Report
from analyzer.report.sums import talkative
from analyzer.survey.found import Found
from analyzer.survey.hosts import ProbingHost
from analyzer.survey.overview import Totals
from tests.report.laying_out import capture, lines


def test_probes_that_were_captured_twice_are_said_to_count_once():
    """Where a connection is in the capture before and behind a translation, the total says what it counts."""
    twice = {"captured-before-and-after-translation": Found(2, [(0, 0), (0, 1)])}
    said = " ".join(lines(Report([capture()], Totals(flows=2, probes=3), 2, findings=twice)))

    assert "Probes that were captured on both sides of a translation or router are counted once." in said
    assert "counted once" not in " ".join(lines(Report([capture()], Totals(flows=2, probes=3), 2)))


def test_a_capture_without_tcp_says_so():
    """Frames that are no TCP are counted, not listed."""
    data = Report([capture(tcp_segments=0)], Totals(), 0)

    assert ["x.pcap: no TCP in 3 frames."] == lines(data)


def test_what_is_wrong_with_an_uneventful_capture_is_said():
    """Warnings and cut frames are shown even if there is nothing else to say, other protocols are not."""
    data = Report(
        [capture(warnings=["cut in a record at byte 9"], skipped={"not_tcp": 1, "fragment": 2})], Totals(flows=1), 0
    )

    assert [
        "x.pcap: nothing to report. 1 flow; no keepalive probes; 2 segments in 5.000 s.",
        "Set aside: 2 IP fragments.",
        "Warning: cut in a record at byte 9",
    ] == lines(data)


def test_a_filter_that_leaves_nothing_is_said_to():
    """What was read is not said to be what matched."""
    data = Report([capture(tcp_segments=39)], Totals(), 0, left_out=3)

    assert ["x.pcap: no flow matches the filter. 39 segments of 3 flows in 5.000 s were read."] == lines(data)


@pytest.mark.parametrize(
    ("per_minute", "words"), [(4.7e-07, "under 0.01"), (0.0125, "0.0125"), (3.854, "3.85"), (1234.5, "1,234")]
)
def test_rates_are_written_for_a_reader(per_minute, words):
    """A rate of a capture of a minute or more has three digits or its thousands, and never an exponent."""
    host = ProbingHost(0, "192.0.2.1", 1, 1, per_minute)

    long, short = capture(end_ns=60_000_000_000), capture(end_ns=59_000_000_000)
    assert f"flow ({words} a minute)" in next(talkative(Report([long], Totals(), 1, [], hosts=[host])))
    assert "minute" not in next(talkative(Report([short], Totals(), 1, [], hosts=[host])))
