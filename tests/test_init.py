"""The package's public names."""

import pytest

import analyzer


def test_public_names_are_loaded_on_first_use():
    """Every name of __all__ can be had from the package."""
    assert [] == [name for name in analyzer.__all__ if not hasattr(analyzer, name)]


def test_an_unknown_name_is_refused():
    """A name the package does not have is an AttributeError that says so."""
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = analyzer.analyse


def test_dir_lists_the_public_names():
    """Completion shows what can be used."""
    assert sorted(analyzer.__all__) == dir(analyzer)
