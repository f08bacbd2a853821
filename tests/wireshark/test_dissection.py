"""From what tshark reads of a cut to the name of a train."""

import pytest

from analyzer.judge.farewells import NAMES
from analyzer.wireshark import dissection
from analyzer.wireshark.beat_signs import DECIPHERED, FIELDS
from analyzer.wireshark.dissection import (
    Candidate,
    Named,
    Piece,
    beats_of,
    dissect,
    farewell_of,
    name,
    replies_to,
    tried,
)
from analyzer.wireshark.tshark import TsharkFailedError

PING, PONG = b"\xc0\0", b"\xd0\0"


def pieces(*said):
    """Segments with data, numbered as they come; each (who, octets)."""
    return [Piece(at, 100 + at, "ab".index(who), len(data), data) for at, (who, data) in enumerate(said, start=1)]


def test_most_data_on_a_port_decides_what_is_tried():
    """Two connections of one port may look differently: what more of their data looks like is tried."""
    mqtt, bgp = Candidate(9, pieces(*[("a", PING)] * 3)), Candidate(9, pieces(("a", b"\xff" * 16 + b"\0\x13\x04")))

    assert {9: "mqtt"} == tried([mqtt, bgp])
    assert {} == tried([Candidate(9, pieces(("a", b"tick")))])


def test_a_greeting_tells_more_than_heartbeats():
    """An upgrade that was captured makes HTTP find the WebSocket; from the middle a WebSocket is tried at once."""
    ping = ("a", b"\x89\x84abcdabcd")

    assert {80: "http"} == tried([Candidate(80, pieces(("a", b"GET /c HTTP/1.1\r\n"), ping))])
    assert {80: "websocket"} == tried([Candidate(80, pieces(ping, ping))])


def test_half_of_the_heartbeats_have_to_be_read():
    """One in three that looks like a PINGREQ names nothing, and neither does a single one."""
    beats = pieces(*[("a", PING)] * 3)
    read = {1: {"mqtt.msgtype": ["12"]}}

    assert name(Candidate(9, beats), read, beats, 0, 1) is None
    assert name(Candidate(9, beats[:1]), read, beats[:1], 0, 1) is None
    read[3] = read[1]
    assert Named("MQTT", -1, 0) == name(Candidate(9, beats), read, beats, 0, 1)


def test_what_only_one_end_offered_is_not_agreed():
    """A hold time of one OPEN alone is no limit; a keep-alive of 0 agrees to do without, and is known."""
    beats = pieces(("a", b""), ("a", b""), ("b", b""))
    read = {1: {"bgp.type": ["4"], "bgp.open.holdtime": ["90"]}, 2: {"bgp.type": ["4"]}}

    assert -1 == name(Candidate(9, beats), read, beats[:2], 0, 1).limit_ns
    read[3] = {"bgp.open.holdtime": ["9"]}
    assert 9_000_000_000 == name(Candidate(9, beats), read, beats[:2], 0, 1).limit_ns
    read = {at: {"mqtt.msgtype": ["12"], "mqtt.kalive": ["x", "9" * 30]} for at in (1, 2)}
    assert -1 == name(Candidate(9, beats), read, beats[:2], 0, 1).limit_ns
    read[1]["mqtt.kalive"] = ["0"]
    assert 0 == name(Candidate(9, beats), read, beats[:2], 0, 1).limit_ns


def test_a_refusal_is_of_the_other_end_and_behind_the_first_heartbeat():
    """Who refuses is who is asked, and nobody refuses before the first PING."""
    said = pieces(("b", b""), ("a", b""), ("a", b""), ("b", b""))
    read = {at: {"http2.type": ["6"], "http2.flags.ack.ping": ["0"]} for at in (2, 3)}
    read[1] = read[4] = {"http2.goaway.error": ["11"]}

    assert (104, 0) == name(Candidate(9, said), read, said[1:3], 0, 102)[2:]
    read[4] = {"http2.goaway.error": ["0"]}
    assert 0 == name(Candidate(9, said), read, said[1:3], 0, 102).refused_frame


@pytest.mark.parametrize(
    ("said", "refused_for"), [(b"too_many_pings", 1), (b"ping flood", 1), (b"too_many_resets", 2), (b"", 0)]
)
def test_a_refusal_may_say_for_what(said, refused_for):
    """What GOAWAY says beside its error decides whether it is of PINGs."""
    frames = pieces(("a", b""), ("a", b""), ("b", b""))
    read = {at: {"http2.type": ["6"], "http2.flags.ack.ping": ["0"]} for at in (1, 2)}
    read[3] = {"http2.goaway.error": ["11"], "http2.goaway.addata": [said.hex()]}

    assert (103, refused_for) == name(Candidate(9, frames), read, frames[:2], 0, 101)[2:]


def test_what_was_deciphered_is_tried_again(monkeypatch):
    """With secrets, octets that no dissector took say which to try within TLS, in a second run; without, nothing."""
    asked = []

    def printed(arguments, **_):
        asked.append([word for word in arguments if word.startswith(("tcp.port==", "tls.port=="))])
        return ["\t".join(["  1", *("c000" if each == DECIPHERED else "" for each in FIELDS)]).encode()]

    monkeypatch.setattr(dissection, "printed", printed)
    candidates = [Candidate(9, pieces(("a", b"\x17\x03\x03")))]
    dissect("cut", candidates)
    dissect("cut", candidates, "keys")

    assert [[], [], ["tls.port==9,mqtt"]] == asked


def test_what_cannot_be_tried_in_tls_is_told_by_its_octets(monkeypatch):
    """Within TLS tshark knows few dissectors, and told another it fails: there octets decide."""
    asked = []
    ping = b"*1\r\n$4\r\nPING\r\n".hex()

    def printed(arguments, **_):
        asked.append([word for word in arguments if word.startswith("tls.port==")])
        columns = {DECIPHERED: ping, "frame.protocols": "eth:ip:tcp:tls:data"}
        return ["\t".join([str(at), *(columns.get(each, "") for each in FIELDS)]).encode() for at in (1, 2)]

    monkeypatch.setattr(dissection, "printed", printed)
    beats = pieces(*[("a", b"\x17\x03\x03")] * 2)
    read = dissect("cut", [Candidate(9, beats)], "keys")

    assert [[]] == asked
    assert "Redis" == name(Candidate(9, beats), read, beats, 0, 1).protocol
    assert name(Candidate(9, beats), {at: {DECIPHERED: [ping]} for at in (1, 2)}, beats, 0, 1) is None


@pytest.mark.parametrize("line", [b"", b"1", b"x" + b"\t" * len(FIELDS), b"1\t\t"])
def test_lines_that_are_no_table_are_an_error(monkeypatch, line):
    """What has no number, or not all columns, is nothing that could be read."""
    monkeypatch.setattr(dissection, "printed", lambda *_, **__: [line])
    with pytest.raises(TsharkFailedError, match="cannot be read"):
        dissect("cut", [])


def test_the_first_word_behind_the_first_heartbeat_counts():
    """Who says first why it ends a connection is told; not what was said before the heartbeats, or elsewhere."""
    candidate = Candidate(9, pieces(("a", b""), ("b", b""), ("a", b"")))
    read = {at: {"bgp.notify.major_error": ["4"]} for at in (1, 2, 3)}
    said = farewell_of(candidate, read, frozenset({"BGP"}), 101)

    assert (1, "BGP NOTIFICATION 4/0, hold timer expired", 102) == (said.side, NAMES[said.place], said.frame)
    assert farewell_of(candidate, read, frozenset({"MQTT"}), 101) is None
    assert farewell_of(candidate, read, frozenset(), 101) is None


def test_answers_that_are_read_as_such_are_no_heartbeats():
    """Most of what form takes for heartbeats has to be read as answers to requests."""
    waits = pieces(*[("b", b"HTTP/1.1 204 No Content")] * 4)
    read = {at: {"http.response": ["1"]} for at in (1, 2)}

    assert "HTTP request" == replies_to(read, waits)
    assert replies_to({1: read[1]}, waits) is None


def test_of_several_kinds_an_end_mostly_sends_one():
    """The PING with which a replica greets its primary is none of the ACKs that it sends from then on."""
    ack, ping = b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n", b"*1\r\n$4\r\nPING\r\n"
    said = pieces(("a", ping), ("a", ack), ("a", ack), ("b", ping))
    read = {at: {"frame.protocols": ["resp"], "resp.bulk_string.value": ["50494e47"]} for at in (1, 4)}
    read |= {at: {"frame.protocols": ["resp"], "resp.bulk_string.value": ["41434b"]} for at in (2, 3)}
    candidate = Candidate(9, said)

    assert said[1:3] == beats_of("Redis replication", candidate, read, 0)
    assert said[3:] == beats_of("Redis replication", candidate, read, 1)
