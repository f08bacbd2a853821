"""What several kinds of findings ask of heartbeats."""

import numpy as np
import pytest

from analyzer.findings import ROWS, beating
from analyzer.findings.columns import Columns
from analyzer.findings.flows import Flows
from analyzer.judge import verdict
from analyzer.judge.table import PROTOCOL_NAMES
from tests.heartbeats import Talk, each
from tests.notation import SCENARIOS, follow, load, parse


def flows_of(talk, tail, protocol=None, limit_s=0):
    """The flow of a talk in columns, as a sees it."""
    (batch,) = follow([parse("\n".join([*talk.lines, tail]) + "\n").batch()])
    batch.trains["protocol"] = PROTOCOL_NAMES.index(protocol)
    batch.trains["limit_ns"] = limit_s * 10**9 or -1
    return Flows(Columns(batch, verdict.decide(batch)), 0)


@pytest.mark.parametrize(
    ("protocol", "limit_s", "soon_s", "late_s"),
    [(None, 0, 60, 60), ("MQTT", 60, 90, 90), ("BGP", 90, 90, 90), ("AMQP", 30, 30, 60), ("AMQP", 0, 60, 60)],
)
def test_how_long_one_waits(protocol, limit_s, soon_s, late_s):
    """Each protocol has a rule for what was agreed on; without that three periods count."""
    f = flows_of(Talk().beats(each(20, 20, 5), length=8, answer=0), "end: +5", protocol, limit_s)

    assert [soon_s, late_s] == [round(beating.overdue_ns(f, which)[0] / 1e9) for which in (0, 1)]


@pytest.mark.parametrize(
    ("talk", "ceased"),
    [
        (Talk().beats(each(20, 20, 5), length=8, answer=0), True),
        (Talk().beats(each(20, 20, 5)), True),
        (Talk().beats(each(20, 20, 5)).beats([120], answer=0), False),
        (Talk().beats(each(20, 20, 5)).says(107, "a", 900), False),
    ],
    ids=["by itself", "answered", "awaits an answer", "other data"],
)
def test_whose_heartbeats_ceased(talk, ceased):
    """Those cease behind which nothing comes, and which wait for no answer."""
    assert [ceased] == beating.heartbeats_ceased(flows_of(talk, "end: +100")).tolist()


def both_beat(period, length):
    """One end sends messages of 65 octets every twenty seconds, the other its own."""
    talk = Talk()
    own = [(at, "a", 65) for at in each(20, 20, 6)]
    for at, who, octets in sorted([*own, *((at, "b", length) for at in each(28, period, 5))]):
        talk.beats([at], octets, 0, who=who)
    return talk


@pytest.mark.parametrize(
    ("talk", "protocol", "is_data"),
    [
        (Talk().beats(each(20, 20, 6), length=65, answer=0), None, True),
        (Talk().beats(each(20, 20, 6), length=9, answer=0), None, True),
        (Talk().beats(each(20, 20, 6), length=8, answer=0), None, False),
        (Talk().beats(each(20, 20, 6), length=65, answer=0), "FIX", False),
        (Talk().beats(each(20, 20, 6), length=65), None, False),
        (both_beat(20, 65), None, False),
        (both_beat(20, 30), None, True),
    ],
    ids=["long", "not tiny", "tiny", "named", "answered", "both ends", "another of the other end"],
)
def test_what_nobody_answers_may_be_data(talk, protocol, is_data):
    """By form alone, where nobody answers, and the other end does not beat alike, it may be data and simply be over."""
    f = flows_of(talk, "end: +100", protocol)

    assert [is_data] == beating.may_be_data(f).tolist()
    assert [not is_data] == beating.heartbeats_ceased(f).tolist()


def test_who_gave_up():
    """Who closes long after a heartbeat without an answer gave up, and not who closes at once."""
    waits = Talk().beats(each(20, 20, 5)).beats([120], answer=0)
    late, soon = ("@150 a > b F. 37:37(0) ack 31", "@120.5 a > b F. 37:37(0) ack 31")

    assert [[True], [False]] == [beating.gave_up_waiting(flows_of(waits, tail)).tolist() for tail in (late, soon)]


def test_what_is_not_asked_without_heartbeats_holds_of_no_flow_without_them():
    """Rows that are asked of heartbeats alone would find nothing in flows that have none, had they been asked."""
    rows = [row for _, row in ROWS if any(hasattr(each, "__wrapped__") for each in row.conditions)]
    batches = [batch for path in sorted(SCENARIOS.glob("*.pkt"))[::8] for batch in follow([load(path).batch()])]
    quiet = [batch for batch in batches if not len(batch.trains)]
    pieces = [(batch, verdict.decide(batch), np.arange(len(batch))) for batch in quiet]
    columns = Columns(*pieces[0], more=pieces[1:])

    assert len(rows) >= 5
    for row in rows:
        for side in range(2):
            f = Flows(columns, side)
            asked = [getattr(each, "__wrapped__", each)(f) for each in row.conditions]
            assert not np.logical_and.reduce(asked).any()
