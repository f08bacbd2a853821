"""Long silences."""

from analyzer.findings import Case
from analyzer.findings.kinds import idle
from tests.judging import codes, opened, scenario, texts, told


def test_silence_without_probes_counts_from_a_minute():
    """A silence of a minute that nobody probes is found, a shorter one is not."""
    assert "idle-without-probes" in codes(opened("end: +60"))
    assert "idle-without-probes" not in codes(opened("end: +59"))


def test_silence_before_the_failing_probe_is_measured_against_known_boxes():
    """A probe that fails after five minutes of silence points at boxes that forget sooner."""
    slow = opened("""
+300 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")
    quick = opened("""
+200 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")

    assert "idle-beyond-middlebox-limit" in codes(slow)
    assert "idle-beyond-middlebox-limit" not in codes(quick)


def test_silence_of_a_flow_with_no_activity_at_all_counts_from_its_last_segment():
    """A flow of nothing but keepalive forms has its silence measured from its last segment."""
    judged = scenario("midstream_octet_unproven")[0]
    case = Case(judged.record, judged.ending, "a", (None, None))
    span = idle.silence(case)

    assert span is None or span[0] < 10_000_000_000


def test_the_limits_shorter_than_a_silence_are_listed():
    """Boxes that forget sooner than the silence lasted are named with their limits."""
    judged = opened("""
+400 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")
    limits = judged.finding("idle-beyond-middlebox-limit").data["limits"]

    assert "Azure Load Balancer 240 s" in limits
    assert "350 s" in limits
    assert "600 s" not in limits


REFUSED = "+300 a > b P. 6:16(10) ack 1\n+.01 b > a R 1:1(0) win 0\nend: +5\n"
"""Data out of a silence, and a RST that answers it."""


def test_data_that_fails_right_after_an_answered_probe_met_no_limit():
    """What passed before the data counts whatever it was: probes and their answers too."""
    beat = "+60 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
    probed = opened(5 * beat + REFUSED.replace("+300", "+5", 1))

    assert "idle-beyond-middlebox-limit" in codes(opened(REFUSED))
    assert "idle-beyond-middlebox-limit" not in codes(probed)
    assert "idle-limit" not in [cause.code for cause in probed.causes]


def test_the_silence_before_data_is_measured_from_the_last_packet():
    """Behind answered probes it is as long as nothing at all passed."""
    judged = opened("+200 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n" + REFUSED)

    assert 300_000_000_000 == judged.finding("idle-beyond-middlebox-limit").data["silence_ns"]


def test_advice_knows_the_idle_time_that_was_inferred():
    """An end whose idle time is known is not told of the default, but of its own."""
    judged = opened(2 * "+200 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n" + REFUSED)
    finding = judged.finding("idle-beyond-middlebox-limit")

    assert finding.data["idle_ns"] < finding.data["silence_ns"]
    assert "find out why it did not probe (its host" in idle.BEYOND_LIMIT.advice_of(finding)
    assert "the default of 2 h" in idle.BEYOND_LIMIT.advice_of(opened(REFUSED).finding("idle-beyond-middlebox-limit"))


CLOSED = "+{} b > a F. 1:1(0) ack 6\n+.01 a > b F. 6:6(0) ack 2\n+.01 b > a . 2:2(0) ack 7\nend: +5\n"
"""An orderly close out of a silence."""


def test_an_idle_timeout_of_a_program_is_no_lack_of_keepalive():
    """An orderly close out of a long silence is told as a program's timeout, and no keepalive is advised."""
    judged = opened(CLOSED.format(75))
    story = told(judged)

    assert [] == codes(judged)
    assert "The server closed after 75.000 s without data: its program's own timeout" in texts(story, "What happened")
    assert "Nothing: both ends closed, as they should." == texts(story, "What to change")
    assert "own timeout" not in texts(told(opened(CLOSED.format(59))), "What happened")


def test_an_idle_timeout_is_told_before_the_other_end_closed():
    """The same is told where the capture ended, or the other end had not closed, behind the FIN."""
    closing, half_closed = (opened(CLOSED.format(75).splitlines()[0] + f"\nend: +{end}\n") for end in (1, 90))

    for judged in (closing, half_closed):
        assert "idle-without-probes" not in codes(judged)
        assert "The server closed after 75.000 s without data" in texts(told(judged), "What happened")


def test_a_long_silence_before_more_data_is_still_one_that_nobody_probed():
    """A silence that data ended, before a close soon after, is found as before."""
    later = opened(
        "+90 a > b P. 6:11(5) ack 1\n+.01 b > a . 1:1(0) ack 11\n+1 b > a F. 1:1(0) ack 11\n"
        "+.01 a > b F. 11:11(0) ack 2\n+.01 b > a . 2:2(0) ack 12\n"
    )

    assert "idle-without-probes" in codes(later)
    assert "with an idle time of 60 to 200 s" in texts(told(later), "What to change")


def test_a_probe_that_a_timer_sent_late_came_when_it_was_due():
    """A silence longer than idle by what timers are late, an eighth on Linux, is no probe that did not come."""
    failing = "+{} a > b . 5:5(0) ack 1\n+75 a > b . 5:5(0) ack 1\n+75 a > b . 5:5(0) ack 1\nend: +200\n"
    advice = texts(told(opened(failing.format(7340.3))), "What to change")
    on_time = texts(told(opened(failing.format(7200.012))), "What to change")

    assert "did not probe" not in advice + on_time
    assert "set keepalive's idle time, now up to 2 h, below the path's limit" in advice
    assert "set keepalive's idle time, now up to 2 h, below the path's limit" in on_time


AGAIN = "".join(f"+{wait} a > b P. 6:106(100) ack 1\n" for wait in (0.2, 30, 60, 120))
"""Retransmissions far apart."""


def test_waits_of_retransmissions_are_no_lack_of_keepalive():
    """While data is in flight Linux sends no probe: a wait between retransmissions is no silence that nobody probed."""
    sent = f"+1 a > b P. 6:106(100) ack 1\n{AGAIN}"
    endings = ("end: +60\n", "+.01 b > a R 1:1(0) win 0\n", "+.01 b > a . 1:1(0) ack 106\nend: +50\n")

    assert all("idle-without-probes" not in codes(opened(sent + ending)) for ending in endings)
    assert "idle-without-probes" not in codes(opened("+1 a > b P. 6:106(100) ack 1\n+90 b > a R. 1:1(0) ack 6\n"))
    assert "idle-without-probes" in codes(opened(sent + "+.01 b > a . 1:1(0) ack 106\nend: +200\n"))
