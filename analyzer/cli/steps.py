"""A bar for work that goes in steps and may take long: judging, drawing, writing.

It must not know what is done.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from analyzer.cli import manner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.untyped import Foreign

Step = TypeVar("Step")

PATIENCE_S: Final = 1.0
"""What takes less needs no bar."""


def steps(some: Iterable[Step], total: int | None, what: str) -> Iterator[Step]:
    """Yield what there is, with a bar on standard error while that takes longer than a second.

    There is none where standard error is no terminal, or is to be quiet.
    """
    if manner.Manner.quiet or not sys.stderr.isatty():
        yield from some
        return
    since_s = time.monotonic()
    bar: Any = None
    task: Any = None
    try:
        for step in some:
            yield step
            if bar is None and time.monotonic() - since_s > PATIENCE_S:
                bar = _bar()
                task = bar.add_task(what, total=total)
                bar.start()
            if bar is not None:
                bar.advance(task)
    finally:
        if bar is not None:
            bar.stop()


def _bar() -> Foreign:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
