"""How a run ends: its exit status, the one sentence of what stopped it, and the signals that end it in order.

1 means that a --fail-on condition was met, and nothing else. No traceback reaches a user, unless
KEEPALIVE_TRACEBACK=1 asks for one.

This module must not know any verb.
"""

from __future__ import annotations

import atexit
import io
import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import analyzer
from analyzer.errors import AnalyzerError, LiveCaptureError
from analyzer.output import NamedFile
from analyzer.report.screen import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from analyzer.untyped import Foreign, Octets

UNREADABLE: Final = 2
"""The exit status where a named capture could not be read, whatever came of the others."""
NOT_PERMITTED: Final = 3
FAULT: Final = 70
"""EX_SOFTWARE of sysexits.h: a fault of this program."""
SIGNALLED: Final = 128
"""As a shell reports a program that a signal ended: this, and the signal's number."""
INTERRUPTED: Final = SIGNALLED + signal.SIGINT
BROKEN_PIPE: Final = SIGNALLED + signal.SIGPIPE
"""``| head`` is no error to anybody."""

TRACEBACK_VARIABLE: Final = "KEEPALIVE_TRACEBACK"
NO_THREAD: Final = "can't start new thread"
"""What Python says when the system gives it none."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP: what was begun is taken away, then the process ends as it was told."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(number)
        self.number = number


@contextmanager
def in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP, where they would end the process at once, raise Terminated meanwhile."""
    before: dict[int, Any] = {}

    def end(number: int, _: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # once is enough; what follows must not be interrupted
        raise Terminated(number)

    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(each) == signal.SIG_DFL:  # nohup has SIGHUP ignored
                before[each] = signal.signal(each, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def reason(error: BaseException) -> tuple[int, str]:
    """Return the exit status for what stopped a run, and what is to be said of it."""
    if isinstance(error, Terminated):
        return SIGNALLED + error.number, ""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, ""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    if isinstance(error, LiveCaptureError):
        return NOT_PERMITTED, str(error)
    if isinstance(error, AnalyzerError):
        return UNREADABLE, str(error)
    if sentence := _of_the_system(error):
        return UNREADABLE, sentence
    return FAULT, _fault(error)


def _of_the_system(error: BaseException) -> str:
    """Return what the system, not this program, lacks; nothing if that is not it."""
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        return f"{os.fsdecode(error.filename)}: {why}" if isinstance(error.filename, str | bytes) else why
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; --port, --host or fewer files at a time need less"
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != "analyzer":
        return f"this needs {error.name}, which is not installed"
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] != "analyzer":
        first: BaseException = error
        while isinstance(first.__cause__, ImportError):  # numpy puts a page of advice in front
            first = first.__cause__
        return f"a library cannot be loaded: {_first_line(first)}"
    if type(error).__name__ == "BrokenProcessPool":
        return "a process that read captures was ended from outside, perhaps for want of memory"
    if isinstance(error, RuntimeError) and NO_THREAD in str(error):
        return "the system lets this process start no more threads"
    return ""


def _fault(error: BaseException) -> str:
    """Say what is needed to find a fault of this program, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"a fault of this program, keepalive {analyzer.__version__} on Python {python}: "
        f"{type(error).__name__}{where}: {_first_line(error)}; please report this line "
        f"(with {TRACEBACK_VARIABLE}=1, all that it prints) to its maintainers"
    )


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no more is known")


def say(sentence: str) -> None:
    """Say on stderr what stopped a run, in one line; a traceback only where it was asked for."""
    if os.environ.get(TRACEBACK_VARIABLE) == "1":
        traceback.print_exc()
    if sentence:
        sys.stderr.write(f"keepalive: {printable(sentence)}\n")


# a process of its own ──────────────────────────────────────────────────────────────────────────────────────────────


class _Unheard(io.FileIO):
    """Standard error; that it cannot be written to is no reason to end otherwise."""

    def write(self, octets: Octets) -> int:
        try:
            return super().write(octets)
        except OSError:
            return len(octets)


def take_streams() -> bool:
    """Make the standard streams such that their errors are told truly; False if there is no standard output.

    A descriptor that was closed would be given to the next file that is opened, a capture or a result, and be written
    to as if it were the stream; so it is taken by the null device.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)
            if taken != number:
                os.dup2(taken, number)
                os.close(taken)
    has_output = sys.stdout is not None
    if has_output:
        sys.stdout = _over(NamedFile(1, "standard output", owned=False), sys.stdout)
    sys.stderr = _over(_Unheard(2, "wb", closefd=False), sys.stderr)
    return has_output


def _over(raw: io.FileIO, like: Foreign) -> io.TextIOWrapper:
    """Return a text stream like one that is there, over another file."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", "utf-8"),
        errors="backslashreplace",
        # python -u asks for no buffer at all; a line is as much as anybody waits for
        line_buffering=getattr(like, "line_buffering", True) or like.write_through,
    )


def end_as_told(status: int) -> None:
    """At the very end, let a signal that ended the run end the process, so that whoever waits for it can tell."""
    number = status - SIGNALLED
    if number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


class LastAct:
    """What happens after all else that was registered to happen at exit: made first, it comes last."""

    def __init__(self) -> None:
        """Register."""
        self.status = 0
        atexit.register(lambda: end_as_told(self.status))
