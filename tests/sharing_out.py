"""How several processes share the tests: who begins with what, and which files are one process's."""

import itertools

from xdist.scheduler import LoadFileScheduling

WAITING = "tests/live/"
"""What waits for real time more than it works."""

LONG = (
    "tests/hostile/test_linear.py",
    "tests/capture/test_reader.py",
    "tests/test_scenarios.py",
    "tests/wireshark/test_classes.py",
    "tests/label/test_rules.py",
    "tests/bench/",
    "tests/fuzz/",
)
"""What takes longest: begun first, so that no process is left alone with it at the end."""

TOGETHER = {
    "tests/judge/test_verdict.py": "tests/label/test_rules.py",  # traffic drawn at random
    "tests/findings/kinds/test_window.py": "tests/label/test_rules.py",
    "tests/wireshark/test_comparison.py": "tests/wireshark/test_classes.py",  # what tshark says of many captures
}
"""Files that need what is made for another, which takes longer than they do: they are run where that one is."""


def begun_elsewhere(parts, worker):
    """Return what the folder of tests holds in an order that each of several processes begins at another place.

    Where pytest has not yet compiled a test file each process would, as do the others at that time, which takes as long
    as all the rest of collecting. ``worker`` is what xdist tells a process of itself.
    """
    begin = len(parts) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    return [*parts[begin:], *parts[:begin]]


def in_order(items):
    """Return tests in the one order that all processes have to agree on: by file, and as they stand there."""
    return sorted(items, key=lambda item: item.nodeid.partition("::")[0])


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


class ByFile(LoadFileScheduling):
    """Gives each file to one process, and some files to the same one, so that what they share is made once."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)
