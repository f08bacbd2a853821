"""One large capture read by two processes, each of which tracks half of the flows.

Both read and decode everything, and pass by the flows whose hash is the other's; tracking, the larger part of the
work, is halved. A forked child starts with the kernels its parent has loaded. What the two found is put together so
that nothing tells that they were two: flows are numbered again in the order of their first frames.

It must not know what is found.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from analyzer.analysis import Analysis, read_flows
from analyzer.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from analyzer.capture.rotation import RotatedReader

LARGE: Final = 128 << 20
"""From so many octets on, a second process pays."""
HALVES: Final = 2


def pays(octets: int, row: list[str]) -> bool:
    """Say whether halves are worth it: a large row of files, not compressed, two processors, a system that forks well.

    Compressed files would be decompressed twice, which costs more than tracking. macOS can fork, but its libraries do
    not like it.
    """
    packed = any(path.endswith((".gz", ".zst")) for path in row)
    return octets >= LARGE and not packed and (os.cpu_count() or 1) > 1 and sys.platform == "linux"


def read_in_halves(
    result: Analysis,
    row: list[str],
    *,
    reader: str = "auto",
    jit: bool = True,
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> list[str]:
    """Read a row of rotated files into an analysis, as ``analysis.read_into`` does, and return what it would.

    Raises:
        CaptureError: the first file cannot be read, or the other process ended before its time.
    """
    seed = int.from_bytes(os.urandom(4), "big") & 0x7FFFFFFF
    mine, theirs = (_empty(result) for _ in range(HALVES))
    _load_kernels(row, reader, jit=jit)
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_other_half, args=(theirs, row, reader, seed, jit, sender), daemon=True)
    child.start()
    sender.close()
    try:
        left = _read(mine, row, reader, (seed, 0, HALVES), jit=jit, progress=progress)
        try:
            other = receiver.recv()
        except EOFError:
            raise CaptureError(
                row[0], "could not be read to the end: the second process ended before its time"
            ) from None
    finally:
        if child.is_alive() and sys.exc_info()[0] is not None:
            child.terminate()
        child.join()
    mine.join_half(other)
    result.merge(mine)
    return left


def _empty(like: Analysis) -> Analysis:
    return Analysis(keep_all=like.keep_all, most=like.most, select=like.select)


def _load_kernels(row: list[str], reader: str, *, jit: bool) -> None:
    """Read a first batch, only so that the kernels are loaded before the fork and not twice after it."""
    batches = read_flows(row[:1], Analysis(keep_all=False, most=0), reader=reader, jit=jit)
    next(batches, None)
    batches.close()


def _read(
    result: Analysis,
    row: list[str],
    reader: str,
    share: tuple[int, int, int],
    *,
    jit: bool,
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> list[str]:
    left: list[str] = []
    for capture, batch in read_flows(row, result, left, reader=reader, jit=jit, share=share, progress=progress):
        result.add(capture, batch)
    return left


def _other_half(result: Analysis, row: list[str], reader: str, seed: int, jit: bool, sender: Connection) -> None:  # noqa: FBT001
    """Read the other half and send it; whatever goes wrong here, the parent meets too or notices by silence."""
    _read(result, row, reader, (seed, 1, HALVES), jit=jit)
    sender.send(result)
    sender.close()
