"""A new SYN that meets a connection which its sender has lost."""

import pytest

from analyzer import explain
from analyzer.findings import kind_of
from tests.judging import codes, opened, scenario, texts, told

NEW_SYN = """
isn: a 70000000
+60     a > b  S   0:0(0)
"""
DRAWN = f"""{NEW_SYN}
+.0001  b > a  .   1:1(0) ack !2
+.0001  a > b  R   !2:!2(0) win 0
"""


def test_the_old_flow_is_ended_by_its_discovery():
    """The new SYN, the ACK that it drew and the RST are the evidence, about the end that had lost the connection."""
    old, new, *_ = scenario("half_open_prober_meets_a_new_syn")
    found = old.finding("half-open-discovered")

    assert ("a", (8, 9, 10)) == (found.about, found.frames)
    assert (
        "At the client's address this connection was no longer known: a new SYN from there drew an ACK with the old"
        " numbers, to which a RST replied." == explain.detail(found, old)
    )
    assert "half-open-discovered" not in codes(new)


def test_a_connection_from_before_the_capture():
    """The SYN stands before the first frame of the old flow, and is evidence all the same."""
    new, old = scenario("half_open_from_before_the_capture")

    assert (1, 2, 3) == old.finding("half-open-discovered").frames
    assert "half-open-discovered" not in codes(new)


def test_a_connection_that_was_closed_in_one_direction():
    """An end that had sent FIN no longer knows the connection, and no NAT need have forgotten it."""
    old = scenario("half_open_behind_a_fin")[0]
    found = old.finding("half-open-discovered")

    assert 4 == found.data["fin_frame"]
    why = " ".join(line.text for line in explain.story(old, old.record.first_ns).section("Why").lines)
    assert "had closed with FIN and no longer knew" in why
    assert "NAT" not in why


def test_a_nat_may_have_given_the_port_away():
    """Who sent the new SYN need not be who had the connection: that is among the causes, with where it would show."""
    old = scenario("half_open_prober_meets_a_new_syn")[0]

    why = " ".join(line.text for line in explain.story(old, old.record.first_ns).section("Why").lines)

    assert "Or a NAT had forgotten this connection, and gave its address and port to another one" in why
    assert "A capture at the client's own host tells which." in why


def test_who_did_not_probe_and_who_did():
    """Advice to probe is for an end that was not seen to probe."""
    kind = kind_of("half-open-discovered")
    probing = scenario("half_open_prober_meets_a_new_syn")[0].finding(kind.code)
    silent = opened(DRAWN).finding(kind.code)

    assert kind.text.change == kind.advice_of(silent)
    assert kind.advice_of(probing).startswith("Nothing: ")


def test_a_prober_that_had_heard_nothing_for_long():
    """Of an end that probes too seldom the advice is a shorter idle time, with the silence."""
    old = opened(
        """
        +200    b > a  .   0:0(0) ack 6
        +.0001  a > b  .   6:6(0) ack 1
        """
        + DRAWN.replace("+60 ", "+150 ")
    )
    kind = kind_of("half-open-discovered")

    assert "it had heard nothing for 2 min 30 s." in kind.advice_of(old.finding(kind.code))


@pytest.mark.parametrize(
    "name", ["half_open_syn_that_is_refused", "half_open_no_new_syn", "half_open_syn_that_is_answered"]
)
def test_near_misses(name):
    """A SYN that is refused or answered, or a RST without a new SYN, discovers nothing."""
    assert [] == [judged for judged in scenario(name) if "half-open-discovered" in codes(judged)]


@pytest.mark.parametrize(
    "lines",
    [
        "+.0001 a > b R !2:!2(0) win 0",
        "+4 b > a . 1:1(0) ack !2\n+.0001 a > b R !2:!2(0) win 0",
        "+.0001 b > a . 1:1(0) ack !2\n+4 a > b R !2:!2(0) win 0",
        "+.0001 b > a P. 1:5(4) ack !2\n+.0001 a > b R !2:!2(0) win 0",
        "+.0001 b > a . 1:1(0) ack !2\n+.0001 b > a R 1:1(0) win 0",
    ],
)
def test_what_does_not_fit(lines):
    """A RST that no ACK drew, a late ACK or RST, data in place of the ACK, a RST of the other end."""
    assert "half-open-discovered" not in codes(opened(NEW_SYN + lines))


def test_a_new_syn_that_only_draws_challenge_acks_is_blocked():
    """Without a RST in answer the old connection blocks the new one, and advice is about what drops that RST."""
    judged = scenario("new_syn_blocked_and_no_rst")[0]
    found, story = judged.finding("new-syn-blocked"), told(judged)

    assert ("a", (7, 8)) == (found.about, found.frames)
    assert "no RST in answer is in the capture" in story.headline
    assert "a challenge ACK" in texts(story, "What happened")
    assert "Inferred: the ACK did not reach the client, or its RST did not pass" in texts(story, "Why")
    assert "the RST that answers it" in texts(story, "What to change")
    assert "client has lost this connection" in texts(story, "Timeline")
    assert "no socket of this connection" in texts(story, "What the programs see (expected, not captured)")
