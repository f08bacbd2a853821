"""Texts that a thread makes behind us, in order, while we prepare the next.

What is left to make of a text is a compiled loop that runs beside Python. Writing stays with us: a thread that waits
for a pipe to be read could not be told to stop.

This module must not know what is in a text.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")


def made_behind(texts: Iterable[Callable[[], T]], *, at_once: bool = False) -> Iterator[T]:
    """Yield what these make, each while the next is prepared; ``at_once`` waits for no next one."""
    if at_once or (os.cpu_count() or 1) == 1:
        yield from (text() for text in texts)
        return
    from concurrent.futures import ThreadPoolExecutor

    before: Future[T] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="keepalive-behind") as thread:
        for text in texts:
            made = thread.submit(text)
            if before is not None:
                yield before.result()
            before = made
        if before is not None:
            yield before.result()
