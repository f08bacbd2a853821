"""When a receive window was closed, how long, and which probes asked whether it had opened: each closing by itself.

It must not judge whether a closing is long, or hold a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.judge.probe import ZeroWindowProbe
from analyzer.judge.record import other
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.events import WindowChange
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side


@dataclass(frozen=True, slots=True)
class Closing:
    """A receive window from its closing to its opening."""

    shut_frame: int | None
    """None where it was closed before the capture showed it."""
    shut_ns: int | None
    opened_frame: int | None
    """None where it stayed closed."""
    until_ns: int
    """When it opened, or when the flow was last heard of."""
    probes: tuple[ZeroWindowProbe, ...]
    """The peer's, that asked whether it had opened."""
    closed_before: bool
    """Whether it may have been closed before the capture showed it."""

    @property
    def lasted_ns(self) -> int:
        """How long it was seen closed."""
        starts = [self.shut_ns, *(probe.ts_ns for probe in self.probes)]
        return self.until_ns - min(start for start in starts if start is not None)


def closings(record: FlowRecord, side: Side) -> tuple[Closing, ...]:
    """Return the closings of one endpoint's receive window, in order.

    A probe that crosses the opening on its way belongs to the closing that it asked about.
    """
    events: list[WindowChange | ZeroWindowProbe] = [change for change in record.windows if change.sender == side]
    events += [probe for probe in record.zero_window_probes if probe.sender == other(side)]
    end_ns = record.ending_reset.ts_ns if record.ending_reset is not None else record.last_ns
    found: list[Closing] = []
    is_open = True
    for event in sorted(events, key=lambda each: each.frame):
        if isinstance(event, ZeroWindowProbe):
            if not found:
                found.append(Closing(None, None, None, end_ns, (), closed_before=True))
                is_open = False
            last = found[-1]
            found[-1] = replace(last, probes=(*last.probes, event))
        elif event.shut and not is_open:
            # probes asked before the first word of the receiver was captured
            found[-1] = replace(found[-1], shut_frame=event.frame, shut_ns=event.ts_ns)
        elif event.shut:
            found.append(Closing(event.frame, event.ts_ns, None, end_ns, (), event.first_seen))
            is_open = False
        elif not is_open:
            last = found[-1]
            found[-1] = replace(last, opened_frame=event.frame, until_ns=event.ts_ns)
            is_open = True
    return tuple(found)


def unanswered(record: FlowRecord, side: Side) -> tuple[int, ...]:
    """Return the frames of one endpoint's probes of a closed window since its peer was last heard."""
    heard_ns = record.facts(other(side)).last_ns
    probes = [(probe.frame, probe.ts_ns) for probe in record.zero_window_probes if probe.sender == side]
    probes += [(each.frame, each.ts_ns) for each in record.undecided_from(side)]
    return tuple(frame for frame, ts_ns in sorted(probes) if heard_ns is None or ts_ns > heard_ns)
