"""What every test shares: the Hypothesis profile, and the reason why a live test does not run here.

Other modules of this folder are imported as `from tests.notation import ...`.
"""

import os
import sys

import hypothesis
import pytest

# Unjitted loops under coverage are slow, and the machine is shared: time limits would fail at random.
hypothesis.settings.register_profile("keepalive", deadline=None)
hypothesis.settings.load_profile("keepalive")


def pytest_runtest_setup(item):
    """Skip a test marked live where capturing is not permitted."""
    if item.get_closest_marker("live") and not (sys.platform == "linux" and os.geteuid() == 0):
        pytest.skip("a live capture needs root on Linux")


@pytest.fixture(autouse=True)
def _never_alone(monkeypatch):
    """Keep this process from believing that it is the command: `watch` would give up the rights of all later tests."""
    from analyzer.cli import Running

    monkeypatch.setattr(Running, "alone", False)
