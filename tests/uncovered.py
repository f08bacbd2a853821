"""The environment of children that coverage must not measure.

Where a child may open no more files, has no room to write, or is ended by a signal, coverage has a word and a handler
of its own, and what is seen is coverage and not the command.
"""

import os


def environment(**more):
    """Return this process's environment without coverage's orders to children, and with these variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")} | more
