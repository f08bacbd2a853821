"""``keepalive watch --sockets``: what the kernel says of the way to hosts."""

import contextlib
import sys
from pathlib import Path

import pytest

from analyzer.cli.link import Link, way_text
from analyzer.neighbours import Way
from analyzer.words.teller import Teller
from analyzer.words.witnesses import says
from captures.recipes.lab import playing
from captures.recipes.lab.flow import probing
from captures.recipes.lab.stage import Stage
from tests.judging import opened

ROOT = Path(__file__).parents[2]
S = 1_000_000_000
FAILED = Way("10.0.0.7", None, "eth0", "FAILED", 5 * S, None)


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (FAILED, "10.0.0.7: neighbour FAILED since "),
        (Way("10.9.9.9", "10.0.0.1", "eth0", "INCOMPLETE", 5 * S, None), "10.9.9.9: next hop 10.0.0.1 INCOMPLETE"),
        (Way("10.9.9.9", None, None, None, None, None), "10.9.9.9: no route leads there"),
        (Way("10.0.0.7", None, "eth0", None, None, None), "10.0.0.7: neighbour unknown (eth0)"),
    ],
)
def test_a_way_is_told_in_a_sentence(way, text):
    """Neighbour or next hop, its state, since when, and the interface; or that no route leads there."""
    assert way_text(way).startswith(text)


def test_only_what_is_cut_is_told_and_when_it_no_longer_is(monkeypatch):
    """A way is told once when it is cut, since the first time, and once when it is whole again; others never."""
    answers = [
        {},
        {"10.0.0.7": FAILED},
        {"10.0.0.7": FAILED},
        {"10.0.0.7": Way("10.0.0.7", None, "eth0", "REACHABLE", 9 * S, "02")},
    ]
    monkeypatch.setattr("analyzer.neighbours.missing", lambda: "")
    monkeypatch.setattr("analyzer.neighbours.ways", lambda addresses, now_ns: answers.pop(0))
    link = Link()

    def look():
        """What is new now, however soon after the last time."""
        link._asking.at_once()
        return [event.object["state"] for event in link.news([opened("")], 10 * S)]

    told = [look() for _ in range(4)]

    assert [[], ["FAILED"], [], ["REACHABLE"]] == told
    assert [] == link.standing()


def test_what_the_kernel_said_is_among_the_witnesses(monkeypatch):
    """A neighbour that fails, and is back, and a route that is gone, are witnesses of flows that are not over."""
    flow = opened("")
    where, start_ns = flow.record.b.address, flow.record.first_ns
    answers = [
        {where: Way(where, None, "eth0", "FAILED", start_ns + 3 * S, None)},
        {where: Way(where, None, "eth0", "REACHABLE", start_ns + 9 * S, "02")},
        {where: Way(where, None, None, None, None, None)},
    ]
    monkeypatch.setattr("analyzer.neighbours.missing", lambda: "")
    monkeypatch.setattr("analyzer.neighbours.ways", lambda addresses, now_ns: answers.pop(0))
    link = Link()
    for at_s in (4, 9, 12):
        link._asking.at_once()
        list(link.news([flow], start_ns + at_s * S))

    told = link.witnesses(flow)

    assert [("neighbour", "failed", "b"), ("neighbour", "back", "b"), ("route", "none", "path")] == [
        (witness.kind, witness.says, witness.about) for witness in told
    ]
    assert f"From +3.000 on, {where} was FAILED in the neighbour table of this host (eth0): nobody answers" in says(
        Teller(flow, start_ns), told[0]
    )


def test_without_the_library_one_sentence_says_so(monkeypatch):
    """Where pyroute2 is not installed nothing is asked, and the reason is one sentence."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    link = Link()

    assert link.why_not.endswith("pip install 'keepalive-analyzer[live]')") or "Linux only" in link.why_not
    assert [] == list(link.news([opened("")], 0))


@pytest.mark.live
def test_a_neighbour_that_fails_is_told_while_watching(tmp_path):
    """A host that no longer answers ARP is told with the state of the kernel's neighbour table, and since when."""
    if reason := playing.why_not([]):
        pytest.skip(reason)
    if reason := Link().why_not:
        pytest.skip(reason)
    with Stage("neighbour", "watch", tmp_path, 190) as stage:
        stage.switch()
        client = stage.hosts["client"]
        watching = client.start(
            "env",
            f"PYTHONPATH={ROOT}",
            "KEEPALIVE_JIT=0",
            sys.executable,
            "-m",
            "analyzer",
            "watch",
            "-i",
            "eth0",
            "--port",
            "4891",
            "--sockets",
            "-Z",
            "root",
        )
        for line in watching.stdout:
            if "stop with Ctrl-C" in line:
                break
        stage.connect(4891, "client", client=probing(1, 1, 9))
        for line in watching.stdout:
            if "probe" in line:
                break
        stage.hosts["middle"].ip("link", "set", "to_server", "down")
        client.ip("neigh", "flush", "dev", "eth0")
        said = next(line for line in watching.stdout if "neighbour" in line)
        watching.terminate()
        with contextlib.suppress(ValueError):
            watching.communicate(timeout=60)

    assert f"{stage.address['server']}: neighbour " in said
    assert any(state in said for state in ("INCOMPLETE", "FAILED"))
    assert " since " in said
    assert "(eth0)" in said
