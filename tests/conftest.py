"""What every test shares: the Hypothesis profile, the order, and the reason why a live test does not run here.

Other modules of this folder are imported as `from tests.notation import ...`.
"""

import gc
import itertools
import os
import sys

import hypothesis
import pytest

from tests.measuring import Measuring

# Unjitted loops under coverage are slow, and the machine is shared: time limits would fail at random.
hypothesis.settings.register_profile("keepalive", deadline=None)
hypothesis.settings.load_profile("keepalive")

MEASURING = Measuring()


WAITING = "tests/live/"
"""What waits for real time more than it works."""
LONG = ("tests/capture/test_reader.py", "tests/test_scenarios.py", "tests/bench/", "tests/fuzz/")
"""What takes longest: begun first, so that no process is left alone with it at the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Give several processes an order in which all have work until the end; each file is one process's alone."""
    if hasattr(config, "workerinput"):
        items[:] = spread(items)


def spread(items):
    """Return what takes longest first, and among the first two thirds, evenly, the files of what waits.

    While one process waits the others have work: they are one more than CI has processors.
    """
    waits = [item for item in items if item.nodeid.startswith(WAITING)]
    files = [list(file) for _, file in itertools.groupby(waits, key=lambda item: item.path)]
    works = sorted((i for i in items if not i.nodeid.startswith(WAITING)), key=lambda i: not i.nodeid.startswith(LONG))
    between = len(works) * 2 // 3 // max(len(files), 1)
    parts = [file + works[at * between : (at + 1) * between] for at, file in enumerate(files)]
    return [*itertools.chain.from_iterable(parts), *works[len(files) * between :]]


def pytest_runtest_setup(item):
    """Skip a test marked live where capturing is not permitted."""
    if item.get_closest_marker("live") and not (sys.platform == "linux" and os.geteuid() == 0):
        pytest.skip("a live capture needs root on Linux")


def leads(config):
    """Whether this process runs no test, but has others run them."""
    return bool(config.getoption("numprocesses", None))


def pytest_configure(config):
    """Leave the coverage to the tests that it is of."""
    MEASURING.begin(leads=leads(config))


def pytest_collection(session):
    """Look for no garbage while tests are collected, for all that is made then stays."""
    if not leads(session.config):
        gc.disable()


def pytest_collection_finish():
    """Look for garbage again, but never among what was collected."""
    gc.freeze()
    gc.enable()


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
