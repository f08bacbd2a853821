"""What every test shares: the Hypothesis profile, the order, and the reason why a live test does not run here.

Other modules of this folder are imported as `from tests.notation import ...`.
"""

import gc
import os
import sys
from pathlib import Path

import hypothesis
import pytest

from analyzer.cli import Running
from tests.measuring import Measuring

# Unjitted loops under coverage are slow, and the machine is shared: time limits would fail at random.
hypothesis.settings.register_profile("keepalive", deadline=None)
hypothesis.settings.load_profile("keepalive")

MEASURING = Measuring()
TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Give several processes an order in which all have work until the end; each file is one process's alone."""
    if hasattr(config, "workerinput"):
        from tests.sharing_out import in_order, spread

        items[:] = spread(in_order(items))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Have each of several processes begin elsewhere to collect, so that none compiles what another compiles."""
    report = yield
    if hasattr(collector.config, "workerinput") and collector.path == TESTS and report.result:
        from tests.sharing_out import begun_elsewhere

        report.result = begun_elsewhere(report.result, collector.config.workerinput)
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give files to processes in a way of our own."""
    if config.getvalue("dist") != "loadfile":
        return None
    from tests.sharing_out import ByFile

    return ByFile(config, log)


def pytest_runtest_setup(item):
    """Skip a test marked live where capturing is not permitted.

    Keep this process from believing that it is the command: `watch` would give up the rights of all later tests. Not in
    a fixture, which takes longer than many a test.
    """
    Running.alone = False
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
