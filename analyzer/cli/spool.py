"""Standard input as a file, for what has to be read twice, or by another program too."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from analyzer.errors import AnalyzerError, CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "standard input"


@contextmanager
def as_file(path: str) -> Iterator[str]:
    """Give the path of a file with what ``path`` holds: itself, or for ``-`` one that is there only meanwhile.

    What goes wrong with that one is told of standard input: nobody knows the other name.
    """
    if path != "-":
        yield path
        return
    if sys.stdin is None:
        raise CaptureError(NAME, "is closed; expected a pcap or pcapng stream")
    with tempfile.NamedTemporaryFile(prefix="keepalive-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
        try:
            yield file.name
        except AnalyzerError as error:
            error.args = tuple(each.replace(file.name, NAME) if isinstance(each, str) else each for each in error.args)
            if isinstance(error, CaptureError):
                error.path = error.path.replace(file.name, NAME)
            raise
