"""``--from`` and ``--to``: a window of time, as people write instants.

A flow is asked for if it lived in the window, and is then told whole: cut at the window it would seem to begin
mid-stream, and to fall silent.

It must not know flows.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from analyzer.survey.selection import Instant, Window

SPAN: Final = re.compile(r"\+?(\d+(?:\.\d+)?) ?(ms|s|min|h|d)?")
SINCE_1970: Final = re.compile(r"@(\d+(?:\.\d+)?)")
OF_DAY: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?")
FRACTION: Final = re.compile(r"(:\d\d:\d\d)[.,](\d+)")
UNITS_NS: Final = {
    "ms": NS_PER_S // 1000,
    "s": NS_PER_S,
    "min": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
    "d": 86_400 * NS_PER_S,
}
LATEST_NS: Final = 1 << 62


def add_window(group: argparse._ActionsContainer) -> None:
    """Add --from and --to."""
    group.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        type=instant,
        help="flows that lived at TIME or later: 2026-11-28T14:05:00Z (UTC without a zone), 14:05 (of the day on which "
        "the capture begins, UTC), +90 or +1.5h (since its start), @1795874700 (since 1970)",
    )
    group.add_argument("--to", dest="until", metavar="TIME", type=instant, help="flows that lived at TIME or before")


def asked(options: argparse.Namespace) -> Window | None:
    """Return the window of the options, if they name one.

    Raises:
        MisuseError: it ends before it begins.
    """
    from analyzer.cli.options import MisuseError
    from analyzer.survey.selection import Window

    since, until = getattr(options, "since", None), getattr(options, "until", None)
    if since is not None and until is not None and since.counts_from == until.counts_from and until.ns < since.ns:
        raise MisuseError("--to is before --from: no flow lived in a time that ends before it begins")
    return Window(since, until) if since is not None or until is not None else None


def instant(text: str) -> Instant:
    """Return the instant that a text names.

    Raises:
        ArgumentTypeError: it names none.
    """
    from analyzer.survey.selection import Instant

    try:
        ns, counts_from = _read(text.strip())
    except ValueError:
        ns, counts_from = -1, "1970"
    if not 0 <= ns < LATEST_NS:
        raise argparse.ArgumentTypeError(
            f"{text or 'nothing'} is not a time such as 2026-11-28T14:05:00Z, 14:05, +90 or @1795874700"
        )
    return Instant(ns, counts_from)


def _read(text: str) -> tuple[int, str]:
    """Return nanoseconds, and what they count from.

    Raises:
        ValueError: it is no time.
    """
    if found := SPAN.fullmatch(text):
        return _scaled(found[1], UNITS_NS[found[2] or "s"]), "start"
    if found := SINCE_1970.fullmatch(text):
        return _scaled(found[1], NS_PER_S), "1970"
    if found := OF_DAY.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
        if hours > 23 or minutes > 59 or seconds > 60:
            raise ValueError(text)
        return ((hours * 60 + minutes) * 60 + seconds) * NS_PER_S + _fraction(found[4]), "day"
    parts = FRACTION.search(text)
    whole = datetime.fromisoformat(FRACTION.sub(r"\1", text))
    if whole.tzinfo is None:
        whole = whole.replace(tzinfo=UTC)
    return int(whole.timestamp()) * NS_PER_S + _fraction(parts and parts[2]), "1970"


def _scaled(number: str, unit_ns: int) -> int:
    """Return a decimal number of a unit, to the nanosecond."""
    whole, _, fraction = number.partition(".")
    return int(whole) * unit_ns + _fraction(fraction) * unit_ns // NS_PER_S


def _fraction(digits: str | None) -> int:
    """Return the digits behind a decimal point as nanoseconds of a second."""
    return int((digits or "0")[:9].ljust(9, "0"))
