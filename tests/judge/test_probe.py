"""Probes as facts."""

import pytest

from analyzer.judge.probe import NOT_PROBE_WORDS, PROBE_KINDS, Heartbeats, Probe
from tests.judge.test_recording import scenario


@pytest.mark.parametrize(("answer", "answered"), [("ack", True), ("data", True), ("rst", False), (None, False)])
def test_a_reset_answers_but_not_as_a_living_peer(answer, answered):
    """A probe counts as answered if the peer knows the connection."""
    probe = scenario("dead_peer_gave_up").probes[0]._replace(answer=answer)

    assert answered == probe.answered


@pytest.mark.parametrize(
    ("after_fin", "expected"), [(None, False), ("sent", False), ("received", True), ("both", True)]
)
def test_a_probe_after_the_peers_fin_came_from_who_had_received_it(after_fin, expected):
    """Only a FIN that the prober had received puts it into CLOSE-WAIT."""
    probe = scenario("dead_peer_gave_up").probes[0]._replace(after_fin=after_fin)

    assert expected == probe.after_peer_fin


@pytest.mark.parametrize("kind", [Probe, Heartbeats])
def test_times_say_their_unit(kind):
    """Every field that holds an instant or a duration ends in _ns."""
    for name in kind._fields:
        assert not name.endswith(("_s", "_ms", "time", "timeout"))


def test_what_only_looks_like_a_probe_is_none():
    """No kind of segment is a probe and has a word for being none."""
    assert set() == set(PROBE_KINDS) & set(NOT_PROBE_WORDS)
