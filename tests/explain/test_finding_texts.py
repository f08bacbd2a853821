"""The long text of each finding about how a flow went."""

from dataclasses import astuple

from analyzer.explain.finding_texts import ENDING_TEXTS
from analyzer.findings import CODES


def test_texts_belong_to_findings():
    """There is no text without a finding."""
    assert set(ENDING_TEXTS) < set(CODES)


def test_every_part_is_written():
    """Each part is there, plain text, and one paragraph."""
    for code, text in ENDING_TEXTS.items():
        assert all(part and "\n" not in part and "  " not in part for part in astuple(text)), code


def test_the_leak_is_mended_in_the_handler():
    """What to change for a leaked CLOSE-WAIT is to read to the end and close in the handler, not in main."""
    change = ENDING_TEXTS["close-wait-held-by-keepalive"].change

    assert "Read until end of file" in change
    assert "in the handler's own function, not in main" in change
