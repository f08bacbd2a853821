"""Which flows have something to say."""

import numpy as np
import pytest

from analyzer.findings import Columns, search
from analyzer.findings.notable import has_verdict, is_notable, may_be_notable, may_have_said_why, probe_sum
from analyzer.judge import verdict
from analyzer.judge.verdict import Verdict
from tests.heartbeats import Talk, each
from tests.notation import SCENARIOS, follow, load, parse


def batch_of(name):
    """The flows of a scenario as columns, and the rows of VERDICTS that they have."""
    (batch,) = follow([load(SCENARIOS / f"{name}.pkt").batch()])
    return batch, verdict.decide(batch)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orderly_close", [False]),
        ("probing_every_five_seconds", [True]),
        ("headers_cut_but_for_the_fin", [True]),
        ("idle_without_keepalive", [True]),
        ("icmp_error_quoting_a_probe", [True]),
        ("heartbeats_unanswered_at_the_end", [True]),
        ("heartbeat_unanswered_then_closed", [True]),
        ("heartbeats_stopped", [True]),
    ],
)
def test_a_flow_with_something_to_say_is_notable(name, expected):
    """Probes, cut headers, a long silence, ICMP errors and failing heartbeats are news, an orderly close is not."""
    batch, winners = batch_of(name)

    assert expected == is_notable(batch, winners).tolist()


def test_probes_of_both_ends_are_added_up():
    """A count of probes is that of both ends."""
    batch, _ = batch_of("both_ends_probe")

    assert probe_sum(batch, "probes").tolist() == (batch.run_a["probes"] + batch.run_b["probes"]).tolist()
    assert probe_sum(batch, "probes")[0] > 0


def test_flows_are_picked_by_their_verdicts():
    """A verdict is asked for by its word, and one of several is enough."""
    _, winners = batch_of("orderly_close")

    assert np.array_equal([True], has_verdict(winners, Verdict.SILENT, Verdict.CLOSED))
    assert not has_verdict(winners, Verdict.SILENT).any()


HEARTBEATS = {"program-hung", "heartbeats-missed", "heartbeats-stopped"}


def test_what_is_found_of_heartbeats_is_told():
    """A flow whose heartbeats failed is listed, told and counted, though it sent no probe and nobody ended it."""
    told = set()
    for path in sorted(SCENARIOS.glob("*.pkt")):
        for batch in follow([load(path).batch()]):
            winners = verdict.decide(batch)
            hits = search(Columns(batch, winners)).by_code()
            having = {at for code in HEARTBEATS & set(hits) for at in hits[code]}
            told |= HEARTBEATS & set(hits)

            assert having <= set(np.flatnonzero(is_notable(batch, winners)).tolist()), path.stem
    assert told == HEARTBEATS


def test_where_a_selection_leaves_no_flow_none_is_notable():
    """What is known of the heartbeats of flows that were left out is asked by nobody."""
    batch, winners = batch_of("heartbeats_stopped")
    nothing = np.zeros(0, dtype=np.int64)

    assert len(batch.take(nothing).trains)
    assert is_notable(batch.take(nothing), winners[nothing]).tolist() == []


@pytest.mark.parametrize(
    ("length", "said", "may_be"), [(17, 31, True), (39, 60, True), (17, 0, False), (30, 31, False)]
)
def test_what_may_turn_out_notable(length, said, may_be):
    """Pings as long as HTTP/2's, behind whose last answer more was said, may have been refused: a name tells."""
    talk = Talk().beats(each(20, 20, 5), length, length)
    if said:
        talk.says(100.2, "b", said)
    (batch,) = follow([talk.batch()])

    assert [may_be] == may_be_notable(batch).tolist()
    assert not is_notable(batch, verdict.decide(batch)).any()


@pytest.mark.parametrize(("refused_for", "notable"), [(0, True), (1, True), (2, False)])
def test_refused_heartbeats_are_notable(refused_for, notable):
    """A flow is listed where its pings were refused, and not where the refusal names something else."""
    (batch,) = follow([Talk().beats(each(20, 20, 5), 17, 17).batch()])
    batch.trains["refused_frame"], batch.trains["refused_for"] = 17, refused_for

    assert [notable] == is_notable(batch, verdict.decide(batch)).tolist()


def test_a_ping_just_sent_is_not_notable():
    """A capture that ends behind a ping, before its answer could have come, shows nothing amiss."""
    (batch,) = follow([Talk().beats(each(20, 20, 5)).beats([120], answer=0).batch()])

    assert not is_notable(batch, verdict.decide(batch)).any()


def test_heartbeats_without_an_answer_amid_others_are_notable():
    """A flow that goes on is listed where a heartbeat got no answer though a later one did."""
    (batch,) = follow([Talk().beats(each(20, 20, 4)).beats([100], answer=0).beats(each(120, 20, 3)).batch()])

    assert is_notable(batch, verdict.decide(batch)).all()


def test_who_said_why_it_ends_a_connection_is_notable():
    """A flow that closed in order is listed where an end said why; it is kept for that where one may have."""
    closed = "@101 b > a P. 31:52(21) ack 31\n@101.001 b > a F. 52:52(0) ack 31\n@101.01 a > b F. 31:31(0) ack 53\n"
    text = "\n".join(Talk().beats(each(20, 20, 5)).lines) + "\n" + closed
    (batch,) = follow([parse(text + "@101.02 b > a . 53:53(0) ack 32\nend: +3\n").batch()])
    assert may_be_notable(batch).all()
    assert not is_notable(batch, verdict.decide(batch)).any()

    batch.trains["said"] = 1

    assert is_notable(batch, verdict.decide(batch)).all()


def closing(port, said, closes):
    """Flows of a service on a port: what its client a, and b, say at last, and who closes when."""
    talk = Talk()
    ends = [(*each, "P.", True) for each in said] + [(*closes, 0, "F.", False)]
    for at, who, length, flags, acked in sorted(ends):
        talk.says(at, who, length, flags=flags, acked=acked)
        talk.next[who] += "F" in flags
    (batch,) = follow([talk.batch()])
    batch.flow["b_port"] = port
    return batch


@pytest.mark.parametrize(
    ("port", "said", "closes", "expected"),
    [
        (5432, [(1, "a", 20), (30, "b", 90)], (30.1, "b"), True),
        (5432, [(1, "b", 90), (30, "a", 5)], (30.1, "a"), False),
        (5432, [(1, "a", 20), (30, "b", 90)], (90, "b"), False),
        (5432, [(1, "a", 20), (30, "b", 1100)], (30.1, "b"), False),
        (5432, [(1, "a", 20), (30, "b", 90), (60, "a", 20)], (30.1, "b"), True),
        (5673, [(1, "a", 20), (30, "b", 90)], (30.1, "b"), False),
        (179, [(1, "b", 60), (30, "a", 21)], (30.1, "a"), True),
        (5672, [(30, "b", 60), (30.1, "a", 12)], (30.2, "b"), True),
        (5672, [(30, "a", 60), (30.1, "b", 12)], (30.2, "b"), False),
        (5673, [(30, "a", 17), (30.1, "b", 31)], (30.2, "b"), True),
        (5673, [(30, "b", 17), (30.1, "a", 31)], (30.2, "a"), True),
        (5673, [(30, "a", 17), (30.1, "b", 9)], (30.2, "b"), False),
        (5673, [(30, "a", 17), (30.1, "b", 31)], (90, "b"), False),
    ],
    ids=[
        *("error", "bye", "long ago", "much", "asked behind it", "nobody's", "router", "answered", "its answer"),
        *("ping refused", "ping of a server refused", "less than GOAWAY", "long behind it"),
    ],
)
def test_which_ends_may_have_said_why(port, said, closes, expected):
    """On ports of protocols that have reasons: small data, right before the FIN, of who may give one, said last."""
    batch = closing(port, said, closes)

    assert [expected] == may_have_said_why(batch).tolist() == may_be_notable(batch.by_columns()).tolist()
