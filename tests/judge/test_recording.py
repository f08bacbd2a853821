"""What a record says of the flow it was made from."""

import pytest

from analyzer.judge.connection import State
from analyzer.judge.events import Fin, IcmpError, Reset, WindowChange
from analyzer.judge.probe import AFTER_FIN_WORDS, NotProbe, Probe, ZeroWindowProbe
from analyzer.judge.recording import build
from analyzer.track.flow import Endpoint
from tests.notation import SCENARIOS, START_NS, follow, load, parse

MS = 1_000_000
HANDSHAKE = """# A flow.
+0      a > b  S   0:0(0) <ts 1 0>
+.01    b > a  S.  0:0(0) ack 1 <ts 1 1>
+.01    a > b  .   1:1(0) ack 1 <ts 1 1>
"""


def record_of(text, *, opening=HANDSHAKE):
    """Return the record of the flow that hand-written lines make."""
    (batch,) = follow([parse((opening or "# A flow.\n") + text).batch()])
    return build(batch, 0)


def scenario(name):
    """Return the record of a scenario's first flow."""
    return build(follow([load(SCENARIOS / f"{name}.pkt").batch()])[0], 0)


def at_ms(ns):
    """Return an instant in milliseconds since the hand-written captures begin."""
    return None if ns is None else (ns - START_NS) // MS


def test_identity_and_extent():
    """A record says between whom, from when to when, and how the capture met the flow."""
    flow = record_of("+1 a > b P. 1:6(5) ack 1\nend: +9\n")

    assert (Endpoint("192.0.2.1", 40001), Endpoint("198.51.100.2", 80)) == (flow.a, flow.b)
    assert (1, 4, 0, 1020, 10020) == (
        flow.first_frame,
        flow.last_frame,
        at_ms(flow.first_ns),
        at_ms(flow.last_ns),
        at_ms(flow.end_ns),
    )
    assert (0, "handshake", "a", "b") == (flow.number, flow.starts_with, flow.initiator, flow.responder)


@pytest.mark.parametrize(
    ("text", "starts_with", "initiator"),
    [
        ("+0 a > b S 0:0(0)\n", "handshake", "a"),
        ("+0 b > a S. 0:0(0) ack 1\n+0 a > b . 1:1(0) ack 1\n", "handshake", "b"),
        ("+0 a > b S 0:0(0)\n+0 b > a S 0:0(0)\n+0 a > b S. 0:0(0) ack 1\n", "handshake", "a"),
        ("+0 a > b P. 1:6(5) ack 1\n", "midstream", None),
    ],
    ids=["SYN", "only the SYN,ACK", "simultaneous open", "mid-stream"],
)
def test_who_opened(text, starts_with, initiator):
    """The initiator sent the first SYN; of a SYN,ACK alone it is the peer; in mid-stream nobody is."""
    flow = record_of(text, opening="")

    assert (starts_with, initiator) == (flow.starts_with, flow.initiator)
    assert (initiator is None) == (flow.responder is None)


def test_the_peer_of_a_lone_syn_ack_opened():
    """Where only the SYN,ACK was captured, endpoint a accepted and b opened."""
    flow = record_of("+0 b > a S. 0:0(0) ack 1\n+0 a > b . 1:1(0) ack 1\n", opening="")

    assert ("198.51.100.2", "b", "a") == (flow.a.address, flow.initiator, flow.responder)


def test_a_probe_in_full():
    """A probe knows its train, its gaps, what it waited for, and its answer."""
    text = "+1 b > a P. 1:9(8) ack 1 <ts 1 1>\n+.5 a > b . 1:1(0) ack 9 <ts 1 1>\n"
    flow = record_of(text + "+5 a > b . 0:0(0) ack 9\n+.01 b > a . 9:9(0) ack 1 <ts 1 1>\n")
    expected = Probe(
        frame=6,
        ts_ns=START_NS + 6520 * MS,
        sender="a",
        payload_len=0,
        certainty="certain",
        doubt=None,
        gap_ns=5000 * MS,
        idle_ns=5500 * MS,
        idle_frame=4,
        unheard=False,
        train=0,
        first_of_train=True,
        after_fin=None,
        answer="ack",
        answer_frame=7,
        answer_ns=10 * MS,
        header_len=20,
        echoes=False,
        answer_window=512,
        is_last_word=False,
    )

    assert (expected,) == flow.probes
    assert ((expected,), ()) == (flow.probes_from("a"), flow.probes_from("b"))
    assert () == flow.probes_after_fin


def test_a_doubtful_probe_says_why():
    """A probe that is not certain has its reason, an unanswered one no answer."""
    first, *_ = scenario("one_sided_even_spacing_is_suspected").probes

    assert ("suspected", "one_sided", None, None, None) == (
        first.certainty,
        first.doubt,
        first.answer,
        first.answer_frame,
        first.answer_ns,
    )
    assert (None, None, None) == (first.gap_ns, first.idle_ns, first.idle_frame)


def test_probes_after_a_fin():
    """Probes after a FIN say which FINs had passed."""
    flow = scenario("half_close_held_by_keepalive")

    assert [None, "received", "received", "received"] == [probe.after_fin for probe in flow.probes]
    assert ["ack", "ack", "ack", "rst"] == [probe.answer for probe in flow.probes]
    assert flow.probes[1:] == flow.probes_after_fin
    assert {None, "sent", "received", "both"} == set(AFTER_FIN_WORDS)


def test_only_the_first_of_a_train_is_marked():
    """Each train has one first probe."""
    assert [True, False, False] == [probe.first_of_train for probe in scenario("dead_peer_gave_up").probes]


def test_window_probes():
    """Window probes stand apart from keepalive, with their answers."""
    flow = scenario("zero_window_probes_double")

    assert [(6, 7), (8, 9), (10, 11), (12, 13)] == [(each.frame, each.answer_frame) for each in flow.zero_window_probes]
    assert ZeroWindowProbe(6, flow.zero_window_probes[0].ts_ns, "a", 0, 7) == flow.zero_window_probes[0]
    assert [(5, "b", True), (14, "b", False)] == [(each.frame, each.sender, each.shut) for each in flow.windows]


@pytest.mark.parametrize(
    ("name", "frame", "word"),
    [
        ("stale_ack_behind_fin", 6, "stale_ack"),
        ("octet_sent_again_unacknowledged", 5, "retransmission"),
        ("copies_on_all_interfaces", 5, "duplicate_copy"),
        ("probe_form_right_after_traffic_is_not_keepalive", 6, "not_idle"),
        ("one_probe_at_a_closed_window_is_undecided", 6, "keepalive_or_zero_window_probe"),
    ],
)
def test_what_only_looks_like_a_probe(name, frame, word):
    """A segment that looks like keepalive to a naive eye has the word for what it is."""
    found = {each.frame: each for each in scenario(name).not_probes}

    assert word == found[frame].is_
    assert isinstance(found[frame], NotProbe)


@pytest.mark.parametrize(
    ("name", "frame", "labelled"),
    [
        ("octet_sent_again_unacknowledged", 5, True),
        ("stale_ack_behind_fin", 6, True),
        ("stale_acks_one_after_another", 6, True),
        ("copies_behind_a_router", 5, True),
        ("probe_while_data_is_unacknowledged", 6, None),
        ("overtaken_acks_where_others_might_win", 7, True),
        ("midstream_stale_forms", 3, False),
    ],
)
def test_what_others_label_as_keepalive(name, frame, labelled):
    """Of what only looks like a probe, the record says whether it sits one below SND.NXT."""
    found = {each.frame: each.below_snd_nxt for each in scenario(name).not_probes}

    assert labelled == found.get(frame)


def test_fins():
    """A FIN has its sender and what acknowledged it, in order of frames."""
    flow = record_of("+1 b > a F. 1:1(0) ack 1\n+.04 a > b . 1:1(0) ack 2\n+1 a > b F. 1:1(0) ack 2\n")

    assert (
        Fin(4, START_NS + 1020 * MS, "b", 5, START_NS + 1060 * MS),
        Fin(6, START_NS + 2060 * MS, "a", None, None),
    ) == flow.fins


def test_the_challenge_ack_of_an_ignored_reset_is_named():
    """A RST in the window that is not at the number expected draws an ACK, which is no answer to a probe."""
    flow = record_of("+5 b > a R 101:101(0) win 0\n+.01 a > b . 1:1(0) ack 1\n+2 a > b P. 1:6(5) ack 1\n")
    (reset,) = flow.resets

    assert ("ignored", "challenged", "ESTABLISHED", 5) == (
        reset.kind,
        reset.reception,
        reset.receiver_state,
        reset.challenge_frame,
    )


def test_a_dropped_reset_draws_no_challenge():
    """What follows a RST far outside the window is no challenge ACK, if it is data."""
    flow = record_of("+5 b > a R 900000:900000(0) win 0\n+.01 a > b P. 1:6(5) ack 1\n")
    (reset,) = flow.resets

    assert ("dropped", None) == (reset.reception, reset.challenge_frame)


def test_a_reset_in_full():
    """A RST has its form, what it answers, and how it differs from its sender's own packets."""
    flow = record_of(
        "+5 a > b . 0:0(0) ack 1\n+.01 b > a R 1:1(0) win 0 ttl 9 mac 8 id 7\n+1 b > a R. 1:1(0) ack 1 <ts 5 5>\n"
    )
    expected = Reset(
        frame=5,
        ts_ns=START_NS + 5030 * MS,
        sender="b",
        kind="no_socket",
        answers_probe=4,
        strange=("ttl", "mac"),
        has_ack=False,
        window=0,
        ttl=9,
        own_ttl=(64, 64),
        ip_id=7,
        has_options=False,
        lost_bytes=0,
        accepted_end=True,
        reception="taken",
        receiver_state="ESTABLISHED",
        challenge_frame=None,
    )

    assert expected == flow.resets[0]
    assert (True, True, False, None) == tuple(
        getattr(flow.resets[1], name) for name in ("has_ack", "has_options", "accepted_end", "answers_probe")
    )


def test_a_reset_of_an_unseen_endpoint():
    """Of an endpoint that sent nothing else, no TTL is known, and over IPv6 no IP ID."""
    flow = record_of("ip: 6\n+0 a > b P. 1:6(5) ack 1\n+0 b > a R 1:1(0) win 0\n", opening="")

    assert (None, None) == (flow.resets[0].own_ttl, flow.resets[0].ip_id)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a > b icmp 3/1 0:0(0)", ("a", 4, 3, 1, 4, "203.0.113.1", "probe")),
        ("a > b icmp 11/0 1:1(0)", ("a", 4, 11, 0, None, "203.0.113.1", "segment")),
        ("b > a icmp 3/3 0:0(0)", ("b", 4, 3, 3, None, "203.0.113.1", "segment")),
        ("a > b icmp 6:1/4 0:0(0)", ("a", 6, 1, 4, 4, "203.0.113.1", "probe")),
        ("a > b icmp 3/1 700:700(0)", ("a", 4, 3, 1, None, "203.0.113.1", None)),
    ],
    ids=["quotes the probe", "quotes something else", "quotes the peer", "ICMPv6", "quotes what was never sent"],
)
def test_icmp_errors(line, expected):
    """An ICMP error has its sender, version, type and code, and what it quotes of what was sent."""
    (error,) = record_of(f"+5 a > b . 0:0(0) ack 1\n+.01 {line}\n").icmp_errors

    assert IcmpError(5, START_NS + 5030 * MS, *expected, ttl=64) == error


def test_the_mtu_that_an_icmp_error_names():
    """How many bytes fit is kept, where an error says so."""
    errors = record_of("+5 a > b icmp 3/4 1:1(0) mtu 1400\n+1 a > b icmp 3/4 1:1(0)\n").icmp_errors

    assert [1400, None] == [error.mtu for error in errors]


def test_what_timers_sent_again():
    """Retransmissions that a timer sent are listed."""
    flow = scenario("data_unanswered_is_silence")

    assert [(5, 100), (6, 100), (7, 100), (8, 100)] == [(each.frame, each.payload_len) for each in flow.resent]


def test_windows_of_overtaken_acks_do_not_count():
    """Only an acknowledgement no older than the last closes or opens a window."""
    assert () == scenario("overtaken_window_moves_nothing").windows


def test_windows_move_with_probes_too():
    """A probe that closes its sender's window is a change of the window as well."""
    flow = scenario("probes_that_move_the_window")

    assert [WindowChange(5, flow.probes[0].ts_ns, "a", shut=True)] == list(flow.windows[:1])
    assert [True, False, True, False] == [each.shut for each in flow.windows]


def test_facts_of_an_endpoint():
    """What was seen of each endpoint has frames where it happened and None where it did not."""
    flow = record_of("+1 a > b P. 1:6(5) ack 1 <ts 9 9>\n+1 a > b P. 1:6(5) ack 1\n")
    facts = flow.facts("a")

    assert (4, 5, 1, 3, 4, 4) == (
        facts.segments,
        facts.payload_bytes,
        facts.syn_frame,
        facts.ack_frame,
        facts.first_data_frame,
        facts.last_data_frame,
    )
    assert (4, 1, 1, 5) == (facts.unacked_frame, facts.resent, facts.resent_total, facts.resent_frame)
    assert (True, 1, (64, 64)) == (facts.timestamps, facts.short_headers, facts.ttl)
    assert (None, None, None) == (flow.facts("b").first_data_frame, flow.facts("b").unacked_ns, facts.window_shut_frame)


def test_facts_of_an_endpoint_never_seen():
    """Of an endpoint that sent nothing, nothing is known."""
    facts = record_of("+0 a > b S 0:0(0)\n", opening="").facts_b
    unknown = {name for name, value in facts._asdict().items() if value is None}

    assert (0, 0, False) == (facts.segments, facts.payload_bytes, facts.timestamps)
    assert {"syn_frame", "syn_ns", "last_ns", "active_frame", "active_ns", "ttl", "id_zero_frame"} <= unknown


def test_idle_time_cut_headers_and_copies():
    """The longest silence, copies, cut headers and steps back of the clock are counted."""
    text = "+60 a > b P. 1:6(5) ack 1\n+.0001 copy ttl 63\n+.1 b > a cut\n+-5 b > a . 1:1(0) ack 6\n"
    flow = record_of(text)
    cut = record_of("+60 a > b P. 1:6(5) ack 1\n+-5 b > a cut\n+.1 b > a . 1:1(0) ack 6\n")

    assert (60_000, 3, 4) == (flow.silence_ns // MS, flow.silence_from, flow.silence_to)
    assert (1, 1, 1) == (flow.copies, flow.cut, flow.backwards)
    assert 1 == cut.backwards


def test_crossing_fins():
    """Where a FIN was sent before the peer's arrived, both ends go over CLOSING."""
    flow = scenario("simultaneous_close")

    assert {0, 1} == {change.side for change in flow.changes if change.state is State.CLOSING and change.frame < 6}


def test_an_acknowledged_fin_is_not_crossed():
    """Where a FIN acknowledges the other, its sender was in CLOSE-WAIT."""
    flow = scenario("orderly_close")
    states = [change.state for change in flow.changes if change.side == 0]

    assert [State.CLOSE_WAIT, State.LAST_ACK, State.CLOSED] == states[-3:]


def test_challenge_acks_and_late_segments():
    """What drew a challenge ACK, and what came when all was over; copies are no part of it."""
    (challenge,) = record_of("+1 a > b S 0:0(0)\n+.01 b > a . 1:1(0) ack 1\n").challenges
    late = record_of("+1 b > a R. 1:1(0) ack 1\n+1 a > b P. 1:3(2) ack 1\n+.0001 copy ttl 63\n").late

    assert ("b", "syn", 5, 4) == (challenge.sender, challenge.drawn_by, challenge.frame, challenge.drawn_frame)
    assert [("a", "data", 5, 2)] == [(each.sender, each.is_, each.frame, each.payload_len) for each in late]


def test_heartbeats():
    """A train has its numbers, from the last answer on too; where answers are not due there are none of them."""
    (train,) = scenario("heartbeats_unanswered_at_the_end").heartbeats

    assert ("a", None, "form", 6, 7) == (
        train.sender, train.protocol, train.named_by, train.payload_len, train.sent,
    )  # fmt: skip
    assert (20_000 * MS, 4, 3, 3, 3) == (train.period_ns, train.answered, train.missed, train.unanswered, train.acked)
    assert (4, 20, 14, 16) == (train.first_frame, train.last_frame, train.answer_frame, train.silent_frame)

    text = "".join(
        f"+30 a > b P. {1 + 8 * at}:{9 + 8 * at}(8) ack 1\n+.04 b > a . 1:1(0) ack {9 + 8 * at}\n" for at in range(5)
    )
    (train,) = record_of(text).heartbeats

    assert (None, None, None, None) == (train.answered, train.missed, train.silent_frame, train.slowest_ns)
