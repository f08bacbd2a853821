"""``keepalive report``: forms, filters, exit status, several files, hostile names."""

import csv
import gzip
import io
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from analyzer.capture.decoder import BATCH_ROWS
from analyzer.report.columns import FLOW_COLUMNS, PROBE_COLUMNS
from tests.capture.craft import IP_A, IP_B, Kept, ipv4, pcap, pcapng, tcp
from tests.explain.test_joint_beside import refused
from tests.hostile.floods import flood
from tests.vantages import World
from tests.wireshark import beating
from tests.wireshark.needs import needs_tshark

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"
FOUNDING = "founding_go_fin60.pcap"
CLOSED = "fixed_server.pcap"
DEAD = "dead_peer_silence.pcap"


def test_the_founding_report(keepalive):
    """The report of the founding question reads as it did when it was last looked at."""
    expected = (Path(__file__).parent / "founding_report.txt").read_text(encoding="utf-8")

    assert expected == keepalive("report", FOUNDING).out


def test_who_must_act_stands_below_what_happened(keepalive, tmp_path):
    """Where a cause says who must act, the report says so of the flow, in the first sentence of what the story says."""
    made = World()
    refused(made)
    path, _ = made.write(tmp_path)

    told = " ".join(keepalive("report", path).out.split())
    story = " ".join(keepalive("explain", path, "--flow", "0").out.split())

    said = told[told.index("Who must act: ") :].removeprefix("Who must act: ").partition(". ")[0]
    assert said.startswith("Whoever runs the packet filter at 192.0.2.254")
    assert f"Who must act - {said}" in story


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_no_line_is_wider_than_the_screen(keepalive, monkeypatch, columns):
    """Every line of the reports of all captures fits the width there is."""
    monkeypatch.setenv("COLUMNS", str(columns))
    names = sorted(path.name for path in CAPTURES.glob("*.pcap"))

    lines = [line for name in names for line in keepalive("report", name).out.splitlines()]
    lines += keepalive("report", *names).out.splitlines()

    assert [] == [line for line in lines if len(line) > columns]


def test_a_wide_screen_shows_a_flow_in_one_row(keepalive, monkeypatch):
    """With 140 columns endpoints, verdict, ticks and counts stand side by side."""
    monkeypatch.setenv("COLUMNS", "140")
    row = next(line for line in keepalive("report", FOUNDING).out.splitlines() if line.startswith("   0  "))

    assert ["0", "127.0.0.1:59285", "→", "127.0.0.1:4001", "reset_on_probe", "a"] == row.split()[:6]
    assert ["81.481", "s", "16", "15", "12"] == row.split()[-5:]


def test_colour_only_adds_to_the_text(keepalive, monkeypatch):
    """The coloured report without its escape sequences is the plain one."""
    plain = keepalive("report", FOUNDING).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    painted = keepalive("report", FOUNDING).out

    assert "\x1b[" not in plain
    assert "\x1b[1;31mreset_on_probe\x1b[0m" in painted
    assert plain == _without_colour(painted)


def _without_colour(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_ascii_only_output_is_ascii(program):
    """Where the encoding has no symbols, the report does without."""
    done = program("report", FOUNDING, env={"PYTHONIOENCODING": "ascii"})

    assert 0 == done.status
    assert done.out.isascii()
    assert "--*--" in done.out


def test_an_uneventful_capture_is_one_line(keepalive, tmp_path):
    """A capture in which nothing happened says so in a line."""
    done = keepalive("report", "lab/syn_only.pcap")

    assert 0 == done.status
    assert "nothing to report. 1 flow (1 unestablished); no keepalive probes" in " ".join(done.out.split())


def test_many_flows_are_grouped_by_service(keepalive):
    """More flows than --limit are grouped by service, with their sums and the most important finding."""
    done = keepalive("report", FOUNDING, DEAD, "--limit", "1")
    lines = done.out.splitlines()

    assert any(line.startswith("SERVICE") for line in lines)
    assert any(line.split() == ["127.0.0.1:4001", "1", "16", "15", "12"] for line in lines)
    assert any("1 reset_on_probe" in line for line in lines)
    assert any("1 more flow:" in line for line in lines)


def test_a_flow_with_heartbeats_may_be_told_and_the_first_of_its_service(keepalive, tmp_path):
    """Of many flows whose programs hang one of each kind is told, and the first of a service, which may be the same."""
    frames = []
    for beat in range(12):
        for flow in range(40):
            at_ns = 10**18 + beat * 10**10 + flow * 10**7
            ports, said = (40000 + flow, 80), 4 * min(beat, 6)
            answer = {"data": b"pong", "flags": 0x18} if beat < 6 else {}
            there = tcp(b"ping", seq=1000 + 4 * beat, ack=1 + said, flags=0x18, ports=ports)
            back = tcp(**answer, seq=1 + said, ack=1004 + 4 * beat, ports=ports[::-1])
            frames.append(Kept(ipv4(there), at_ns))
            frames.append(Kept(ipv4(back, src=IP_B, dst=IP_A), at_ns + 10**6))
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(frames, 101))

    done = keepalive("report", path, "--no-dissect")

    assert done.status == 0, done.err
    assert re.search(r"40 +program-hung", done.out)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fail-on", "reset_on_probe"], 1),
        (["--fail-on", "silent,timed_out"], 0),
        (["--fail-on", "close-wait-held-by-keepalive"], 1),
        (["--fail-on", "dead-peer-detected,window-closed"], 0),
        (["--fail-on", "reset_on_probe", "--port", "9"], 0),
        ([], 0),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--jsonl"], ["--csv"]])
def test_fail_on_decides_the_exit_status(keepalive, arguments, expected, form):
    """Exit status 1 means that a selected flow has one of the verdicts or findings, in whatever form it is printed."""
    assert expected == keepalive("report", FOUNDING, *arguments, *form).status


def test_fail_on_looks_at_flows_that_are_not_listed(keepalive):
    """A limit or a filter of findings on what is printed does not hide a flow from --fail-on."""
    assert 1 == keepalive("report", FOUNDING, DEAD, "--limit", "1", "--fail-on", "reset_on_probe").status
    assert 1 == keepalive("report", "lab/syn_only.pcap", "--only-findings", "--fail-on", "unestablished").status


def test_several_captures_are_told_apart(keepalive):
    """With several captures each flow names its own, in text and in JSON."""
    done = keepalive("report", FOUNDING, DEAD)
    flows = json.loads(keepalive("report", FOUNDING, DEAD, "--json").out)["flows"]

    assert f"0: {FOUNDING}: 39 segments" in done.out
    assert " 0:0  127.0.0.1:59285" in done.out
    assert " 1:0  192.0.2.1:59285" in done.out
    assert [0, 1] == [flow["capture"] for flow in flows]


def test_what_only_looks_like_keepalive_is_said_where_nothing_else_is(keepalive):
    """What Wireshark may label Keep-Alive and we do not has a line with the reason, also on a quiet capture."""
    done = keepalive("report", "lab/telnet_lost_byte.pcap")

    assert done.out.startswith("lab/telnet_lost_byte.pcap: nothing to report")
    said = " ".join(done.out.split())
    assert "12 segments have the form of a probe but are not probes (Wireshark may say Keep-Alive):" in said
    assert "12 retransmitted bytes." in said
    assert "form of a probe" not in keepalive("report", CLOSED).out


@pytest.mark.parametrize("form", [[], ["--json"], ["--jsonl"], ["--html", "page.html"]], ids=" ".join)
def test_a_capture_of_which_nothing_can_be_decoded_is_refused(keepalive, tmp_path, form):
    """A pcapng file whose link types nobody reads is refused as the pcap file is, though only its end shows it."""
    foreign = tmp_path / "foreign.pcapng"
    foreign.write_bytes(pcapng([bytes(60)] * 3, 147))
    form = [tmp_path / part if part == "page.html" else part for part in form]

    alone = keepalive("report", foreign, *form)
    beside = keepalive("report", foreign, FOUNDING, *form)

    sentence = f"keepalive: {foreign}: is of link type LINKTYPE_147 (147), which no reader here decodes\n"
    assert (2, "", sentence) == (alone.status, alone.out, alone.err)
    assert (2, True) == (beside.status, beside.err.startswith(sentence))
    assert str(foreign) not in beside.out


def test_an_unreadable_capture_does_not_hide_the_others(keepalive, tmp_path):
    """What cannot be read is named on stderr, the rest is reported, and the exit status is 2."""
    text = tmp_path / "notes.txt"
    text.write_text("these are no packets")
    done = keepalive("report", text, FOUNDING, tmp_path / "absent.pcap", tmp_path)

    assert 2 == done.status
    assert "1 reset_on_probe" in done.out
    assert [str(text), str(tmp_path / "absent.pcap"), str(tmp_path)] == [
        line.removeprefix("keepalive: ").split(": ")[0] for line in done.err.splitlines()
    ]


def test_nothing_readable_is_status_2(keepalive, tmp_path):
    """When no capture at all can be read, the exit status is 2."""
    done = keepalive("report", tmp_path / "absent.pcap", tmp_path / "missing.pcap")

    assert (2, "", 2) == (done.status, done.out, len(done.err.splitlines()))


def test_a_cut_capture_is_reported_as_far_as_it_goes(keepalive, tmp_path):
    """A capture cut inside a record gives its flows, a warning with the byte offset, and exit status 0."""
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CAPTURES / FOUNDING).read_bytes()[:-10])
    text, data = keepalive("report", cut), keepalive("report", cut, "--json")

    assert (0, 0) == (text.status, data.status)
    assert "127.0.0.1:59285 → 127.0.0.1:4001" in text.out
    assert "Warning: " in text.out
    assert text.err.startswith(f"keepalive: warning: {cut}: ")
    assert "byte" in text.err
    assert text.err == data.err
    assert [1] == [len(capture["warnings"]) for capture in json.loads(data.out)["captures"]]


@pytest.mark.parametrize("packed", [False, True])
def test_a_capture_may_come_on_stdin(program, packed):
    """A stream on stdin gives the report of the same file, compressed or not."""
    octets = (CAPTURES / FOUNDING).read_bytes()
    done = program("report", "-", "--json", stdin=gzip.compress(octets) if packed else octets)
    expected = json.loads(program("report", FOUNDING, "--json").out)

    assert 0 == done.status
    assert expected["flows"] == json.loads(done.out)["flows"]
    assert program("report", "-", stdin=octets).out.startswith("standard input: 39 TCP segments")


def test_hostile_file_names_do_not_reach_the_terminal(keepalive, tmp_path):
    """Escape sequences, overrides and stray octets in a file name are spelled out wherever it is shown."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\x1b[2J\x1b]0;owned\x07\n\xe2\x80\xae\xff.pcap")
    shutil.copy(CAPTURES / FOUNDING, name)
    runs = [
        keepalive("report", name),
        keepalive("report", name, "--json"),
        keepalive("explain", name),
        keepalive("report", name, DEAD),
        keepalive("report", name + "x"),
        keepalive("report", DEAD, "--bad" + name),
    ]

    for done in runs:
        shown = done.out + done.err
        assert not {"\x1b", "\x07", "\u202e", "\udcff"} & set(shown)
    assert "\\x1b[2J\\x1b]0;owned\\x07\\n\\u202e\\xff.pcap" in " ".join(runs[0].out.split())
    assert json.loads(runs[1].out)["captures"][0]["path"].endswith("\x1b[2J\x1b]0;owned\x07\n\u202e\\xff.pcap")


def test_json_lines_are_the_flows_of_the_object(keepalive):
    """Each JSON line is a flow of the JSON object."""
    names = [FOUNDING, DEAD, "lab/port_reuse.pcap"]
    lines = [json.loads(line) for line in keepalive("report", *names, "--jsonl").out.splitlines()]
    flows = json.loads(keepalive("report", *names, "--json").out)["flows"]

    assert flows == sorted(lines, key=lambda flow: (flow["capture"], flow["flow"]))


@pytest.mark.parametrize(("table", "names"), [("flows", FLOW_COLUMNS), ("probes", PROBE_COLUMNS)])
def test_csv_has_the_numbers_of_the_json(keepalive, table, names):
    """The tables agree with the JSON, and their columns are those that are documented."""
    rows = list(csv.DictReader(io.StringIO(keepalive("report", FOUNDING, "--csv", "--table", table).out)))
    flow = json.loads(keepalive("report", FOUNDING, "--json").out)["flows"][0]

    assert list(names) == list(rows[0])
    if table == "flows":
        assert ["16", "reset_on_probe"] == [
            str(int(rows[0]["probes_a"]) + int(rows[0]["probes_b"])),
            rows[0]["verdict"],
        ]
        assert flow["last_s"] == float(rows[0]["last_s"])
    else:
        assert [(p["frame"], p["time_s"], p["gap_s"]) for p in flow["probes"]] == [
            (int(row["frame"]), float(row["time_s"]), float(row["gap_s"])) for row in rows
        ]


def test_only_findings_leaves_out_flows_without(keepalive):
    """--only-findings lists the flows in which something was found, and the summary still counts all."""
    report = json.loads(keepalive("report", FOUNDING, "lab/syn_only.pcap", "--json", "--only-findings").out)

    assert [0] == [flow["capture"] for flow in report["flows"]]
    assert 2 == report["summary"]["flows"]


def test_a_selection_is_all_that_is_counted(keepalive):
    """Flows that --host or --port leave out are not counted, but their number is said."""
    done = keepalive("report", FOUNDING, DEAD, "--host", "192.0.2.0/24")

    assert "1 flow (1 filtered out): 1 timed_out" in " ".join(done.out.split())
    assert "127.0.0.1" not in done.out


def test_what_the_reader_option_picks_makes_no_difference(keepalive):
    """Both readers give the same report."""
    fast, slow = (keepalive("report", FOUNDING, "--reader", reader, "--json").out for reader in ("fast", "scapy"))

    assert json.loads(fast)["flows"] == json.loads(slow)["flows"]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_reading_stops_where_more_flows_live_than_may(keepalive, tmp_path, form):
    """What was read until then is reported, and the report says after which frame it stopped."""
    path = tmp_path / "flood.pcap"
    path.write_bytes(flood("flows opened", 30_000))
    done = keepalive("report", path, "--max-flows", "2000", *form)
    said = (
        f"stopped after frame {BATCH_ROWS}: more flows were alive at once than may be kept (--max-flows, --max-memory)"
    )

    assert 0 == done.status
    if form:
        (capture,) = json.loads(done.out)["captures"]
        assert (BATCH_ROWS, BATCH_ROWS) == (capture["stopped_after"], capture["frames"])
        assert said in capture["warnings"][0]
    else:
        assert said in " ".join(done.out.split())


@needs_tshark
def test_heartbeats_that_are_refused_are_listed_without_being_asked_for(keepalive, tmp_path):
    """A flow whose pings were refused is told, though it is open and all is answered; one that only pings is not."""
    talks = [beating.talk(port, port, beating.TALKS[what]) for port, what in ((7001, "HTTP/2"), (7002, "MQTT"))]
    text = " ".join(keepalive("report", beating.pcap(tmp_path / "pings.pcap", *talks)).out.split())

    assert "refused the client's heartbeats as too many" in text
    assert "1 too-many-pings flow 0" in text
    assert "1 keepalive-masked flow 0" in text
    assert "10.0.0.2:7002" not in text
