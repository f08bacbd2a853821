"""News of a flow: every event once, in words that fit what is known when it is told."""

import pytest

from analyzer.explain.news import PATIENCE_NS, News
from analyzer.judge.verdict import Verdict
from tests.judging import OPENING, captured, judge, opened, scenario, written
from tests.notation import START_NS, parse

LATER = 10**19


def told(judged, start_ns=START_NS, now_ns=LATER):
    """Return everything there is to tell of a flow, as (event, text)."""
    return [(item.event, item.text) for item in News().of(judged, start_ns, now_ns)]


def test_the_founding_question_as_it_happened():
    """From handshake to RST each event is one line, in order, and the verdict ends it."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    events = told(judged, start_ns)
    words = [event for event, _ in events]

    assert ["flow", "probe", "probe", "probe", "probe", "fin"] == words[:6]
    assert ["probe", "reset", "verdict"] == words[-3:]
    assert ("fin", "client sends FIN -> client FIN-WAIT-1, server CLOSE-WAIT") == events[5]
    assert "127.0.0.1:59285 (client) to 127.0.0.1:4001 (server)" == events[0][1]
    assert "server probes, after the client's FIN: answered in " in events[8][1]
    assert "RST from the client in answer to the probe -> both CLOSED" == events[-2][1]
    assert events[-1][1].startswith("reset_on_probe: ")
    assert 17 == words.count("probe") + words.count("answer") + (16 == words.count("probe"))


def test_nothing_is_told_twice():
    """A flow that has not changed has no news."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    news = News()
    news.of(judged, start_ns, LATER)

    assert [] == news.of(judged, start_ns, LATER + 1)


@pytest.mark.parametrize("path", ["probe_after_own_fin", "half_close_silence", "answered_by_data"])
def test_a_flow_told_step_by_step_is_told_in_full(path):
    """Looking after every segment tells each event once, as looking once at the end does."""
    text = (OPENING + "+5 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n+5 b > a . 0:0(0) ack 6\n").strip()
    lines = text.splitlines()
    news, seen = News(), []
    for end in range(1, len(lines) + 1):
        judged = written("\n".join(lines[:end]))
        seen += news.of(judged, START_NS, judged.record.last_ns + PATIENCE_NS)

    assert ["flow", "probe", "probe"] == [item.event for item in seen if item.event in ("flow", "probe")]
    assert scenario(path)


def test_a_probe_waits_a_moment_for_its_answer():
    """A probe that was sent just now is not yet called unanswered."""
    judged = opened("+5 b > a . 0:0(0) ack 6\n")
    probe = judged.record.probes[0]
    news = News()
    at_once = news.of(judged, START_NS, probe.ts_ns + PATIENCE_NS - 1)
    later = news.of(judged, START_NS, probe.ts_ns + PATIENCE_NS)

    assert "probe" not in [item.event for item in at_once]
    assert ["server probes, after 5.010 s idle: no answer"] == [i.text for i in later if i.event == "probe"]


def test_an_answer_that_comes_late_is_told_by_itself():
    """The probe was told without answer; the answer is then an event of its own."""
    news = News()
    before = opened("+5 b > a . 0:0(0) ack 6\n")
    news.of(before, START_NS, LATER)
    after = opened("+5 b > a . 0:0(0) ack 6\n+.4 a > b . 6:6(0) ack 1\n")

    assert [("answer", "client answers the probe after 400 ms", "a")] == [
        (item.event, item.text, item.sender) for item in news.of(after, START_NS, LATER)
    ]


def test_unanswered_probes_are_counted():
    """The third probe without an answer says that it is the third."""
    judged = opened("+5 b > a . 0:0(0) ack 6\n" * 3)

    assert ["no answer", "no answer, 2 in a row", "no answer, 3 in a row"] == [
        text.rpartition(": ")[2] for event, text in told(judged) if event == "probe"
    ]


def test_a_verdict_is_told_when_it_changes():
    """A flow that falls silent and answers again is told both times; that it is open at first goes without saying."""
    news = News()
    steps = ["", "+5 b > a . 0:0(0) ack 6\nend: +30", "+5 b > a . 0:0(0) ack 6\n+.4 a > b . 6:6(0) ack 1\n"]
    found = []
    for step in steps:
        items = news.of(opened(step), START_NS, LATER)
        found.append([item.text for item in items if item.event == "verdict"])

    assert [
        [],
        ["silent: no answer for longer than one expected interval"],
        ["open: answers come again"],
    ] == found


def test_a_half_closed_flow_is_told_as_of_now():
    """While the capture goes on, nothing is said of its end."""
    judged = opened("+1 a > b F. 6:6(0) ack 1\n+.01 b > a . 1:1(0) ack 7\nend: +2\n")

    assert ("verdict", "half_closed: the client has closed its side, the server has not") == told(judged)[-1]


@pytest.mark.parametrize(
    ("name", "event", "words"),
    [
        ("lab/zero_window_pending.pcap", "zero_window_probe", "asks whether the "),
        ("lab/icmp_host_unreachable.pcap", "icmp", "ICMP error to "),
        ("dead_peer_silence.pcap", "reset", "it gives up"),
        ("lab/midstream_answered.pcap", "flow", "(endpoint b), already connected"),
    ],
)
def test_other_events_have_their_words(name, event, words):
    """Window probes, ICMP errors, giving up and mid-stream starts are told."""
    flows, start_ns = captured(name)

    assert any(words in text for each, text in told(flows[0], start_ns) if each == event)


def test_a_reset_without_effect_is_told_as_such():
    """A RST that the receiver ignores says so."""
    (judged, *_) = scenario("reset_outside_the_window_is_ignored")

    assert any(text.endswith("; without effect") for event, text in told(judged) if event == "reset")


@pytest.mark.parametrize("verdict", [Verdict.UNESTABLISHED, Verdict.UNDETERMINED])
def test_what_cannot_be_told_yet_is_so_far(verdict):
    """A flow without handshake, or seen from one side, has a verdict that may still change."""
    scene = parse("# One side.\n+0 a > b S 0:0(0)\n") if verdict is Verdict.UNESTABLISHED else None
    judged = judge(scene)[0] if scene else scenario("one_sided_even_spacing_is_suspected")[0]

    assert ("verdict", f"{verdict.value}: so far") == told(judged)[-1]
