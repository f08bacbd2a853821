"""Which tests the coverage of the core is measured in: those of the core, which have to cover it by themselves.

All others run a third faster without, and so do the programs that they start.
"""

import contextlib
import os
import sys
import threading

CORE = (
    "tests/causes/",
    "tests/explain/",
    "tests/findings/",
    "tests/judge/",
    "tests/label/",
    "tests/loops/test_packed.py",
    "tests/loops/test_pool.py",
    "tests/survey/",
    "tests/test_scenarios.py",
    "tests/test_segment.py",
    "tests/track/",
    "tests/words/",
)
"""How their paths begin: ``source_pkgs`` of pyproject.toml, mirrored, and the scenarios."""


class Measuring:
    """Turns coverage off once the tests are collected, and on in tests of the core."""

    def __init__(self):
        """Nothing is turned off yet."""
        self.tracers = None

    def begin(self):
        """Measure no other test, and no program that a test starts."""
        if type(sys.gettrace()).__module__.partition(".")[0] == "coverage":
            self.tracers = sys.gettrace(), threading.gettrace()
            os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
            self.trace(None, None)

    @contextlib.contextmanager
    def of(self, path):
        """Measure if this is where a test of the core is."""
        if self.tracers is None or not path.startswith(CORE):
            yield
            return
        self.trace(*self.tracers)
        try:
            yield
        finally:
            self.trace(None, None)

    @staticmethod
    def trace(here, in_threads):
        """Have each line seen by these, or by nobody."""
        threading.settrace(in_threads)
        sys.settrace(here)
