"""``keepalive rules``: the tables, from the objects that decide."""

import pytest

from analyzer.report.rule_tables import codes, known_words, meaning
from analyzer.report.screen import Screen


def test_all_tables_are_printed(keepalive):
    """With --tables, every table is printed within 80 columns."""
    done = keepalive("rules", "--tables")

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


def test_without_a_word_each_has_a_line(keepalive):
    """Every verdict, finding and cause is listed on one line with its title."""
    lines = keepalive("rules").out.splitlines()

    for code in codes():
        assert 1 == sum(line.split()[:1] == [code] for line in lines), code


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("CLOSE-WAIT", "CLOSE-WAIT: the other end closed"),
        ("close-wait", "CLOSE-WAIT: the other end closed"),
        ("half-closed", "half_closed: One end closed"),
        ("CLOSED", "CLOSED: this end holds no such connection"),
        ("closed", "closed: Closed by both ends"),
        ("keepalive_probe", "keepalive_probe: a keepalive probe"),
        ("unnumbered", "unnumbered: pasted text"),
        ("in-window", "challenged  in-window"),
        ("heartbeats", "heartbeat: a small message"),
        ("train", "train: probes of one end"),
        ("prober-gave-up", "timed_out  prober-gave-up"),
        ("began-midstream", "began-midstream: how Wireshark's labels differ"),
    ],
)
def test_words_that_are_printed_are_explained(keepalive, word, first):
    """Whatever word the output uses is taken, in capitals or not, joined by hyphens or not."""
    done = keepalive("rules", word)

    assert 0 == done.status
    assert done.out.startswith(first)


def test_every_word_that_can_be_asked_for_is_answered():
    """No word is known of which nothing is said."""
    assert [] == [word for word in known_words() if not list(meaning(word, Screen()))]


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
