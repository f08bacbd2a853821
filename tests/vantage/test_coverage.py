"""A capture proves something only of the time in which it surely ran."""

from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.joining import join
from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.coverage import amid
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, RST, SYN, World, keepalive, last_of, odd


def test_what_a_capture_with_nothing_later_lacks_is_not_called_lost(tmp_path):
    """Whether a capture still ran when its last frame was long past is not known."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    crossing = last_of(made, tmp_path)

    assert (Fate.UNPROVEN, False, Why.NOTHING_LATER) == (crossing.fate, crossing.proven, crossing.why)


@pytest.mark.parametrize(
    ("first_seen", "fate"),
    [(False, Fate.LOST), (True, Fate.UNPROVEN)],
    ids=["it ends where answers cease", "it has one that got none"],
)
def test_a_capture_that_ends_just_where_answers_cease_most_likely_ran_on(tmp_path, first_seen, fate):
    """Probes in vain that a capture lacks from the first on were lost before it; one that it has shows another end."""
    made = World()
    a, b = keepalive(made, probes=2)
    for at, at_s in enumerate((9.0, 11.0, 13.0)):
        made.send(at_s, "a", ACK, a + 30, b + 1, **({} if first_seen and not at else {"fate": "lost"}))

    flow = join(*made.write(tmp_path)).flows[0]
    outside = [each for each in (*flow.notable, *flow.others) if each.why is Why.NOTHING_LATER]

    assert {(fate, False)} >= {
        (each.fate, each.proven) for each in outside if each.first.ts_ns < outside[-1].first.ts_ns
    }
    assert len(outside) > 1


def test_a_capture_that_begins_with_what_was_sent_again_most_likely_ran_before(tmp_path):
    """A SYN without an answer, whose repetition is the first that the other capture has, was lost before that."""
    made = World(timestamps=False)
    made.send(0.0, "a", SYN, 1000, 0, mss=1460, fate="lost")
    made.send(1.0, "a", SYN, 1000, 0, mss=1460)
    made.send(1.001, "b", SYN | ACK, 5000, 1001, mss=1460)
    made.send(1.002, "a", ACK, 1001, 5001)

    assert [(Fate.LOST, False, Why.NOTHING_EARLIER)] == odd(join(*made.write(tmp_path)))


def test_a_capture_that_had_ended_is_told_from_a_loss(tmp_path):
    """If the receiver goes on to be heard elsewhere, the capture near it had ended: nothing is called lost."""
    made = World()
    keepalive(made, probes=6)

    flow = join(*made.write(tmp_path, parts=(None, slice(0, 9)))).flows[0]

    assert 0 == flow.counts["lost"] + flow.counts["made"]
    assert {Why.ENDED, Why.ANSWERED} >= {c.why for c in flow.notable if c.fate is Fate.NOT_CAPTURED and c.sender == "a"}


def test_a_reset_outside_the_other_capture_proves_nothing(tmp_path):
    """A RST with its sender's TTL, behind the end of the sender's capture, may be its own or not."""
    made = World(hops=0)
    _, b = keepalive(made, probes=2)
    made.send(9.0, "b", RST, b + 1, 0, missed="B")

    crossing = last_of(made, tmp_path)

    assert Fate.UNPROVEN is crossing.fate or not crossing.proven


@pytest.mark.parametrize(
    ("last_s", "said"),
    [(9.003, (Fate.UNPROVEN, False, Why.NOTHING_LATER)), (9.5, (Fate.LOST, True, Why.RUNNING))],
    ids=["about then", "later"],
)
def test_nothing_is_proven_about_when_a_capture_ends(tmp_path, last_s, said):
    """A packet at the end of the capture that lacks it, as near as clocks and unwritten frames go, is not lost."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "b", ACK, b + 1, a + 31, fate="lost")
    made.send(last_s, "a", ACK, a + 30, b + 1)

    assert [said] == odd(join(*made.write(tmp_path)))


@pytest.mark.parametrize(
    ("goes_on", "said", "by"),
    [
        (False, (Fate.UNPROVEN, False, Why.ENDED), (None, False)),
        (True, (Fate.MADE, True, Why.RUNNING), ("between", True)),
    ],
    ids=["ends with the probe", "goes on"],
)
def test_a_reset_that_a_capture_may_have_ended_before_is_not_said_to_be_made(tmp_path, goes_on, said, by):
    """A RST that drew a probe is made between only if the server's capture has something clearly behind both."""
    made = World(ids=False, timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK, a + 30, b + 1)
    made.send(9.0002, "b", RST, b + 1, 0, missed="B")
    if goes_on:
        made.send(9.5, "a", ACK, a + 30, b + 1)

    found = join(*made.write(tmp_path))

    assert [said] == odd(found)
    assert by == (found.flows[0].ending.by, found.flows[0].ending.proven)


def test_what_came_the_other_way_before_shows_that_a_capture_had_begun(tmp_path):
    """A SYN that passed both points was at the first before its answer, which was lost, would have been."""
    made = World(timestamps=False)
    made.send(0.0, "a", SYN, 1000, 0, mss=1460)
    made.send(0.001, "b", SYN | ACK, 5000, 1001, mss=1460, fate="lost")
    made.send(1.0, "b", SYN | ACK, 5000, 1001, mss=1460)
    made.send(1.001, "a", ACK, 1001, 5001)
    made.send(9.0, "a", ACK, 1000, 5001)

    assert (Fate.LOST, True, Why.RUNNING) == odd(join(*made.write(tmp_path)))[0]


def cut_world():
    """Return what two points captured of a connection that loses probes, answers and data on the way."""
    made = World(offset_s=37.25, ppm=150)
    a, b = keepalive(made, probes=3, lost=(1,), answers_lost=(2,))
    made.send(8.0, "a", ACK | PSH, a + 31, b + 1, b"lost", fate="lost")
    made.send(8.3, "a", ACK | PSH, a + 31, b + 1, b"lost")
    made.send(8.302, "b", ACK, b + 1, a + 35)
    made.send(9.0, "b", ACK | PSH, b + 1, a + 35, b"gone", fate="lost")
    made.send(9.3, "b", ACK | PSH, b + 1, a + 35, b"gone")
    made.send(9.302, "a", ACK, a + 35, b + 5)
    return made


def lost_of(made, folder, parts):
    """Return point and frame, as of the whole captures, of what is told as lost where these ``parts`` were captured."""
    begins = {"AB"[at]: part.start or 0 for at, part in enumerate(parts)}
    found = join(*made.write(folder, parts=parts)).flows[0]
    lost = [each.first for each in (*found.notable, *found.others) if each.fate is Fate.LOST]
    return {("AB"[sight.point], sight.frame + begins["AB"[sight.point]]) for sight in lost}


@pytest.mark.parametrize("point", [0, 1], ids=["A", "B"])
@pytest.mark.parametrize("end", ["late", "early"])
def test_nothing_is_lost_outside_the_time_that_both_captured(tmp_path, point, end):
    """Wherever a capture begins or ends, what is told as lost was lost, while both ran; and all of that is told."""
    made = cut_world()
    name = "AB"[point]
    frames = len(made.frames[name])
    truth = [seen[0] for fate, _, seen in made.truth if fate == "lost"]
    when_ns = {sight: made.frames[sight[0]][sight[1] - 1][0] for sight in truth}
    ahead_ns = {"A": 0, "B": 37_250_000_000}
    for at in range(4, frames - 3):
        part = slice(at, None) if end == "late" else slice(0, at)
        edge_ns = made.frames[name][at if end == "late" else at - 1][0] - ahead_ns[name]
        since_ns = {sight: at_ns - ahead_ns[sight[0]] - edge_ns for sight, at_ns in when_ns.items()}
        inside = {sight for sight, ns in since_ns.items() if (ns if end == "late" else -ns) > 50_000_000}
        inside = {sight for sight in inside if sight[0] != name or (sight[1] > at) is (end == "late")}
        parts = (part, slice(None)) if point == 0 else (slice(None), part)

        found = lost_of(made, tmp_path, parts)

        assert inside <= found <= {sight for sight, ns in since_ns.items() if (ns if end == "late" else -ns) >= 0}, at


@pytest.mark.parametrize("until", [13, 15], ids=["behind one lost answer", "behind two"])
def test_that_no_answer_came_tells_nothing_where_answers_are_lost(tmp_path, until):
    """Probes reached a point until its capture ended, and their answers were lost: of later probes nothing is known."""
    made = World()
    keepalive(made, probes=8, answers_lost=(3, 4, 5, 6, 7))

    flow = join(*made.write(tmp_path, parts=(None, slice(0, until)))).flows[0]

    unseen = [probe.crossing for probe in flow.probes if len(probe.crossing.seen) == 1]
    assert {(Fate.UNPROVEN, False, Why.NOTHING_LATER)} == {(each.fate, each.proven, each.why) for each in unseen}


def test_what_came_before_the_other_capture_began_is_no_lost_answer(tmp_path):
    """A capture that began late lacks early answers, and shows all the same where answers cease."""
    made = World()
    a, b = keepalive(made, probes=3)
    for at_s in (9.0, 11.0, 13.0):
        made.send(at_s, "a", ACK, a + 30, b + 1, fate="lost")

    flow = join(*made.write(tmp_path, parts=(slice(7, None), None))).flows[0]

    unseen = [each for each in flow.notable if each.why is Why.NOTHING_LATER]
    assert [Fate.LOST] * 3 == [each.fate for each in unseen]


def test_what_passed_near_the_ends_of_a_capture_did_not_pass_amid_it():
    """So near to its ends that clocks and who writes it leave open whether it ran, a capture shows nothing."""
    point = SimpleNamespace(clock=THE_REFERENCE, first_ns=0, last_ns=1_000_000_000)
    at_ns = np.array([-1, 500_000, 2_000_000, 500_000_000, 988_000_000, 995_000_000, 2_000_000_000])

    assert [False, False, True, True, True, False, False] == amid([point], 0, at_ns).tolist()
    assert not amid([SimpleNamespace(clock=None), point], 0, at_ns).any()
