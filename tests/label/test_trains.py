"""Trains of probes, and what they add up to."""

import pytest

from tests.labelling import ANSWER, MS, PROBE, probes_of, run_of

SHUT = "+.1 a > b P. 1:101(100) ack 1\n+.01 b > a . 1:1(0) ack 101 win 0\n"


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


def test_sums_of_an_answered_train():
    """Answered probes count as such, and nothing trails."""
    run = run_of((PROBE + ANSWER) * 3)

    assert (3, 3, 0, 1, 0) == tuple(run[name] for name in ("probes", "answered", "trailing", "trains", "first_row"))
    assert (0, 0) == tuple(run[name] for name in ("zero_window", "undecided"))


def test_sums_of_trailing_probes():
    """Unanswered probes trail if the peer was not heard again."""
    run = run_of(PROBE * 2 + PROBE + ANSWER + PROBE * 3)

    assert (6, 1, 3) == tuple(run[name] for name in ("probes", "answered", "trailing"))


def test_probes_answered_by_a_reset_neither_trail_nor_live():
    """A RST answers a probe, but is not counted among the answers of a live peer."""
    run = run_of(PROBE + "+.01 b > a R 1:1(0) win 0\n")

    assert (1, 0, 0) == tuple(run[name] for name in ("probes", "answered", "trailing"))


def test_sums_after_the_peers_fin():
    """Probes in CLOSE-WAIT are counted."""
    text = (
        "+1 b > a F. 1:1(0) ack 1\n+.04 a > b . 1:1(0) ack 2\n" + "+5 a > b . 0:0(0) ack 2\n+.01 b > a . 2:2(0) ack 1\n"
    )
    run = run_of(PROBE + ANSWER + text + "+5 a > b . 0:0(0) ack 2\n")

    assert (3, 2, 2) == tuple(run[name] for name in ("probes", "after_fin", "after_peer_fin"))


def test_every_probe_counts():
    """Probes with an octet, and suspected ones, are counted as well."""
    assert 1 == run_of("+60 a > b . 0:1(1) ack 1 octet 00\n")["probes"]
    assert 3 == run_of("+5 a > b . 99:99(0) ack 50\n" * 3, opening="")["probes"]


def test_each_endpoint_has_its_own_sums():
    """The probes of one endpoint do not count for the other."""
    text = PROBE + ANSWER + "+3 b > a . 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\n"

    assert (1, 1) == (run_of(text, "a")["probes"], run_of(text, "b")["probes"])


def test_an_endpoint_without_probes_has_no_rows():
    """Where there is no probe, no row is the first."""
    run = run_of("+1 b > a P. 1:9(8) ack 1\n+.01 a > b . 1:1(0) ack 9\n")

    assert (0, -1) == (run["probes"], run["first_row"])


def test_sums_at_a_closed_window():
    """Window probes and undecided ones are counted apart from keepalive."""
    quick, alone = (run_of(SHUT + f"+{gap} a > b . 100:100(0) ack 1\n") for gap in (0.2, 5))

    assert (0, 1, 0) == tuple(quick[name] for name in ("probes", "zero_window", "undecided"))
    assert (0, 0, 1) == tuple(alone[name] for name in ("probes", "zero_window", "undecided"))
