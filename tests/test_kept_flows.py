"""Flows that are kept are judged when somebody looks at them, and once."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import looking as looking_module
from analyzer import together
from analyzer.analyzing import analyze
from analyzer.kept_flows import Kept, search_together

CAPTURES = Path(__file__).parents[1] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"
REUSE = CAPTURES / "lab" / "port_reuse.pcap"


def test_a_flow_is_judged_once_when_looked_at():
    """The record, verdict and findings of a flow are made on first use and kept."""
    flow = analyze(FOUNDING).flows[0]

    assert "judged" not in vars(flow)
    assert flow.judged is flow.judged
    assert flow.verdict == flow.judged.ending.verdict.value


def test_a_large_flow_is_judged_once_whoever_asks(monkeypatch):
    """Who goes through all, who asks for settings and who asks for one flow get the same judged flow."""
    monkeypatch.setattr(looking_module, "LARGE", 1)
    judged = []
    judge = Kept.judge
    monkeypatch.setattr(Kept, "judge", lambda kept, rows: judged.extend(rows) or judge(kept, rows))
    analysis = analyze(FOUNDING)

    assert [analysis.flow(line).judged for line in analysis.lines()] == [flow.judged for flow in analysis]
    assert 1 == analysis.settings_in_use().asked == len(judged)


def test_flows_are_judged_some_at_a_time_around_a_large_one(monkeypatch):
    """A large flow among others is not judged with them, and they are judged once."""
    analysis = analyze(REUSE)
    sizes = sorted(int(size) for size in analysis._batches[0].sizes(range(3)))
    monkeypatch.setattr(looking_module, "LARGE", sizes[-1])
    judged = []
    judge = Kept.judge
    monkeypatch.setattr(Kept, "judge", lambda kept, rows: judged.append(list(rows)) or judge(kept, rows))

    assert [0, 1, 2] == [flow.judged.record.number for flow in analysis]
    assert [0, 1, 2] == sorted(row for rows in judged for row in rows)


def test_a_large_flow_that_was_written_is_not_judged_for_its_settings(monkeypatch):
    """What was judged to be written is kept for who asks for settings next."""
    monkeypatch.setattr(looking_module, "LARGE", 1)
    monkeypatch.setattr(together, "LARGE", 1)
    analysis = analyze(FOUNDING)
    written = [judged for flows, _ in analysis.together() for judged in flows.judged(np.arange(len(flows)))]
    monkeypatch.setattr(Kept, "judge", lambda kept, rows: pytest.fail(f"{kept}, {rows}"))

    assert 1 == analysis.settings_in_use().asked
    assert [analysis.flow(line).judged for line in analysis.lines()] == written


def test_what_is_searched_together_is_what_is_found_by_itself():
    """Batches that are searched at once have the same findings as each alone."""
    one, other = (analyze(path)._batches[0] for path in (FOUNDING, REUSE))
    alone = [
        [Kept(0, kept.batch, kept.winners).hits.of(row) for row in range(len(kept.batch))] for kept in (one, other)
    ]
    fresh = [Kept(0, kept.batch, kept.winners) for kept in (one, other)]

    search_together(fresh)

    assert all(kept.is_searched for kept in fresh)
    assert any(found for found in alone[0])
    assert alone == [[kept.hits.of(row) for row in range(len(kept.batch))] for kept in fresh]
