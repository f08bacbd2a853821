"""All that a worker will need, so that what imports this module, and is forked then, has it (``forked``).

Loops are loaded too, if they lie compiled on this machine: what is compiling has threads, and those a fork would lose.

It must not know what a worker does.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from typing import Final

MODULES: Final = (
    "analyzer.fleet.running",
    "analyzer.fleet.work",
    "distributed",
    "fsspec.implementations.local",
    "pyarrow.parquet",
)
SELDOM: Final = 200_000
"""This many new objects that may be in cycles, before Python looks for cycles among them; as in the command."""


class WithoutPandas(MetaPathFinder):
    """Has pandas not be there: pyarrow imports it with its first array, to ask whether that is one of pandas'."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Find nothing of it, and nothing else.

        Raises:
            ModuleNotFoundError: it is asked for.
        """
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def everything() -> None:
    """Have all of it; what is not installed, whoever needs it will say."""
    sys.meta_path.insert(0, WithoutPandas())
    for module in MODULES:
        with contextlib.suppress(ImportError):
            import_module(module)
    from analyzer.analyzing import rehearse_pcap
    from analyzer.loops import choice

    if choice.kept() and choice.jit_wanted(large=True):
        rehearse_pcap()
    gc.set_threshold(SELDOM)
    gc.freeze()


everything()
