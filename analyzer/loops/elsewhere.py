"""Starts another Python that runs code of this package, isolated from the folder where we are.

It imports from where this process does, less the current folder, in which a capture may lie with whatever else came
along; and its own folder is one with nothing to obey.

This module must not know what is run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def started(
    code: str, *, stdin: int = subprocess.DEVNULL, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a Python with this code, and more in its environment; what it prints nobody sees.

    Raises:
        OSError: the system starts none.
    """
    path = [str(ROOT), *(each for each in sys.path if Path(each).is_absolute() and not _is_here(each))]
    return subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {path!r}; {code}"],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=os.environ | (environment or {}),
    )


def _is_here(folder: str) -> bool:
    """Say whether a folder is the current one."""
    try:
        return Path(folder).samefile(os.curdir)
    except OSError:
        return False
