"""Several loops compiled at once, in as many processes as there are processors: a first run waits for that.

The processes are told a loop and the types of its arguments, the largest first, and give back machine code, which is
kept here. Whoever calls a loop waits for that one; what may not be needed at all comes last, until it is called. They
end with us, however we end: their way to us is closed then. What none of them can do is left to ``machine``, which
compiles it in place.

This module must not know what any loop computes, or which are wanted.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import signal
import threading
from collections import deque
from concurrent.futures import Future
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any, Final

from analyzer.loops import machine
from analyzer.loops.elsewhere import started
from analyzer.loops.loop import Loop

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection, Sequence

    from analyzer.loops.rehearsal import Part

    Made = tuple[dict[str, Any], bytes]

MOST: Final = 4
"""More processes than this are not faster: the longest loop takes a third of the time of all."""
BEHIND: Final = 10
"""How nice the processes are of a crew that nobody waits for."""


class Crew:
    """Processes that compile these loops."""

    def __init__(self, parts: Sequence[Part], *, last: Collection[Part] = (), behind: bool = False) -> None:
        """Start them; those of a crew ``behind`` leave the processors to others, one to us."""
        self._futures: dict[tuple[str, str], Future[Made | None]] = {
            (each.loop, each.types): Future() for each in parts
        }
        self._sizes = {each: _size(each) for each in parts}
        self._last = set(last)
        self._waiting = deque(sorted(parts, key=self._rank))
        self._choosing = threading.Lock()
        self._busy: dict[Connection, Part] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        count = min(len(parts), MOST, max(1, processors() - behind))
        code = f"from analyzer.loops.crew import work; work({BEHIND if behind else 0})"
        for _ in range(count):
            self._start(code)
        self._thread = threading.Thread(target=self._lead, name="keepalive-crew", daemon=True)
        self._thread.start()

    def made(self, loop: str, types: str) -> Made | None:
        """Return a loop's machine code for these types, waiting for it; None if it is not to be had from here."""
        future = self._futures.get((loop, types))
        if future is None:
            return None
        with self._choosing:
            called = {each for each in self._last if (each.loop, each.types) == (loop, types)}
            if called:
                self._last -= called
                self._waiting = deque(sorted(self._waiting, key=self._rank))
        return future.result()

    def _rank(self, part: Part) -> tuple[bool, int]:
        return part in self._last, -self._sizes[part]

    @property
    def working(self) -> bool:
        """Whether there is something that is not made yet."""
        return self._thread.is_alive()

    def progress(self) -> tuple[int, int]:
        """Return how many loops are done, of how many."""
        return sum(each.done() for each in self._futures.values()), len(self._futures)

    def wait(self) -> None:
        """Wait until all is made."""
        self._thread.join()

    def dismiss(self) -> None:
        """End the processes, whatever they do."""
        for process in self._processes:
            process.kill()
        self._thread.join()

    def _start(self, code: str) -> None:
        """Start a process, if the system does, and give it something to do."""
        try:
            here, there = Pipe()
        except OSError:
            return
        try:
            process = started(code, stdin=there.fileno())
        except (OSError, TypeError):  # no descriptor, no memory, or no interpreter that is known by name
            here.close()
            return
        finally:
            there.close()
        self._processes.append(process)
        self._next(here)

    def _next(self, worker: Connection) -> None:
        """Give a process the next loop, or its leave."""
        self._busy.pop(worker, None)
        with self._choosing:
            part = self._waiting.popleft() if self._waiting else None
        if part is None:
            worker.close()
        else:
            self._busy[worker] = part
            with contextlib.suppress(OSError):  # what is not there any more says no more, which is seen next
                worker.send(part)

    def _lead(self) -> None:
        try:
            while self._busy:
                for worker in wait(list(self._busy)):
                    assert isinstance(worker, Connection)
                    self._take(worker)
        finally:
            for future in self._futures.values():
                if not future.done():
                    future.set_result(None)
            for process in self._processes:
                process.wait()

    def _take(self, worker: Connection) -> None:
        """Take what a process has made, and give it more to do."""
        part = self._busy[worker]
        made: Made | None = None
        try:
            made = worker.recv()
        except (EOFError, OSError):
            del self._busy[worker]
            worker.close()
        else:
            self._next(worker)
        if made is not None:
            machine.keep(part.loop, part.types, made)
        self._futures[part.loop, part.types].set_result(made)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _size(part: Part) -> int:
    """Return how long a loop is, with all that is inlined in it: about as that, it takes to compile."""
    found: dict[int, Loop[Any, Any]] = {}
    todo = [_loop(part)]
    while todo:
        each = todo.pop()
        if id(each) not in found:
            found[id(each)] = each
            names = vars(importlib.import_module(each.plain.__module__))
            code: Any = each.plain.__code__
            todo += [names[name] for name in code.co_names if isinstance(names.get(name), Loop)]
    codes: list[Any] = [each.plain.__code__ for each in found.values()]
    return sum(len(code.co_code) for code in codes)


def _loop(part: Part) -> Loop[Any, Any]:
    loop = getattr(importlib.import_module(part.module), part.name)
    assert isinstance(loop, Loop)
    return loop


# in the other process ──────────────────────────────────────────────────────────────────────────────────────────────


def work(nice: int) -> None:
    """Compile what comes in by standard input, a socket, and send it back; until it is closed, then at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; whoever started us decides
    os.nice(nice)
    boss = Connection(os.dup(0))
    todo: queue.SimpleQueue[Part] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(boss, todo), daemon=True).start()
    while True:
        part = todo.get()
        boss.send(_made(part))


def _listen(boss: Connection, todo: queue.SimpleQueue[Part]) -> None:
    """Pass on what is to be done; end the process when nobody is there who wants it."""
    try:
        while True:
            todo.put(boss.recv())
    finally:
        os._exit(0)


def _made(part: Part) -> Made | None:
    args = part.likenesses()
    if machine.types_of(args) != part.types:
        return None
    native: Any = _loop(part).compiled
    try:
        made: Made | None = native.compile(args)
    except Exception:  # noqa: BLE001 - it is tried again in place, where what is wrong is told
        return None
    return made
