"""Answers to probes that come another way."""

from tests.judging import codes, opened, scenario, texts, told

ANSWERED = """
+30   a > b  .   5:5(0) ack 1
+.01  b > a  .   1:1(0) ack 6 ttl {}
"""


def flow(*ttls):
    """A connection whose probes are answered with these TTLs."""
    return opened("".join(ANSWERED.format(ttl) for ttl in ttls) + "end: +1\n")


def test_another_machine_answers():
    """Another initial TTL is told as most likely another machine's, with the frame from which on it is seen."""
    judged = scenario("answers_come_from_another_machine")[0]
    story = told(judged)
    also = texts(story, "Also")

    assert "From frame 11 on the server's answers to probes come with TTL 255, and not 60 and from another" in also
    assert "most likely another machine answers in its name" in also
    assert "these began with 64 and with 255" in also
    assert "all is well" not in texts(story, "What to change")


def test_another_distance_may_be_another_path():
    """Where only the distance differs, the path may have changed."""
    judged = flow(64, 64, 60, 60)

    assert "answers-come-another-way" in codes(judged)
    assert "the path from it has changed, or another machine answers" in texts(told(judged), "Also")


def test_one_way_throughout():
    """Answers that come one way, or now this way and now that, have not changed theirs."""
    assert "answers-come-another-way" not in codes(flow(64, 64, 64))
    assert "answers-come-another-way" not in codes(flow(64, 64, 60, 64))
