"""Libraries that would obey settings in the current folder do not."""

import os
from pathlib import Path

import pytest

from analyzer.local_settings import ignored


def test_only_that_name_is_not_found_and_only_meanwhile(tmp_path, monkeypatch):
    """The relative name is as good as not there; every other name, and the file by its full one, is as it is."""
    monkeypatch.chdir(tmp_path)
    for name in ("settings", "others"):
        Path(name).touch()
    names = ("settings", "others", str(tmp_path / "settings"), "none")
    with ignored("settings"):
        meanwhile = [os.path.exists(name) for name in names]  # noqa: PTH110 - it is what libraries call

    assert [False, True, True, False] == meanwhile
    assert [True, True, True, False] == [os.path.exists(name) for name in names]  # noqa: PTH110


def test_an_import_that_fails_leaves_all_as_it_was():
    """What raises meanwhile changes nothing."""
    before = os.path.exists
    with pytest.raises(ImportError), ignored("settings"):
        raise ImportError

    assert before is os.path.exists
