"""The timeline of a flow, as a whole."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from analyzer.report.plot import flow_timeline
from tests.drawing import lines, misplaced, said
from tests.judging import captured
from tests.notation import SCENARIOS


def drawn(name, number=0, **options):
    """The timeline of a flow of a capture."""
    flows, start_ns = captured(name)
    return flow_timeline(flows[number], start_ns, **options)


def test_the_founding_picture_speaks():
    """States, FIN, RST, how long it took and how it ended are in the picture of the founding question."""
    words = said(drawn("founding_go_fin60.pcap"))

    for expected in (
        "FIN-WAIT-2",
        "CLOSE-WAIT",
        "FIN",
        "RST",
        "data, 5 bytes",
        "RST 61.5 s after the FIN, 12 probes between",
        "client answers the probe with RST",
        "127.0.0.1:4001\nserver (b)",
    ):
        assert expected in words
    assert 2 == words.count("ESTABLISHED")


def test_the_bracket_spans_fin_to_reset():
    """The bracket begins at the FIN and ends at the RST."""
    flows, start_ns = captured("founding_go_fin60.pcap")
    record = flows[0].record
    (bracket,) = lines(flow_timeline(flows[0], start_ns), "_bracket")

    assert [(record.fins[0].ts_ns - start_ns) / 1e9, (record.resets[0].ts_ns - start_ns) / 1e9] == pytest.approx(
        [min(bracket.get_xdata()), max(bracket.get_xdata())]
    )


def test_it_draws_into_the_axes_it_is_given():
    """The caller's Axes is used and returned, and its figure's page is left alone."""
    figure = Figure(facecolor="pink")
    ax = figure.add_subplot()

    assert ax is drawn("peer_rebooted.pcap", ax=ax)
    assert mpl.colors.to_rgba("pink") == figure.get_facecolor()


def test_settings_are_left_alone():
    """Drawing and saving change none of the caller's rcParams."""
    before = dict(mpl.rcParams)
    drawn("founding_go_fin60.pcap").get_figure().canvas.draw()

    assert before == dict(mpl.rcParams)


def test_pyplot_knows_nothing_of_it():
    """A figure of its own is no window of pyplot."""
    import matplotlib.pyplot as plt

    drawn("founding_go_fin60.pcap")

    assert [] == plt.get_fignums()


def test_the_legend_can_be_left_out():
    """Without a legend there is none; with one it explains what is drawn and nothing else."""
    without, legend = drawn("peer_rebooted.pcap", legend=False).get_legend(), drawn("peer_rebooted.pcap").get_legend()

    assert None is without
    assert [
        "SYN",
        "first and last data",
        "probe, answered",
        "probe, drew a RST",
        "answer",
        "RST",
        "state: open (ESTABLISHED)",
    ] == [text.get_text() for text in legend.get_texts()]


def test_a_stretch_of_time_can_be_asked_for():
    """Between two instants only what is there is said."""
    flows, start_ns = captured("founding_go_fin60.pcap")
    record = flows[0].record
    axes = flow_timeline(flows[0], start_ns, span_ns=(start_ns, record.fins[0].ts_ns - 10**9), legend=False)
    words = said(axes)

    assert "ESTABLISHED" in words
    assert not {"FIN", "RST", "CLOSE-WAIT"} & set(words)
    assert [] == misplaced(axes.figure)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.pkt")), ids=lambda path: path.stem)
def test_every_scenario_can_be_drawn(path):
    """Whatever a flow is like, its picture is drawn without a warning, and no word stands wrong."""
    from tests.judging import scenario

    for judged in scenario(path.stem):
        axes = flow_timeline(judged, judged.record.first_ns)

        assert [] == misplaced(axes.figure)
