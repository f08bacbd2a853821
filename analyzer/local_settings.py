"""Libraries that would obey settings in the current folder do not.

A capture is often read in the folder that it came in, with whatever else came along. matplotlib looks there for
``matplotlibrc``, numba for ``.numba_config.yaml``, and neither can be told not to. Settings in the user's home or
environment are the user's, and count.

This module must not know any library: who imports one says which file it is not to find.
"""

from __future__ import annotations

import os.path
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.untyped import Foreign


@contextmanager
def ignored(name: str) -> Iterator[None]:
    """Let ``os.path.exists`` say no to exactly this relative name, while a library is imported; other threads too."""
    real = os.path.exists

    def exists(path: Foreign) -> bool:
        return path != name and real(path)

    os.path.exists = exists
    try:
        yield
    finally:
        os.path.exists = real
