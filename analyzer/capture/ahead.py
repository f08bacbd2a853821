"""Reading and decoding ahead of the tracker, in a thread of its own.

Decoding releases the GIL, so on two processors the capture is read while the batch before it is tracked. The order of
batches does not change, and neither does anything in them.

This module must not know what is in a batch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

DEPTH: Final = 6
"""Batches that may wait: as many as are decoded while finished flows are copied out of the tables, which takes some
milliseconds; a tracker that finds none when that is done waits for each.
"""


LEAVE_S: Final = 1.0
"""How long to wait for the thread when we leave: one that reads a silent stream may never wake."""


def nothing() -> None:
    """Do nothing, where there is nothing to do meanwhile."""


def read_ahead(items: Iterable[T], depth: int = DEPTH, *, meanwhile: Callable[[], object] = nothing) -> Iterator[T]:
    """Yield the items of an iterable that a thread works off ahead of us.

    What the iterable raises is raised here, after the items before it. If we stop early, the thread stops at its next
    item. ``meanwhile`` is called once the thread works, before we wait for its first item. An item that is None says
    only that the work goes on; where none may wait any more it is left out.
    """
    # simple ones, which take and give without running Python: a thousand batches pass in a second
    waiting: queue.SimpleQueue[tuple[str, T | BaseException | None]] = queue.SimpleQueue()
    places: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(depth):
        places.put(None)
    stopped = threading.Event()

    def put(what: str, item: T | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                places.get(timeout=0.1)
            except queue.Empty:
                continue
            waiting.put((what, item))
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if (item is not None or not places.empty()) and not put("item", item):
                    return
                del item  # whose memory it is now may want it back before there is another
        except BaseException as error:  # noqa: BLE001 - handed to the reader, whatever it is
            put("error", error)
        else:
            put("end", None)
        finally:
            if isinstance(items, Generator):
                items.close()  # here, because no other thread may

    thread = threading.Thread(target=work, name="keepalive-read-ahead", daemon=True)
    thread.start()
    try:
        meanwhile()
        while True:
            what, item = waiting.get()
            places.put(None)
            if what == "error" and isinstance(item, BaseException):
                raise item
            if what == "end":
                return
            held = [item]
            del item
            yield held.pop()  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join(LEAVE_S)
