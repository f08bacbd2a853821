"""The lines behind the decoder: one summary and one set of flows, however the batches come."""

import numpy as np
import pytest

from analyzer.capture import open_capture
from analyzer.intake import Intake
from analyzer.segment import SEGMENT, SegmentBatch
from analyzer.survey.overview import CaptureSummary
from tests.judging import CAPTURES

FOUNDING = str(CAPTURES / "founding_go_fin60.pcap")


class Point:
    """A capture point that says what it is told to."""

    jit = False
    start_ns = 5
    format = "pcap"
    link_types = ("EN10MB",)
    warnings = ("a warning",)
    dropped = 3
    filters = ("port 80",)


def empty(frames=0, skipped=(0, 0, 0)):
    """A batch without segments."""
    return SegmentBatch(np.empty(0, dtype=SEGMENT), frames, skipped, 7 if frames else -1)


@pytest.mark.parametrize("rows", [1, 7, 4096])
def test_batches_of_any_size_give_the_same(rows):
    """The summary and the flows do not depend on how the capture was cut."""
    summary = CaptureSummary([FOUNDING])
    with open_capture(FOUNDING) as source:
        intake = Intake(summary, source)
        flows = [intake.feed(batch) for batch in source.batches(rows)] + [*intake.close()]

    assert 1 == sum(len(batch) for batch in flows if batch is not None)
    assert (39, 39, "pcap", ["EN10MB"]) == (summary.frames, summary.tcp_segments, summary.format, summary.link_types)
    assert 81_480_956_000 == summary.duration_ns


def test_a_snapshot_changes_nothing():
    """Looking at the flows after every segment gives the same end as never looking."""
    with open_capture(FOUNDING) as source:
        intake = Intake(CaptureSummary([FOUNDING]), source)
        seen = []
        for batch in source.batches(1):
            intake.feed(batch)
            seen.append(int(intake.snapshot().flow["last_frame"][0]))
        (end,) = intake.close()

    assert list(range(1, 40)) == seen
    assert 39 == int(end.flow["last_frame"][0])


def test_what_is_no_segment_is_counted():
    """Frames without a row are added up by reason, and the source is asked for the rest."""
    summary = CaptureSummary(["lo"])
    intake = Intake(summary, Point())
    intake.feed(empty(5, (2, 2, 1)))
    intake.feed(empty())
    assert [] == list(intake.close())

    assert (5, 0) == (summary.frames, summary.tcp_segments)
    assert {"not_tcp": 2, "fragment": 2, "cut_before_tcp_header": 1, "duplicate_copy": 0} == summary.skipped
    assert (5, ["a warning"], 3) == (summary.start_ns, summary.warnings, summary.dropped)
    assert ["port 80"] == summary.filters


def test_without_a_batch_there_are_no_flows():
    """An interface on which nothing passed has a summary all the same."""
    summary = CaptureSummary(["lo"])
    intake = Intake(summary, Point())

    assert (None, None, []) == (intake.snapshot(), intake.sweep(), list(intake.close()))
    assert 0 == summary.skipped["not_tcp"]


def test_a_capture_ends_with_its_last_frame_unless_somebody_waited_longer():
    """The end of a watch may be later than the last frame; it is never earlier."""
    ends = []
    for until_ns in (-1, 10**19 // 4):
        with open_capture(FOUNDING) as source:
            summary = CaptureSummary([FOUNDING])
            intake = Intake(summary, source)
            for batch in source:
                intake.feed(batch)
            (last,) = intake.close(until_ns)
            ends.append(last.end_ns)

    assert [summary.end_ns, 10**19 // 4] == ends
