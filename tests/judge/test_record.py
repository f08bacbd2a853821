"""The facts of one flow, as they are asked for."""

import pytest

from analyzer.judge import recording
from analyzer.judge.record import MANY, FlowRecord, other
from analyzer.segment import SegmentBatch
from analyzer.track.flow import SIDES
from tests.judge.test_recording import record_of, scenario
from tests.judging import opened
from tests.notation import follow
from tests.traffic import at_random


def test_endpoints_by_side():
    """Endpoints can be asked for by side."""
    flow = record_of("")

    assert (flow.a, flow.b) == (flow.endpoint("a"), flow.endpoint("b"))
    assert ("b", "a") == (other("a"), other("b"))


def test_a_fin_by_its_sender():
    """The FIN of one endpoint can be asked for; who sent none has none."""
    flow = scenario("half_close_held_by_keepalive")

    assert flow.fins == (flow.fin_of("a"),)
    assert flow.fin_of("b") is None


def test_the_reset_that_ended_it():
    """Of several RSTs only the one that its receiver took ended the flow."""
    flow = scenario("reset_repeated")

    assert len(flow.resets) > 1
    assert [flow.ending_reset] == [reset for reset in flow.resets if reset.accepted_end]
    assert scenario("reset_outside_the_window_is_ignored").ending_reset is None


def test_trailing_probes_come_after_all_that_was_heard_of_the_peer():
    """A probe is trailing if nothing answers it and nothing of the peer comes after it; a RST does not count."""
    flow = scenario("dead_peer_gave_up")
    unanswered = [probe.frame for probe in flow.probes if probe.answer is None]

    assert unanswered == [probe.frame for probe in flow.trailing(flow.probes[-1].sender)]
    assert () == flow.trailing(other(flow.probes[-1].sender))
    assert () == scenario("lost_probes_recovered").trailing("a") == scenario("lost_probes_recovered").trailing("b")


def test_trailing_probes_are_those_that_are_counted():
    """Records and columns count the same, also where the capture's clock was set back, wherever that was."""
    found = []
    for seed in range(60):
        rows = at_random(seed, 60)
        at = len(rows) * (seed % 5 + 1) // 6
        rows["ts_ns"][at:] -= 3600 * 10**9
        for batch in follow([SegmentBatch(rows, len(rows), last_ts_ns=int(rows["ts_ns"][-1]))]):
            for index in range(len(batch)):
                record = recording.build(batch, index)
                counted = [int(run["trailing"][index]) for run in (batch.run_a, batch.run_b)]
                found.append((counted, [len(record.trailing(side)) for side in SIDES]))

    assert any(counted != [0, 0] for counted, _ in found)
    assert [] == [(counted, told) for counted, told in found if counted != told]


def test_times_say_their_unit():
    """Every field that holds an instant or a duration ends in _ns."""
    for name in FlowRecord._fields:
        assert not name.endswith(("_s", "_ms", "time", "timeout"))


def test_records_are_frozen():
    """A record cannot be changed."""
    with pytest.raises(AttributeError):
        record_of("").copies = 5


def test_one_ends_probes_are_picked_once_from_very_many():
    """Asking a flow of many probes again for one end's gives the same, and another flow gets its own."""
    flow = scenario("half_close_held_by_keepalive")
    many = flow._replace(probes=flow.probes[:1] * MANY)
    fewer = many._replace(probes=many.probes[1:] + flow.probes[1:])
    side = flow.probes[0].sender

    assert many.probes == many.probes_from(side)
    assert many.probes_from(side) is many.probes_from(side)
    assert () == many.probes_from(other(side))
    assert tuple(probe for probe in fewer.probes if probe.sender == side) == fewer.probes_from(side)


@pytest.mark.parametrize(
    ("end", "cut"),
    [("+0", True), ("+.015", True), ("+.5", False), ("+5", False)],
    ids=["at once", "soon", "late", "no"],
)
def test_a_probe_with_which_the_capture_ends(end, cut):
    """A probe is cut off if the capture ends sooner than answers came before; one that had time is unanswered."""
    text = f"""
+15   a > b  .   5:5(0) ack 1
+.01  b > a  .   1:1(0) ack 6
+14.99 a > b  .   5:5(0) ack 1
end: {end}
"""
    record = opened(text).record

    assert [False, cut] == [record.is_cut_off(probe) for probe in record.probes]


def test_without_an_answer_before_a_second_is_waited():
    """Where no answer tells how long one takes, a probe is cut off within the time that is never called silence."""
    text = "\n+15   a > b  .   5:5(0) ack 1\nend: {}\n"

    assert [True, False] == [
        record.is_cut_off(record.probes[-1]) for record in (opened(text.format(end)).record for end in ("+.5", "+1.5"))
    ]
