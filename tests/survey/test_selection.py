"""Which flows are asked for."""

from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.segment import address_halves
from analyzer.survey.selection import DAY_NS, FlowOf, Instant, Selection, Window
from analyzer.track.flow import FLOW


def batch(*flows):
    """Flows as (number, a, a's port, b, b's port)."""
    rows = np.zeros(len(flows), dtype=FLOW)
    for row, (number, a, a_port, b, b_port) in zip(rows, flows, strict=True):
        row["number"] = number
        row["a_hi"], row["a_lo"] = address_halves(a)
        row["b_hi"], row["b_lo"] = address_halves(b)
        row["a_port"], row["b_port"] = a_port, b_port
    return SimpleNamespace(flow=rows)


FLOWS = batch(
    (0, "10.1.2.3", 40000, "10.9.9.9", 443),
    (1, "192.0.2.1", 40001, "10.1.2.3", 80),
    (2, "2001:db8::1", 40000, "2001:db8:ffff::2", 5432),
    (3, "203.0.113.9", 1, "198.51.100.1", 65535),
)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Selection(), [0, 1, 2, 3]),
        (Selection(hosts=("10.1.2.3",)), [0, 1]),
        (Selection(hosts=("10.0.0.0/8",)), [0, 1]),
        (Selection(hosts=("0.0.0.0/0",)), [0, 1, 3]),
        (Selection(hosts=("::/0",)), [0, 1, 2, 3]),
        (Selection(hosts=("2001:db8:ffff::/48",)), [2]),
        (Selection(hosts=("2001:db8::1", "203.0.113.9")), [2, 3]),
        (Selection(ports=(40000,)), [0, 2]),
        (Selection(ports=(80, 65535)), [1, 3]),
        (Selection(numbers=(3, 7)), [3]),
        (Selection(hosts=("10.1.2.3",), ports=(40000,)), [0]),
        (Selection(ports=(1,), numbers=(0,)), []),
        (Selection(flows=(FlowOf(0, 3), FlowOf(1, 2))), [3]),
        (Selection(numbers=(1,), flows=(FlowOf(0, 3),)), [1, 3]),
        (Selection(flows=(FlowOf(1, 2),)), []),
    ],
)
def test_flows_are_picked_by_host_port_and_number(wanted, expected):
    """Hosts, ports and numbers each pick flows, and together the flows that all of them pick."""
    assert expected == np.flatnonzero(wanted.mask(FLOWS)).tolist()


def test_an_empty_selection_leaves_nothing_out():
    """A selection is true only if it leaves something out."""
    assert not Selection()
    assert Selection(window=Window(Instant(1)))
    assert Selection(ports=(1,))


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(), [0, 1, 2]),
        (Window(Instant(DAY_NS + 30)), [1, 2]),
        (Window(None, Instant(DAY_NS + 20)), [0, 1]),
        (Window(Instant(5, "start"), Instant(10, "start")), [0, 1]),
        (Window(Instant(41, "day")), [2]),
        (Window(Instant(21, "day"), Instant(24, "day")), [1]),
    ],
)
def test_a_window_picks_flows_that_lived_in_it(window, expected):
    """A flow is picked if its first segment is not behind the window and its last not before it, both ends included."""
    flows = batch(*[(number, "10.0.0.1", 1, "10.0.0.2", 2) for number in range(3)])
    flows.flow["first_ns"] = [DAY_NS + 10, DAY_NS + 20, DAY_NS + 50]
    flows.flow["last_ns"] = [DAY_NS + 20, DAY_NS + 40, DAY_NS + 60]

    assert expected == np.flatnonzero(Selection(window=window).mask(flows, DAY_NS + 10)).tolist()
