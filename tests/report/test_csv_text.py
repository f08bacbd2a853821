"""CSV: the tables of flows and probes, plain and by the compiled loop."""

import csv
import io
import os
import tomllib

import pytest

from analyzer.analyzing import analyze
from analyzer.report.csv_text import CsvWriter, text
from analyzer.report.tables import TABLES, table
from tests.judging import CAPTURES
from tests.notation import START_NS
from tests.tables import scenario_flows
from tests.test_together import flows_of

CATALOGUE = tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]
JITTED = pytest.mark.skipif(os.environ.get("KEEPALIVE_JIT") == "0", reason="compiled loops are switched off")


@pytest.mark.parametrize("name", ["flows", "probes"])
def test_every_capture_makes_a_csv(name):
    """Each row of each capture's tables has as many cells as the header, and no float has an exponent."""
    writer = CsvWriter(name)
    text = writer.header
    for entry in CATALOGUE:
        analysis = analyze(CAPTURES / entry["file"])
        for flows, _ in analysis.together():
            text += writer.rows(flows, analysis.start_ns())()
    rows = list(csv.reader(io.StringIO(text)))
    probes = sum(flow["probes"] for entry in CATALOGUE for flow in entry["flows"])
    undetermined = 1  # lab/snaplen_40, of which the catalogue says that no flow can be told

    assert {len(rows[0])} == {len(row) for row in rows}
    assert len(rows) - 1 == (
        sum(len(entry["flows"]) for entry in CATALOGUE) + undetermined if name == "flows" else probes
    )
    assert not any("e-" in cell for row in rows[1:] for cell in row if cell[:1].isdigit())


@JITTED
@pytest.mark.parametrize("name", ["flows", "probes"])
def test_the_compiled_loop_writes_the_same(name):
    """The rows of all scenarios are the same octets from the loop, those with very long times from Python."""
    for scenario in scenario_flows():
        cells = table(name, flows_of([scenario])[0], 0 if scenario == "dead_peer_gave_up" else START_NS)

        assert text(cells, jit=False)() == text(cells, jit=True)()


def test_no_cell_needs_quotes():
    """What a reader of CSV makes of the lines is what the columns hold."""
    flows, _ = flows_of(sorted(scenario_flows()))
    for name in ("flows", "probes"):
        cells = table(name, flows, 0)
        read = list(csv.reader(io.StringIO(text(cells, jit=False)())))

        assert len(TABLES[name]) == len(read[0])
        assert cells["flow"].plain() == [int(row[1]) for row in read]
