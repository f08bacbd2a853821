"""Standard input, or a named pipe, as a file: for what has to be read twice, or by another program too."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from analyzer.capture.source import STDIN, is_stream
from analyzer.errors import AnalyzerError, CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "standard input"


@contextmanager
def as_file(path: str) -> Iterator[str]:
    """Give the path of a file with what ``path`` holds: itself, or for a stream one that is there only meanwhile.

    What goes wrong with that one is told of the stream: nobody knows the other name.
    """
    if not is_stream(path):
        yield path
        return
    name = NAME if path == STDIN else path
    with tempfile.NamedTemporaryFile(prefix="keepalive-") as file:
        _copy(path, file)
        file.flush()
        try:
            yield file.name
        except AnalyzerError as error:
            error.args = tuple(each.replace(file.name, name) if isinstance(each, str) else each for each in error.args)
            if isinstance(error, CaptureError):
                error.path = error.path.replace(file.name, name)
            raise


def _copy(path: str, file: IO[bytes]) -> None:
    """Write what a stream holds into a file.

    Raises:
        CaptureError: it cannot be read.
    """
    if path != STDIN:
        try:
            with Path(path).open("rb") as stream:
                shutil.copyfileobj(stream, file, 1 << 20)
        except OSError as error:
            raise CaptureError(path, f"cannot be read ({error.strerror})") from error
        return
    if sys.stdin is None:
        raise CaptureError(NAME, "is closed; expected a pcap or pcapng stream")
    shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
