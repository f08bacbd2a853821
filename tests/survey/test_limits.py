"""Bounds of idle limits from the silences of many flows."""

import struct

import pytest

from analyzer.analyzing import analyze
from analyzer.judge.verdict import decide
from analyzer.survey import limits as idle_limits
from analyzer.survey.limits import IdleTrials
from analyzer.words.idle_limits import limit_name, limit_sentence
from tests.notation import follow, parse
from tests.track.test_beside import ACK, RST, SYN, Made

LIMIT_S = 350


def gone(silences, *, limit_s=LIMIT_S, apart_s=20, answers="rst"):
    """Flows that are silent for so long each, behind a box that forgets after ``limit_s``."""
    made = Made()
    for at, silence in enumerate(silences):
        start, port = at * apart_s, 40000 + at
        made.a(start, SYN, 0, 0, port=port)
        made.b(start + 0.001, SYN | ACK, 0, 1, port=port)
        made.a(start + 0.002, port=port)
        wake = start + 0.002 + silence
        made.a(wake, data=b"request", port=port)
        if silence < limit_s:
            made.b(wake + 0.01, ack=8, port=port)
        elif answers == "rst":
            made.b(wake + 0.01, RST, seq=1, ack=0, port=port)
        else:
            for wait in (0.3, 0.9, 2.1, 4.5):
                made.a(wake + wait, data=b"request", port=port)
    return made


def limits(made, tmp_path, **options):
    """What the trials of a made capture say."""
    from tests.capture.craft import pcap

    path = tmp_path / "made.pcap"
    path.write_bytes(pcap(sorted(made.frames, key=lambda frame: frame.ts_ns)))
    return analyze(path, **options).idle_limits()


SILENCES = (5, 100, 200, 300, 340, 345, 355, 360, 400, 700)


@pytest.mark.parametrize("answers", ["rst", "silence"])
@pytest.mark.parametrize("jit", [False, True])
def test_bounds_hold_the_limit(tmp_path, answers, jit):
    """The longest silence survived and the shortest that was not bound the limit, and known boxes fit."""
    service, pair = limits(gone(SILENCES, answers=answers), tmp_path, jit=jit)

    assert service.is_hard
    assert [345, 355] == [round(ns / 1e9) for ns in (service.low_ns, service.high_ns)]
    assert (6, 4) == (service.longest.count, service.shortest.count)
    assert "AWS Network Load Balancer" in [box.name for box in service.fits]
    assert (str(service.service), pair.hosts) == ("10.0.0.2:80", ("10.0.0.1", "10.0.0.2"))
    assert service.advised_s == 300


def test_what_is_said_has_numbers(tmp_path):
    """A limit is told with its bounds, its trials, the boxes that fit and how often to probe."""
    text = limit_sentence(limits(gone(SILENCES), tmp_path)[0])

    assert text.startswith("Connections to 10.0.0.2:80 do not survive 355.")
    assert "6 flows went on" in text
    assert "If it is a limit, probe every 300 s or more often" in text  # all that failed ended last
    assert limit_name(limits(gone(SILENCES), tmp_path)[1]) == "connections between 10.0.0.1 and 10.0.0.2"


def in_steps(limits_s, *, silences, apart_s=20):
    """Flows behind a box whose timer is late, for each as if the limit were another."""
    made = Made()
    for at, (silence, limit_s) in enumerate(zip(silences, limits_s, strict=True)):
        one = gone([silence], limit_s=limit_s)
        made.frames += [moved(frame, at, at * apart_s) for frame in one.frames]
    return made


def moved(frame, port_up, by_s):
    """A frame of the client at 40000 with another port, later."""
    octets = bytearray(frame.octets)
    at = 34 if octets[26:30] == bytes([10, 0, 0, 1]) else 36
    struct.pack_into("!H", octets, at, 40000 + port_up)
    return frame._replace(octets=bytes(octets), ts_ns=frame.ts_ns + int(by_s * 1e9))


STEPPED_S = (100, 200, 240, 260, 352, 365, 371, 375, 490, 550, 600)
"""Silences behind a limit of 350 s, of which 365 and 375 are cut and 371 is not."""
LATE_S = (350, 350, 350, 350, 371, 360, 372, 362, 350, 350, 350)


@pytest.mark.parametrize("jit", [False, True])
def test_a_limit_that_is_kept_late_has_bounds(tmp_path, jit):
    """A box that forgets an eighth late at most cuts one silence but not yet a longer one, and has a limit."""
    service, pair = limits(in_steps(LATE_S, silences=STEPPED_S), tmp_path, jit=jit)

    assert service.is_hard
    assert service.overlaps
    assert pair.is_hard
    assert [365, 371] == [round(ns / 1e9) for ns in (service.low_ns, service.high_ns)]
    assert [371, 365] == [round(each.ns / 1e9) for each in (service.longest, service.shortest)]
    assert (6, 5) == (service.longest.count, service.shortest.count)
    assert (4, 3) == (service.longest.apart, service.shortest.apart)
    assert service.advised_s == 300
    assert service.fits == ()


@pytest.mark.parametrize(
    ("near", "hard"),
    [((), True), ((372,) * 12, None), ((465,), False)],
    ids=["few near it", "most near it", "one survives much longer"],
)
def test_what_tells_that_a_limit_is_kept_late(tmp_path, near, hard):
    """Flows well apart from the bounds tell it, if they are not few of very many; a much longer silence refutes it."""
    made = in_steps((*LATE_S, *(1000 for _ in near)), silences=(*STEPPED_S, *near))

    service = next(each for each in limits(made, tmp_path) if each.service)

    assert service.is_hard is hard
    assert service.is_worth_telling is (hard is not None)


def test_order_and_parts_do_not_matter_for_what_is_apart(tmp_path):
    """How many flows are well apart from a bound is the same in any order, and added up part by part."""
    orders = (range(11), reversed(range(11)), (5, 0, 10, 6, 1, 9, 7, 2, 8, 4, 3))
    found = []
    for order in map(list, orders):
        made = in_steps([LATE_S[at] for at in order], silences=[STEPPED_S[at] for at in order])
        found.append(next(each for each in limits(made, tmp_path) if each.service))

    assert {(4, 3)} == {(each.longest.apart, each.shortest.apart) for each in found}


def test_a_limit_that_some_survive_is_none(tmp_path):
    """Where a shorter silence failed than another survived, no limit of time cut it."""
    made = gone(SILENCES)
    other = gone([50, 60, 70], limit_s=10)
    for frame in other.frames:
        octets = bytearray(frame.octets)
        at = 34 if octets[26:30] == bytes([10, 0, 0, 1]) else 36
        (port,) = struct.unpack_from("!H", octets, at)
        struct.pack_into("!H", octets, at, port + 1000)
        made.frames.append(frame._replace(octets=bytes(octets)))

    service = limits(made, tmp_path)[0]

    assert (service.is_hard, service.fits, service.advised_s) == (False, (), None)


@pytest.mark.parametrize("silences", [(5, 355, 360, 370), (5, 6, 7, 360, 370), (360, 370, 380)])
def test_too_few_trials_say_nothing(tmp_path, silences):
    """One or two trials of a kind are no limit yet."""
    assert all(limit.is_hard is None for limit in limits(gone(silences), tmp_path))


def test_what_dies_in_one_moment_died_of_something_else(tmp_path):
    """Flows that all fail at once shared an outage."""
    made = gone([100 - at * 20 for at in range(5)], limit_s=0, answers="silence")
    survived = gone([1.5, 2, 3], limit_s=50)
    made.frames += [frame._replace(ts_ns=frame.ts_ns - 10**12) for frame in survived.frames]

    assert all(limit.is_hard is not True for limit in limits(made, tmp_path))


def test_nobody_dies(tmp_path):
    """Where every silence is survived, nothing is said."""
    assert limits(gone((5, 10, 20)), tmp_path) == []


def test_trials_of_several_analyses_add_up():
    """Merged and copied, trials are those of all."""
    one, two = IdleTrials(), IdleTrials()
    one.merge(two, 1)

    assert one.copy().limits() == []
    assert not one.shortened


def test_only_what_is_worth_telling_is_asked_for(tmp_path):
    """Asked for alone, what is worth telling is what is left of all once pairs and the rest are left out, in order."""
    from tests.capture.craft import pcap

    found = []
    for at, silences in enumerate([SILENCES, (5, 355, 360, 370), (360, 370, 380)]):
        path = tmp_path / f"{at}.pcap"
        path.write_bytes(pcap(sorted(gone(silences).frames, key=lambda frame: frame.ts_ns)))
        analysis = analyze(path)
        found.append(analysis.idle_limits(only_worth_telling=True))
        assert found[-1] == [each for each in analysis.idle_limits() if each.service and each.is_worth_telling]

    assert [1, 0, 0] == [len(each) for each in found]


def beating(made, *, period_s=100, first_port=50000, flows=3):
    """Add flows in which a program sends a heartbeat at such intervals, and is answered."""
    for port in range(first_port, first_port + flows):
        start = (port - first_port) * 20
        made.a(start, SYN, 0, 0, port=port)
        made.b(start + 0.001, SYN | ACK, 0, 1, port=port)
        made.a(start + 0.002, port=port)
        for at in range(5):
            now, before = start + period_s * (at + 1), 1 + 2 * at
            made.a(now, seq=before, ack=before, data=b"hb", port=port)
            made.b(now + 0.01, seq=before, ack=before + 2, data=b"ok", port=port)
            made.a(now + 0.02, seq=before + 2, ack=before + 2, port=port)
    return made


def test_what_a_heartbeat_survived_is_survived(tmp_path):
    """Silences that a program broke with heartbeats are trials like any others, and may bound a limit from below."""
    died = (150, 160, 170)
    alone = limits(gone(died, limit_s=120), tmp_path)
    service = limits(beating(gone(died, limit_s=120)), tmp_path)[0]

    assert [None] == [limit.is_hard for limit in alone]
    assert service.is_hard
    assert ([100, 150], 3) == ([round(ns / 1e9) for ns in (service.low_ns, service.high_ns)], service.longest.count)


def test_heartbeats_are_compared_with_what_was_measured(tmp_path):
    """Trains of a service that shows a hard limit have its bounds, and no others do."""
    from tests.capture.craft import pcap

    path = tmp_path / "made.pcap"
    made = beating(gone((150, 160, 170), limit_s=120))
    path.write_bytes(pcap(sorted(made.frames, key=lambda frame: frame.ts_ns)))
    bounds = [
        (round(train.safe_ns / 1e9), round(train.fatal_ns / 1e9))
        for flow in analyze(path, jit=False).flows
        for train in flow.judged.record.heartbeats
    ]
    path.write_bytes(pcap(sorted(beating(Made()).frames, key=lambda frame: frame.ts_ns)))
    unknown = [each.judged.record.heartbeats[0].safe_ns for each in analyze(path, jit=False).flows]

    assert [(100, 150)] * 3 == bounds
    assert [None] * 3 == unknown


def decided(at, port, *, probed):
    """A connection that its service aborts by itself, or gives up on, behind silences that it had survived."""
    made = Made()
    made.a(at, SYN, 0, 0, port=port)
    made.b(at + 0.001, SYN | ACK, 0, 1, port=port)
    made.a(at + 0.002, port=port)
    made.b(at + 60, port=port, data=b"tick")
    made.a(at + 60.01, port=port, ack=5)
    if probed:
        for wait in (40, 50, 60):
            made.b(at + 60 + wait, port=port, data=b"more", seq=5)
    made.b(at + 125, RST | ACK, seq=9 if probed else 5, ack=1, port=port)
    return made.frames


@pytest.mark.parametrize("probed", [False, True], ids=["aborted", "given up"])
def test_who_resets_by_itself_shows_no_limit(tmp_path, probed):
    """A RST that nobody asked for, and silence behind a pause that was survived before, are no limit of a path."""
    made = gone(SILENCES)
    for at in range(4):
        made.frames.extend(decided(100 * at, 50000 + at, probed=probed))
    service = limits(made, tmp_path)[0]

    assert service.is_hard
    assert [345, 355] == [round(ns / 1e9) for ns in (service.low_ns, service.high_ns)]
    assert 4 == service.shortest.count


OPENED = "# A silence.\n+0 a > b S 0:0(0)\n+.01 b > a S. 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\n"
DATA = "a > b P. 1:6(5) ack 1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"+.5 {DATA}\n+.5 {DATA}\n+7 {DATA}", []),
        (f"+.5 {DATA}\n+.5 {DATA}\n+20 b > a F. 1:1(0) ack 1\n+.1 a > b R 1:1(0)", []),
        (f"+20 {DATA}\n+9 {DATA}", [(True, 20)]),
        (f"+20 {DATA}\n+.1 b > a R 1:1(0) win 0", [(True, 20)]),
        (f"+.5 {DATA}\n+9 {DATA}\n+.1 b > a . 1:1(0) ack 6", [(False, 9)]),
    ],
    ids=["cut amid data", "other end closes amid data", "cut while idle", "refused behind idle time", "sent again"],
)
def test_a_pause_amid_data_is_survived_or_tells_nothing(text, found):
    """Where something was unacknowledged before a silence, that silence did not cut the way; a box may survive it."""
    (batch,) = follow([parse(f"{OPENED}{text}\nend: +900\nverdict: open\n").batch()])

    told = [(each.died, round(each.ns / 1e9)) for each in idle_limits.silences(0, batch, decide(batch))]

    assert found == told
