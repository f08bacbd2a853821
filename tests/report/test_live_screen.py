"""A capture in progress on a screen: what the cells and lines say."""

import json
from datetime import datetime

import pytest
from rich.console import Console

from analyzer.explain.news import News
from analyzer.judge.outlook import outlook
from analyzer.report.live_screen import (
    KernelView,
    LiveFlow,
    Standing,
    ago,
    connection,
    keepalive,
    log_line,
    log_object,
    table,
)
from tests.judging import captured, opened, scenario
from tests.notation import START_NS

S = 1_000_000_000
PROBES = "+5 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n" * 2
SILENCE = PROBES + "+5 b > a . 0:0(0) ack 6\n" * 2
HELD = "+1 a > b F. 6:6(0) ack 1\n+.01 b > a . 1:1(0) ack 7\n+5 b > a . 0:0(0) ack 7\n+.01 a > b . 7:7(0) ack 1\n"


def live(judged, kernel=None):
    """Return a flow as it is shown."""
    return LiveFlow(judged, outlook(judged), kernel or {})


def drawn(flows, width=100, **changes):
    """Return the table as text."""
    fields = {
        "where": "lo",
        "frames": 1234,
        "lost": 0,
        "flows": 1,
        "running_ns": 75 * S,
        "now_ns": START_NS + 20 * S,
        "start_ns": START_NS,
        "more": 0,
    }
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(table(Standing(**{**fields, **changes}), flows))
    return capture.get()


def test_the_states_of_both_ends_are_shown():
    """A connection is shown from its client, with the states that were derived."""
    assert ["192.0.2.1:40001 - 198.51.100.2:80", "client FIN-WAIT-2 · server CLOSE-WAIT"] == connection(
        live(opened(HELD))
    )


def test_what_the_kernel_sees_is_beside_what_was_derived():
    """A derived state that the kernel confirms is called seen, with its holder; another is set against it."""
    kernel = {
        "a": KernelView("TIME-WAIT", "time-wait", S, 0, ""),
        "b": KernelView("CLOSE-WAIT", "keepalive", 3 * S, 0, "4711 (server)"),
    }
    flow = live(opened(HELD), kernel)

    assert [
        "client FIN-WAIT-2, the kernel says TIME-WAIT, held by no process",
        "server CLOSE-WAIT, seen, held by pid 4711 (server)",
    ] == connection(flow)[1:]
    assert "next in 3 s (kernel)" == keepalive(flow, START_NS + 10 * S)[-1]


def test_the_next_probe_is_counted_down():
    """How long ago the last probe was, and when the next is due."""
    flow = live(opened(PROBES))
    last_ns = flow.outlook.last.ts_ns

    assert ["2 probes, 2 answered", "last 2 s ago by server, answered", "next in 2 s"] == keepalive(
        flow, last_ns + 2 * S + S // 10
    )
    assert "next was due 4 s ago" == keepalive(flow, last_ns + 9 * S + S // 10)[-1]


def test_unanswered_probes_count_towards_giving_up():
    """Two of nine unanswered, and how long the rest will take."""
    flow = live(opened(SILENCE))
    lines = keepalive(flow, flow.outlook.last.ts_ns)

    assert "4 probes, 2 answered" == lines[0]
    assert "by server, no answer" in lines[1]
    assert "; 2 of 9 unanswered (by default), gives up in 40 s" in lines[2]


def test_answers_that_cannot_be_seen_are_not_counted():
    """Where nothing of the receiver was captured, no probe is called unanswered."""
    flow = live(scenario("one_sided_even_spacing_is_suspected")[0])
    lines = keepalive(flow, flow.judged.record.end_ns)

    assert "4 probes, answers not visible here" == lines[0]
    assert lines[1].endswith(" by a, answer not visible here")


def test_a_flow_without_probes_says_so():
    """A half-closed flow is shown although nobody probes."""
    assert ["no probe"] == keepalive(live(opened("+1 a > b F. 6:6(0) ack 1\n")), START_NS)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_fits_its_width(width):
    """No line is wider than the terminal, and flow, verdict and totals are there."""
    text = drawn([live(opened(HELD))], width, lost=7, more=2)

    assert max(len(line) for line in text.splitlines()) <= width
    assert "half_closed" in text
    assert "7 packets lost" in " ".join(text.split())
    assert "2 more flows" in " ".join(text.split())


def test_an_empty_table_says_what_it_waits_for():
    """Before anything happened the table is not blank."""
    text = drawn([])

    assert "no flow probes or is half-closed yet" in text
    assert "1,234 packets, 1 flow;" in text


@pytest.mark.parametrize(("ns", "expected"), [(0, "0 s"), (-5, "0 s"), (999 * S // 1000, "0 s"), (61 * S, "61 s")])
def test_durations_change_once_a_second(ns, expected):
    """Whole seconds are shown, and nothing below."""
    assert expected == ago(ns)


def test_an_event_is_a_line_with_the_time_of_day():
    """The line has local time to the millisecond, flow, words and frame, and nothing a terminal might act on."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    items = News().of(judged, start_ns, 10**19)
    fin = next(item for item in items if item.event == "fin")
    clock = datetime.fromtimestamp(fin.ts_ns // S).astimezone()

    assert (
        f"{clock:%H:%M:%S}.{fin.ts_ns % S // 1_000_000:03d}  flow 0: client sends FIN -> "
        "client FIN-WAIT-1, server CLOSE-WAIT [frame 14]"
    ) == log_line(fin, judged)


def test_an_event_is_an_object_with_seconds():
    """Every duration leaves in seconds, and the object is JSON."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    objects = [log_object(item, judged, start_ns) for item in News().of(judged, start_ns, start_ns + 82 * S)]
    probe = next(each for each in objects if each["event"] == "probe")

    assert ("ack", 0, "b") == (probe["answer"], probe["flow"], probe["from"])
    assert 0 < probe["answer_s"] < 0.001
    assert not [key for each in objects for key in each if key.endswith("_ns")]
    assert objects == json.loads(json.dumps(objects))
    assert "reset_on_probe" == objects[-1]["verdict"]
