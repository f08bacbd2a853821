"""The Python API as a notebook uses it; ``tests/typing/api.py`` is an example of it that the type checker reads."""

import asyncio
from pathlib import Path

import pytest

import analyzer
from analyzer.wireshark.tshark import TsharkFailedError
from tests.wireshark.needs import needs_tshark

ROOT = Path(__file__).parents[1]
FOUNDING = ROOT / "captures" / "founding_go_fin60.pcap"


@pytest.fixture(scope="module")
def founding():
    """The analysis of the founding question."""
    return analyzer.analyze(FOUNDING)


def test_an_analysis_reads_well(founding):
    """Flows, findings and sums are plain lists and mappings."""
    (flow,) = founding.flows

    assert {"reset_on_probe": 1} == founding.summary["verdicts"]
    assert [flow] == founding.findings["close-wait-held-by-keepalive"]
    assert set(founding.findings) == set(founding.summary["findings"])
    assert f"<Analysis of {FOUNDING}: 1 flows, 16 probes>" == repr(founding)
    assert "12 probes after the FIN" in founding._repr_html_()


def test_a_finding_that_nothing_has_has_no_flows():
    """Of a healthy capture every finding has an empty list, and only a word that is no finding is an error."""
    healthy = analyzer.analyze(ROOT / "captures" / "fixed_server.pcap")

    assert [] == healthy.findings["close-wait-held-by-keepalive"]
    assert "close-wait-held-by-keepalive" not in healthy.findings
    with pytest.raises(KeyError, match="no finding is called close-wait; keepalive rules lists them"):
        _ = healthy.findings["close-wait"]


def test_several_captures_may_be_a_list():
    """Paths may be given one by one or as a list, of texts and paths."""
    both = [str(FOUNDING), ROOT / "captures" / "fixed_server.pcap"]

    assert 2 == len(analyzer.analyze(both)) == len(analyzer.analyze(*both)) == len(analyzer.analyze(both[0], both[1:]))


@pytest.mark.parametrize(
    ("asked", "flows"),
    [
        ({"port": 4001}, 1),
        ({"port": [1, 59285]}, 1),
        ({"port": 1}, 0),
        ({"host": "127.0.0.0/8"}, 1),
        ({"host": ["::1", "127.0.0.1"]}, 1),
        ({"host": "10.0.0.0/8", "port": 4001}, 0),
    ],
)
def test_flows_are_asked_for_by_host_and_port(asked, flows):
    """Only flows with one of the hosts and one of the ports are there; the others are counted as left out."""
    analysis = analyzer.analyze(FOUNDING, **asked)

    assert (flows, 1 - flows) == (len(analysis), analysis.left_out)


@needs_tshark
def test_flows_are_asked_for_by_a_display_filter():
    """Only flows with a frame that matches Wireshark's filter are there, and a filter that is none is refused."""
    assert 1 == len(analyzer.analyze(FOUNDING, display_filter="tcp.flags.reset == 1"))
    assert 0 == len(analyzer.analyze(FOUNDING, display_filter="udp"))
    with pytest.raises(TsharkFailedError):
        analyzer.analyze(FOUNDING, display_filter="no.such ==")


@pytest.mark.parametrize(
    ("paths", "asked", "sentence"),
    [
        ((), {}, "no capture to analyze: name a path"),
        (("",), {}, "no capture to analyze: a path is empty"),
        ((FOUNDING,), {"port": "http"}, "'http' is not a port; expected a number from 0 to 65535, or several"),
        ((FOUNDING,), {"host": "localhost"}, "'localhost' is not an address or a network"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(paths, asked, sentence):
    """No path, a port or a host that can be none are errors of the caller."""
    with pytest.raises(ValueError, match=sentence):
        analyzer.analyze(*paths, **asked)


def test_a_flow_reads_well(founding):
    """Endpoints, states, settings, ending and findings of a flow have the names of the JSON report."""
    (flow,) = founding.flows

    assert ("127.0.0.1", 59285, "127.0.0.1:4001") == (flow.a.address, flow.a.port, str(flow.b))
    assert {"a": "CLOSED", "b": "CLOSED"} == flow.states
    assert 5.0 == flow.settings["b"]["idle_s"]["value"]
    assert ("reset_on_probe", 39) == (flow.ending["verdict"], flow.ending["frame"])
    assert "close-wait-held-by-keepalive" in [finding["code"] for finding in flow.findings]
    assert "<Flow 0: 127.0.0.1:59285 and 127.0.0.1:4001, reset_on_probe>" == repr(flow)
    assert "<svg" in flow._repr_html_()


def test_probes_are_columns(founding):
    """A flow's probes are lists of equal length, ready for a DataFrame."""
    probes = founding.flows[0].probes

    assert {16} == {len(column) for column in probes.values()}
    assert probes == founding.columns("probes")
    assert 12 == sum(after is not None for after in probes["after_fin"])


def test_a_story_prints(founding):
    """The story prints as the command tells it, and its parts can be taken."""
    told = founding.flows[0].explain()

    assert str(told).startswith("Flow 0: 127.0.0.1:59285 (client, a) to 127.0.0.1:4001 (server, b)\n")
    assert "What to change\n" in str(told)
    assert told.headline.startswith("The client closed, the server never did")
    assert "What happened" == told.sections[0].heading
    assert "<li>" in told._repr_html_()


def test_a_flow_is_drawn_where_it_is_told(founding):
    """The timeline goes into the caller's Axes, or into a figure of its own."""
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()

    assert ax is founding.flows[0].plot(ax)
    assert founding.flows[0].plot().figure is not ax.figure


def test_a_figure_is_known_to_a_caller_s_pyplot(founding):
    """Where pyplot is loaded the new figure belongs to it, so that a notebook shows it."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    ax = founding.flows[0].plot()

    assert ax.figure is plt.gcf()
    plt.close(ax.figure)


def test_it_works_inside_a_running_event_loop():
    """A notebook's cells run inside an event loop, and analyze() does not mind."""

    async def cell():
        return analyzer.analyze(FOUNDING).flows[0].verdict

    assert "reset_on_probe" == asyncio.run(cell())
