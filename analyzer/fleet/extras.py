"""The libraries that only a fleet needs; where one is missing, a sentence names the extra that has it.

It must not know what a library does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from analyzer.untyped import Foreign

EXTRA: Final = "fleet"
LIBRARIES: Final = {"s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs", "http": "aiohttp", "https": "aiohttp"}
"""What fsspec needs for each scheme."""
OF_STORES: Final = {"s3fs": "fleet-s3", "gcsfs": "fleet-gs", "adlfs": "fleet-abfs", "aiohttp": "fleet-http"}
"""Which extra has what only one kind of store needs."""


class MissingFleetError(AnalyzerError):
    """A library of the extra is not installed."""


def library(module: str) -> Foreign:
    """Return a module of the extra.

    Raises:
        MissingFleetError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise missing(module.partition(".")[0]) from error


def missing(name: str) -> MissingFleetError:
    """Return the error that says which extra has a library."""
    extra = OF_STORES.get(name, EXTRA)
    return MissingFleetError(f"this needs {name}, which is not installed: pip install 'keepalive-analyzer[{extra}]'")
