"""Limits of idle time as a table of a text report: what was survived, what was not, and how often to probe.

It must not decide whether there is a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.report.screen import columns
from analyzer.units import NS_PER_S
from analyzer.words.idle_limits import limit_name, limit_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.report.screen import Screen
    from analyzer.survey.limits import IdleLimit, Trial

NUMBERS: Final = (("SURVIVED", -11), ("NOT", -11), ("FLOWS", -11), ("PROBE EVERY", -11))


def limits_table(limits: Sequence[IdleLimit], screen: Screen) -> Iterator[str]:
    """Yield the lines of the table, each limit with what it means; none without limits."""
    if not limits:
        return
    room = max(screen.width - sum(2 - width for _, width in NUMBERS), len("IDLE LIMITS OF"))
    yield screen.paint(columns((("IDLE LIMITS OF", room), *NUMBERS)), "heading")
    for limit in limits:
        name = limit_name(limit)
        if len(name) > room:
            yield name
            name = ""
        yield columns(((name, room), *((cell, width) for cell, (_, width) in zip(_cells(limit), NUMBERS, strict=True))))
        yield from screen.wrap(limit_sentence(limit), style="warning" if limit.is_hard else "dim")
    yield ""


def _cells(limit: IdleLimit) -> tuple[str, str, str, str]:
    """Return the longest silence survived, the shortest that was not, how many flows of each, and the advice."""
    flows = f"{limit.longest.count if limit.longest else 0:,} / {limit.shortest.count:,}"
    advised = "" if limit.advised_s is None else f"{limit.advised_s:,} s"
    return _silence(limit.longest), _silence(limit.shortest), flows, advised


def _silence(trial: Trial | None) -> str:
    return "" if trial is None else f"{trial.ns / NS_PER_S:,.1f} s"
