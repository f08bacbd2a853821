"""Conditions that several causes share."""

from analyzer.causes import conditions as c
from analyzer.judge.scene import Scene
from tests.causes.scenes import dead
from tests.judging import scenario


def scene_of(judged):
    """The scene of a judged flow."""
    return Scene(judged.record, judged.ending, judged.findings)


def test_silence_beside_a_reset():
    """A prober that gives up ends in silence; a RST of the peer is none."""
    silent, reset = scene_of(scenario("dead_peer_gave_up")[0]), scene_of(scenario("half_close_held_by_keepalive")[0])

    assert c.fell_silent(silent)
    assert not c.was_reset(silent)
    assert c.was_reset(reset)
    assert not c.fell_silent(reset)


def test_an_end_that_answered_to_the_end_did_not_fall_silent():
    """Where the capture shows answers that the prober missed, its peer had not fallen silent."""
    assert not c.fell_silent(scene_of(scenario("answers_lost_behind_the_capture")[0]))


def test_a_capture_that_lacks_frames():
    """Where packets were dropped while capturing, absence proves nothing."""
    flow = scenario("probes_unanswered_behind_the_drops")[0]

    assert c.capture_lacks_frames(scene_of(flow)) == (not c.capture_is_whole(scene_of(flow)))


def test_what_was_heard_on_the_link():
    """A host that is not heard, and a station that is, are told apart."""
    made = dead()
    made.put(11, b"\xff" * 6 + (0x020000000002).to_bytes(6, "big") + b"\x88\xcc" + bytes(46))
    scene = scene_of(made.judged())

    assert c.host_was_not_heard(scene)
    assert c.station_was_heard(scene)
    assert not c.nothing_was_heard(scene)
    assert c.a_station_was_heard(scene)
