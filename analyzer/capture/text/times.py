"""When a line of text says that its packet passed: every form of ``tcpdump -t`` and of ``tshark -t``.

A clock without a date (tcpdump's own) gives times of 1970-01-01, and of the day after once it passes midnight. Times
that begin at 00:00:00 are ``-ttt`` (since the line before) if they ever go back, and ``-ttttt`` (since the first) if
they never do; so the first lines are looked at before any is read.

This module must not know what else stands in a line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import MAX_TS_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

S: Final = 1_000_000_000
DAY_NS: Final = 86_400 * S
HALF_DAY_NS: Final = DAY_NS // 2
OFTEN: Final = 5
"""Times that go back once in so many are no clock's."""
BACK_NS: Final = S
"""So far a clock does not go back by itself, unless at midnight."""

STAMP: Final = (
    r"(?:(?P<date>\d{4}[-/]\d\d[-/]\d\d|\d\d/\d\d/\d{4})[ T])?"
    r"(?P<clock>\d\d?:\d\d:\d\d(?:[.,]\d{1,9})?)(?P<zone>Z|[ ]?UTC|[+-]\d\d:?\d\d)?"
)
"""A regular expression: a clock, perhaps with a date before and a zone behind it."""
SECONDS: Final = r"(?P<seconds>\d{1,11}\.\d{1,9})"
"""A regular expression: seconds, since 1970 or since the first packet."""
TIME: Final = re.compile(rf"\s*(?:{STAMP}|{SECONDS})(?=\s|$)")


class Kind(Enum):
    """What the times of a text count from."""

    NONE = "none"
    """There are none (``tcpdump -t``)."""
    DATE = "date"
    """The epoch, or a date with a clock."""
    CLOCK = "clock"
    """Midnight: tcpdump's own form."""
    SINCE_FIRST = "since_first"
    """The first packet."""
    SINCE_PREVIOUS = "since_previous"
    """The packet before."""


class Times:
    """Turns the times of a text into nanoseconds, in order."""

    def __init__(self, first: Iterable[re.Match[str]]) -> None:
        """Find out what the times count from, by the first ones (matches of TIME)."""
        self.kind = Kind.NONE
        self._last_ns = 0
        self._day_ns = 0
        self.odd = 0
        """Times that are none, past the year 2116; each packet has that of the one before it."""
        clocks: list[int] = []
        for found in first:
            if found["date"]:
                self.kind = Kind.DATE
                return
            if found["seconds"]:
                self.kind = Kind.DATE if len(found["seconds"].partition(".")[0]) >= 9 else Kind.SINCE_FIRST
                return
            clocks.append(_clock_ns(found["clock"]))
        if clocks:
            self.kind = _kind_of(clocks)

    def take(self, found: re.Match[str] | None) -> int:
        """Return the time of the next packet in nanoseconds: that of the packet before, where the text has none."""
        if found is not None:
            ns = self._ns(found)
            if ns <= MAX_TS_NS:
                self._last_ns = ns
            else:
                self.odd += 1
        return self._last_ns

    def _ns(self, found: re.Match[str]) -> int:
        if found["seconds"]:
            whole, _, part = found["seconds"].partition(".")
            return int(whole) * S + int(part.ljust(9, "0"))
        ns = _clock_ns(found["clock"])
        if found["date"]:
            return max(_date_ns(found["date"]) + ns - _zone_ns(found["zone"]), 0)
        if self.kind is Kind.SINCE_PREVIOUS:
            return self._last_ns + ns
        if self.kind is Kind.CLOCK:
            if self._day_ns + ns < self._last_ns - HALF_DAY_NS:
                self._day_ns += DAY_NS
            return self._day_ns + ns
        return ns


def _kind_of(clocks: list[int]) -> Kind:
    """Say what clocks without dates count from."""
    back = sum(a - b > BACK_NS and a - b < HALF_DAY_NS for a, b in pairwise(clocks))
    less = sum(a > b for a, b in pairwise(clocks))
    if clocks[0] == 0:
        # packets of two interfaces may be out of order by a little, now and then
        return Kind.SINCE_PREVIOUS if back or less * OFTEN > len(clocks) or len(clocks) < 3 else Kind.SINCE_FIRST
    # a piece of one: no clock goes back by seconds, again and again
    return Kind.SINCE_PREVIOUS if back > 1 and max(clocks) < HALF_DAY_NS else Kind.CLOCK


def _clock_ns(text: str) -> int:
    """Return hours, minutes and seconds in nanoseconds."""
    hours, minutes, seconds = text.split(":")
    whole, _, part = seconds.replace(",", ".").partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * S + int((part or "0").ljust(9, "0"))


def _date_ns(text: str) -> int:
    """Return the midnight that begins a date; 1970 for one that is none."""
    parts = [int(part) for part in re.split(r"[-/]", text)]
    year, month, day = parts if parts[0] > 31 else (parts[2], parts[0], parts[1])
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * S
    except ValueError:
        return 0


def _zone_ns(text: str | None) -> int:
    """Return how far a zone is ahead of UTC."""
    if not text or text.strip() in {"Z", "UTC"}:
        return 0
    digits = text[1:].replace(":", "")
    ahead = (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * S
    return -ahead if text[0] == "-" else ahead
