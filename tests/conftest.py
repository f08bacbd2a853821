"""What every test shares: the Hypothesis profile, and the reason why a live test does not run here.

Other modules of this folder are imported as `from tests.notation import ...`.
"""

import os
import sys

import hypothesis
import pytest

from tests.measuring import Measuring

# Unjitted loops under coverage are slow, and the machine is shared: time limits would fail at random.
hypothesis.settings.register_profile("keepalive", deadline=None)
hypothesis.settings.load_profile("keepalive")

MEASURING = Measuring()


FIRST = ("tests/live/", "tests/capture/test_reader.py", "tests/test_scenarios.py", "tests/bench/", "tests/fuzz/")
"""What waits or takes longest: begun first, so that no process is left alone with it at the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Begin with what takes longest: each file is one process's alone, so that what its tests share is made once."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_runtest_setup(item):
    """Skip a test marked live where capturing is not permitted."""
    if item.get_closest_marker("live") and not (sys.platform == "linux" and os.geteuid() == 0):
        pytest.skip("a live capture needs root on Linux")


def pytest_collection_finish():
    """Leave the coverage to the tests that it is of."""
    MEASURING.begin()


def pytest_sessionfinish():
    """Keep what was measured."""
    MEASURING.keep()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Measure the coverage of the core in the tests of the core."""
    with MEASURING.of(item.nodeid):
        return (yield)


@pytest.fixture(autouse=True)
def _never_alone(monkeypatch):
    """Keep this process from believing that it is the command: `watch` would give up the rights of all later tests."""
    from analyzer.cli import Running

    monkeypatch.setattr(Running, "alone", False)
