"""What is told of heartbeats: whose, how often, since when, what became of them, how it is known."""

from dataclasses import replace

import pytest

from analyzer.words.beats import beat_line, beat_lines, clause, late_lines, over_lines, paces_of
from analyzer.words.teller import Teller
from tests.heartbeats import Talk, each
from tests.judging import judge
from tests.notation import parse


def teller(talk, tail="end: +9\n"):
    """The teller of a flow that goes on."""
    (judged,) = judge(parse("\n".join(talk.lines) + "\n" + tail))
    return Teller(judged, judged.record.first_ns)


def changed(t, **fields):
    """The same, of whose train more is known."""
    (train,) = t.record.heartbeats
    record = t.record._replace(heartbeats=(train._replace(**fields),))
    return Teller(replace(t.judged, record=record), t.start_ns)


def test_a_healthy_train():
    """Who sends what, how often, from where to where, how many were answered, and how long the longest answer took."""
    t = teller(Talk().beats(each(20, 20, 6)))
    (train,) = t.record.heartbeats

    sent, longest, perhaps = (line.text for line in beat_lines(t))
    assert sent.startswith(
        "The client's program sent 6 heartbeats of 6 bytes (by their form), one every 20.000 s, from"
    )
    assert sent.endswith(" from frame 4 to frame 19; the server's program answered all.")
    assert "The longest answer took 10 ms." == longest
    assert "may be heartbeats of the server's own, by the same clock" in perhaps
    assert "the client's heartbeats (by their form), one every 20.000 s, all 6 answered" == clause(t)
    assert "client sends 6 heartbeats (by their form), one every 20.000 s, all 6 answered" == beat_line(t, train).text


@pytest.mark.parametrize(("answer", "after"), [(20, 0.01), (6, 0.3)], ids=["longer", "late"])
def test_answers_that_are_no_heartbeats_of_their_own(answer, after):
    """Answers of another length, or that take their time, are not said to be perhaps the other end's own heartbeats."""
    t = teller(Talk().beats(each(20, 20, 6), answer=answer, after=after))

    assert not any("own" in line.text for line in beat_lines(t))


def test_heartbeats_that_got_no_answer():
    """How many stayed unanswered is said apart for those amid others, and with frames where they are known."""
    talk = Talk().beats(each(20, 20, 4)).beats([100], answer=0).beats(each(120, 20, 3)).beats([180, 200], answer=0)
    t = teller(talk)
    known = changed(t, lapse_frame=12, lapse_last_frame=12, slow_frame=4)

    assert any("1 of these heartbeats got no answer, though a later one did." == line.text for line in beat_lines(t))
    told = {line.text: line.frames for line in beat_lines(known)}
    assert (12,) == told["1 of these heartbeats got no answer, though a later one did: frame 12."]
    assert (4,) == told["The longest answer took 10 ms (to frame 4)."]
    assert any("The last 2 heartbeats, from frame" in text and "acknowledged them" in text for text in told)
    assert clause(t).endswith("7 of 10 answered")


def test_a_period_that_was_changed():
    """Both periods are told, in the headline too, with the answers to all; the later one's line has the earlier."""
    t = teller(Talk().beats([*each(20, 20, 6), *each(180, 60, 5)]), "end: +30\n")

    assert [6, 5] == [train.sent for train in t.record.heartbeats]
    assert clause(t).endswith("(by their form), one every 20.000 s, then one every 60.000 s, all 11 answered")
    assert any("one every 60.000 s (every 20.000 s before), from frame" in line.text for line in beat_lines(t))


def test_two_timers_at_a_time_are_no_period_that_was_changed():
    """What an end sends alike by another timer at the same time follows nothing."""
    t = teller(Talk().beats(each(20, 20, 6)))
    (train,) = t.record.heartbeats
    other = train._replace(first_frame=train.first_frame + 1, last_frame=train.last_frame + 1, period_ns=7)
    both = Teller(replace(t.judged, record=t.record._replace(heartbeats=(train, other))), t.start_ns)

    assert (train,) == paces_of(both, train)
    assert "before)" not in "".join(line.text for line in beat_lines(both))


def test_the_last_may_be_answered_still():
    """A heartbeat right before the capture's end counts neither as answered nor as missed."""
    t = teller(Talk().beats(each(20, 20, 5)).beats([120], answer=0, after=0), "end: +0.5\n")

    assert "5 answered, the last just sent" in clause(t)
    assert any("too late for an answer" in line.text for line in beat_lines(t))
    assert not any("got no answer" in line.text for line in beat_lines(t))


def test_messages_that_may_be_data():
    """What has room for data, and nobody answers, may be none; what is read as data or a request is called that."""
    t = teller(Talk().beats(each(20, 20, 6), length=65, answer=0))

    asked = teller(Talk().beats(each(20, 20, 6), 90, 90))

    assert "the client's heartbeats (by their form; may be a poll), one every 20.000 s, all 6 answered" == clause(asked)
    assert "messages (heartbeats, or data at even times: only their form is known)" in clause(t)
    assert "the client's messages (MQTT PUBLISH, periodic data)" in clause(changed(t, protocol="MQTT PUBLISH"))
    assert "requests (HTTP request, a periodic request; may be a poll)" in clause(changed(t, protocol="HTTP request"))


def test_both_ends_that_beat():
    """Heartbeats of both ends are told together; what another sentence tells is left out."""
    talk = Talk()
    for at in each(20, 20, 6):
        talk.beats([at], answer=0).beats([at + 7], answer=0, who="b")
    t = teller(talk)
    left_out = frozenset(train.last_frame for train in t.record.heartbeats)

    assert "heartbeats of both ends (by their form), the client's every 20.000 s and the server's every" in clause(t)
    assert not beat_lines(t, left_out)
    assert None is clause(teller(Talk().says(20, "a", 6)))


def test_time_for_more():
    """Where there was time for more heartbeats than were counted that is said; one more or less is nothing."""
    t = teller(Talk().beats(each(20, 20, 6)))
    more = changed(t, last_ns=t.record.heartbeats[0].last_ns + 60_000_000_000)

    assert not any("there was time for" in line.text for line in beat_lines(t))
    assert any(
        "From the first to the last there was time for 9: where other data passed" in line.text
        for line in beat_lines(more)
    )


def test_what_to_find_out_of_who_answered_late():
    """A program that left heartbeats unanswered, or took long, is to be looked at; not one that is well, or polled."""
    t = teller(Talk().beats(each(20, 20, 4)).beats([100], answer=0).beats(each(120, 20, 3)))
    slow = changed(t, slowest_ns=6_300_000_000, slow_frame=9, lapse_frame=7, lapse_last_frame=7)
    (line,) = late_lines(slow)

    assert "The server: find out what kept its program when it left 1 heartbeat without an answer and took" in line.text
    assert (7, 9) == line.frames
    assert not late_lines(teller(Talk().beats(each(20, 20, 6))))
    assert not late_lines(changed(slow, protocol="HTTP request"))


def test_heartbeats_that_are_over():
    """For how long none came at the end is told, of a flow that goes on in its headline, else up to the FIN."""
    on = teller(Talk().beats(each(20, 20, 6)), tail="end: +300\n")
    talk = Talk().beats(each(20, 20, 6))
    talk.lines.append("@400 b > a F. 37:37(0) ack 37")
    closed = teller(talk)

    assert clause(on).endswith("one every 20.000 s, all 6 answered, none in the last 5 min")
    assert ["The client: if its heartbeats were to go on, find out why its program sent none in the last 5 min."] == [
        line.text for line in over_lines(on)
    ]
    assert clause(closed).endswith("all 6 answered, none in the 4 min 40 s before")
    assert any("until the connection was closed or reset" in line.text for line in beat_lines(closed))
    assert not over_lines(teller(Talk().beats(each(20, 20, 6))))


def test_heartbeats_whose_sender_went_on_with_data():
    """Nothing is said of heartbeats that ceased while their sender sent something else."""
    talk = Talk().beats(each(20, 20, 6)).says(330, "a", 700)

    assert "none in" not in clause(teller(talk))


def test_of_an_end_that_was_not_captured_no_answer_is_told():
    """Where one direction is missing, acknowledgements are no answers, and what is seen may be answers itself."""
    talk = Talk()
    talk.lines = ["# One direction.", "+0 a > b . 1:1(0) ack 1"]
    talk.lines += [f"@{20 + 20 * at} a > b P. {1 + 6 * at}:{7 + 6 * at}(6) ack {7 + 6 * at}" for at in range(8)]
    t = teller(talk)
    (train,) = t.record.heartbeats

    assert train.answered is None
    told = " ".join(line.text for line in beat_lines(t))
    assert "They may be answers to heartbeats of" in told
    assert "answered" not in told
