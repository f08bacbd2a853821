"""Heartbeats that come too seldom, that stop, that leave keepalive nothing to do; and keepalive alone."""

import pytest

from analyzer import explain
from analyzer.judge.table import PROTOCOL_NAMES
from tests.heartbeats import OPENING, Talk, each
from tests.judging import codes, judge, judge_batches, opened, scenario
from tests.notation import SCENARIOS, follow, parse

SLOW = SCENARIOS / "heartbeats_slower_than_a_limit.pkt"


def flow_of(talk, tail):
    """Return the flow of a talk, judged."""
    (judged,) = judge(parse("\n".join([*talk.lines, tail]) + "\n"))
    return judged


def test_heartbeats_that_come_too_seldom():
    """A heartbeat that fails after a silence names boxes that forget sooner, but none that a survived one refutes."""
    (judged,) = scenario("heartbeats_slower_than_a_limit")
    found = judged.finding("heartbeat-slower-than-limit")

    assert ("a", (16,)) == (found.about, found.frames)
    assert "every 5 min" in explain.detail(found, judged)
    assert "after 10 min of silence, longer than" in explain.detail(found, judged)
    assert "350 s" in found.data["limits"]
    assert "Azure" not in found.data["limits"]


@pytest.mark.parametrize(("length", "is_found"), [(6, True), (90, False)])
def test_a_heartbeat_that_came_late_is_out_of_its_rhythm(length, is_found):
    """What is as long as the heartbeats, comes after a pause that boxes forget in, and fails, is one; no other data."""
    talk = Talk().beats(each(60, 60, 6)).says(760, "a", length, acked=False)
    judged = flow_of(talk, "@760.02 b > a R 37:37(0)\nend: +5\n")

    assert is_found == ("heartbeat-slower-than-limit" in codes(judged))
    if is_found:
        text = explain.detail(judged.finding("heartbeat-slower-than-limit"), judged)
        assert "come every 60.000 s, and the last one, after 6 min 40 s of silence, longer than 59.980 s" in text


def test_a_silence_that_was_survived_before_is_not_blamed():
    """Heartbeats that always came so late, and the one that failed no later, say nothing of a box that forgets."""
    text = SLOW.read_text(encoding="utf-8").replace("@18", "@15")
    (judged,) = judge(parse("\n".join(line for line in text.splitlines() if not line.startswith("finds"))))

    assert "heartbeat-slower-than-limit" not in codes(judged)


def test_keepalive_that_never_probes():
    """Heartbeats are told with their number, length and period; where probes pass too, keepalive is not masked."""
    (judged,) = scenario("heartbeats_unanswered_at_the_end")
    text = explain.detail(judged.finding("keepalive-masked"), judged)
    probed = "@110 a > b . 30:30(0) ack 31\n@110.01 b > a . 31:31(0) ack 31\nend: +5\n"

    assert "7 heartbeats of 6 bytes, one every 20" in text
    assert "4 of them answered" in text
    assert "keepalive-masked" in codes(flow_of(Talk().beats(each(20, 20, 5)), "end: +5\n"))
    assert "keepalive-masked" not in codes(flow_of(Talk().beats(each(20, 20, 5)), probed))


def test_no_probes_are_advised_beside_heartbeats_that_come_as_often():
    """Of heartbeats every 90 s none is told to turn keepalive on; of some every five minutes, or that ceased, it is."""
    often = flow_of(Talk().beats(each(90, 90, 5)), "end: +5\n")
    seldom = flow_of(Talk().beats(each(300, 300, 5)), "end: +5\n")
    ceased = flow_of(Talk().beats(each(90, 90, 5)), "end: +900\n")

    assert "idle-without-probes" not in codes(often)
    assert "idle-without-probes" in codes(seldom)
    assert "idle-without-probes" in codes(ceased)


def test_who_beats_by_itself_waits_for_no_answer():
    """Of heartbeats that nobody answers it is not advised to limit the time of an answer."""
    judged = flow_of(Talk().beats(each(20, 20, 6), answer=0), "end: +5\n")
    advice = " ".join(line.text for line in explain.story(judged, 0).section("What to change").lines)

    assert "Nothing, if the other end gives up once they stay away." in advice


def test_heartbeats_that_were_not_all_seen():
    """Where there was time for more heartbeats than are counted it is said, and that they may have passed unseen."""
    talk = Talk().beats(each(20, 20, 5))
    for at in range(101, 300, 2):
        talk.says(at, "b", 700)
    flow = flow_of(talk.beats(each(320, 20, 5)), "end: +5\n")

    assert "was time for 20: where other data" in explain.detail(flow.finding("keepalive-masked"), flow)


def test_heartbeats_of_one_end_that_stop():
    """One end's heartbeats come in a steady rhythm, then nothing for more than three periods: its program is told."""
    (judged,) = scenario("heartbeats_stopped")
    found = judged.finding("heartbeats-stopped")

    assert ("a", (4, 14)) == (found.about, found.frames)
    assert (6, 60.0) == (found.data["sent"], round(found.data["silent_ns"] / 1e9))
    assert "6 heartbeats, one every 10.000 s (by their form), and then none" in explain.detail(found, judged)


@pytest.mark.parametrize(
    ("talk", "tail"),
    [
        (Talk().beats(each(10, 10, 6), length=8, answer=0), "end: +29\n"),
        (Talk().beats(each(10, 10, 6), length=8, answer=0).says(70, "a", 900), "end: +60\n"),
        (Talk().beats(each(10, 10, 6), length=8, answer=0), "@61 a > b F. 49:49(0) ack 1\nend: +60\n"),
        (Talk().beats(each(10, 10, 6), length=8, answer=0), "@61 b > a F. 1:1(0) ack 49\nend: +60\n"),
        (Talk().beats(each(10, 10, 6)).beats([70], answer=0), "end: +60\n"),
        (Talk().beats(each(10, 10, 6), length=8, answer=0).says(70, "a", 8, acked=False), "end: +60\n"),
    ],
    ids=["not yet due", "data instead", "closed", "closed by the peer", "waits for an answer", "not acknowledged"],
)
def test_whose_heartbeats_did_not_stop(talk, tail):
    """Nothing is said too early, where other data or a FIN came, while an answer is awaited, or of a lost path."""
    assert "heartbeats-stopped" not in codes(flow_of(talk, tail))


def hears(until, every):
    """A client that pings every ten seconds while it hears nothing, and then hears data as often as that."""
    talk = Talk().beats(each(10, 10, 6))
    for at in each(60 + every, every, (until - 60) // every):
        talk.says(at, "b", 900)
    return talk


@pytest.mark.parametrize(("every", "tail_s", "stopped"), [(9, 5, False), (25, 5, False), (9, 29, False), (9, 40, True)])
def test_who_asks_only_while_it_hears_nothing(every, tail_s, stopped):
    """Whose pings are answered has stopped where for three periods its peer's data did not come either."""
    judged = flow_of(hears(160, every), f"end: +{tail_s}\n")

    assert stopped == ("heartbeats-stopped" in codes(judged))


@pytest.mark.parametrize("protocol", ["BGP", "MQTT"])
def test_who_has_to_beat_whatever_it_hears(protocol):
    """Where the ends agreed on a time data of the peer are no reason to send nothing."""
    (batch,) = follow([parse("\n".join([*hears(260, 9).lines, "end: +5\n"])).batch()])
    batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index(protocol), 30 * 10**9
    (judged,) = judge_batches([batch])

    assert "a" == judged.finding("heartbeats-stopped").about


def test_probes_alone():
    """An open connection that only answered probes kept for a minute or more names the prober and how long."""
    (judged,) = scenario("only_probes")
    found = judged.finding("only-probes")

    assert ("a", (5, 11)) == (found.about, found.frames)
    detail = explain.detail(found, judged)
    assert "no data passed on this connection, only" in detail
    assert "3 answered probes. A load balancer" in detail


def test_probes_of_both_ends():
    """Where both ends probe neither's probes are said to be all that passed."""
    each = "+30 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n+.01 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n"
    judged = opened(3 * each)

    assert "answered probes and the other end's" in explain.detail(judged.finding("only-probes"), judged)


def test_data_that_is_sent_again_counts():
    """Silence, and who kept the connection meanwhile, count from data that was sent again, too."""
    probe = "@{0} a > b . 5:5(0) ack 1\n@{0}.01 b > a . 1:1(0) ack 6\n"
    again = "@1 a > b P. 1:6(5) ack 1\n@{0} a > b P. 1:6(5) ack 1\n@{0}.01 b > a . 1:1(0) ack 6\n"

    def told(resent_s):
        text = again.format(resent_s) + probe.format(40) + probe.format(80) + probe.format(120) + "end: +5\n"
        (judged,) = judge(parse(OPENING + text))
        return judged.finding("only-probes")

    assert (3, 118_000_000_000) == (told(2).data["probes"], told(2).data["quiet_ns"])
    assert (2, 70_000_000_000) == (told(50).data["probes"], told(50).data["quiet_ns"])
    assert told(70) is None


def test_a_connection_with_heartbeats_is_not_kept_by_probes_alone():
    """Where a program beats, or data passed within the minute, nothing is said."""
    probe = "@{0} a > b . {1}:{1}(0) ack {2}\n@{0}.01 b > a . {2}:{2}(0) ack {3}\n"
    beating = flow_of(Talk().beats(each(20, 20, 5)), probe.format(170, 30, 31, 31) + "end: +5\n")
    busy = flow_of(Talk().says(1, "a", 5).says(20, "a", 900), probe.format(70, 905, 1, 906) + "end: +5\n")

    assert "only-probes" not in codes(beating)
    assert "only-probes" not in codes(busy)


def measured(safe_s, fatal_s):
    """The flow whose heartbeat failed after five minutes, and what other connections to its service survive."""
    (batch,) = follow([(scene := parse(SLOW.read_text(encoding="utf-8"))).batch()])
    batch.trains["safe_ns"], batch.trains["fatal_ns"] = safe_s * 10**9, fatal_s * 10**9
    (judged,) = judge_batches(scene.dissected([batch]))
    return judged


def test_a_measured_limit_counts_more_than_known_boxes():
    """Where connections to the service survive longer it was not the silence; where they do not that is named."""
    assert "heartbeat-slower-than-limit" not in codes(measured(600, 700))
    assert "heartbeat-slower-than-limit" not in codes(measured(280, 299))  # the flow itself survived as much
    judged = measured(340, 360)
    text = explain.detail(judged.finding("heartbeat-slower-than-limit"), judged)
    assert "survive 5 min 40 s of silence, and do not survive 6 min" in text
    assert "Azure" not in text


def test_that_only_probes_pass_is_said_once_of_both_ends():
    """Where both ends probe, the longer of the two times is told, of the end whose answered probe came last."""
    each_end = (
        "+40 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n+5 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n"
    )
    judged = opened(4 * each_end + "end: +1")

    assert ["b"] == [found.about for found in judged.findings if found.code == "only-probes"]
