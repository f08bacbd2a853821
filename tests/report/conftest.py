"""Judged flows to render, from the captures of the project."""

from functools import cache
from pathlib import Path

import pytest

from analyzer.analyzing import analyze

CAPTURES = Path(__file__).parents[2] / "captures"


@cache
def _analysis(name):
    return analyze(CAPTURES / name)


@pytest.fixture
def analysis():
    """A function that analyzes a capture of captures/, once."""
    return _analysis


@pytest.fixture
def flow():
    """A function that returns a judged flow of a capture, and the capture's start."""

    def pick(name, number=0):
        return _analysis(name).flows[number].judged, _analysis(name).start_ns()

    return pick
