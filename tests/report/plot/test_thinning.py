"""Which of very many segments a picture shows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.report.plot import flow_timeline, probe_intervals, symbols
from analyzer.report.plot.thinning import COLUMNS, MANY, in_columns, parted, seldom
from tests.judging import captured


def segments(count, looks=("probe",)):
    """Segments a second apart, of one look after the other."""
    return [SimpleNamespace(ts_ns=at * 10**9, look=looks[at % len(looks)]) for at in range(count)]


def shown(count, looks=("probe",)):
    """Those that are drawn over the whole time."""
    some = segments(count, looks)
    return some, in_columns(some, (0, count * 10**9), lambda segment: segment.look)


def test_some_thousand_segments_are_all_drawn():
    """What is not many is handed back as it is."""
    some, drawn = shown(MANY)

    assert drawn is some


def test_a_picture_of_twice_as_many_has_no_more_marks():
    """Marks are bounded by columns, whatever the number of segments."""
    counts = [len(shown(count)[1]) for count in (20_000, 40_000)]

    assert counts[0] == counts[1] == COLUMNS + 1


def test_the_first_and_last_of_each_look_are_kept():
    """What comes seldom among many others is not hidden by them, and order stays."""
    some = segments(20_000)
    for at in (3, 7, 9_000, 19_998):
        some[at].look = f"at {at}"
    drawn = in_columns(some, (0, 20_000 * 10**9), lambda segment: segment.look)

    assert {"at 3", "at 7", "at 9000", "at 19998"} <= {segment.look for segment in drawn}
    assert (some[0], some[-1]) == (drawn[0], drawn[-1])
    assert [segment.ts_ns for segment in drawn] == sorted(segment.ts_ns for segment in drawn)


def test_what_is_out_of_view_is_one_column():
    """Of a close-up's time every column is told apart, and of the rest next to nothing is drawn."""
    some = segments(20_000)
    drawn = in_columns(some, (10_000 * 10**9, 10_500 * 10**9), lambda _: None)
    in_view = [segment for segment in drawn if 10_000 * 10**9 <= segment.ts_ns < 10_500 * 10**9]

    assert 500 == len(in_view)
    assert len(drawn) <= len(in_view) + 3


def test_cells_are_told_apart_by_look():
    """Two looks in a cell are two marks, two of a look are one, and the last of a look stays."""
    found = seldom("abcdef", ["x", "y", "x", "x", "y", "y"], np.array([0, 0, 0, 1, 1, 1]))

    assert ["a", "b", "d", "e", "f"] == found


@pytest.mark.parametrize(("fraction", "part"), [(-3.0, -1), (0.0, 0), (0.999, 9), (1.0, 10), (7.5, 10)])
def test_places_beyond_the_ends_have_parts_of_their_own(fraction, part):
    """A place before the first part is -1, one behind the last is their number."""
    assert [part] == parted(np.array([fraction]), 10).tolist()


def many_probes(count):
    """The founding flow with so many answered probes, a second apart."""
    flows, start_ns = captured("founding_go_fin60.pcap")
    judged = flows[0]
    record = judged.record
    probe = record.probes[-2]
    gap_ns = (record.last_ns - record.first_ns) // count
    probes = tuple(
        probe._replace(frame=100 + at, ts_ns=record.first_ns + at * gap_ns, gap_ns=gap_ns, first_of_train=False)
        for at in range(count)
    )
    return replace(judged, record=record._replace(probes=probes)), start_ns


def marks_of(axes):
    """How many marks, and ends of lines, are in a picture."""
    return sum(len(each.get_offsets()) for each in axes.collections) + sum(
        len(each.get_paths()) for each in axes.collections
    )


@pytest.mark.parametrize("draw", [flow_timeline, probe_intervals])
def test_a_picture_of_many_probes_is_bounded_and_says_so(draw):
    """Twice the probes are not twice the marks, and the legend says what a mark stands for."""
    axes = [draw(*many_probes(count)) for count in (MANY + 5000, 2 * (MANY + 5000))]

    assert marks_of(axes[1]) <= marks_of(axes[0]) + 10
    assert all(symbols.THINNED in each.get_legend_handles_labels()[1] for each in axes)


@pytest.mark.parametrize("draw", [flow_timeline, probe_intervals])
def test_an_ordinary_picture_says_nothing_of_it(draw):
    """Where all is drawn the legend has no such line."""
    flows, start_ns = captured("founding_go_fin60.pcap")

    assert symbols.THINNED not in draw(flows[0], start_ns).get_legend_handles_labels()[1]
