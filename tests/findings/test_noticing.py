"""How long a prober takes to notice."""

from tests.judging import captured, opened, texts, told


def test_what_is_later_than_late_timers_is_not_laid_to_them():
    """Where a probe is missing between the others the time it took is too long for late timers, and that is said."""
    probe = "+{gap} a > b . 5:5(0) ack 2\n"
    answered = (probe + "+.01 b > a . 2:2(0) ack 6\n").format(gap=30)
    scene = "+.1 b > a P. 1:2(1) ack 6\n+.01 a > b . 6:6(0) ack 2\n{answered}{probes}+10 a > b R. 6:6(0) ack 2\n"
    whole, lacking = (
        opened(scene.format(answered=answered * 2, probes="".join(probe.format(gap=gap) for gap in gaps)))
        for gaps in ((30, 10, 10, 10, 10), (30, 10, 20, 10))
    )

    assert "Linux timers run late by up to an eighth" in texts(told(whole), "Why")
    assert "later than late timers explain: a probe may be missing" in texts(told(lacking), "Why")
    assert "up to an eighth" not in texts(told(lacking), "Why")


def test_the_wait_after_an_answered_probe_is_the_period():
    """Where the last word was an answer, Linux waits the longer of idle time and interval."""
    (_, _, judged), _ = captured("lab/port_reuse.pcap")

    assert 2_000_000_000 == judged.finding("dead-peer-detected").data["wait_ns"]


def test_one_unanswered_probe_was_enough():
    """Where a single unanswered probe ended the connection, that is said, and advice is to allow more."""
    answered = "+30 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n" * 2
    story = told(opened(f"{answered}+30 a > b . 5:5(0) ack 1\n+10 a > b R. 6:6(0) ack 1\n"))

    assert "One unanswered probe was enough" in texts(story, "Why")
    assert "raise the count (TCP_KEEPCNT)" in texts(story, "What to change")
