"""What the package and its extras need, as ``dependencies.py`` prints it."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from dependencies import needed

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_an_extra_that_names_others_stands_for_them():
    """Each requirement stands once, in the order in which it is found, and the package itself nowhere."""
    project = {
        "dependencies": ["numpy>=1"],
        "optional-dependencies": {
            "all": ["keepalive-analyzer[one,two]"],
            "one": ["numpy>=1", "first"],
            "two": ["keepalive-analyzer[one]", "second; sys_platform == 'linux'"],
        },
    }

    assert ["numpy>=1", "first", "second; sys_platform == 'linux'"] == needed(project, ["all"])
    assert ["numpy>=1"] == needed(project, [])


def test_an_unknown_extra_is_an_error():
    """A name that no extra has is not passed over."""
    with pytest.raises(KeyError, match="tests"):
        needed(PROJECT, ["tests"])


def test_it_prints_what_the_installed_package_says_of_itself():
    """What the two commands of an installation fetch is what one would: the package's own metadata say so."""
    printed = subprocess.run(
        [sys.executable, ROOT / "dependencies.py", "dev"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    said, fetched = (set(map(asked, lines)) for lines in (metadata.requires("keepalive-analyzer"), printed))

    assert fetched <= said
    assert set(map(asked, PROJECT["dependencies"])) <= fetched
    assert not [line for line in printed if line.startswith("keepalive")]


def asked(line):
    """Which versions of which distribution a requirement asks for; its marker, which may name an extra, is left out."""
    requirement = Requirement(line)
    return requirement.name, frozenset(requirement.extras), requirement.specifier
