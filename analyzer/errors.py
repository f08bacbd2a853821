"""What can go wrong at the edges, as data; one exact sentence each.

    AnalyzerError
    ├── CaptureError                 path, offset, reason      (nothing could be read)
    │   ├── NotACaptureError         the first bytes are no capture magic
    │   └── UnsupportedLinkTypeError link_type
    └── LiveCaptureError             interface, reason, remedy (no such interface, bad filter)
        └── CaptureNotPermittedError (permission)

Damage *inside* a capture is not an exception: it is counted and reported (see ``capture``), and
reading goes as far as it can.
"""

from __future__ import annotations


class AnalyzerError(Exception):
    """Base of everything this package raises on purpose."""


class CaptureError(AnalyzerError):
    """A capture file of which nothing could be read."""

    def __init__(self, path: str, reason: str, offset: int | None = None) -> None:
        """Keep the parts; ``offset`` is in bytes from the start of the (decompressed) stream."""
        super().__init__(path, reason, offset)
        self.path = path
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        """Compose the one sentence shown to the user."""
        where = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.path}: {self.reason}{where}"


class NotACaptureError(CaptureError):
    """The file does not begin with the magic number of a known capture format."""


class UnsupportedLinkTypeError(CaptureError):
    """The capture's link type is one that no reader here can decode."""

    def __init__(self, path: str, link_type: int, reason: str) -> None:
        """Keep the link type (the LINKTYPE_ number of the file) beside the sentence."""
        super().__init__(path, reason)
        self.link_type = link_type


class LiveCaptureError(AnalyzerError):
    """Live capture is not possible; ``remedy`` says exactly what would allow it."""

    def __init__(self, interface: str, reason: str, remedy: str = "") -> None:
        """Keep the parts; ``remedy`` may be empty where nothing can be done."""
        super().__init__(interface, reason, remedy)
        self.interface = interface
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        """Compose the sentence: what failed, then what to do."""
        tail = f" {self.remedy}" if self.remedy else ""
        return f"cannot capture on {self.interface}: {self.reason}.{tail}"


class CaptureNotPermittedError(LiveCaptureError):
    """The system does not let this process capture."""
