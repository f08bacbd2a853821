"""A flow's end and what was known beside it."""

from analyzer.judge.scene import Scene, holes_in
from analyzer.track.awake import Hole
from tests.causes.scenes import dead
from tests.judging import captured, scenario
from tests.track.test_beside import IP_C


def of(judged):
    """The scene of a judged flow."""
    return Scene(judged.record, judged.ending, judged.findings)


def test_the_end_in_question():
    """Of a prober that gave up it is the peer; of a RST its sender."""
    assert (of(scenario("dead_peer_gave_up")[0]).quiet, of(scenario("half_close_held_by_keepalive")[0]).quiet) == (
        "b",
        "a",
    )


def test_without_testimony_nothing_is_known_beside():
    """A flow that raises no question has a scene in which nothing was heard and nobody is on the link."""
    scene = of(scenario("half_close_in_use")[0])

    assert (scene.beside("known"), scene.hop, scene.is_on_link, scene.is_unheard) == (0, None, False, False)
    assert (scene.sign_frames, scene.later_frames) == ((), ())


def test_when_and_where():
    """The silence begins with the last word, ends with the capture, and lies behind the next hop."""
    scene = of(dead(router=True, host_b=IP_C).judged())

    assert (scene.hop, scene.hop_is_known, scene.is_on_link) == ("10.0.0.254", True, False)
    assert (scene.until_ns - scene.since_ns) // 1_000_000 == 12_999
    assert [probe.frame for probe in scene.in_vain] == [6, 7, 8]
    assert scene.is_unheard
    assert scene.is_whole


def test_a_hole_behind_the_reset_that_ended_a_flow_hides_no_answer():
    """What the capture missed once a flow was over cannot be what would have answered; what it missed before may."""
    flows, _ = captured("dead_peer_silence.pcap")
    ended = flows[0].ending.frame
    before, behind = (Hole(0, 10**9, frame, frame + 1, "missed") for frame in (ended - 1, ended))
    record = flows[0].record._replace(holes=(before, behind))

    assert (before,) == holes_in(record, flows[0].ending)


def test_a_hole_behind_the_last_frame_of_a_silent_flow_counts():
    """A flow that nothing ended may have been answered in a hole behind its last frame."""
    flows, _ = captured("lab/dead_data_pending.pcap")
    hole = Hole(0, 10**9, flows[0].record.last_frame, flows[0].record.last_frame + 1, "missed")

    assert (hole,) == holes_in(flows[0].record._replace(holes=(hole,)), flows[0].ending)
