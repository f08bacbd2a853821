"""``keepalive rules``: the tables, from the objects that decide."""

import pytest

from analyzer.report.tables import codes


def test_all_tables_are_printed(keepalive):
    """Without a code, every table is printed within 80 columns."""
    done = keepalive("rules")

    assert 0 == done.status
    for title in ("WHAT A SEGMENT IS", "HOW A FLOW ENDED", "WHAT IS FOUND IN A FLOW", "THE STATES OF BOTH ENDS"):
        assert title in done.out
    assert [] == [line for line in done.out.splitlines() if len(line) > 80]


@pytest.mark.parametrize("code", codes())
def test_every_code_has_a_long_text(keepalive, code):
    """Each verdict and each finding is explained."""
    done = keepalive("rules", code)

    assert 0 == done.status
    assert done.out.startswith(f"{code}: ")
    assert "What would make it wrong" in done.out
