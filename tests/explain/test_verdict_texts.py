"""The long text of each verdict."""

from dataclasses import astuple

from analyzer.explain.verdict_texts import VERDICT_TEXTS
from analyzer.judge.verdict import Verdict


def test_every_verdict_has_its_long_text():
    """No verdict is without words, in the order in which they are declared."""
    assert [verdict.value for verdict in Verdict] == list(VERDICT_TEXTS)


def test_every_part_is_written():
    """Each part is there, plain text, and one paragraph."""
    for code, text in VERDICT_TEXTS.items():
        assert all(part and "\n" not in part and "  " not in part for part in astuple(text)), code
