"""How soon an end's host answers, and what is too soon."""

import pytest

from analyzer.judge import nearness
from tests.judging import opened

ANSWERED = """
+30     a > b  .   5:5(0) ack 1
+.02    b > a  .   1:1(0) ack 6
"""


def test_the_soonest_answer_of_all_counts():
    """A handshake and answers to probes show how soon a host answers."""
    record = opened(ANSWERED).record

    assert nearness.opening_ns(record, "b") == 10_000_000
    assert nearness.soonest_ns(record, "b", record.last_frame + 1)[0] == 10_000_000
    assert nearness.soonest_ns(record, "a", record.last_frame + 1)[0] == 10_000_000


@pytest.mark.parametrize(
    ("took_ns", "probed", "soon"),
    [(2_000_000, True, True), (3_000_000, True, False), (2_000_000, False, False), (900_000, False, True)],
    ids=["a fifth", "a third", "a fifth of a handshake", "a tenth of a handshake"],
)
def test_what_is_too_soon(took_ns, probed, soon):
    """What takes a small part of the least time came from nearer; a handshake alone says less."""
    record = opened(ANSWERED if probed else "").record

    assert soon == nearness.is_too_soon(record, "b", took_ns, record.last_frame + 1)


def test_a_syn_sent_again_measures_nothing():
    """Which SYN was answered is not known."""
    record = opened("").record
    asked = record.facts_a._replace(syn_count=2)

    assert nearness.opening_ns(record._replace(facts_a=asked), "b") is None


@pytest.mark.parametrize(("wait", "took"), [("+.02", 20_000_000), ("+5", None)], ids=["at once", "later"])
def test_how_long_a_reset_took(wait, took):
    """A RST right behind a segment of the other end took as long; a later one answers nothing."""
    record = opened(f"+30 a > b P. 6:9(3) ack 1\n{wait} b > a R 1:1(0) win 0\n").record

    assert took == nearness.reset_took_ns(record, record.ending_reset)


@pytest.mark.parametrize(
    ("took", "ttl", "frames"),
    [(".0005", 250, [6, 8]), (".0005", 64, []), (".008", 250, [])],
    ids=["much sooner and elsewhere", "sooner over the same distance", "as late"],
)
def test_answers_that_something_nearer_gives(took, ttl, frames):
    """Answers much sooner than the handshake's, over another distance, are not the peer's."""
    record = opened(f"""
+30     a > b  .   5:5(0) ack 1
+{took} b > a  .   1:1(0) ack 6 ttl {ttl}
+30     a > b  .   5:5(0) ack 1
+{took} b > a  .   1:1(0) ack 6 ttl {ttl}
""").record

    assert frames == [probe.frame for probe in nearness.answers_from_nearer(record, "b")]


@pytest.mark.parametrize(
    ("took", "ttl", "whence"),
    [(".0005", 64, "nearer"), (".02", 60, "as_far"), (".004", 64, "as_far"), (".004", 60, "elsewhere")],
)
def test_where_icmp_errors_come_from(took, ttl, whence):
    """Delay tells where an ICMP error comes from that bears the peer's address; where it does not, distance does."""
    record = opened(f"{ANSWERED}+30 a > b . 5:5(0) ack 1\n+{took} a > b icmp 3/3 5:5(0) ttl {ttl}\n").record

    assert whence == nearness.errors_come_from(record, "b", record.icmp_errors).value
