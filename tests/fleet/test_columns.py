"""The columns of a fleet's tables."""

from analyzer.fleet.columns import TABLES
from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS


def test_tables_begin_with_those_of_a_report():
    """What ``report --parquet`` writes is there, in its order and with its meanings."""
    for table, columns in (("flows", FLOW_COLUMNS), ("probes", PROBE_COLUMNS), ("findings", FINDING_COLUMNS)):
        assert list(columns.items()) == list(TABLES[table].items())[: len(columns)]


def test_every_row_names_its_point():
    """No table lacks the point and the shard."""
    assert all({"capture_point", "shard"} <= set(columns) for columns in TABLES.values())
