"""One connection as a test asks about it, of a capture that was taken before."""

import pytest

from analyzer.analyzing import analyze
from analyzer.captured import CapturedFlow, Probes
from tests.judging import CAPTURES


def flow_of(name):
    """Return the first flow of one of the project's captures, as a test asks about it."""
    return CapturedFlow(analyze(str(CAPTURES / name)).flows[0])


FOUNDING = "founding_go_fin60.pcap"
CLOSED = "fixed_server.pcap"


def test_a_flow_answers_what_tests_ask():
    """The founding question's flow has its verdict, probes, FIN, RST, states and findings."""
    flow = flow_of(FOUNDING)

    assert "reset_on_probe" == flow.verdict
    assert "client" == flow.ended_by
    assert (16, 12, 1) == (len(flow.probes), len(flow.probes_after_fin), len(flow.unanswered_probes) + 1)
    assert (1, 1) == (len(flow.fins), len(flow.resets))
    assert {"client": "CLOSED", "server": "CLOSED"} == flow.states
    assert "close-wait-held-by-keepalive" in flow.findings
    assert flow.has_port(4001)
    assert flow.has_port(None)
    assert not flow.has_port(4002)
    assert "<flow 0 127.0.0.1:59285 - 127.0.0.1:4001: reset_on_probe>" == repr(flow)
    assert flow.headline in " ".join(flow.story.split())


def test_probes_are_named_by_their_frames():
    """As text some probes are how many and where, and no more than a few frames."""
    flow = flow_of(FOUNDING)

    assert repr(flow.probes_after_fin).startswith("<12 probes: frame 16, 18, ")
    assert repr(flow.probes_after_fin).endswith(" ...>")
    assert "<1 probe: frame 16>" == repr(Probes(flow.probes_after_fin[:1]))
    assert "<1 FIN: frame 14>" == repr(flow.fins)
    assert "<no probes>" == repr(Probes())


def test_probes_are_compared_as_how_many_they_are():
    """Probes, FINs and RSTs beside a number are so many, and beside their like the same frames."""
    flow = flow_of(FOUNDING)

    assert flow.probes_after_fin == 12
    assert flow.probes_after_fin != 0
    assert flow_of(CLOSED).probes_after_fin == 0
    assert flow.fins <= 1 <= flow.resets < 2
    assert 12 < flow.probes > flow.probes_after_fin
    assert flow.probes == flow.probes
    assert flow.probes != flow.probes_after_fin
    assert 1 == len({flow.fins, flow.fins})
    with pytest.raises(TypeError, match="compared with a number, not with 'none'"):
        assert flow.probes < "none"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda flow: flow.assert_verdict("closed", "open"), "the flow is reset_on_probe, not closed or open"),
        (lambda flow: flow.assert_closed(), "the flow is reset_on_probe, not closed"),
        (lambda flow: flow.assert_no_probes_after_fin(), "<12 probes: frame 16"),
        (lambda flow: flow.assert_probes(at_least=99), "answered probes, expected at least 99"),
        (lambda flow: flow.assert_no_finding(), "found "),
        (lambda flow: flow.assert_no_finding("close-wait-held-by-keepalive"), "found close-wait-held-by-keepalive"),
    ],
)
def test_a_failed_assertion_is_the_story(ask, message):
    """The message says what is wrong in a line, and then tells the whole story of the flow."""
    flow = flow_of(FOUNDING)

    with pytest.raises(AssertionError) as raised:
        ask(flow)

    assert message in str(raised.value).splitlines()[0]
    assert 1 == str(raised.value).count(flow.story)
    assert {0} == raised.value.told


def test_what_is_right_passes():
    """Assertions that hold say nothing."""
    flow = flow_of(CLOSED)

    flow.assert_closed()
    flow.assert_verdict("open", "closed")
    flow.assert_no_probes_after_fin()
    flow.assert_probes()
    flow.assert_no_finding("close-wait-held-by-keepalive", "window-closed")


def test_a_verdict_with_a_slip_of_the_pen_is_refused():
    """A word that is no verdict is an error of the test, not of the server."""
    with pytest.raises(ValueError, match="no verdict is called close; the verdicts are closed, half_closed"):
        flow_of(CLOSED).assert_verdict("close")


def test_a_finding_with_a_slip_of_the_pen_is_refused():
    """A word that is no finding is an error of the test, which would never fail."""
    with pytest.raises(ValueError, match="no finding is called close-wait; keepalive rules lists them"):
        flow_of(CLOSED).assert_no_finding("close-wait")


def test_roles_without_a_handshake_are_a_and_b():
    """Where the capture does not show who opened the connection, nobody is called client."""
    assert {"a", "b"} == set(flow_of("lab/midstream_answered.pcap").states)
