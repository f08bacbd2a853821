"""Wireshark's labels against our words, on captures of every kind."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from analyzer.comparing import compare
from analyzer.survey.selection import Selection
from analyzer.wireshark.comparison import is_even
from tests.beside import corpus, lab, or_skip
from tests.wireshark.needs import needs_tshark
from tests.wireshark.surveying import bundled, drawn, once, scenarios

ROOT = Path(__file__).parents[2]
LAB = ROOT / "captures" / "lab"

pytestmark = needs_tshark


@pytest.fixture(scope="module")
def table():
    """The script that makes the table of classes."""
    spec = importlib.util.spec_from_file_location("corpus_table", ROOT / "tests" / "corpus_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["corpus_table"] = module
    spec.loader.exec_module(module)
    return module


def as_tuples(comparison):
    """Differences as frame, our word, Wireshark's, and class."""
    return [(each.frame, each.ours, each.wireshark, each.row and each.row.name) for each in comparison.differences]


def test_where_wireshark_is_right_there_is_no_difference():
    """On the founding capture both see the same probes and answers."""
    comparison = bundled()["founding_go_fin60.pcap"]

    assert [] == comparison.differences
    assert {("keepalive_probe", "keep_alive"): 16, ("keepalive_answer", "keep_alive_ack"): 15} == dict(
        comparison.beside
    )


def test_a_capture_that_begins_midstream():
    """Wireshark misses every probe of it and every answer, and why is said of each frame."""
    found = as_tuples(bundled()["midstream_answered.pcap"])

    assert (4, "keepalive_probe", None, "began-midstream") == found[0]
    assert (5, "keepalive_answer", "ack_lost_segment", "answer-to-a-missed-probe") == found[1]
    assert {"began-midstream", "answer-to-a-missed-probe"} == {name for *_, name in found}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("telnet_lost_byte.pcap", "octet-sent-again"),
        ("zero_window_pending.pcap", "window-probe-in-linux-form"),
        ("zero_window_nothing_pending.pcap", "answer-with-closed-window"),
        ("any_router_sll.pcap", "captured-twice"),
        ("snaplen_54.pcap", "headers-cut-off"),
    ],
)
def test_known_errors_have_their_class(name, expected):
    """What field guide 1.2 knows of Wireshark is found in the captures made for it."""
    assert expected in {row.name for row, _ in bundled()[name].classes()}


def test_bundled_captures_leave_nothing_unclassified():
    """Every difference in the project's own captures is of a class."""
    assert {} == {name: each.unclassified for name, each in bundled().items() if each.unclassified}


def test_scenarios_leave_nothing_unclassified():
    """Every difference in the hand-written captures is of a class."""
    assert [] == [each for each in as_tuples(scenarios()) if each[3] is None]


@pytest.mark.slow
def test_random_traffic_leaves_nothing_unclassified():
    """Whatever endpoints, losses and wild numbers do, every difference has a reason."""
    assert [] == [each for each in as_tuples(drawn()) if each[3] is None]


@pytest.mark.slow
@pytest.mark.parametrize("which", ["the lab", "the corpus"])
def test_shared_captures_leave_nothing_unclassified(table, which, monkeypatch):
    """On the lab and on the corpus, read in place, every difference from Wireshark has a class that was thought of."""
    monkeypatch.setattr("analyzer.comparing.compare", once)
    paths = {"the lab": lab, "the corpus": corpus}[which]()
    found = table.survey(or_skip(paths, which))

    assert [] == found.unclassified
    assert 50 < found.captures
    assert not [
        name for name in found.counts if name.startswith(("next-number", "not-counted", "answer-to-what-we-do"))
    ]
    if which == "the corpus":
        assert [] == list(table.contradictions(found))


def test_compiled_and_plain_say_the_same():
    """Whether the loops run compiled makes no difference."""
    path = LAB / "telnet_lost_byte.pcap"

    assert as_tuples(compare(path, jit=False)) == as_tuples(bundled()["telnet_lost_byte.pcap"])


def test_a_selection_leaves_other_flows_out():
    """Only differences of the flows that are asked for are found."""
    path = LAB / "port_reuse.pcap"
    everything = compare(path)
    last = compare(path, select=Selection(numbers=(2,)))

    assert [each for each in everything.differences if each.flow == 2] == last.differences
    assert sum(last.beside.values()) < sum(everything.beside.values())


def test_a_notebook_may_compare():
    """Inside a running event loop nothing is different."""

    async def work():
        return compare(LAB / "midstream_answered.pcap")

    assert as_tuples(bundled()["midstream_answered.pcap"]) == as_tuples(asyncio.run(work()))


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([60] * 99, True),
        ([58, 59, 60, 69] * 25, True),
        ([60] * 98 + [100_000], False),
        ([60, 6000] * 50, False),
        ([60] * 20, False),
        ([0] * 99, False),
    ],
)
def test_a_clock_that_no_network_has(gaps, expected):
    """Even spacing throughout, with no pause at all, is no clock."""
    assert expected == is_even(np.cumsum([0, *gaps]))
