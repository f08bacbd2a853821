"""Flows as conditions look at them, from one end or the other."""

import gc
import weakref

from analyzer.findings import CODES, ROWS, Columns, Scope, judge, search
from analyzer.findings.flows import Flows
from analyzer.judge import recording, verdict
from tests.findings.test_columns import ROOT, batches_of
from tests.tables import scenario_flows


def test_findings_come_in_the_order_of_the_table():
    """Of a flow with several findings, and by code over all flows, the order is the table's."""
    (batch,) = batches_of(ROOT / "captures" / "founding_go_fin60.pcap")
    winners = verdict.decide(batch)
    hits = search(Columns(batch, winners))
    judged = judge(recording.build(batch, 0), verdict.ending_of(batch, 0, int(winners[0])), hits.of(0))
    codes = [finding.code for finding in judged.findings]

    assert len(codes) > 1
    assert codes == sorted(codes, key=CODES.index)
    assert list(dict.fromkeys(codes)) == list(hits.by_code())
    assert all(finding.about is None for finding in judged.findings if ROWS_OF[finding.code] is Scope.FLOW)


ROWS_OF = {kind.code: kind.scope for kind, _ in ROWS}


def test_a_fact_is_worked_out_once_for_each_end():
    """Whoever asks second gets what the first one got; the other end has facts of its own."""
    (batch,) = scenario_flows()["abort_crosses_a_probe"]
    columns = Columns(batch, verdict.decide(batch))
    asked = []

    def side_of(f):
        asked.append(f.side)
        return f.side

    own = Flows(columns, 0)
    facts = [view.once(side_of) for view in (own, own.from_peer, own.from_peer.from_peer, own.from_peer)]

    assert (facts, asked) == ([0, 1, 0, 1], [0, 1])


def test_flows_that_were_searched_are_forgotten_at_once():
    """Both views hold on to each other; once they are let go, nothing waits for Python to look for rings."""
    (batch,) = scenario_flows()["abort_crosses_a_probe"]
    gc.disable()
    try:
        own = Flows(Columns(batch, verdict.decide(batch)), 0)
        known = weakref.ref(own.from_peer.columns)
        own.let_go()
        del own
        assert known() is None
    finally:
        gc.enable()
