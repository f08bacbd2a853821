"""What answers a probe."""

import pytest

from analyzer.label.answers import proves
from analyzer.label.outcome import Answer, Certainty
from analyzer.label.rules import Kind
from analyzer.segment import PSH
from tests.labelling import ANSWER, MS, PROBE, batch_of, probes_of


@pytest.mark.parametrize(
    ("reaction", "answer", "after_ms"),
    [
        (ANSWER, Answer.ACK, 10),
        ("+10 b > a . 1:1(0) ack 1\n", Answer.ACK, 10_000),
        ("+10.001 b > a . 1:1(0) ack 1\n", Answer.NONE, None),
        ("+2 b > a P. 1:9(8) ack 1\n", Answer.DATA, 2000),
        ("+2.001 b > a P. 1:9(8) ack 1\n", Answer.NONE, None),
        ("+.01 b > a R 1:1(0) win 0\n", Answer.RST, 10),
        ("+3.001 b > a R 1:1(0) win 0\n", Answer.NONE, None),
        ("", Answer.NONE, None),
    ],
    ids=["ACK", "late ACK", "too late an ACK", "data", "too late data", "RST", "too late a RST", "nothing"],
)
def test_what_answers_a_probe(reaction, answer, after_ms):
    """The peer's first reaction answers a probe if it comes in time: ACK, data or RST."""
    batch = batch_of(PROBE + reaction)
    probe = batch.seen[0]
    at = int(probe["answer_row"])

    assert answer == probe["answer"]
    assert after_ms == (int(batch.seen[at]["ts_ns"] - probe["ts_ns"]) // MS if at >= 0 else None)


def test_only_the_first_reaction_answers():
    """A second ACK of the peer answers nothing."""
    batch = batch_of(PROBE + ANSWER + "+.02 b > a . 1:1(0) ack 1 win 9\n")

    assert [Kind.KEEPALIVE_PROBE, Kind.ANSWER] == batch.seen["kind"].tolist()
    assert [1, -1] == batch.seen["answer_row"].tolist()
    assert [-1, 0] == batch.seen["answers_row"].tolist()


def test_a_window_that_moves_with_the_answer_is_an_answer():
    """An answer that closes the window keeps that kind, and answers."""
    batch = batch_of(PROBE + "+.01 b > a . 1:1(0) ack 1 win 0\n")

    assert [Kind.KEEPALIVE_PROBE, Kind.WINDOW_SHUT] == batch.seen["kind"].tolist()
    assert [Answer.ACK, Answer.NONE] == batch.seen["answer"].tolist()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ack": 100}, 1),
        ({"ack": 99}, 0),
        ({"ack": 101}, 0),
        ({"ack": 100, "sent": 100}, 0),
        ({"ack": 100, "octets": 1}, 0),
        ({"ack": 100, "octets": 1, "left": 99, "right": 100}, 1),
        ({"ack": 100, "octets": 1, "left": 99, "right": 100, "flags": PSH}, 0),
        ({"ack": 100, "octets": 1, "left": 98, "right": 100}, 0),
        ({"ack": 100, "octets": 1, "left": 99, "right": 101}, 0),
    ],
)
def test_what_proves_an_unanchored_probe(fields, expected):
    """SEG.ACK one above an empty segment proves it; one octet needs a D-SACK block of just that octet."""
    probe = {"seq": 99, "payload_len": fields.get("octets", 0), "snd_nxt": -1, "flags": fields.get("flags", 0)}
    row = {
        "ack": fields["ack"],
        "peer_nxt": fields.get("sent", 99),
        "sack_left": fields.get("left", -1),
        "sack_right": fields.get("right", -1),
    }

    assert expected == proves(probe, row)


def test_the_proof_of_an_octet_holds_across_the_wrap():
    """A D-SACK block is compared as on the wire, where the octet may be the last before the wrap."""
    last = (1 << 33) - 1

    assert 1 == proves(
        {"seq": last, "payload_len": 1, "flags": 0}, {"ack": last + 1, "sack_left": 2**32 - 1, "sack_right": 0}
    )


def test_a_late_proof_is_no_answer():
    """An ACK that comes too late to answer a mid-stream probe still proves it."""
    probes = probes_of("+0 a > b . 99:99(0) ack 50\n+20 b > a . 50:50(0) ack 100\n", opening="")

    assert [(Certainty.PROBABLE, Answer.NONE)] == [(row["certainty"], row["answer"]) for row in probes]


@pytest.mark.parametrize(("early_us", "answer"), [(0, Answer.ACK), (1_000, Answer.ACK), (1_001, Answer.NONE)])
def test_an_answer_may_stand_before_its_probe(early_us, answer):
    """An ACK that nothing called for answers the probe that is written up to a millisecond behind it."""
    batch = batch_of(f"+5 b > a . 1:1(0) ack 1\n+{early_us / 1e6:.6f} a > b . 0:0(0) ack 1\n")

    assert [answer] == batch.seen["answer"][batch.seen["side"] == 0].tolist()
