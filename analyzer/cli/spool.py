"""Standard input as a file, for what has to be read twice, or by another program too."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analyzer.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def as_file(path: str) -> Iterator[str]:
    """Give the path of a file with what ``path`` holds: itself, or for ``-`` one that is there only meanwhile."""
    if path != "-":
        yield path
        return
    if sys.stdin is None:
        raise CaptureError("standard input", "is closed; expected a pcap or pcapng stream")
    with tempfile.NamedTemporaryFile(prefix="keepalive-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
        yield file.name
