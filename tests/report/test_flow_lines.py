"""Flows in the report as text: layout that the command's tests do not reach."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from analyzer.report.filter_commands import TUNNEL, TUNNELS
from analyzer.report.flow_lines import TUNNEL_NAMES, pair_text, tag_text
from analyzer.report.screen import Screen
from analyzer.track.flow import Endpoint


@dataclass
class Record:
    """As much of a flow as its endpoints need."""

    a: Endpoint
    b: Endpoint
    initiator: str | None = "a"
    tag: int = 0
    extra: dict = field(default_factory=dict)


A, B = Endpoint("192.0.2.1", 40000), Endpoint("2001:db8::1", 443)


@pytest.mark.parametrize(
    ("record", "unicode", "expected"),
    [
        (Record(A, B), True, "192.0.2.1:40000 → [2001:db8::1]:443"),
        (Record(A, B, "b"), True, "[2001:db8::1]:443 → 192.0.2.1:40000"),
        (Record(A, B, None), True, "192.0.2.1:40000 ↔ [2001:db8::1]:443"),
        (Record(A, B), False, "192.0.2.1:40000 -> [2001:db8::1]:443"),
        (Record(A, B, None, 42), False, "192.0.2.1:40000 <-> [2001:db8::1]:443 vlan 42"),
    ],
)
def test_the_initiator_comes_first(record, unicode, expected):
    """A flow's endpoints stand in the direction in which it was opened, where that is known."""
    assert expected == pair_text(SimpleNamespace(record=record), Screen(unicode=unicode))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0, ""),
        (7, " vlan 7"),
        (100 * 4096 + 7, " vlan 100.7"),
        (1 << 24, " tag 0x1000000"),
        (TUNNEL + (3 << 56) + (9 << 24) + 7, " in VXLAN 9 vlan 7"),
        (TUNNEL + (2 << 56), " in GRE"),
    ],
)
def test_vlans_are_named(tag, expected):
    """The VLAN that tells a flow from others is part of its name."""
    assert expected == tag_text(tag)


def test_every_kind_of_tunnel_has_a_name():
    """Each kind of tunnel for which there is a filter is called something."""
    assert TUNNELS.keys() == TUNNEL_NAMES.keys()
