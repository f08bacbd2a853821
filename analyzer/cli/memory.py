"""How the C library keeps memory that was given back, for a process that does one thing and then ends.

Columns of finished flows are a few megabytes each and live for milliseconds. glibc returns what is so large to the
system and asks for it anew, page by page, each of which the system clears: a twentieth of the processor time of a
report. Elsewhere nothing changes.

It must not know what memory is for.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final

ARENAS: Final = -8, 1
"""M_ARENA_MAX: all threads have memory of one place, so that what one gives back another can use."""
MAPPED: Final = -3, 32 << 20
"""M_MMAP_THRESHOLD: what is smaller comes from there, and goes back there; glibc allows no more."""
TRIMMED: Final = -1, 32 << 20
"""M_TRIM_THRESHOLD: so much may lie there unused."""


def keep_what_is_freed() -> None:
    """Have the C library keep memory for who asks next, unless the environment says how (mallopt(3))."""
    if sys.platform != "linux" or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    # other C libraries have no such thing; and why a library cannot be loaded is told where one is needed
    with suppress(OSError, ImportError, AttributeError):
        import ctypes

        set_option = ctypes.CDLL(None).mallopt
        for option, value in (ARENAS, MAPPED, TRIMMED):
            set_option(option, value)
