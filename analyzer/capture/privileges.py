"""What root may do is given up once the sockets are open: on Linux all capabilities but those asked for.

A capture holds what strangers sent. Whoever finds a fault in what reads it shall have an ordinary process, in which no
program that is started can have more rights again. Sources: capabilities(7), prctl(2) with PR_SET_NO_NEW_PRIVS,
PR_CAPBSET_DROP and PR_CAP_AMBIENT, include/uapi/linux/capability.h.

Capabilities belong to threads: those that this one starts later have no more than it has. It must not know what is
captured.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from pwd import struct_passwd

PR_SET_KEEPCAPS: Final = 8
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
VERSION_3: Final = 0x20080522
MOST: Final = 64
"""No kernel knows more capabilities, which are bits of two 32-bit words."""


class Capability(IntEnum):
    """What may be kept."""

    DAC_READ_SEARCH = 2
    """Reading what belongs to others: the descriptors of their processes."""
    SYS_PTRACE = 19
    """Seeing which sockets they hold."""


def give_up(*, keep: Collection[Capability] = (), become: struct_passwd | None = None) -> bool:
    """Give up for good what this thread may do beyond its user; return whether that is so now.

    ``become`` is the user whom root becomes on the way. Only on Linux; elsewhere nothing changes. What cannot be given
    up because it was never there is no error.

    Raises:
        OSError: root cannot become that user.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(MOST):
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # needs a right that may be missing; then no_new_privs holds
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    permitted = [0, 0, 0, 0, 0, 0]
    header = struct.pack("Ii", VERSION_3, 0)
    held = ctypes.create_string_buffer(24)
    if libc.capget(header, held):
        return False
    had = struct.unpack("6I", held.raw)
    if become is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.initgroups(become.pw_name, become.pw_gid)
        os.setresgid(become.pw_gid, become.pw_gid, become.pw_gid)
        os.setresuid(become.pw_uid, become.pw_uid, become.pw_uid)
    for number in keep:
        word, bit = divmod(int(number), 32)
        allowed = had[3 * word + 1] & 1 << bit
        permitted[3 * word] |= allowed
        permitted[3 * word + 1] |= allowed
    done = libc.capset(header, struct.pack("6I", *permitted)) == 0
    return libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and done
