"""The notation of hand-written captures."""

import pytest

from analyzer.judge import farewells
from analyzer.segment import ABSENT, ACK, CWR, ECE, FIN, NOTE_CUT, NOTE_ICMP_ERROR, PSH, RST, SYN, URG, address_text
from tests.notation import SCENARIOS, START_NS, Expected, FlowExpected, NotationError, follow, load, parse, plain, table

SPACE = 1 << 32
WIDE = "# What it shows.\nisn: a 1000 b 5000\n"


def rows(text):
    """Return the SEGMENT records of hand-written lines as dicts; numbers begin at 1000 and 5000."""
    return [plain(row) for row in parse(WIDE + text).rows]


def row(line):
    """Return the record of one line."""
    return rows(line)[0]


def test_a_line_is_a_segment():
    """Time, direction, flags, numbers, acknowledgement and window become columns."""
    first, second = rows("+0 a > b P. 1:6(5) ack 1 win 9\n+.25 b > a . 1:1(0) ack 6\n")

    assert (START_NS, START_NS + 250_000_000) == (first["ts_ns"], second["ts_ns"])
    assert (1, 2) == (first["frame"], second["frame"])
    assert (1001, 5001, 5, 9, PSH | ACK) == tuple(
        first[name] for name in ("seq", "ack", "payload_len", "window", "flags")
    )
    assert ("192.0.2.1", 40001) == (address_text(first["src_hi"], first["src_lo"]), first["src_port"])
    assert (first["src_lo"], first["src_port"]) == (second["dst_lo"], second["dst_port"])


def test_numbers_wrap_by_default():
    """Unless told otherwise, initial numbers stand so close to the wrap that the first data crosses it."""
    scenario = parse("# Wraps.\n+0 a > b S 0:0(0)\n+0 a > b P. 1:6(5) ack 1\n+0 a > b . 6:6(0) ack 6\n")

    assert [SPACE - 4, SPACE - 3, 2] == scenario.rows["seq"].tolist()
    assert [0, SPACE - 1, 4] == scenario.rows["ack"].tolist()


def test_numbers_as_on_the_wire():
    """A number with an exclamation mark is taken as it stands; a negative one lies below the initial one."""
    assert (7, 9) == (row("+0 a > b . !7:!7(0) ack !9")["seq"], row("+0 a > b . !7:!7(0) ack !9")["ack"])
    assert 999 == row("+0 a > b . -1:-1(0) ack 1")["seq"]


def test_every_flag_has_its_letter():
    """Each letter sets its bit."""
    wanted = {"S": SYN, "F": FIN, "R": RST, "P": PSH, "U": URG, "E": ECE, "W": CWR, "SFRPUEW": 0xEF}

    assert wanted == {letters: row(f"+0 a > b {letters} 0:0(0)")["flags"] for letters in wanted}


@pytest.mark.parametrize(
    ("words", "column", "value"),
    [
        ("ttl 63", "ttl", 63),
        ("id 0", "ip_id", 0),
        ("mac 7", "src_mac", 7),
        ("vlan 5", "tag", 5),
        ("octet 0a", "first_octet", 10),
        ("hl 20", "header_len", 20),
        ("if 2", "interface", 2),
        ("optcut", "options_cut", 1),
        ("<ts 100 200>", "tsval", 100),
        ("<ts 100 200>", "tsecr", 200),
        ("<ts 100 200>", "header_len", 32),
        ("<sack 5-9>", "sack_left", 5005),
        ("<sack 5-9>", "sack_right", 5009),
        ("<ws 7>", "window_scale", 7),
        ("<ws 7, ts 1 2>", "header_len", 36),
    ],
)
def test_words_and_options_set_their_column(words, column, value):
    """Each word and option sets its column, and no other expected one."""
    usual = row("+0 a > b . 1:1(0) ack 1")
    changed = row(f"+0 a > b . 1:1(0) ack 1 {words}")

    assert value == changed[column]
    assert {"header_len", "tsval", "tsecr", "sack_left", "sack_right", "window_scale", column} >= {
        name for name in usual if usual[name] != changed[name]
    }


def test_a_segment_may_have_no_number():
    """The word unnumbered takes a segment's number away, and notes it."""
    made = row("+0 a > b . 1:1(0) ack 1 unnumbered")

    assert (-1, 3) == (made["seq"], made["note"])


def test_what_is_not_said_is_usual():
    """A segment without words has a TTL of 64, a counting IP ID, no options and no data to see."""
    first, second = rows("+0 a > b . 1:1(0) ack 1\n+0 a > b . 1:1(0) ack 1\n")

    assert (64, 20, ABSENT, ABSENT) == tuple(second[name] for name in ("ttl", "header_len", "tsval", "first_octet"))
    assert 1 == second["ip_id"] - first["ip_id"]


def test_ipv6_has_no_ip_id():
    """After ``ip: 6`` addresses are IPv6, and there is no IP ID."""
    six = row("ip: 6\n+0 a > b S 0:0(0)\n")

    assert (6, ABSENT, "2001:db8::1") == (six["ip_version"], six["ip_id"], address_text(six["src_hi"], six["src_lo"]))


def test_a_copy_repeats_a_line():
    """A copy repeats the line before, or the frame named, with another time and what else is said."""
    made = rows("+0 a > b P. 1:6(5) ack 1\n+.1 b > a . 1:1(0) ack 6\n+.1 copy ttl 63\n+.1 copy 1 mac 9\n")
    same = {name: value for name, value in made[1].items() if name not in {"ts_ns", "frame", "ttl"}}

    assert same == {name: made[2][name] for name in same}
    assert (63, 3, 1001, 9) == (made[2]["ttl"], made[2]["frame"], made[3]["seq"], made[3]["src_mac"])


def test_an_icmp_error_quotes_a_segment():
    """An ICMP error has type, code and the quoted number, and neither flags nor acknowledgement."""
    made = row("+0 a > b icmp 3/1 0:0(0)")

    assert (NOTE_ICMP_ERROR, 0x301, 1000, 0) == (made["note"], made["icmp"], made["seq"], made["flags"])
    assert 1 << 16 | 0x104 == row("+0 a > b icmp 6:1/4 0:0(0)")["icmp"]


def test_a_cut_header_has_ports_only():
    """A frame cut behind the ports keeps addresses and ports."""
    made = row("+0 a > b cut")

    assert (NOTE_CUT, 40001, 80) == (made["note"], made["src_port"], made["dst_port"])


def test_time_counts_from_the_line_before_or_from_the_start():
    """A plus sign counts from the line before, an at sign from the start, and time may go back."""
    made = rows("+1 a > b S 0:0(0)\n@5 a > b S 0:0(0)\n+-2 a > b S 0:0(0)\n")

    assert [1, 5, 3] == [(each["ts_ns"] - START_NS) // 10**9 for each in made]


def test_another_pair_of_endpoints():
    """Endpoints c and d are another flow."""
    scenario = parse(WIDE + "+0 a > b S 0:0(0)\n+0 c > d S 0:0(0)\n+0 d > c S. 0:0(0) ack 1\n")

    assert 2 == sum(len(batch) for batch in follow([scenario.batch()]))


def test_the_capture_may_go_on():
    """The end of the capture is the last frame's time, and what is said beyond."""
    assert START_NS + 2 * 10**9 == parse(WIDE + "+2 a > b S 0:0(0)\n").end_ns
    assert START_NS + 32 * 10**9 == parse(WIDE + "+2 a > b S 0:0(0)\nend: +30\n").end_ns


def test_batches_cover_everything():
    """Cut anywhere, the batches hold all rows in order, and the last one brings the end."""
    scenario = parse(WIDE + "+0 a > b S 0:0(0)\n+1 a > b S 0:0(0)\n+1 a > b S 0:0(0)\nend: +9\n")
    parts = scenario.batches(2, 1)

    assert [[1], [2], [3]] == [part.rows["frame"].tolist() for part in parts]
    assert [ABSENT, ABSENT, scenario.end_ns] == [part.last_ts_ns for part in parts]
    assert scenario.end_ns == scenario.batch().last_ts_ns


def test_expectations():
    """What follows #= says what the frame is, as far as it says."""
    text = """+0 a > b . 0:0(0) ack 1 #= keepalive_probe certain doubt none row keepalive   # and why
+0 b > a R 1:1(0) #= reset no_socket to 1 strange ttl,mac
+0 b > a R 1:1(0) #= reset strange none
+0 b > a . 1:1(0) ack 1 # nothing is expected here
"""
    expected = {
        1: Expected("keepalive_probe", "certain", "none", row="keepalive"),
        2: Expected("reset", reset="no_socket", strange=("ttl", "mac"), to=1),
        3: Expected("reset", strange=()),
    }

    assert expected == parse(WIDE + text).expected


def test_what_is_expected_of_flows():
    """The lines at the end say what is expected of each flow, in order."""
    text = """verdict: silent row probes-unanswered
probes: a 2 b 0
states: a ESTABLISHED b CLOSE-WAIT
initiator: -
verdict 2: aborted by between
verdict 3: closed by -
"""
    expected = [
        FlowExpected("silent", None, "probes-unanswered", (2, 0), ("ESTABLISHED", "CLOSE-WAIT"), "-"),
        FlowExpected("aborted", "between"),
        FlowExpected("closed"),
    ]

    assert expected == parse(WIDE + text).flows


@pytest.mark.parametrize(
    "line",
    [
        "+0 a > b",
        "+0 a > c . 0:0(0) ack 1",
        "+0 x > y . 0:0(0) ack 1",
        "+0 a < b . 0:0(0) ack 1",
        "+soon a > b S 0:0(0)",
        "+0 a > b X 0:0(0)",
        "+0 a > b SS 0:0(0)",
        "+0 a > b S",
        "+0 a > b S 0-0(0)",
        "+0 a > b S 0:1(0)",
        "+0 a > b S 0:0(0) ack 1",
        "+0 a > b . 0:0(0)",
        "+0 a > b . 0:0(0) ack",
        "+0 a > b . 0:0(0) ack one",
        "+0 a > b . 0:0(0) ack 1 win many",
        "+0 a > b . 0:0(0) ack 1 hurry 7",
        "+0 a > b . 0:0(0) ack 1 octet 1",
        "+0 a > b . 0:0(0) ack 1 <mss 1460>",
        "+0 a > b . 0:0(0) ack 1 <ts 5>",
        "+0 a > b . 0:0(0) ack 1 <sack 5>",
        "+0 a > b icmp 3.1 0:0(0)",
        "+0 a > b icmp",
        "+0 copy",
        "+0 copy 7",
        "a > b S 0:0(0)",
        "#= keepalive_probe",
        "+0 a > b S 0:0(0) #=",
        "+0 a > b S 0:0(0) #= heartbeat",
        "+0 a > b S 0:0(0) #= other likely",
        "+0 a > b S 0:0(0) #= other about it",
        "+0 a > b S 0:0(0) #= other row no-such-row",
        "+0 a > b S 0:0(0) #= other doubt much",
        "+0 a > b S 0:0(0) #= other to him",
        "+0 a > b S 0:0(0) #= reset strange hat",
        "verdict:",
        "verdict: dead",
        "verdict: open by nobody",
        "verdict: open row no-such-row",
        "verdict one: open",
        "verdict 1 2: open",
        "verdict: open\nverdict: open",
        "probes: a 1 b 0",
        "verdict: open\nprobes: b 1 a 0",
        "verdict: open\nprobes: a many b 0",
        "verdict: open\nstates: a CLOSED",
        "verdict: open\ninitiator: c",
        "finds: headers-cut",
        "verdict: open\nfinds:",
        "verdict: open\nfinds: no-such-finding",
        "verdict: open\nfinds: headers-cut c",
        "verdict: open\nfinds: headers-cut a b",
        "verdict: open #= other",
        "isn: z 5",
        "isn: a",
        "ip: 5",
        "end: 30",
        "end: +soon",
        "weather: fine",
    ],
)
def test_unknown_words_are_refused(line):
    """Whatever the notation does not know is refused, with the number of its line."""
    before = "# What it shows.\n\n"
    with pytest.raises(NotationError) as refused:
        parse(before + line)

    assert refused.value.line == 2 + len(line.splitlines())
    assert str(refused.value).startswith(f"line {refused.value.line}: ")


def test_a_scenario_says_what_it_is_about():
    """Without a comment that says the behaviour, nothing is read; the first comment is it."""
    with pytest.raises(NotationError):
        parse("+0 a > b S 0:0(0)\n")

    assert "First." == parse("# First.\n# Second.\n").behaviour


def test_findings_are_said_with_their_endpoint():
    """A line of findings names codes, each with the endpoint it is about, if any."""
    lines = WIDE + "verdict: open\nfinds: headers-cut, probes-stopped b\nfinds: clock-went-back\n"

    assert [(1, "headers-cut", None), (1, "probes-stopped", "b"), (1, "clock-went-back", None)] == parse(lines).finds


def test_what_a_dissector_reads_is_said_with_its_frame():
    """A line names the protocol of an end's heartbeats, where they were refused, and what was agreed on."""
    read = parse(WIDE + "verdict: open\nreads: a HTTP/2 refused 20\nreads: b MQTT\nreads: b AMQP agreed 4\n").reads

    assert [("a", "HTTP/2", 20, 0, 0, 0), ("b", "MQTT", 0, 0, 0, 0), ("b", "AMQP", 0, 4, 0, 0)] == read
    with pytest.raises(NotationError, match="unknown protocol: HTTP"):
        parse(WIDE + "reads: a HTTP\n")


def test_why_an_end_ends_a_connection_is_said_with_its_frame():
    """A line names the reason that an end gave, and where; only reasons there are."""
    ((*_, said, frame),) = parse(
        WIDE + "verdict: open\nreads: a BGP said 9 NOTIFICATION 6/2, administrative shutdown\n"
    ).reads

    assert ("BGP NOTIFICATION 6/2, administrative shutdown", 9) == (farewells.NAMES[said], frame)
    with pytest.raises(NotationError, match="unknown reason: BGP no"):
        parse(WIDE + "reads: a BGP said 9 no\n")


def test_flows_are_named_in_order():
    """A verdict of the second flow without one of the first is refused."""
    with pytest.raises(NotationError):
        parse(WIDE + "verdict 2: open\n")


def test_every_scenario_begins_with_its_sentence():
    """The first line of each scenario is a comment, one sentence long."""
    for path in sorted(SCENARIOS.glob("*.pkt")):
        first = path.read_text(encoding="utf-8").splitlines()[0]

        assert f"# {load(path).behaviour}" == first
        assert first.endswith("."), path
        assert ". " not in first, path


def test_an_empty_capture_is_a_capture():
    """A file without segments is a capture without rows."""
    scenario = parse("# Nothing.\n")

    assert (0, START_NS) == (len(scenario.batch()), scenario.end_ns)


def test_tables_from_dicts():
    """Dicts become structured rows, absent fields zero."""
    made = table([{"frame": 7}, {"ttl": 3}], parse("# Nothing.\n").rows.dtype)

    assert [(7, 0), (0, 3)] == [(int(each["frame"]), int(each["ttl"])) for each in made]
