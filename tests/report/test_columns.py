"""The columns of the CSV tables."""

import pytest

from analyzer.report.columns import FLOW_COLUMNS, PROBE_COLUMNS, described


@pytest.mark.parametrize("columns", [FLOW_COLUMNS, PROBE_COLUMNS], ids=["flows", "probes"])
def test_every_column_is_described_in_a_line(columns):
    """Each column has a meaning, which fits a line of 80 characters beside its name."""
    lines = list(described(columns))

    assert list(columns) == [line.split()[0] for line in lines]
    assert all(columns.values())
    assert all(len(line) <= 80 for line in lines)
