"""Processes that begin with everything imported: forked from a server that imports while the client still does.

A worker that is started by itself imports for a second what the one beside it imports too, and only when the client is
done with it. The server, which is ``multiprocessing``'s own, does it once and at once; and a worker that takes the
place of a killed one is there in no time. It runs one thread, so that what is forked is whole. Where
there is no server (Windows), where forking is not safe behind the system's libraries (macOS), and in a process that is
somebody else's, who may want a server of another kind, workers are started one by one.

It must not know what a worker does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

from analyzer.fleet.extras import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IMPORTED: Final = "analyzer.fleet.imported"
"""What the server imports before the first worker."""
SAFELY: Final = {
    "PYTHONSAFEPATH": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""In the environment of workers: no module is found in the current folder, and no library starts threads in vain."""

_BEGUN: list[str] = []


def begin(places: Iterable[str] = ()) -> None:
    """Have a server import what workers need, where there can be one; for a program that starts no other processes.

    ``places`` are folders and URLs that will be read and written, so that what their stores need is imported too.
    """
    if sys.platform != "linux":
        return
    from multiprocessing import forkserver

    stores = dict.fromkeys(LIBRARIES.get(place.partition("://")[0], "fsspec") for place in places)
    forkserver.set_forkserver_preload([IMPORTED, *stores])
    with environment(SAFELY):
        forkserver.ensure_running()
    _BEGUN.append("forkserver")


def method() -> str:
    """Return how workers are started, as ``multiprocessing`` calls it."""
    return _BEGUN[-1] if _BEGUN else "spawn"


@contextlib.contextmanager
def environment(more: dict[str, str]) -> Iterator[None]:
    """Have these variables in the environment of processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
