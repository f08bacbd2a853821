"""Rows of a flow, few or many."""

import pytest

from analyzer.analyzing import analyze
from analyzer.judge import flow_rows
from tests.judging import CAPTURES

BUNDLED = sorted((*CAPTURES.glob("*.pcap"), *CAPTURES.glob("lab/*.pcap*")))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_record_is_the_same_from_few_rows_and_from_many(path, monkeypatch):
    """Whether rows are taken as dicts at once or a few at a time, the same record is made."""
    at_once = [flow.judged.record for flow in analyze(path).flows]
    monkeypatch.setattr(flow_rows, "AT_ONCE", 1)
    piecemeal = [flow.judged.record for flow in analyze(path).flows]

    assert at_once == piecemeal
