"""Libraries of extras."""

import pytest

from analyzer.cli import extras


def test_a_library_that_is_there_is_returned():
    """What is installed is imported."""
    import json

    assert json is extras.needed("json", "any")


def test_a_library_that_is_missing_is_a_sentence_with_its_extra():
    """What is not installed is named, with the command that installs it."""
    with pytest.raises(extras.MissingExtraError) as refused:
        extras.needed("no_such_library.part", "some")

    assert ("this needs no_such_library, which is not installed: pip install 'keepalive-analyzer[some]'") == str(
        refused.value
    )
