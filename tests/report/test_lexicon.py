"""What words mean that have no long text."""

import inspect
import re

import pytest

from analyzer.judge import judged
from analyzer.judge.connection import State
from analyzer.label.outcome import Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.reset_acceptance import Reception
from analyzer.label.rules import Kind
from analyzer.report import lexicon
from analyzer.vantage.joint import Fate


@pytest.mark.parametrize(
    ("enumeration", "table"),
    [
        (Kind, lexicon.KINDS),
        (Certainty, lexicon.CERTAINTIES),
        (Doubt, lexicon.DOUBTS),
        (ResetKind, lexicon.RESETS),
        (Reception, lexicon.RECEPTIONS),
        (State, lexicon.STATES),
    ],
)
def test_every_word_of_the_output_has_a_meaning(enumeration, table):
    """No kind, doubt, state or the like is printed that could not be looked up."""
    assert {member for member in enumeration if member.name != "NONE"} == set(table)


def test_words_are_spelled_as_they_are_printed():
    """States stand in capitals, as in RFC 9293, and all other words in lower case."""
    words = lexicon.words()

    assert "FIN-WAIT-2" in words
    assert {"keepalive_probe", "unnumbered", "gave_up", "challenged", "likely"} <= set(words)


def test_words_of_texts_and_tables_have_a_meaning():
    """What is printed beside codes can be looked up too: train, heartbeat, idle time, kinds of witnesses, fates."""
    words = lexicon.words()
    fates = {fate.value for fate in Fate}
    kinds = set(
        re.findall(r"``(\w+)``", inspect.getsource(judged.Witness).partition("kind: str")[2].partition("about")[0])
    )

    assert {"train", "heartbeat", "idle time", "interval", "count", "gap", "mid-connection"} <= set(words)
    assert fates <= set(words)
    assert len(kinds) > 10
    assert kinds <= set(words)
