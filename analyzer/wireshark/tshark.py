"""Finds tshark, asks what version it is, and runs it: what it prints comes out as lines while it works.

pyshark knows where systems put tshark, and how it tells its version. Its packets are not used, because tshark has to
build the whole tree of every frame for them: where printing the labels of 100,000 frames in columns takes 0.9 s, as
tshark does by itself, pyshark's PDML, EK and JSON take 11, 10 and 5 s, and its summaries (pyshark 0.6) end after the
first packet. No event loop is involved, so that a notebook, which runs in one, may call everything here.

Nothing of a packet's contents comes out of here but numbers and names that tshark itself defines.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Version = tuple[int, int, int]

OLDEST: Final[Version] = (3, 0, 0)
"""Older ones lack fields that are asked for."""
JUDGED: Final[Version] = (4, 0, 17)
"""The version whose labels the classes were judged with."""

INSTALL: Final = (
    ({"debian", "ubuntu"}, "sudo apt install tshark"),
    ({"fedora", "rhel", "centos"}, "sudo dnf install wireshark-cli"),
    ({"arch"}, "sudo pacman -S wireshark-cli"),
    ({"alpine"}, "sudo apk add tshark"),
    ({"suse", "opensuse"}, "sudo zypper install wireshark"),
    ({"gentoo"}, "sudo emerge net-analyzer/wireshark"),
    ({"nixos"}, "nix-shell -p tshark"),
    ({"freebsd"}, "sudo pkg install tshark"),
    ({"darwin"}, "brew install wireshark"),
    ({"win32"}, "winget install WiresharkFoundation.Wireshark"),
)
"""How to install tshark, by the names of systems in os-release or sys.platform."""

BLOCK: Final = 1 << 16
DAMAGE: Final = re.compile(r"cut short in the middle of a packet|damaged or corrupt|error occurred while reading")
"""What tshark says when it read part of a file."""
NOISE: Final = re.compile(r'Running as user "|^$')


class WiresharkError(AnalyzerError):
    """Base of what goes wrong with tshark."""


class TsharkMissingError(WiresharkError):
    """There is no tshark on this system."""

    def __str__(self) -> str:
        """Say how to get it here."""
        return f"this needs tshark, which comes with Wireshark and is not installed here: {install_command()}"


class TsharkTooOldError(WiresharkError):
    """This tshark lacks fields that are asked for."""

    def __init__(self, version: Version) -> None:
        """Keep the version."""
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        """Say which version is there and which is needed."""
        return f"this tshark is version {dotted(self.version)}; at least {dotted(OLDEST)} is needed"


class TsharkFailedError(WiresharkError):
    """Tshark ended with an error; ``said`` is its own message, line by line."""

    def __init__(self, said: Sequence[str]) -> None:
        """Keep the message."""
        super().__init__(tuple(said))
        self.said = tuple(said)

    def __str__(self) -> str:
        """Repeat the message."""
        return "\n".join(self.said)

    @property
    def is_damage(self) -> bool:
        """Whether it could read part of the file."""
        return any(DAMAGE.search(line) for line in self.said)


def find() -> str:
    """Return the path of tshark.

    Raises:
        TsharkMissingError: there is none.
    """
    # not those below the current folder, wherever that is: a capture may have come with a tshark
    places = os.pathsep.join(
        each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(each).is_absolute()
    )
    if on_path := shutil.which("tshark", path=places):
        return on_path
    _ignore_local_settings()
    from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path

    try:
        found = str(get_process_path())
    except TSharkNotFoundException:
        raise TsharkMissingError from None
    if not Path(found).is_absolute():
        raise TsharkMissingError
    return found


@functools.cache
def version(tshark: str) -> Version:
    """Return the version of a tshark.

    Raises:
        TsharkTooOldError: it is older than OLDEST.
        TsharkFailedError: it does not say.
    """
    _ignore_local_settings()
    from pyshark.tshark.tshark import TSharkVersionException, get_tshark_version

    try:
        major, minor, micro = get_tshark_version(tshark).release[:3]
    except (OSError, ValueError, subprocess.SubprocessError, TSharkVersionException) as error:
        raise TsharkFailedError((f"{tshark} does not tell its version: {error}",)) from None
    if (major, minor, micro) < OLDEST:
        raise TsharkTooOldError((major, minor, micro))
    return major, minor, micro


def _ignore_local_settings() -> None:
    """Let pyshark obey no config.ini in the current folder: it names a program, and may have come with the capture."""
    from pyshark import config

    config.fp_config_path = config.pyshark_config_path


def dotted(version: Version) -> str:
    """Return ``4.0.17``."""
    return ".".join(map(str, version))


class Run:
    """A tshark at work; an iterable (once) of the lines that it prints, some at a time, as they come."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Start it.

        Raises:
            TsharkMissingError: there is none.
        """
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the run
        try:
            self._process = subprocess.Popen(
                [find(), "-n", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._words
            )
        except BaseException:
            self._words.close()
            raise

    def __iter__(self) -> Iterator[list[bytes]]:
        """Yield lines to the end.

        Raises:
            TsharkFailedError: it ended with an error, after the lines before it.
        """
        try:
            yield from self._lines()
            status = self._process.wait()
            said = _read_words(self._words)
        finally:
            self.stop()
        if status:
            raise TsharkFailedError(said or (f"tshark ended with status {status}",))

    def stop(self) -> None:
        """End it, whether it is done or not; whoever waits for its lines gets no more."""
        self._process.kill()
        self._process.wait()
        self._words.close()

    def _lines(self) -> Iterator[list[bytes]]:
        stream = self._process.stdout
        if stream is None:
            raise AssertionError(self._process.args)
        rest = b""
        with stream:
            while block := stream.read1(BLOCK):  # type: ignore[attr-defined]
                *whole, rest = (rest + block).split(b"\n")
                if whole:
                    yield whole
        if rest:
            yield [rest]


def columns(*formats: str) -> tuple[str, ...]:
    """Return the arguments that make tshark print columns (as of its packet list), with tabs between.

    That costs nothing beside dissection, where ``-T fields`` doubles it.
    """
    named = ",".join(f'"{number}","{text}"' for number, text in enumerate(formats))
    return ("-T", "tabs", "-o", f"gui.column.format:{named}")


def install_command() -> str:
    """Return what installs tshark on this system, as far as it is known."""
    names = {sys.platform.rstrip("0123456789") if sys.platform.startswith("freebsd") else sys.platform}
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names.update(f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split())
    known = [command for systems, command in INSTALL if systems & names]
    return known[0] if known else "see https://www.wireshark.org/download.html"


def _read_words(words: IO[bytes]) -> tuple[str, ...]:
    """Return what tshark said on stderr, without its name and its advice about root."""
    words.seek(0)
    text = words.read(BLOCK).decode("utf-8", "backslashreplace")
    return tuple(line.removeprefix("tshark: ") for line in text.splitlines() if not NOISE.search(line))
