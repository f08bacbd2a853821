"""Wireshark's TCP analysis: which frames it labels, and as what.

One pass of tshark, in which it prints nothing but the numbers and labels of labelled frames; what is kept is a number
and a mask for each. It works while we read the capture too, so that the two together take no longer than the slower.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from enum import IntFlag, auto
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from analyzer.wireshark.tshark import OLDEST, Run, TsharkFailedError, Version, columns, find, version

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray


class Label(IntFlag):
    """What Wireshark may say of a frame: its fields ``tcp.analysis.*``, by their names."""

    KEEP_ALIVE = auto()
    KEEP_ALIVE_ACK = auto()
    ZERO_WINDOW_PROBE = auto()
    ZERO_WINDOW_PROBE_ACK = auto()
    RETRANSMISSION = auto()
    FAST_RETRANSMISSION = auto()
    SPURIOUS_RETRANSMISSION = auto()
    OUT_OF_ORDER = auto()
    DUPLICATE_ACK = auto()
    LOST_SEGMENT = auto()
    ACK_LOST_SEGMENT = auto()
    WINDOW_UPDATE = auto()
    WINDOW_FULL = auto()
    ZERO_WINDOW = auto()
    REUSED_PORTS = auto()

    @property
    def text(self) -> str | None:
        """Return the names as Wireshark has them, None if there is no label."""
        return ", ".join(label.name.lower() for label in Label if self & label and label.name) or None


NONE: Final = Label(0)
FAMILY: Final = Label.KEEP_ALIVE | Label.KEEP_ALIVE_ACK | Label.ZERO_WINDOW_PROBE | Label.ZERO_WINDOW_PROBE_ACK
"""The labels about keepalive and window probes."""
SENT_AGAIN: Final = Label.RETRANSMISSION | Label.FAST_RETRANSMISSION | Label.SPURIOUS_RETRANSMISSION

ARGUMENTS: Final = (
    *("-o", "tcp.analyze_sequence_numbers:TRUE"),
    *("-Y", "tcp.analysis.flags"),
    *columns("%m", *(f"%Cus:tcp.analysis.{(label.name or '').lower()}" for label in Label)),
)


class Labels:
    """The labelled frames of a capture, while tshark still reads it in a thread; a context manager, which stops it."""

    def __init__(self, path: str) -> None:
        """Start tshark.

        Raises:
            TsharkMissingError: there is none.
        """
        self.version: Version = OLDEST
        """Of the tshark at work, once it is done."""
        self.warnings: tuple[str, ...] = ()
        """What it said where it could not read on."""
        self._frames = array("q")
        self._masks = array("i")
        self._done = False
        self._error: Exception | None = None
        self._news = threading.Condition()
        self._run = Run(("-r", path, *ARGUMENTS))
        self._thread = threading.Thread(target=self._read, name="keepalive-tshark", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the labels."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop tshark."""
        self._run.stop()
        self._thread.join()

    def wait(self, frame: int | None = None) -> None:
        """Wait until all labels up to a frame are there, or all labels.

        Raises:
            WiresharkError: tshark is too old, or could not read the file.
        """
        with self._news:
            while not self._done and (frame is None or not self._frames or self._frames[-1] <= frame):
                self._news.wait()
        if self._error is not None:
            raise self._error

    def of(self, frame: int) -> Label:
        """Return the labels of a frame."""
        at = bisect_left(self._frames, frame)
        return Label(self._masks[at]) if at < len(self._frames) and self._frames[at] == frame else NONE

    def among(self, wanted: Label, above: int = 0, upto: int = 1 << 62) -> NDArray[np.int64]:
        """Return the frames that have one of some labels, of those above one number and up to another."""
        low, high = bisect_right(self._frames, above), bisect_right(self._frames, upto)
        frames, masks = (
            np.array(self._frames[low:high], dtype=np.int64),
            np.array(self._masks[low:high], dtype=np.int32),
        )
        return np.compress((masks & int(wanted)) != 0, frames)

    def counts(self) -> dict[str, int]:
        """Return how many frames have each label, of all that are there."""
        masks = np.array(self._masks, dtype=np.int32)
        counts = {label.text or "": int(((masks & int(label)) != 0).sum()) for label in Label}
        return {name: count for name, count in counts.items() if count}

    def _read(self) -> None:
        """Take in what tshark prints, in the thread."""
        try:
            self.version = version(find())
            for some in self._run:
                with self._news:
                    for line in some:
                        self._take(line)
                    self._news.notify_all()
        except TsharkFailedError as failed:
            self.warnings = failed.said
            self._error = None if failed.is_damage else failed
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            self._error = error
        finally:
            with self._news:
                self._done = True
                self._news.notify_all()

    def _take(self, line: bytes) -> None:
        number, *values = line.split(b"\t")
        self._frames.append(int(number))
        self._masks.append(sum(1 << bit for bit, value in enumerate(values) if value))
