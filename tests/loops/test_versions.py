"""Whether the compiler is there, in a version that was tested."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from analyzer.loops import versions

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize(
    ("numba", "llvmlite", "expected"),
    [
        ("0.68.1", "0.50.0", ""),
        ("0.68.0rc1", "0.50.1", ""),
        (None, "0.50.0", "numba is not installed"),
        ("0.68.1", None, "llvmlite is not installed"),
        ("0.69.0", "0.50.0", "numba 0.69.0 is not one of the versions that were tested (0.68)"),
        ("0.67.3", "0.50.0", "numba 0.67.3 is not one of the versions that were tested (0.68)"),
        ("0.68.1", "0.51.0", "llvmlite 0.51.0 is not one of the versions that were tested (0.50)"),
        ("unknown", "0.50.0", "numba unknown is not one of the versions that were tested (0.68)"),
    ],
)
def test_only_tested_versions_are_fit(monkeypatch, numba, llvmlite, expected):
    """A version above or below the bounds is as good as none."""
    monkeypatch.setattr(versions, "installed", {"numba": numba, "llvmlite": llvmlite}.get)

    assert expected == versions.unfit()


def test_what_is_not_installed_has_no_version():
    """A package that is not there has no version, one that is has its own."""
    assert versions.installed("no-such-package-as-this") is None
    assert metadata.version("numpy") == versions.installed("numpy")


@pytest.mark.parametrize("left", [(), ("made-1.0.dist-info", "made-2.0.dist-info")])
def test_what_no_folder_names_is_asked_for(monkeypatch, tmp_path, left):
    """Where an installer left no folder, or several, a version is looked for as Python does."""
    for name in ("made", *left):
        (tmp_path / name).mkdir()
    (tmp_path / "made" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(metadata, "version", {"made": "3.0"}.get)

    assert versions.installed.__wrapped__("made") == "3.0"


def test_a_module_that_nobody_installed_has_no_version(monkeypatch, tmp_path):
    """What can be imported, but is no distribution, has no version."""
    (tmp_path / "made.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    assert versions.installed.__wrapped__("made") is None


def test_the_bounds_are_those_of_the_distribution():
    """What pip may install is what would be used."""
    asked = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    for package, (first, after) in versions.TESTED.items():
        (line,) = [each for each in asked if each.startswith(package)]
        low, high = line.removeprefix(package).split(",")

        assert first == versions._numbers(low.removeprefix(">="))
        assert after == versions._numbers(high.removeprefix("<"))
