"""Memory in which whoever reads a single octet too far dies: pages of data, each between two that nobody may touch.

Compiled loops do not look where they read from, so an access outside a frame gives some octet and no error. Here data
lie flush with one end of their page, and the next octet is on a page with PROT_NONE: the process ends with SIGSEGV.
So whatever uses this runs in a child process (``run.py`` starts it).

To a loop it all is one OCTETS record, as everywhere: one call can pass thousands of frames, each in a page of its own.
"""

import ctypes
import mmap

import numpy as np

from analyzer.capture.frame import CAPACITY, OCTETS

PAGE = mmap.PAGESIZE
PROT_NONE = 0


class GuardedPages:
    """As many pages for data as an OCTETS record has room for, with forbidden ones between them."""

    def __init__(self):
        """Map the memory, and forbid every other page, the first and the last among them."""
        self._memory = mmap.mmap(-1, CAPACITY + PAGE)
        flat = np.frombuffer(self._memory, dtype=np.uint8)
        self.octets = flat[:CAPACITY].view(OCTETS)[0]
        """What a compiled loop takes."""
        self.count = CAPACITY // PAGE // 2
        self.pages = flat[PAGE:][: self.count * 2 * PAGE].reshape(self.count, 2 * PAGE)[:, :PAGE]
        """The data: an array of pages."""
        self.starts = PAGE + 2 * PAGE * np.arange(self.count)
        """Where each page begins, as an index of ``octets``."""
        libc = ctypes.CDLL(None, use_errno=True)
        for at in (*(self.starts - PAGE).tolist(), CAPACITY):
            if libc.mprotect(ctypes.c_void_p(flat.ctypes.data + at), ctypes.c_size_t(PAGE), PROT_NONE) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")

    def put(self, which, octets, *, at_end):
        """Lay octets flush with the end of a page, or with its beginning; return the index of the first."""
        start = PAGE - len(octets) if at_end else 0
        self.pages[which, start : start + len(octets)] = np.frombuffer(octets, dtype=np.uint8)
        return int(self.starts[which]) + start
