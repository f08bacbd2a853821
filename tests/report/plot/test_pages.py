"""Whole figures."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from analyzer.judge.verdict import Verdict
from analyzer.report.plot import Ended, flow_figure, overview_figure, rendered
from analyzer.units import NS_PER_S
from tests.drawing import marks, misplaced, said
from tests.judging import captured, opened
from tests.report.plot.test_many_flows import fleet

CAPTURES = [
    ("founding_go_fin60.pcap", 0),
    ("dead_peer_silence.pcap", 0),
    ("lab/zero_window_pending.pcap", 0),
    ("lab/both_sides.pcap", 0),
    ("lab/loss_acks.pcap", 0),
    ("lab/midstream_half_closed.pcap", 0),
    ("peer_rebooted.pcap", 0),
    ("synthetic_macos1014_lo0.pcap", 0),
    ("lab/port_reuse.pcap", 2),
    ("half_close_deliberate.pcap", 0),
    ("lab/ipv6_graceful.pcap", 0),
]


def figure_of(name, number=0, **options):
    """The figure of a flow of a capture."""
    flows, start_ns = captured(name)
    return flow_figure(flows[number], start_ns, **options)


@pytest.mark.parametrize("size_in", [(9.6, 6.4), (6.4, 4.8), (5, 4)])
@pytest.mark.parametrize(("name", "number"), CAPTURES)
def test_nothing_overlaps_or_runs_out(name, number, size_in):
    """At each size every word stands in the picture, and none over another."""
    assert [] == misplaced(figure_of(name, number, size_in=size_in))


@pytest.mark.parametrize("theme", ["light", "dark", "transparent"])
def test_probes_after_the_fin_stand_out_in_greyscale(theme):
    """Without colour the probes after the FIN still differ from those before by width and by shade."""
    flows, start_ns = captured("synthetic_macos1014_lo0.pcap")
    figure = flow_figure(flows[0], start_ns, theme=theme)
    pixels = imread(io.BytesIO(rendered([figure], "png")))
    grey = pixels[..., :3] @ (0.299, 0.587, 0.114) * pixels[..., 3] + (1 - pixels[..., 3])
    row = grey[round(grey.shape[0] * 0.36)]
    page = np.median(row[: len(row) // 3])
    before, after = row[: len(row) // 3], row[len(row) // 2 : -len(row) // 10]

    assert (np.abs(after - page) > 0.03).mean() > 2 * (np.abs(before - page) > 0.03).mean()


def test_a_flow_has_its_headline_over_it():
    """The title is the flow's number and its story in a line."""
    figure = figure_of("founding_go_fin60.pcap")
    title = " ".join(figure.get_suptitle().split())

    assert title.startswith("Flow 0: The client closed, the server never did")
    assert "" == figure_of("founding_go_fin60.pcap", title=False).get_suptitle()


def test_timeline_and_gaps_share_their_time():
    """What stands above each other happened at the same time."""
    upper, lower = figure_of("founding_go_fin60.pcap").axes

    assert upper.get_xlim() == lower.get_xlim()
    assert "" == upper.get_xlabel()


def test_gaps_are_left_out_where_there_are_none():
    """A flow with at most one probe has its timeline only, and so has any if asked."""
    assert 1 == len(figure_of("lab/dead_data_pending.pcap").axes)
    assert 1 == len(figure_of("founding_go_fin60.pcap", intervals=False).axes)


@pytest.mark.parametrize("size_in", [(9.6, 6.4), (6.4, 4.8)])
def test_a_close_up_shows_the_end_of_a_long_flow(size_in):
    """After two hours of idle time the last probes are shown enlarged, each on its own."""
    probes = "+75 a > b . 5:5(0) ack 1\n" * 8
    judged = opened(f"+7200 a > b . 5:5(0) ack 1\n{probes}+75 a > b R. 6:6(0) ack 1")
    figure = flow_figure(judged, judged.record.first_ns, size_in=size_in)
    whole, near = figure.axes[:2]

    assert 4 == len(figure.axes)
    assert "last 14 min" in said(figure)[-1] or any("last 14 min" in words for words in said(figure))
    assert near.get_xlim()[1] - near.get_xlim()[0] < 0.2 * (whole.get_xlim()[1] - whole.get_xlim()[0])
    assert [] == misplaced(figure)


def test_the_overview_has_all_flows_and_their_silences():
    """One figure shows every flow that probes, and how long the flows had been silent."""
    flows, start_ns = captured("lab/port_reuse.pcap")
    figure = overview_figure(flows, start_ns)

    assert 2 == len(figure.axes)
    assert "3 flows with probes" == figure.get_suptitle()
    assert [] == misplaced(figure)


def test_an_overview_of_nothing_says_so():
    """Without flows both pictures say that there is nothing to show."""
    words = said(overview_figure([], 0))

    assert {"no flow with probes", "no silence to show"} <= set(words)


def ended(count, services=20):
    """Endings of many flows to some services, each alive for a minute."""
    verdicts = [Verdict.OPEN, Verdict.CLOSED, Verdict.SILENT]
    return [
        Ended(f"10.0.0.{at % services}:443", (at % 600 + 60) * NS_PER_S, verdicts[at % 3], at % 600 * NS_PER_S)
        for at in range(count)
    ]


@pytest.mark.parametrize(("size_in", "rows"), [(None, 13), ((7.0, 4.5), 4)])
def test_very_many_flows_are_one_readable_page(size_in, rows):
    """Flows by the thousand are a row each service, as many as the size has room for, the rest in one."""
    figure = overview_figure(fleet(6), 0, size_in=size_in, ended=ended(30_000))

    upper, _ = figure.axes
    names = [label.get_text() for label in upper.get_yticklabels()]
    assert rows == len(names)
    assert f"{21 - rows} other services" in names[-1]
    assert size_in is None or size_in == tuple(figure.get_size_inches())
    assert figure.get_size_inches()[1] < 10


def test_few_flows_have_a_row_each_whatever_the_size():
    """Where there is room, each flow keeps its row, and the size is honoured."""
    figure = overview_figure(fleet(6), 0, size_in=(12.0, 8.0), ended=ended(6))

    assert (12.0, 8.0) == tuple(figure.get_size_inches())
    assert 6 == sum(marks(figure.axes[0]).values())
