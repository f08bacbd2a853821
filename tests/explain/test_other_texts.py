"""The long text of the other findings."""

from dataclasses import astuple

from analyzer.explain.finding_texts import ENDING_TEXTS
from analyzer.explain.other_texts import OTHER_TEXTS
from analyzer.findings import CODES


def test_every_finding_has_its_long_text_once():
    """The two files of texts share the findings between them."""
    assert set(CODES) == set(ENDING_TEXTS) | set(OTHER_TEXTS)
    assert not set(ENDING_TEXTS) & set(OTHER_TEXTS)


def test_every_part_is_written():
    """Each part is there, plain text, and one paragraph."""
    for code, text in OTHER_TEXTS.items():
        assert all(part and "\n" not in part and "  " not in part for part in astuple(text)), code
