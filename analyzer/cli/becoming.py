"""Who a live capture goes on as, once its sockets and files are open: root needs not be who parses packets.

Called by sudo, the process becomes the user who called sudo, if that user can read this program; otherwise it stays
who it is, without capabilities (``capture.privileges`` gives them up). ``-Z USER`` names another, as for tcpdump.

It must not know what is captured.
"""

from __future__ import annotations

import errno
import os
import pwd
import sys
from pathlib import Path
from typing import Final

from analyzer.capture.privileges import give_up

STAY: Final = "root"
"""-Z root: nothing is given up."""


def whom(user: str | None) -> pwd.struct_passwd | None:
    """Return the user to become: the one named, else who called sudo; None to stay.

    Raises:
        OSError: the user named could not go on with this program, or this is not root.
        KeyError: there is no such user.
    """
    if user is not None:
        entry = pwd.getpwnam(user)
        if os.geteuid() != 0:
            raise PermissionError(errno.EPERM, f"only root can become {user}")
        if not can_go_on(entry):
            raise PermissionError(errno.EACCES, f"{user} cannot read this program, parts of which are loaded later")
        return entry
    called_by = os.environ.get("SUDO_UID", "")
    if os.geteuid() != 0 or not (called_by.isascii() and called_by.isdecimal()) or int(called_by) == 0:
        return None
    try:
        entry = pwd.getpwuid(int(called_by))
    except (KeyError, OverflowError):
        return None
    return entry if can_go_on(entry) else None


def can_go_on(entry: pwd.struct_passwd | None) -> bool:
    """Say whether Python and this package can be read by this user (None: this one) without any capability.

    A child tries it, who gives everything up. There must not be a second thread yet.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            give_up(become=entry)
            status = 0 if _all_readable() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _all_readable() -> bool:
    folders = [Path(path) for path in sys.path if path] + [Path(__file__).parent, Path(os.__file__).parent]
    return os.access(sys.executable, os.X_OK, effective_ids=True) and all(
        os.access(path, os.R_OK, effective_ids=True) for path in folders if _stands(path)
    )


def _stands(path: Path) -> bool:
    """Say whether there is such a path, or that cannot be seen."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
