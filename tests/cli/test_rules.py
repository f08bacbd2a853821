"""``keepalive rules``: the tables, from the objects that decide."""

import pytest

from analyzer.report.rule_tables import codes


def test_all_tables_are_printed(keepalive):
    """Without a code, every table is printed within 80 columns."""
    done = keepalive("rules")

    assert 0 == done.status
    for title in (
        "WHAT A SEGMENT IS",
        "WHICH RST ITS RECEIVER TAKES",
        "HOW A FLOW ENDED",
        "WHAT IS FOUND IN A FLOW",
        "THE STATES OF BOTH ENDS",
    ):
        assert title in done.out
    assert [] == [line for line in done.out.splitlines() if len(line) > 80]


@pytest.mark.parametrize("code", codes())
def test_every_code_has_a_long_text(keepalive, code):
    """Each verdict and each finding is explained."""
    done = keepalive("rules", code)

    assert 0 == done.status
    assert done.out.startswith(f"{code}: ")
    assert "What would make it wrong" in done.out


def test_colouring_rules_are_printed_as_wireshark_keeps_them(keepalive):
    """--wireshark prints a colorfilters file, with how to install it as a profile, and nothing else."""
    done = keepalive("rules", "--wireshark")
    lines = done.out.splitlines()

    assert (0, "") == (done.status, done.err)
    assert any("keepalive rules --wireshark > ~/.config/wireshark/profiles/keepalive/colorfilters" in x for x in lines)
    assert {"#", "@"} == {line[0] for line in lines}


def test_a_code_and_colouring_rules_are_two_questions(keepalive):
    """--wireshark beside a CODE is refused."""
    assert 2 == keepalive("rules", "open", "--wireshark").status
