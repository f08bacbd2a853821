"""``keepalive explain``: whose story is told."""

import json

import pytest

from tests.judging import CAPTURES
from tests.wireshark import beating
from tests.wireshark.needs import needs_tshark

NAMES = "protocol", "named_by"
FOUNDING = "founding_go_fin60.pcap"
DEAD = "dead_peer_silence.pcap"


def test_the_founding_story_is_told(keepalive):
    """The story names the endpoints, the probes after the FIN and the RST, each with its frame."""
    done = keepalive("explain", FOUNDING)

    assert 0 == done.status
    for part in ("127.0.0.1:59285", "CLOSE-WAIT", "FIN-WAIT-2", "[frames 38-39]", "Timeline", "What to change"):
        assert part in done.out


@pytest.mark.parametrize("columns", [80, 140])
def test_no_line_is_wider_than_the_screen(keepalive, monkeypatch, columns):
    """Every line of a story fits the width there is."""
    monkeypatch.setenv("COLUMNS", str(columns))

    lines = keepalive("explain", FOUNDING, DEAD, "lab/ipv6_graceful.pcap").out.splitlines()

    assert [] == [line for line in lines if len(line) > columns]


def test_several_captures_are_told_apart(keepalive):
    """With several captures each story begins with its file."""
    out = keepalive("explain", FOUNDING, DEAD).out

    assert f"{DEAD}: Flow 0" in " ".join(out.split())
    assert out.index(DEAD) < out.index(f"{FOUNDING}: ")


def test_a_flow_may_be_picked_even_if_uneventful(keepalive):
    """--flow tells the story of a flow that has nothing to say."""
    done = keepalive("explain", "lab/syn_only.pcap", "--flow", "0")

    assert (0, "") == (done.status, done.err)
    assert done.out.startswith("Flow 0")


def test_an_uneventful_capture_says_so(keepalive, tmp_path):
    """Where no flow has something to say, there are the totals, and how to read of a flow all the same."""
    other = tmp_path / "other.pcap"
    other.write_bytes((CAPTURES / "lab/syn_only.pcap").read_bytes())
    done = keepalive("explain", "lab/syn_only.pcap", str(other))

    assert "nothing to report. 2 flows" in " ".join(done.out.split())
    assert "--flow N tells the story of a flow all the same" in " ".join(done.out.split())


def test_a_single_flow_is_told_of_whatever_it_is(keepalive):
    """A small capture of one flow is explained, also where that has nothing to say."""
    done = keepalive("explain", "lab/syn_only.pcap")

    assert done.out.startswith("Flow 0: ")
    assert "never established" in " ".join(done.out.split())


def test_only_so_many_stories_are_told(keepalive):
    """Beyond --limit, a line says how many more there are and how to see them."""
    done = keepalive("explain", FOUNDING, DEAD, "--limit", "1")

    assert 1 == done.out.count("What happened")
    assert "1 more flow has something to say: --limit 0 tells all" in " ".join(done.out.split())


@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_stories_may_be_had_as_json(keepalive, form):
    """Each flow of the JSON has its story."""
    out = keepalive("explain", FOUNDING, form).out
    flow = json.loads(out)["flows"][0] if form == "--json" else json.loads(out)

    assert "What happened" in [section["heading"] for section in flow["story"]["sections"]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("reset_on_probe", 1), ("close-wait-held-by-keepalive", 1), ("silent,dead-peer-detected", 0)],
)
def test_fail_on_decides_the_exit_status(keepalive, words, expected):
    """--fail-on works as in report."""
    assert expected == keepalive("explain", FOUNDING, "--fail-on", words).status
    assert expected == keepalive("explain", FOUNDING, "--only-findings", "--fail-on", words).status


@needs_tshark
def test_heartbeats_are_named_unless_nobody_may_ask(keepalive, tmp_path):
    """The words name what tshark reads; with --no-dissect, or without secrets that can be read, it is not asked."""
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, beating.TALKS["MQTT"]))

    assert "(MQTT PINGREQ)" in " ".join(keepalive("explain", path, "--flow", "0").out.split())
    assert "(by their form)" in " ".join(keepalive("explain", path, "--flow", "0", "--no-dissect").out.split())
    ignored = keepalive("report", path, "--jsonl", "--keylog", tmp_path / "none")
    assert "note: --keylog is ignored: heartbeats are not dissected here" in ignored.err
    refused = keepalive("explain", path, "--keylog", tmp_path / "none")
    assert (2, "") == (refused.status, refused.out)
    assert "--keylog" in refused.err


def test_without_tshark_a_note_says_so(keepalive, tmp_path, monkeypatch):
    """Where tshark is missing heartbeats are told by their form, and a note says why."""
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, beating.TALKS["MQTT"]))
    monkeypatch.setenv("PATH", str(tmp_path))
    done = keepalive("report", path, "--json")

    assert (None, "form") == tuple(json.loads(done.out)["flows"][0]["heartbeats"][0][name] for name in NAMES)
    assert "note: heartbeats are known by their form alone: this needs tshark" in done.err


def test_both_sides_of_a_router_are_told(keepalive):
    """A capture of a router tells which probes came to it and did not leave, in the story and in the report."""
    story, report = (" ".join(keepalive(verb, "lab/any_router_sll.pcap").out.split()) for verb in ("explain", "report"))

    assert "Before and behind this host - The connection was captured twice, at points A and B." in story
    assert "probe from the server was lost between B and A [frame B 33]" in story
    assert "Flow 0, before and behind this host: The connection was captured twice" in report
    assert "4 lost between B and A" in report
