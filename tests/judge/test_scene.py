"""A flow's end and what was known beside it."""

import pytest

from analyzer.judge.scene import Scene, holes_in
from analyzer.track.awake import Hole
from tests.causes.scenes import dead
from tests.judging import captured, judge, scenario
from tests.notation import parse
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


def heard_at(*times_s):
    """Return the scene of a flow whose data stays unanswered from 300 to 313 s; its peer's host speaks at these times.

    Between any two of them, and to the end at 400 s, it says something every 8 s on another connection, unless there is
    a pause: a pair of times without anything between.
    """
    pauses = list(zip(times_s[::2], times_s[1::2], strict=True))
    beside = [
        (at_s, "d > c P. {0}:{1}(10) ack 1")
        for at_s in range(4, 400, 8)
        if not any(start_s < at_s < stop_s for start_s, stop_s in pauses)
    ]
    asked = [300, 300.2, 300.6, 301.4, 303, 306.2, 312.6]
    lines = [(0.0, "a > b S 0:0(0)"), (0.02, "b > a S. 0:0(0) ack 1"), (0.03, "a > b . 1:1(0) ack 1")]
    lines += [(1.0, "c > d S 0:0(0)"), (1.02, "d > c S. 0:0(0) ack 1"), (1.03, "c > d . 1:1(0) ack 1")]
    lines += [(at_s, "a > b P. 1:101(100) ack 1") for at_s in asked]
    lines += [(at_s, line.format(1 + 10 * count, 11 + 10 * count)) for count, (at_s, line) in enumerate(beside)]
    lines.sort()
    text, before_s = "# Written in a test.\n", 0.0
    for at_s, line in lines:
        text += f"+{at_s - before_s:.4f} {line}\n"
        before_s = at_s
    return of(judge(parse(text))[0])


@pytest.mark.parametrize(
    ("pauses_s", "expected"),
    [
        ((), True),
        ((100, 140), True),
        ((330, 370), True),
        ((100, 280), True),
        ((298, 340), False),
        ((290, 318), False),
        ((20, 140, 150, 250), False),
    ],
    ids=["never silent", "before", "behind", "long before", "meanwhile", "meanwhile and shorter", "twice, for long"],
)
def test_who_is_heard_all_the_time_was_there_when_it_was_asked(pauses_s, expected):
    """A host counts as heard throughout if no silence of its own can have been the reason for that of the flow."""
    scene = heard_at(*pauses_s)

    assert expected == (bool(scene.sign_frames) or scene.is_heard_throughout)
