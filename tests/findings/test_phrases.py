"""Phrases are sentences that several kinds of findings share."""

from pathlib import Path

import pytest

from analyzer.findings import kinds, phrases

SOURCES = [path.read_text(encoding="utf-8") for path in sorted(Path(kinds.__file__).parent.glob("*.py"))]


@pytest.mark.parametrize("name", [name for name in vars(phrases) if name.isupper()])
def test_a_phrase_is_shared(name):
    """A sentence that only one module of records needs stands in that module."""
    assert sum(name in source for source in SOURCES) > 1
