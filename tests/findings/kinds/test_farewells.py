"""Ends that say why they end a connection."""

from analyzer import explain
from analyzer.judge.farewells import REASONS
from tests.judging import codes, judge_batches, scenario
from tests.notation import SCENARIOS, follow, load


def test_a_router_that_says_that_its_hold_time_ran_out():
    """It is told as its own word, with the frame; that it gave up on heartbeats is no inference then."""
    (judged,) = scenario("hold_time_ran_out")
    found = judged.finding("reason-given")
    why = explain.story(judged, 0).section("Why").lines

    assert ("a", (26, 32, 33)) == (found.about, found.frames)
    assert "ended the connection because the server's heartbeats stayed away: it said so itself" in explain.detail(
        found, judged
    )
    assert [(32,)] == [line.frames for line in why if "itself said that it was because of that" in line.text]
    assert not [line for line in why if "is inferred." in line.text and "ended the connection" in line.text]
    assert "It said itself why: BGP NOTIFICATION 4/0" in explain.detail(judged.finding("heartbeats-missed"), judged)


def test_how_long_the_other_program_had_been_silent():
    """The last that it said stands before the word, with the time between; the advice is that of the program's hang."""
    (judged,) = scenario("hold_time_ran_out")
    story = explain.story(judged, 0)

    assert 30 == round(judged.finding("reason-given").data["silent_ns"] / 1e9)
    assert not any("that was waited for" in line.text for line in story.section("What to change").lines)


def said(place):
    """The same flow, but for what was said."""
    batches = follow([(scene := load(SCENARIOS / "hold_time_ran_out.pkt")).batch()])
    batches = scene.dissected(batches)
    batches[0].trains["said"] = place
    (judged,) = judge_batches(batches)
    return judged


def test_pings_that_are_refused_too_soon_for_a_rhythm():
    """Who is told that it pings too often is told what to set."""
    place = 1 + next(at for at, reason in enumerate(REASONS) if reason.says == "too many pings")
    refused = said(place)
    change = [line.text for line in explain.story(refused, 0).section("What to change").lines]

    assert "said why: HTTP/2 GOAWAY 11, too many pings." in explain.headline(refused, 0)
    assert any("raise the keepalive time of the end that pings" in line for line in change)


def test_another_reason():
    """What has nothing to do with heartbeats is told as it was said, and nobody gave up then; no word is no reason."""
    other = said(7)
    text = explain.detail(other.finding("reason-given"), other)

    change = [line.text for line in explain.story(other, 0).section("What to change").lines]

    assert any("administrative shutdown" in line for line in change)
    assert not {"program-hung", "heartbeats-missed"} & set(codes(other))
    assert text == "The client ended the connection and said why: BGP NOTIFICATION 6/2, administrative shutdown."
    assert "reason-given" not in codes(said(0))
