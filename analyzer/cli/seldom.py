"""When something that takes time is done again, so that it takes no more than a small share of it.

It must not know what is done.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE: Final = 20
"""It may take one part in so many of the time."""


class Seldom:
    """Whether it is time to do something again.

    What counts is the processor's time, for on a busy machine everything else takes long, and of the last two times the
    shorter one: the first look at something has modules imported, which is no reason to look away for seconds.
    """

    def __init__(self, least_s: float = 0.0) -> None:
        """Begin; it is never done sooner than ``least_s`` behind the last time."""
        self._least_s = least_s
        self._again_s = float("-inf")
        self._before_s = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it may be done now."""
        return time.monotonic() >= self._again_s

    @contextmanager
    def doing(self) -> Iterator[None]:
        """Measure what is done."""
        began_s, worked_s = time.monotonic(), time.thread_time()
        try:
            yield
        finally:
            self.took(began_s, time.thread_time() - worked_s)

    def took(self, began_s: float, worked_s: float) -> None:
        """Note that it was done, from when on (monotonic), and how long the processor worked."""
        self._again_s = began_s + max(self._least_s, PATIENCE * min(worked_s, self._before_s))
        self._before_s = worked_s

    def at_once(self) -> None:
        """Let it be done again now."""
        self._again_s = float("-inf")
