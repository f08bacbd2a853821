"""What to change, and that nothing is to be changed."""

import pytest

from analyzer.explain.advice import NOTHING
from analyzer.judge.verdict import Verdict
from tests.judging import captured, opened, scenario, texts, told, written
from tests.notation import SCENARIOS


def test_nothing_to_change_is_said_where_that_is_so():
    """An open connection whose probes are answered needs no change, and the story says so."""
    assert "Nothing: as far as this capture goes, all is well." == texts(
        told(scenario("live_peer_answers")[0]), "What to change"
    )


def test_an_icmp_error_since_the_peer_was_heard_is_not_well():
    """Who says by ICMP that the peer cannot be reached is named; all is well once it is heard, or for a redirect."""
    open_still = told(scenario("icmp_error_as_the_capture_ends")[0])
    lines = (SCENARIOS / "icmp_error_as_the_capture_ends.pkt").read_text().partition("verdict:")[0]
    heard = told(written(f"{lines}+.01 b > a . 1:1(0) ack 1\n"))

    assert texts(open_still, "What to change").startswith(
        "Find out why 203.0.113.1 answers the client by ICMP (host un"
    )
    assert texts(heard, "What to change") == NOTHING[Verdict.OPEN]
    assert texts(told(written(lines.replace("icmp 3/1", "icmp 5/1"))), "What to change") == NOTHING[Verdict.OPEN]


def test_a_finding_that_is_normal_says_so_in_its_own_words():
    """A half-close in use is normal, and what may still be worth knowing is said beside that."""
    (judged,), _ = captured("half_close_deliberate.pcap")

    assert texts(told(judged), "What to change").startswith("Nothing. But some middleboxes drop a half-closed flow")


def test_whose_program_is_to_close_is_said_once_it_is_late():
    """A FIN that nothing follows for 10 s or more has a program behind it that does not close; before, that is open."""
    closing = "+1 a > b F. 6:6(0) ack 1\n+.01 b > a . 1:1(0) ack 7\n"
    late, soon = (texts(told(opened(f"{closing}end: +{wait_s}\n")), "What to change") for wait_s in (30, 5))

    assert late.startswith("The server: see that its program reads until end of file and then closes")
    assert soon.startswith("Nothing so far")


@pytest.mark.parametrize("verdict", [Verdict.TIMED_OUT, Verdict.SILENT, Verdict.ABORTED, Verdict.RESET_ON_PROBE])
def test_it_is_not_said_of_a_connection_that_failed(verdict):
    """Where something went wrong nobody is told that nothing needs changing."""
    assert verdict not in NOTHING


def test_the_same_is_not_advised_twice():
    """Who is told by name to probe sooner is not told so once more in general."""
    judged = opened("+360 a > b P. 6:16(10) ack 1\n+.01 b > a R 1:1(0) win 0\n")
    change = texts(told(judged), "What to change")

    assert {"idle-beyond-middlebox-limit", "idle-without-probes"} <= {found.code for found in judged.findings}
    assert "The client: set keepalive's idle time below the path's limit" in change
    assert 1 == change.count("60 to 200 s")


def test_all_is_not_well_where_probes_stayed_unanswered():
    """Where no finding advises anything, but probes got no answer, that is what to find out."""
    beats = 3 * "+30 a > b . 5:5(0) ack 1\n"
    change = texts(told(opened(f"{beats}+20 b > a P. 1:9(8) ack 6\n+.001 a > b . 6:6(0) ack 9\n")), "What to change")

    assert "all is well" not in change


def test_all_is_not_well_where_a_live_peer_takes_no_data():
    """Data that was sent again and again, and never acknowledged by a peer that is heard, is to be looked into."""
    again = "".join(f"+{wait} a > b P. 6:106(100) ack 1\n+.001 b > a . 1:1(0) ack 6\n" for wait in (1, 2, 4, 8))
    change = texts(told(opened("+1 a > b P. 6:106(100) ack 1\n+.001 b > a . 1:1(0) ack 6\n" + again)), "What to change")

    assert "all is well" not in change
    assert "sent again 4 times" in change


@pytest.mark.parametrize(
    ("name", "told_by", "again"),
    [
        ("heartbeats_slower_than_a_limit", "let heartbeats come sooner", "At one end, or both, set SO_KEEPALIVE"),
        ("idle_limit_ends_it_with_a_bare_rst", "Find out whose limit of 240 s it is", "At one end, or both"),
        ("half_open_connection_discovered", "enable keepalive there", "At one end, or both, set SO_KEEPALIVE"),
        ("prober_clock_stood_still", "Keep the host that slept awake", "Check whether the prober's host slept"),
        ("window_probes_and_data_unanswered", "set TCP_USER_TIMEOUT", "limit the wait"),
        ("live_peer_that_answers_no_probe_given_up", "do not use TCP keepalive", "lower keepalive's idle time"),
        ("several_connections_refused_together", "", "check whether this host or container restarted"),
    ],
)
def test_what_one_advice_comes_down_to_no_other_repeats(name, told_by, again):
    """Of findings whose advice comes down to the same the first, or the better, gives it; a cause that says it, too."""
    change = texts(told(scenario(name)[0]), "What to change")

    assert told_by in change
    assert again not in change


def test_the_same_finding_at_both_ends_advises_both():
    """A remedy that one finding gives to one end is no reason to leave it out at the other."""
    judged = opened(
        "+1 a > b P. 6:9(3) ack 1\n+.1 b > a P. 1:4(3) ack 6\n" * 2
        + "+2 a > b P. 6:9(3) ack 1\n+.1 b > a P. 1:4(3) ack 6\nend: +9\n"
    )
    change = texts(told(judged), "What to change")

    assert 2 == sum(finding.code == "data-unacknowledged-no-keepalive" for finding in judged.findings)
    assert "The client: set TCP_USER_TIMEOUT" in change
    assert "The server: set TCP_USER_TIMEOUT" in change
