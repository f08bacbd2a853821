"""What is told of flows: few are judged, the others made, and all as if each had been told."""

import pytest

from analyzer.analyzing import analyze
from analyzer.report.tables import Told
from analyzer.report.telling import Telling
from tests.hostile.floods import flood


@pytest.fixture
def resets(tmp_path):
    """Many flows of which one RST is all that is there, as an analysis."""
    path = tmp_path / "resets.pcap"
    path.write_bytes(flood("a RST of each flow", 3000))
    return analyze(path, jit=False)


def told(judged):
    """Tell a flow."""
    record = judged.record
    return f"{record.a} to {record.b.address}, frame {record.first_frame:,} of {[f.code for f in judged.findings]}"


def test_few_are_told_and_all_have_their_text(resets):
    """Of three thousand flows that are alike some dozen are judged, and each has the text of its own."""
    telling, judged = Telling(), []
    for flows, _ in resets.together():
        texts = telling.texts(flows, told, see=lambda at, each: judged.append((at, each)))

        assert texts == [told(flow.judged) for flow in flows]

    assert 0 < len(judged) < 50


def test_what_is_not_looked_at_as_alike_is_told(resets):
    """Who says so has every flow judged, with its place."""
    flows, _ = next(resets.together())
    places = []

    assert None not in Telling().texts(flows, told, alike=False, see=lambda at, _: places.append(at))
    assert places == list(range(len(flows)))


def test_tables_ask_for_the_same_flows_once(resets):
    """What is told of the last flows is known: three tables of them cost one telling."""
    flows, _ = next(resets.together())
    known = Told()

    assert known.of(flows) is known.of(flows)
