"""A program that read late, told by the windows that its kernel offers in answers to probes.

Where no data came, only a read makes room: an answer that offers more than the one before shows that the program read
between the two, and that this much had waited unread until then. Windows that are closed have findings of their own.

It must not find anything, or say why a program did not read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from analyzer.findings.notable import LONG_CLOSED_NS
from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import count, duration

if TYPE_CHECKING:
    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


class _Read(NamedTuple):
    """Between which two answers a program read, how much at least, and how long that had waited at least."""

    before: Probe
    behind: Probe
    octets: int
    waited_ns: int


def late_reads(t: Teller) -> list[Line]:
    """Return for each end whose program read late between answers to probes that it did; the first time of each."""
    return [Line(_words(t, side, read), _frames(read)) for side in SIDES if (read := _late_read(t, side)) is not None]


def late_readers(t: Teller) -> list[tuple[str, int]]:
    """Return which ends' programs read late, and how long after the last data at least."""
    return [(t.the(side), read.waited_ns) for side in SIDES if (read := _late_read(t, side)) is not None]


def advice(t: Teller) -> list[Line]:
    """Return whom to ask where a program read late, though nobody had to wait for it."""
    return [
        Line(
            f"{t.start(side)}: if its program should have read sooner, look at what it did meanwhile. Else nothing.",
            _frames(read),
        )
        for side in SIDES
        if (read := _late_read(t, side)) is not None
    ]


def _late_read(t: Teller, reader: Side) -> _Read | None:
    """Return between which answers a program first read what had come long before."""
    prober = other(reader)
    data_ns = t.facts(prober).last_data_ns
    if data_ns is None or t.record.backwards or t.ending.by == "between":
        return None
    quiet = [probe for probe in t.probes(prober) if probe.ts_ns > data_ns and probe.answer == "ack"]
    return next((read for early, late in pairwise(quiet) if (read := _between(t, data_ns, early, late))), None)


def _words(t: Teller, reader: Side, read: _Read) -> str:
    text = (
        f"The window that {t.the(reader)} offers in its answers grew by {count(read.octets, 'byte')} between"
        f" {t.at(read.before.ts_ns)} and {t.at(read.behind.ts_ns)}, though no data had come for"
        f" {duration(read.waited_ns)}: most likely its program had left at least that much unread until then, and"
        " read it then."
    )
    if any(change.sender == reader and change.shut for change in t.record.windows):
        return text
    return f"{text} Its window never closed, so {t.the(other(reader))} did not have to wait for it."


def _frames(read: _Read) -> tuple[int, ...]:
    return tuple(probe.answer_frame for probe in (read.before, read.behind) if probe.answer_frame is not None)


def _between(t: Teller, data_ns: int, early: Probe, late: Probe) -> _Read | None:
    """Return what was read between the answers to two probes, if it had waited for long."""
    if not early.answer_window or late.answer_window is None or late.answer_window <= early.answer_window:
        return None
    waited_ns = early.ts_ns - data_ns
    if waited_ns < LONG_CLOSED_NS or not t.record.is_awake(early.frame, late.frame):
        return None
    return _Read(early, late, late.answer_window - early.answer_window, waited_ns)
