"""A stream's state as a file: arrays and JSON, compressed, and nothing that could run (no pickle).

The file is numpy's own format (``.npy``, ``allow_pickle=False``) array by array in one zstd stream, behind a line that
says what it is. Records are kept as bytes: their layout is the program's, and a digest of it stands in the manifest.

This module must not know what an array is for.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import zstandard

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyzer.untyped import Foreign, Json

MAGIC: Final = b"keepalive stream state 1\n"
LEVEL: Final = 1
MOST_OCTETS: Final = 1 << 36
"""No array is longer."""


class StateError(AnalyzerError):
    """A file that is no state, or a damaged one."""


class Digesting(io.RawIOBase):
    """Passes bytes on, and makes their digest."""

    def __init__(self, file: Foreign) -> None:
        """Write to, or read from, an open file."""
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, octets: Foreign) -> int:
        """Write all."""
        self._digest.update(octets)
        self._file.write(octets)
        return len(memoryview(octets))

    def read(self, size: int = -1) -> bytes:
        """Read up to so many bytes."""
        octets: bytes = self._file.read(size)
        self._digest.update(octets)
        return octets

    @property
    def hexdigest(self) -> str:
        """The digest of what passed."""
        return self._digest.hexdigest()


def write(file: Foreign, arrays: Mapping[str, NDArray[Any]], facts: Json) -> str:
    """Write a state to an open file; return its digest."""
    passing: Any = Digesting(file)
    passing.write(MAGIC)
    index = {name: [str(len(array)), array.dtype.itemsize] for name, array in arrays.items()}
    head = json.dumps({"facts": facts, "arrays": index}).encode()
    with zstandard.ZstdCompressor(level=LEVEL).stream_writer(passing, closefd=False) as packed:
        _put(packed, np.frombuffer(head, dtype=np.uint8))
        for array in arrays.values():
            _put(packed, np.ascontiguousarray(array).view(np.uint8))
    return str(passing.hexdigest)


def _put(packed: Foreign, octets: NDArray[np.uint8]) -> None:
    np.lib.format.write_array(packed, octets, allow_pickle=False)


def read(file: Foreign, digest: str, dtypes: Mapping[str, Foreign]) -> tuple[dict[str, NDArray[Any]], Json]:
    """Return the arrays and facts of a state, each array of the type that it has by name.

    Raises:
        StateError: the file is not the one with this digest, or is no state.
    """
    taken: Any = Digesting(file)
    try:
        if taken.read(len(MAGIC)) != MAGIC:
            raise StateError("the saved state is none of this program's")
        with zstandard.ZstdDecompressor().stream_reader(taken, closefd=False) as opened:
            head = json.loads(_take(opened).tobytes())
            arrays: dict[str, NDArray[Any]] = {}
            for name, (count, _) in head["arrays"].items():
                octets = _take(opened)
                dtype = np.dtype(dtypes.get(name, np.int64))
                if len(octets) != int(count) * dtype.itemsize:
                    raise StateError("the saved state is damaged")
                arrays[name] = octets.view(dtype)
        taken.read()
    except (ValueError, KeyError, TypeError, EOFError, OverflowError, zlib.error, zstandard.ZstdError) as error:
        raise StateError("the saved state is damaged") from error
    if taken.hexdigest != digest:
        raise StateError("the saved state is not the one that its manifest names")
    return arrays, head["facts"]


def _take(opened: Foreign) -> NDArray[np.uint8]:
    found = np.lib.format.read_array(opened, allow_pickle=False)
    if found.dtype != np.uint8 or found.ndim != 1 or found.nbytes > MOST_OCTETS:
        raise StateError("the saved state is damaged")
    return np.ascontiguousarray(found)
