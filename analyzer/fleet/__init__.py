"""Many capture points, on one machine or a cluster, into tables; and what the tables say together.

    listing -> points -> (per point: files in order -> stream -> tracker, saved) -> partitions -> manifest -> questions

* ``places`` is where captures lie and tables go: folders and object stores, through fsspec; ``storage`` says what a
  stored file is and how failures of a store are said, ``octets`` reads one.
* ``points`` says which files are one capture point.
* ``stream`` reads a point's files as one stream that can be saved between two files (``state``) and goes on later.
* ``partitions`` and ``manifest`` put tables there whole, once.
* ``work`` does one point (a ``task``), ``running`` all of them, on Dask, in processes that are ``forked``.
* ``questions`` asks the tables, through DuckDB.

    >>> from analyzer import fleet
    >>> done = fleet.run(["captures/lab"], "tables", workers=1)
    >>> fleet.ask("tables", "endings")

Dask, fsspec, pyarrow and DuckDB are imported when they are needed: the extra ``fleet`` has them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.fleet.questions import ask as ask
    from analyzer.fleet.running import run as run

_HOMES: Final = {"ask": "analyzer.fleet.questions", "run": "analyzer.fleet.running"}

__all__ = ["ask", "run"]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
