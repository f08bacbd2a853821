"""The kernel's neighbour table and routes."""

import pytest

from analyzer import neighbours
from tests.loopback import host  # noqa: F401


@pytest.mark.live
def test_a_host_without_a_route(host):  # noqa: F811
    """In a namespace that has loopback alone no route leads anywhere else, and loopback is no way."""
    if reason := neighbours.missing():
        pytest.skip(reason)

    found = neighbours.ways(["127.0.0.1", "192.0.2.7", "::1", "2001:db8::7"], 0)

    assert {"192.0.2.7", "2001:db8::7"} == set(found)
    assert all(way.is_cut and way.interface is None for way in found.values())


@pytest.mark.parametrize(("state", "cut"), [("FAILED", True), ("INCOMPLETE", True), ("STALE", False), (None, False)])
def test_a_way_is_cut_where_nobody_answers(state, cut):
    """Only a next hop that does not answer cuts a way: one that was not asked for long is stale."""
    assert cut == neighbours.Way("10.0.0.7", None, "eth0", state, None, None).is_cut


def test_other_systems_are_told(monkeypatch):
    """Elsewhere than on Linux the reason is one sentence."""
    monkeypatch.setattr("sys.platform", "darwin")

    assert neighbours.missing() == "the neighbour table is asked for on Linux only"
