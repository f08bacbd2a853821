"""When a prober was silent for longer than it usually waits, by columns and by record."""

import numpy as np

from analyzer.findings.case import Case
from analyzer.findings.columns import Columns
from analyzer.findings.flows import Flows
from analyzer.findings.pausing import pauses, pauses_of, shortest_other_wait
from analyzer.judge import recording, verdict
from tests.notation import SCENARIOS, follow, load


def seen(name):
    """The first flow of a scenario from endpoint a: its columns, and its case."""
    (batch,) = follow([load(SCENARIOS / f"{name}.pkt").batch()])
    winners = verdict.decide(batch)
    record, ending = recording.build(batch, 0), verdict.ending_of(batch, 0, int(winners[0]))
    return Columns(batch, winners), Case(record, ending, "a", (None, None))


def test_columns_and_record_find_the_same_pauses():
    """The probe behind a pause is the same one by either way."""
    for name in (
        "prober_paused",
        "interval_longer_than_idle_is_no_pause",
        "answers_lost_and_the_idle_time_is_no_pause",
        "keepalive_set_anew_is_no_pause",
        "host_asleep",
    ):
        columns, case = seen(name)
        flows = Flows(columns, 0)
        frames = flows.seen("frame")[pauses(flows)].tolist()

        assert frames == [pause.probe.frame for pause in pauses_of(case)]


def test_the_probe_that_failed_is_left_out_of_what_it_is_compared_with():
    """The shortest other wait is that of the first probe; of a single probe there is none."""
    flows = Flows(seen("prober_paused")[0], 0)
    last = flows.last_of(flows.probing)

    assert [5] == np.round(shortest_other_wait(flows, last) / 1e9).tolist()
