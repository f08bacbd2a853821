"""Memory in which whoever reads a single octet too far dies: pages of data, each between two that nobody may touch.

Compiled loops do not look where they read from, so an access outside a frame gives some octet and no error. Here data
lie flush with one end of their page, and the next octet is on a page with PROT_NONE: the process ends with SIGSEGV.
So whatever uses this runs in a child process (``run.py`` starts it).

To a loop it all is one OCTETS record, as everywhere: one call can pass thousands of frames, each in a page of its own.
"""

import contextlib
import ctypes
import mmap

import numpy as np

from analyzer.capture.frame import CAPACITY, OCTETS

PAGE = mmap.PAGESIZE
PROT_NONE = 0


def forbid(address, size=PAGE):
    """Let nobody touch the pages from an address on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), PROT_NONE) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


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
        for at in (*(self.starts - PAGE).tolist(), CAPACITY):
            forbid(flat.ctypes.data + at)

    def put(self, which, octets, *, at_end):
        """Lay octets flush with the end of a page, or with its beginning; return the index of the first."""
        start = PAGE - len(octets) if at_end else 0
        self.pages[which, start : start + len(octets)] = np.frombuffer(octets, dtype=np.uint8)
        return int(self.starts[which]) + start


def zeros(count, dtype):
    """Return zeros that end where forbidden pages begin; those before them are forbidden too.

    On either side there is room for three records: an index that is wrong by a little meets them, not whatever else
    the process has mapped there.
    """
    record = np.dtype(dtype).itemsize
    octets = count * record
    size, fence = (-(-max(each, 1) // PAGE) * PAGE for each in (octets, 3 * record))
    flat = np.frombuffer(mmap.mmap(-1, size + 2 * fence), dtype=np.uint8)
    for at in (0, fence + size):
        forbid(flat.ctypes.data + at, fence)
    return flat[fence + size - octets : fence + size].view(dtype)


def guarded(values):
    """Return a copy of an array of one dimension, so guarded."""
    copy = zeros(len(values), values.dtype)
    copy.view(np.uint8)[:] = np.ascontiguousarray(values).view(np.uint8)
    return copy


class GuardedNumpy:
    """What numpy is to a module whose arrays go to compiled loops: each new one is guarded."""

    def __getattr__(self, name):
        """Return what numpy has."""
        return getattr(np, name)

    def zeros(self, count, dtype):
        """Return zeros of one dimension."""
        return zeros(count, dtype)

    def empty(self, count, dtype):
        """Return an array that is full of something that nobody would expect."""
        made = zeros(count, dtype)
        made.view(np.uint8)[:] = 0x55
        return made


@contextlib.contextmanager
def everywhere(*modules, **values):
    """Let these modules have GuardedNumpy for numpy, and names of theirs other values, if they have them."""
    before = [
        (module, name, getattr(module, name)) for module in modules for name in ("np", *values) if hasattr(module, name)
    ]
    try:
        for module, name, _ in before:
            setattr(module, name, GuardedNumpy() if name == "np" else values[name])
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
