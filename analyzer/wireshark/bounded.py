"""Runs tshark on bytes that a stranger may have written: bounded in time, memory and output, with nobody's settings.

It stands in an empty folder of its own that is its home too, so that neither the folder a capture came in nor the
user's own settings give it preferences, plugins or scripts. What it prints goes to a file. It is a child process and
waits for nobody: no event loop is involved, so that a notebook, which runs in one, may call this.

This module must not know what is asked of tshark.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.wireshark.tshark import NOISE, OLDEST, TsharkFailedError, TsharkTooOldError, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_S: Final = 60
"""Longer than this nobody waits for names."""
MOST_MEMORY: Final = 4 << 30
"""Bytes of its address space, most of which is mapped and never touched."""
MOST_OUTPUT: Final = 64 << 20
MOST_SAID: Final = 4
"""Maximum number of lines of what it says that are repeated."""
PASSED_ON: Final = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables that it gets from our environment."""
VERSION: Final = re.compile(rb"TShark[^\n]*?(\d+)\.(\d+)\.(\d+)")


def printed(arguments: Sequence[str], *, most_s: float = MOST_S) -> list[bytes]:
    """Run tshark to its end, and return the lines that it prints.

    Raises:
        TsharkMissingError: there is none.
        TsharkTooOldError: it is older than ``OLDEST``.
        TsharkFailedError: it cannot be started, ended with an error, was ended, or took longer than ``most_s``.
    """
    tshark = find()
    _check_version(_run([tshark, "-v"], most_s))
    return _run([tshark, "-n", *arguments], most_s).split(b"\n")[:-1]


def _check_version(said: bytes) -> None:
    found = VERSION.search(said)
    if found is None:
        raise TsharkFailedError(("tshark does not tell its version",))
    major, minor, micro = map(int, found.groups())
    if (major, minor, micro) < OLDEST:
        raise TsharkTooOldError((major, minor, micro))


def _run(command: list[str], most_s: float) -> bytes:
    """Return what a command prints."""
    with (
        tempfile.TemporaryDirectory(prefix="keepalive-") as home,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as words,
    ):
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=words, cwd=home, env=_surroundings(home)
            )
        except OSError as error:
            raise TsharkFailedError((f"tshark cannot be started: {error.strerror}",)) from None
        try:
            _bound(process.pid, most_s)
            status = process.wait(most_s)
        except subprocess.TimeoutExpired:
            raise TsharkFailedError((f"tshark did not end within {most_s:g} s",)) from None
        finally:
            process.kill()
            process.wait()
        if status < 0:
            raise TsharkFailedError((f"tshark was ended by signal {-status}",))
        if status:
            words.seek(0)
            text = words.read(MOST_OUTPUT).decode("utf-8", "backslashreplace")
            said = [line.removeprefix("tshark: ") for line in text.splitlines() if not NOISE.search(line)]
            raise TsharkFailedError(said[:MOST_SAID] or (f"tshark ended with status {status}",))
        out.seek(0)
        return out.read(MOST_OUTPUT)


def _surroundings(home: str) -> Mapping[str, str]:
    """Return an environment in which tshark finds nobody's settings."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "WIRESHARK_CONFIG_DIR")
    plugins = {"WIRESHARK_PLUGIN_DIR": str(Path(home) / "none"), "WIRESHARK_EXTCAP_DIR": str(Path(home) / "none")}
    return {**passed, **dict.fromkeys(names, home), **plugins, "LC_ALL": "C.UTF-8"}


def _bound(pid: int, most_s: float) -> None:
    """Bound what a process may take, where the system can do that from outside."""
    if sys.platform != "linux":
        return
    import resource

    bounds = {
        resource.RLIMIT_AS: MOST_MEMORY,
        resource.RLIMIT_CPU: int(most_s) + 1,
        resource.RLIMIT_FSIZE: MOST_OUTPUT,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in bounds.items():
        try:
            resource.prlimit(pid, which, (most, most))
        except (OSError, ValueError):  # it is gone already, or may have less than that anyway
            continue
