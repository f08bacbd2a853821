"""A live peer that answers no probe."""

from analyzer import explain
from tests.judging import codes, opened, scenario, texts, told

TRAIN = """
+10  a > b  .   5:5(0) ack {0}
+5   b > a  P.  {0}:{1}(10) ack 6
+.01 a > b  .   6:6(0) ack {1}
"""
"""A probe in vain, and data of the peer long after it, behind OPENING."""


def test_a_habit_takes_three_trains():
    """Probes in vain before data of the peer are told once three trains show it; two may be chance."""
    two = TRAIN.format(1, 11) + TRAIN.format(11, 21)
    three = opened(two + TRAIN.format(21, 31) + "+10 a > b . 5:5(0) ack 31\n")

    assert "answers-no-probe" in codes(three)
    assert "answers-no-probe" not in codes(opened(two))


def test_one_answer_is_enough_against_it():
    """A peer that answered one probe answers probes."""
    judged = opened(
        "+10 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
        + "".join(TRAIN.format(low, low + 10) for low in (1, 11, 21))
    )

    assert "answers-no-probe" not in codes(judged)


def test_why_depends_on_the_form_of_the_probes():
    """Empty probes may be what an old stack ignores; an octet should be answered by every stack."""
    (judged,) = scenario("live_peer_answers_no_probe")
    octets = opened("".join(TRAIN.format(low, low + 10).replace("5:5(0)", "5:6(1)") for low in (1, 11, 21)))

    assert "empty" == judged.finding("answers-no-probe").data["form"]
    assert "octet" == octets.finding("answers-no-probe").data["form"]
    assert "perhaps probes are dropped" in explain.story(octets, 0).section("Why").lines[0].text


def test_probes_without_timestamps_among_timestamps_are_named():
    """Where the connection has timestamps and the probes do not, that is the likely reason."""
    stamped = "+10 a > b P. 6:6(0) ack 1 <ts 5 5>\n".replace("P.", ".")
    train = TRAIN.replace("ack {1}", "ack {1} <ts 9 9>")
    judged = opened(stamped + "".join(train.format(low, low + 10) for low in (1, 11, 21)))

    assert "without_timestamps" == judged.finding("answers-no-probe").data["form"]


def test_the_last_train_in_vain_is_no_sign_of_death():
    """A peer that answers no probe is not said to have stopped answering, nor a prober to have done its work."""
    at_the_end = told(scenario("live_peer_that_answers_no_probe_at_the_end")[0])
    given_up = told(scenario("live_peer_that_answers_no_probe_given_up")[0])

    assert "was alive but never answered a probe" in at_the_end.headline
    assert "all times but the last" in at_the_end.headline
    assert "since this peer never answers probes, that tells nothing" in texts(at_the_end, "What happened")
    assert "stopped answering" not in texts(given_up, "Why")
    assert "Whether the client was dead is unknown" in texts(given_up, "Why")
