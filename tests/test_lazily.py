"""Names that are imported when they are asked for."""

import subprocess
import sys

import pytest

from analyzer import causes, findings
from analyzer.lazily import names_of


@pytest.mark.parametrize("package", [causes, findings])
def test_each_name_that_a_package_offers_is_there(package):
    """Every name in ``__all__`` can be asked for."""
    assert all(getattr(package, name) is not None for name in package.__all__)


def test_a_name_that_no_module_has_is_refused_as_ever():
    """The sentence is Python's own."""
    with pytest.raises(AttributeError, match=r"module 'analyzer.findings' has no attribute 'nothing'"):
        findings.nothing  # noqa: B018


def test_a_module_comes_with_the_first_of_its_names():
    """Not before, and it is kept."""
    code = (
        "import sys; from analyzer import causes; before = 'analyzer.causes.table' in sys.modules; causes.CODES;"
        "print(before, 'analyzer.causes.table' in sys.modules, 'CODES' in vars(causes))"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "False True True" == found.strip()


def test_names_are_looked_for_where_they_live():
    """Each in its own module."""
    imported = names_of("analyzer.judge", {"portions": ("portions", "ROWS_AT_ONCE")})

    from analyzer.judge.portions import ROWS_AT_ONCE

    assert ROWS_AT_ONCE == imported("ROWS_AT_ONCE")
