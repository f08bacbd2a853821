"""Probes, their answers, and the trains they form."""

import pytest

from analyzer.label.keepalive import RUN, Answer, Certainty, Doubt, proves
from analyzer.label.rules import Kind
from tests.notation import follow, parse

HANDSHAKE = """# A flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
"""
PROBE = "+5 a > b . 0:0(0) ack 1\n"
ANSWER = "+.01 b > a . 1:1(0) ack 1\n"
MS = 1_000_000


def batch_of(text, *, opening=HANDSHAKE):
    """Return the finished flow of hand-written lines."""
    (batch,) = follow([parse((opening or "# A flow.\n") + text).batch()])
    return batch


def probes_of(text, **fields):
    """Return the SEEN rows of the probes."""
    seen = batch_of(text, **fields).seen
    return seen[(seen["kind"] == Kind.KEEPALIVE_PROBE) | (seen["kind"] == Kind.KEEPALIVE_OCTET)]


def run_of(text, side="a", **fields):
    """Return the RUN of one endpoint as a dict."""
    run = getattr(batch_of(text, **fields), f"run_{side}")[0]
    return {name: int(run[name]) for name in RUN.names}


# ── answers ──


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
        ({"ack": 100, "octets": 1}, 0),
        ({"ack": 100, "octets": 1, "left": 99, "right": 100}, 1),
        ({"ack": 100, "octets": 1, "left": 98, "right": 100}, 0),
        ({"ack": 100, "octets": 1, "left": 99, "right": 101}, 0),
    ],
)
def test_what_proves_an_unanchored_probe(fields, expected):
    """SEG.ACK one above an empty segment proves it; one octet needs a D-SACK block of just that octet."""
    probe = {"seq": 99, "payload_len": fields.get("octets", 0)}
    row = {"ack": fields["ack"], "sack_left": fields.get("left", -1), "sack_right": fields.get("right", -1)}

    assert expected == proves(probe, row)


def test_the_proof_of_an_octet_holds_across_the_wrap():
    """A D-SACK block is compared as on the wire, where the octet may be the last before the wrap."""
    last = (1 << 33) - 1

    assert 1 == proves({"seq": last, "payload_len": 1}, {"ack": last + 1, "sack_left": 2**32 - 1, "sack_right": 0})


def test_too_late_an_ack_disproves_nothing():
    """An ACK long after an unanchored segment neither proves nor disproves it."""
    text = "+0 a > b . 99:99(0) ack 50\n+20 b > a . 50:50(0) ack 99\n+1 a > b R. 100:100(0) ack 50\n"

    assert [Doubt.MIDSTREAM] == probes_of(text, opening="")["doubt"].tolist()


def test_a_late_proof_is_no_answer():
    """An ACK that comes too late to answer a mid-stream probe still proves it."""
    probes = probes_of("+0 a > b . 99:99(0) ack 50\n+20 b > a . 50:50(0) ack 100\n", opening="")

    assert [(Certainty.PROBABLE, Answer.NONE)] == [(row["certainty"], row["answer"]) for row in probes]


# ── trains ──


def test_a_train_ends_where_anything_else_passes():
    """Probes of one endpoint with nothing but keepalive between them are one train."""
    data = "+1 b > a P. 1:9(8) ack 1\n+.01 a > b . 1:1(0) ack 9\n"
    probes = probes_of(PROBE + ANSWER + PROBE + ANSWER + data + "+5 a > b . 0:0(0) ack 9\n+5 a > b . 0:0(0) ack 9\n")

    assert [0, 0, 1, 1] == probes["train"].tolist()


def test_gaps_and_idle_times():
    """Gaps count from the flow's previous segment, then from probe to probe; idle time from what the peer sent."""
    probes = probes_of(
        "+1 b > a P. 1:9(8) ack 1\n+2 a > b . 1:1(0) ack 9\n+5 a > b . 0:0(0) ack 9\n+5 a > b . 0:0(0) ack 9\n"
    )

    assert [5000, 5000] == (probes["gap_ns"] // MS).tolist()
    assert [7000, 12000] == (probes["idle_ns"] // MS).tolist()


def test_the_first_segment_of_a_capture_has_no_gap():
    """A probe that nothing precedes has neither gap nor idle time."""
    probe = probes_of("+0 a > b . 99:99(0) ack 50\n+.01 b > a . 50:50(0) ack 100\n", opening="")[0]

    assert (-1, -1) == (probe["gap_ns"], probe["idle_ns"])


def test_the_smallest_gap_is_kept():
    """The smallest gap between two probes of a train stands for the expected interval."""
    assert 2000 == run_of(PROBE + PROBE + "+2 a > b . 0:0(0) ack 1\n")["gap_least_ns"] // MS


@pytest.mark.parametrize(
    ("fins", "expected"),
    [("", 0), ("a", 1), ("b", 2), ("ab", 3)],
    ids=["no FIN", "sent", "received", "both"],
)
def test_which_fins_had_passed(fins, expected):
    """A probe knows which FINs had passed, seen from its sender."""
    a, b = ("a" in fins) + 0, ("b" in fins) + 0
    text = f"+1 a > b F. 1:1(0) ack 1\n+.01 b > a . 1:1(0) ack {1 + a}\n" if a else ""
    text += f"+1 b > a F. 1:1(0) ack {1 + a}\n+.01 a > b . {1 + a}:{1 + a}(0) ack 2\n" if b else ""
    text += f"+5 a > b . {a}:{a}(0) ack {1 + b}\n"

    assert [expected] == probes_of(text)["after_fin"].tolist()


# ── sums ──


def test_sums_of_an_answered_train():
    """Answered probes count as such, and nothing trails."""
    run = run_of((PROBE + ANSWER) * 3)

    assert (3, 3, 0, 0, 1) == tuple(run[name] for name in ("probes", "answered", "trailing", "lost", "trains"))
    assert (0, 4, -1) == tuple(run[name] for name in ("first_row", "last_row", "first_after_fin_row"))
    assert (0, 0, 0, 0) == tuple(run[name] for name in ("octets", "suspected", "zero_window", "undecided"))


def test_sums_of_lost_and_trailing_probes():
    """Unanswered probes are lost if the peer was heard again, and trail if it was not."""
    run = run_of(PROBE * 2 + PROBE + ANSWER + PROBE * 3)

    assert (6, 1, 2, 3) == tuple(run[name] for name in ("probes", "answered", "lost", "trailing"))


def test_probes_answered_by_a_reset_neither_trail_nor_live():
    """A RST answers a probe, but is not counted among the answers of a live peer."""
    run = run_of(PROBE + "+.01 b > a R 1:1(0) win 0\n")

    assert (1, 0, 0, 0) == tuple(run[name] for name in ("probes", "answered", "lost", "trailing"))


def test_sums_after_the_peers_fin():
    """Probes in CLOSE-WAIT are counted, with those of them that were answered."""
    text = (
        "+1 b > a F. 1:1(0) ack 1\n+.04 a > b . 1:1(0) ack 2\n" + "+5 a > b . 0:0(0) ack 2\n+.01 b > a . 2:2(0) ack 1\n"
    )
    run = run_of(PROBE + ANSWER + text + "+5 a > b . 0:0(0) ack 2\n")

    assert (3, 2, 2, 1, 2) == tuple(
        run[name]
        for name in ("probes", "after_fin", "after_peer_fin", "after_peer_fin_answered", "first_after_fin_row")
    )


def test_sums_of_octets_and_suspicions():
    """Probes with an octet, and suspected ones, are counted apart."""
    octets = run_of("+60 a > b . 0:1(1) ack 1 octet 00\n")
    suspected = run_of("+5 a > b . 99:99(0) ack 50\n" * 3, opening="")

    assert (1, 1, 0) == (octets["probes"], octets["octets"], octets["suspected"])
    assert (3, 3) == (suspected["probes"], suspected["suspected"])


def test_each_endpoint_has_its_own_sums():
    """The probes of one endpoint do not count for the other."""
    text = PROBE + ANSWER + "+3 b > a . 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\n"

    assert (1, 1) == (run_of(text, "a")["probes"], run_of(text, "b")["probes"])


def test_an_endpoint_without_probes_has_no_rows():
    """Where there is no probe, no row is first or last."""
    run = run_of("+1 b > a P. 1:9(8) ack 1\n+.01 a > b . 1:1(0) ack 9\n")

    assert (0, -1, -1, -1) == tuple(run[name] for name in ("probes", "first_row", "last_row", "first_after_fin_row"))


# ── one-sided captures ──

QUIET = "+5 a > b . 99:99(0) ack 50\n"


@pytest.mark.parametrize(
    ("text", "suspected"),
    [
        (QUIET * 3, 3),
        (QUIET * 2, 0),
        (QUIET * 2 + "+5.6 a > b . 99:99(0) ack 50\n", 3),
        (QUIET * 2 + "+6 a > b . 99:99(0) ack 50\n", 0),
        ("+.95 a > b . 99:99(0) ack 50\n" * 3, 3),
        ("+5 a > b . 99:100(1) ack 50\n" * 3, 3),
    ],
    ids=["three", "two", "an eighth late", "uneven", "just slow enough", "octets"],
)
def test_even_spacing_is_suspicious(text, suspected):
    """Three or more equal empty segments, as even as a timer, are suspected probes where nothing else is known."""
    assert suspected == len(probes_of(text, opening=""))


# ── closed windows ──

SHUT = "+.1 a > b P. 1:101(100) ack 1\n+.01 b > a . 1:1(0) ack 101 win 0\n"


def at_closed_window(*gaps):
    """Return the kinds of probes that come with these gaps at a closed window."""
    seen = batch_of(SHUT + "".join(f"+{gap} a > b . 100:100(0) ack 1\n" for gap in gaps)).seen
    return {Kind(kind).name for kind in seen["kind"][seen["seq"] == seen["snd_una"] - 1]}


@pytest.mark.parametrize(
    ("gaps", "kind"),
    [
        ((0.5,), "ZERO_WINDOW_PROBE"),
        ((0.2, 0.4, 0.8), "ZERO_WINDOW_PROBE"),
        ((1.5,), "AT_ZERO_WINDOW"),
        ((1.5, 3), "AT_ZERO_WINDOW"),
        ((1.5, 3, 6), "ZERO_WINDOW_PROBE"),
        ((5, 5), "KEEPALIVE_PROBE"),
        ((5, 2), "KEEPALIVE_PROBE"),
        ((5, 2, 2), "KEEPALIVE_PROBE"),
        ((2, 5, 5), "KEEPALIVE_PROBE"),
        ((5, 5, 2), "AT_ZERO_WINDOW"),
        ((5, 5, 7), "AT_ZERO_WINDOW"),
        ((5, 5, 10), "ZERO_WINDOW_PROBE"),
        ((120.1, 120.1, 120.1), "AT_ZERO_WINDOW"),
        ((136, 136, 136), "KEEPALIVE_PROBE"),
        ((30, 60, 120.1, 120.1), "ZERO_WINDOW_PROBE"),
    ],
)
def test_spacing_tells_at_a_closed_window(gaps, kind):
    """Doubling or quick probes are of the window, even ones of the peer; where neither holds they stay undecided."""
    assert {kind} == at_closed_window(*gaps)


def test_sums_at_a_closed_window():
    """Window probes and undecided ones are counted apart from keepalive."""
    quick, alone = (run_of(SHUT + f"+{gap} a > b . 100:100(0) ack 1\n") for gap in (0.2, 5))

    assert (0, 1, 0) == tuple(quick[name] for name in ("probes", "zero_window", "undecided"))
    assert (0, 0, 1) == tuple(alone[name] for name in ("probes", "zero_window", "undecided"))


def test_new_data_parts_trains_at_a_closed_window():
    """Data between two probes at a closed window begins another train, although the window never opened."""
    even = "+5 a > b . 100:100(0) ack 1\n" * 2
    more = "+1 a > b P. 101:103(2) ack 1\n+.01 b > a . 1:1(0) ack 103 win 0\n"
    seen = batch_of(SHUT + even + more + "+.2 a > b . 102:102(0) ack 1\n").seen
    kinds = [Kind(row["kind"]).name for row in seen if row["payload_len"] == 0 and row["side"] == 0]

    assert ["KEEPALIVE_PROBE", "KEEPALIVE_PROBE", "ZERO_WINDOW_PROBE"] == kinds
