"""What only some verbs need is imported only there; where it is missing, one sentence names the extra that has it.

It must not know what a library does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from analyzer.untyped import Foreign

DISTRIBUTION: Final = "keepalive-analyzer"


class MissingExtraError(AnalyzerError):
    """A library of an extra is not installed."""


def needed(module: str, extra: str) -> Foreign:
    """Return a module of an extra.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != library:
            raise
        raise MissingExtraError(
            f"this needs {library}, which is not installed: pip install '{DISTRIBUTION}[{extra}]'"
        ) from error
