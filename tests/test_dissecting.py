"""Naming the heartbeats of programs: what each protocol has, what keeps tshark from it, and what it costs nobody."""

import asyncio
import re
from functools import partial

import pytest

import analyzer
from analyzer import dissecting, explain
from analyzer.judge.protocols import PROTOCOLS, noun_of
from tests.wireshark import beating
from tests.wireshark.needs import needs_tshark, put_first


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A function that puts a shell script called tshark first on PATH."""
    return partial(put_first, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """The flows of all protocols, named: by what they are of."""
    path, clients = beating.everything(tmp_path_factory.mktemp("beats") / "all.pcap")
    analysis = analyzer.analyze(path, jit=False)
    assert [] == analyzer.name_heartbeats(analysis)
    return {clients[flow.a.port]: flow for flow in analysis.flows}


def one(tmp_path, what="MQTT", port=7001):
    """An analysis of one connection."""
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(port, 40_000, beating.TALKS[what]))
    return analyzer.analyze(path, jit=False)


def trains(flow):
    """The trains of a flow, as the JSON report has them."""
    return flow.fields["heartbeats"]


@needs_tshark
@pytest.mark.parametrize("what", [each for each in beating.TALKS if each != "none"])
def test_each_protocol_is_named_on_any_port(named, what):
    """Whatever port a service has, its heartbeats are named by what they carry."""
    (train,) = trains(named[what])

    assert (re.split(", | 1.0", what)[0], "dissector") == (train["protocol"], train["named_by"])
    assert train["count"] in (6, 7)


@needs_tshark
def test_what_no_dissector_knows_stays_known_by_form(named):
    """A train of which nothing is read is a train still."""
    (train,) = trains(named["none"])

    assert (None, "form", 6) == (train["protocol"], train["named_by"], train["answered"])


@needs_tshark
@pytest.mark.parametrize(
    ("what", "agreed_s"),
    [
        ("MQTT", 60),
        ("AMQP", 15),
        ("AMQP 1.0", None),
        ("AMQP 1.0, agreed", 8),
        ("BGP", 9),
        ("FIX", None),
        ("FIX, agreed", 10),
        ("Redis", None),
    ],
)
def test_what_the_ends_agreed_on_is_read(named, what, agreed_s):
    """What each protocol says of heartbeats when a connection begins is told where it passed, and only there."""
    assert agreed_s == trains(named[what])[0]["agreed_s"]


@needs_tshark
def test_nobody_answers_where_both_ends_beat(named):
    """What looks like an answer in a protocol without answers is counted as none."""
    said = {what: trains(named[what])[0]["answered"] for what in ("BGP", "AMQP", "FIX", "MQTT")}

    assert {"BGP": None, "AMQP": None, "FIX": None, "MQTT": 6} == said


@needs_tshark
def test_who_always_comes_second_has_a_train_too(tmp_path):
    """What looks like answers of one end are its own heartbeats where a protocol has no answers, all counted."""
    keepalive, opens = beating.TALKS["BGP"][-1][2], beating.TALKS["BGP"][:2]
    said = [(10 * at + lag, who, keepalive) for at in range(1, 9) for who, lag in (("a", 0), ("b", 0.05))]
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, [*opens, *said]))
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    found = [
        tuple(train[name] for name in ("from", "protocol", "count", "answered", "missed", "period_s"))
        for train in trains(analysis.flows[0])
    ]
    assert [("a", "BGP", 8, None, None, 10.0), ("b", "BGP", 8, None, None, 10.0)] == found


@needs_tshark
@pytest.mark.parametrize("what", ["MQTT", "BGP"])
@pytest.mark.parametrize(("before", "behind"), [(20, 10), (10, 25)], ids=["halves", "longer"])
def test_a_period_that_changes(tmp_path, what, before, behind):
    """Named heartbeats whose period changes are a train for each, also where it halves, and the story tells both."""
    beat, last = beating.TALKS[what][-2 if what == "MQTT" else -1][2], 10 + 6 * before
    times = [*range(10, last + 1, before), *range(last + behind, last + 7 * behind, behind)]
    said = [*beating.TALKS[what][:2], *((at, "a", beat) for at in times)]
    if what == "MQTT":
        said += [(at + 0.05, "b", b"\xd0\0") for at in times]
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, sorted(said, key=lambda each: each[0])))
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    (flow,) = analysis.flows
    answered = (7, 6) if what == "MQTT" else (None, None)
    assert [("a", 7, answered[0], before), ("a", 6, answered[1], behind)] == [
        tuple(train[name] for name in ("from", "count", "answered", "period_s")) for train in trains(flow)
    ]
    assert f"one every {before}.000 s, then one every {behind}.000 s" in explain.headline(
        flow.judged, flow.judged.record.first_ns
    )


@needs_tshark
def test_a_heartbeat_amid_much_else(tmp_path):
    """A heartbeat in a segment of more than 32,767 octets, as captured where segments are joined, counts as one."""
    keepalive, opens = beating.TALKS["BGP"][-1][2], beating.TALKS["BGP"][:2]
    said = [(10 * at, who, keepalive) for at in range(1, 9) for who in ("a", "b")]
    much = (0.5, "a", keepalive + b"\xff" * 16 + b"\x00\x17\x02" + bytes(33_000))
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, [*opens, much, *said]))
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    assert [("a", 9, 19), ("b", 8, 19)] == [
        tuple(train[name] for name in ("from", "count", "bytes")) for train in trains(analysis.flows[0])
    ]


@needs_tshark
def test_a_refusal_is_found(named):
    """GOAWAY with ENHANCE_YOUR_CALM is the frame where the other end said that there are too many."""
    (train,) = trains(named["HTTP/2"])

    assert train["refused_frame"] > train["last_frame"]
    assert "pings" == named["HTTP/2"].judged.finding("too-many-pings").data["refused_for"]


@needs_tshark
def test_why_an_end_ends_a_connection_is_read(tmp_path):
    """What an end says last, in its protocol, is read with its frame; words of its own are not, whatever is in them."""
    path, clients = beating.farewells(tmp_path / "all.pcap")
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    records = {clients[flow.a.port]: flow.judged.record for flow in analysis.flows}
    said = {why: {farewell.said for farewell in record.farewells} for why, record in records.items()}
    assert {why: {why} for why in beating.FAREWELLS} == said
    assert {("b", True)} == {
        (record.farewells[0].sender, record.farewells[0].frame > train.last_frame)
        for record in records.values()
        for train in record.heartbeats
    }


@needs_tshark
def test_a_long_poll_is_told_as_requests(tmp_path):
    """Of an answer that waits for news, with the next request right behind it, the requests are counted, each late."""
    request, answer = (each[2] for each in beating.TALKS["HTTP request"][:2])
    polls = [
        (at * 30 + lag, who, data) for at in range(1, 7) for lag, who, data in ((0, "b", answer), (0.002, "a", request))
    ]
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, [(0.1, "a", request), *polls]))
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    (train,) = trains(analysis.flows[0])
    assert ("a", "HTTP request", 7, 6) == tuple(train[name] for name in ("from", "protocol", "count", "answered"))
    assert 29 < train["slowest_answer_s"] < 31


@needs_tshark
def test_a_standby_that_hangs(tmp_path):
    """A primary asks for replies: what its standby answers is counted, and that it ceases to is its program's fault."""
    asks, status = beating.TALKS["PostgreSQL primary"][:2]
    said = [
        (at * 10 + lag, who, data) for at in range(1, 7) for lag, who, data in ((0, *asks[1:]), (0.01, *status[1:]))
    ]
    said += [(at * 10, *asks[1:]) for at in (7, 8)]
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, said))
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    (train,) = trains(analysis.flows[0])
    assert ("PostgreSQL primary", 8, 6) == tuple(train[name] for name in ("protocol", "count", "answered"))
    assert "program-hung" in analysis.flows[0].codes


WITHOUT_HEARTBEATS = {
    "BGP NOTIFICATION 6/2, administrative shutdown": (179, "a"),
    "PostgreSQL error 57P01, admin shutdown": (5432, "b"),
    "AMQP connection.close 320, connection forced": (5672, "b"),
    "MQTT DISCONNECT 0x8D, keep alive timeout": (1883, "b"),
}


def parting(reason, port, who):
    """A connection of two greetings and, half a minute later, a farewell behind which its sender closes."""
    before, farewell = beating.FAREWELLS[reason]
    return beating.talk(port, 40_000, [*before[:2], (30, who, farewell)], closes=(30.01, who))


@needs_tshark
@pytest.mark.parametrize("reason", WITHOUT_HEARTBEATS)
def test_a_farewell_where_there_were_no_heartbeats(tmp_path, reason):
    """Why an end closes is read of its last data too where no heartbeats passed, of services on their usual ports."""
    port, who = WITHOUT_HEARTBEATS[reason]
    path = beating.pcap(tmp_path / "one.pcap", parting(reason, port, who))
    analysis = analyzer.analyze(path, jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    (flow,) = analysis.flows
    found = flow.judged.finding("reason-given")
    assert (who, reason) == (found.about, found.data["said"])
    assert [] == trains(flow)
    assert reason in explain.headline(flow.judged, 0)


@needs_tshark
def test_whose_data_is_read_for_a_farewell(tmp_path, monkeypatch):
    """No capture is read again for the data of other ports, of a client that closes, or long before the end."""
    reason = "PostgreSQL error 57P01, admin shutdown"
    before, farewell = beating.FAREWELLS[reason]
    others = [
        parting(reason, 7001, "b"),
        parting(reason, 5432, "a"),
        beating.talk(5432, 40_001, [*before[:2], (30, "b", farewell)], closes=(90, "b")),
        beating.talk(5432, 40_002, [*before[:2], (30, "b", farewell)]),
    ]
    monkeypatch.setattr(dissecting, "dissect", None)  # whoever is asked fails

    for frames in others:
        analysis = analyzer.analyze(beating.pcap(tmp_path / "one.pcap", frames), jit=False)
        assert [] == analyzer.name_heartbeats(analysis)


@needs_tshark
def test_which_heartbeats_got_no_answer_is_known(tmp_path):
    """Named or not, the frames of those that got no answer though a later one did are known."""
    cases = {}
    for own, what in ((40_000, "MQTT"), (40_001, "none")):
        *_, (_, _, beat), (_, _, answer) = beating.TALKS[what]
        said = [
            (at * 10 + lag, who, data)
            for at in range(1, 10)
            for lag, who, data in ((0, "a", beat), (0.01, "b", answer))
        ]
        cases[own] = [each for each in said if each[0] not in {40.01, 50.01}]
    talks = [beating.talk(7001, own, [*beating.TALKS["MQTT"][:2], *said]) for own, said in cases.items()]
    analysis = analyzer.analyze(beating.pcap(tmp_path / "all.pcap", *talks), jit=False)

    analyzer.name_heartbeats(analysis)
    for flow in analysis.flows:
        (train,) = flow.judged.record.heartbeats
        assert (9, 7, 2) == (train.sent, train.answered, train.missed)
        assert 0 < train.lapse_frame < train.lapse_last_frame < train.last_frame
        assert train.slow_frame


@needs_tshark
@pytest.mark.parametrize("what", [protocol.name for protocol in PROTOCOLS if protocol.polls])
def test_what_asks_for_data_may_be_a_poll(named, what):
    """A request for data that comes evenly is told as such, and not as a heartbeat."""
    judged = named[what].judged
    text = explain.detail(judged.finding("keepalive-masked"), judged)
    noun = noun_of(what)

    assert f"({what}, {'periodic data' if noun == 'message' else 'a periodic request; may be a poll'})" in text
    assert f"sent 6 {noun}s of" in text


@needs_tshark
def test_a_client_whose_port_is_lower(tmp_path):
    """Some dissectors tell who asks by the port: it is the service's, whichever is lower, also from the middle on."""
    whats = ["IRC ISON", "MySQL", "MySQL query", "PostgreSQL query", "HTTP request"]
    cases = {2800 + at: case for at, case in enumerate((what, missing) for what in whats for missing in (0, 3))}
    talks = [beating.talk(40_000 + own, own, beating.TALKS[what])[missing:] for own, (what, missing) in cases.items()]
    analysis = analyzer.analyze(beating.pcap(tmp_path / "all.pcap", *talks), jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    assert {own: what for own, (what, _) in cases.items()} == {
        min(flow.a.port, flow.b.port): trains(flow)[0]["protocol"] for flow in analysis.flows
    }


@needs_tshark
def test_it_works_inside_an_event_loop(tmp_path):
    """In a notebook, which runs in an event loop, heartbeats are named as elsewhere."""

    async def work():
        analysis = one(tmp_path)
        return analyzer.name_heartbeats(analysis), trains(analysis.flows[0])[0]["protocol"]

    assert ([], "MQTT") == asyncio.run(work())


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'TShark 1.12.1 (Git Rev Unknown)'", "this tshark is version 1.12.1; at least 3.0.0 is needed"),
        ("echo nonsense", "tshark does not tell its version"),
        ("kill -9 $$", "tshark was ended by signal 9"),
        ("case $1 in -v) echo 'TShark 4.0.17';; *) echo nonsense;; esac", "tshark printed what cannot be read"),
        ("case $1 in -v) echo 'TShark 4.0.17';; *) echo 'tshark: no' >&2; exit 2;; esac", "no"),
        ("case $1 in -v) echo 'TShark 4.0.17';; *) exec sleep 600;; esac", "tshark did not end within 0.5 s"),
    ],
    ids=["old", "no version", "killed", "nonsense", "an error", "hanging"],
)
def test_a_tshark_that_will_not_do_is_one_sentence(tmp_path, program, monkeypatch, script, sentence):
    """Old, killed, hanging or talking nonsense: it is said in one sentence, and the train stays known by form."""
    program(script)
    monkeypatch.setattr("analyzer.wireshark.dissection.MOST_S", 0.5)
    analysis = one(tmp_path)

    assert [f"heartbeats are known by their form alone: {sentence}"] == analyzer.name_heartbeats(analysis)
    assert (None, "form") == (trains(analysis.flows[0])[0]["protocol"], trains(analysis.flows[0])[0]["named_by"])


def test_no_tshark_is_one_sentence(tmp_path, monkeypatch):
    """Where there is no tshark the sentence says how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (sentence,) = analyzer.name_heartbeats(one(tmp_path))

    assert sentence.startswith("heartbeats are known by their form alone: this needs tshark")
    assert "\n" not in sentence


def test_without_heartbeats_no_program_runs(tmp_path, monkeypatch):
    """A capture without trains is not read again, and nobody looks for tshark."""
    monkeypatch.setattr(dissecting, "dissect", None)
    monkeypatch.setattr(dissecting, "open_capture", None)
    path = beating.pcap(tmp_path / "none.pcap", beating.talk(7001, 40_000, [(1, "a", b"hello"), (2, "b", b"bye")]))

    assert [] == analyzer.name_heartbeats(analyzer.analyze(path, jit=False))


@needs_tshark
def test_a_few_of_many_are_named(tmp_path, monkeypatch):
    """Of more flows than are cut out those with the longest trains are named, and the others are counted."""
    monkeypatch.setattr(dissecting, "MOST_FLOWS", 1)
    short = beating.beats(b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n", times=5)
    talks = [beating.talk(7001, 40_000, short), beating.talk(7002, 40_001, beating.TALKS["Redis"])]
    analysis = analyzer.analyze(beating.pcap(tmp_path / "two.pcap", *talks), jit=False)
    (sentence,) = analyzer.name_heartbeats(analysis)

    assert "heartbeats of 1 more flows are not named" in sentence
    assert [None, "Redis"] == [trains(flow)[0]["protocol"] for flow in analysis.flows]


@needs_tshark
def test_rotated_files_are_cut_together(tmp_path):
    """Frames of a flow are found in each file of a series, and count through."""
    frames = beating.talk(7001, 40_000, beating.TALKS["MQTT"])
    paths = [
        beating.pcap(tmp_path / "part1.pcap", frames[:15]),
        beating.pcap(tmp_path / "part2.pcap", frames[15:]),
    ]
    analysis = analyzer.analyze(paths, jit=False)

    assert 2 == len(analysis.captures[0].parts)
    assert [] == analyzer.name_heartbeats(analysis)
    assert ("MQTT", 60) == tuple(trains(analysis.flows[0])[0][name] for name in ("protocol", "agreed_s"))


@needs_tshark
def test_of_a_busy_flow_enough_is_cut(tmp_path, monkeypatch):
    """Of a flow with much data only small segments are cut from some octets on, and no more than some."""
    monkeypatch.setattr(dissecting, "MOST_EACH", 5_000)
    monkeypatch.setattr(dissecting, "MOST_PIECES", 14)
    cut = []
    monkeypatch.setattr(dissecting, "dissect", lambda path, candidates, _: cut.extend(candidates) or {})
    said = [(at / 10 + 1, "b", b"x" * 1400) for at in range(20)]
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, [*said, *beating.TALKS["Redis"]]))
    with monkeypatch.context() as patched:
        patched.setattr("analyzer.capture.decoder.BATCH_ROWS", 4)
        patched.setattr("analyzer.capture.reader.BATCH_ROWS", 4)
        analysis = analyzer.analyze(path, jit=False)
        assert [] == analyzer.name_heartbeats(analysis)
    (candidate,) = cut

    assert 14 == len(candidate.pieces)
    assert 4 <= sum(piece.length == 1400 for piece in candidate.pieces) < 8
    assert "form" == trains(analysis.flows[0])[0]["named_by"]


OWN, OWN_PONG = bytes.fromhex("89840102030400010203"), bytes.fromhex("8a840102030400010203")
THEIRS, THEIR_PONG = bytes.fromhex("890401030106"), bytes.fromhex("8a0401030106")


def web_socket(tmp_path, said, *, not_captured=()):
    """The trains of one WebSocket connection, named: who beats, how many, how many answered, the slowest answer.

    Of the pongs of the server some, by their places, are not in the capture.
    """
    greeting = [each for each in beating.TALKS["WebSocket"] if each[0] < 2]
    frames = beating.talk(7001, 40_000, sorted([*greeting, *said]))
    pongs = [frame for frame in frames if THEIR_PONG in bytes(frame[-1])]
    gone = [pongs[at] for at in not_captured]
    path = beating.pcap(tmp_path / "ws.pcap", [frame for frame in frames if frame not in gone])
    analysis = analyzer.analyze(path, jit=False)
    assert [] == analyzer.name_heartbeats(analysis)
    (flow,) = analysis.flows
    assert {"WebSocket"} == {train["protocol"] for train in trains(flow)}
    return [(train["from"], train["count"], train["answered"], train["slowest_answer_s"]) for train in trains(flow)]


@needs_tshark
@pytest.mark.parametrize("behind_s", [0.3, 1.0, 5, 10])
def test_both_ends_ask_and_answer(tmp_path, behind_s):
    """Where both send pings, each answered, neither's answers are counted among its pings."""
    said = []
    for at in range(20, 180, 20):
        said += [(at, "a", OWN), (at + 0.01, "b", THEIR_PONG)]
        said += [(at + behind_s, "b", THEIRS), (at + behind_s + 0.01, "a", OWN_PONG)]

    assert [("a", 8, 8, 0.01), ("b", 8, 8, 0.01)] == sorted(web_socket(tmp_path, said))


@needs_tshark
def test_an_answer_that_comes_late_is_no_heartbeat(tmp_path):
    """However late pongs come, they are the answers to pings, and no train of their own."""
    said = [each for at in range(20, 180, 20) for each in ((at, "a", OWN), (at + 7, "b", THEIR_PONG))]

    assert [("a", 8, 8, 7.0)] == web_socket(tmp_path, said)


@needs_tshark
def test_several_answers_in_one_segment_are_several(tmp_path):
    """A program that hung and comes back answers all that waited; what was not answered since then is missed."""
    said = [each for at in range(20, 120, 20) for each in ((at, "a", OWN), (at + 0.01, "b", THEIR_PONG))]
    said += [(at, "a", OWN) for at in range(120, 200, 20)] + [
        (185, "b", 4 * THEIR_PONG),
        (200, "a", OWN),
        (220, "a", OWN),
    ]

    assert [("a", 11, 9, 65.0)] == web_socket(tmp_path, said)


@needs_tshark
def test_answers_are_due_of_who_answers_as_a_rule(tmp_path):
    """A program that answered two of many heartbeats here and there owes no answer."""
    said = [(at, "a", OWN) for at in range(20, 260, 20)] + [(at + 0.01, "b", THEIR_PONG) for at in (100, 240)]

    assert [("a", 12, None, None)] == web_socket(tmp_path, said)


@needs_tshark
def test_who_was_asked_several_times_may_answer_the_last_alone(tmp_path):
    """Heartbeats that were passed over are missed; a program that answers again since then does not hang."""
    said = [(at, "a", OWN) for at in range(20, 220, 20)]
    said += [(at + 0.01, "b", THEIR_PONG) for at in (*range(20, 120, 20), 180, 200)]

    assert [("a", 10, 7, 0.01)] == web_socket(tmp_path, said)


@needs_tshark
def test_an_answer_that_was_not_captured_but_acknowledged_is_one(tmp_path):
    """Whose answers this point did not capture, but its peer acknowledges, is not said to have answered nothing."""
    said = [each for at in range(20, 220, 20) for each in ((at, "a", OWN), (at + 0.01, "b", THEIR_PONG))]

    assert [("a", 10, 10)] == [each[:3] for each in web_socket(tmp_path, said, not_captured=(4, -1))]


def refused_pings(pings):
    """A connection of HTTP/2 whose client pings every 10 s, and whose server refuses the last ping, and closes."""
    settings = b"\0\0\0\4\0\0\0\0\0"
    ping, pong = b"\0\0\x08\6\0\0\0\0\0" + b"12345678", b"\0\0\x08\6\1\0\0\0\0" + b"12345678"
    goaway = b"\0\0\x16\7\0\0\0\0\0" + bytes(7) + b"\x0b" + b"too_many_pings"
    said = [(0.1, "a", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings), (0.2, "b", settings)]
    for at in range(1, pings):
        said += [(10 * at, "a", ping), (10 * at + 0.02, "b", pong)]
    said += [(10 * pings, "a", ping), (10 * pings + 0.02, "b", goaway)]
    return beating.talk(50_051, 40_000, said, closes=(10 * pings + 0.03, "b"))


@needs_tshark
@pytest.mark.parametrize(("pings", "code"), [(2, "reason-given"), (3, "reason-given"), (6, "too-many-pings")])
def test_pings_that_are_refused_are_told_once(tmp_path, pings, code):
    """A refusal is read where pings are too few for a train as well, on any port, and told in one way only."""
    analysis = analyzer.analyze(beating.pcap(tmp_path / "one.pcap", refused_pings(pings)), jit=False)

    assert [] == analyzer.name_heartbeats(analysis)
    (flow,) = analysis.flows
    assert [code] == [each for each in flow.codes if each in {"reason-given", "too-many-pings"}]
