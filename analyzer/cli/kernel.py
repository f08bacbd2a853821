"""The kernel's own view of the sockets on this host, asked now and then while ``keepalive watch`` runs.

It must not decide what is shown, or judge a flow.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from analyzer.cli.seldom import Seldom
from analyzer.report.screen import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.judge.judged import JudgedFlow
    from analyzer.kept_flows import Flow
    from analyzer.report.live_screen import KernelView
    from analyzer.sockets import KernelSocket
    from analyzer.track.flow import Endpoint, Side

LOOK_S: Final = 0.25
"""This often the table is drawn, and events are told."""
LATE_NS: Final = 500_000_000
"""What the kernel says so long after an event is of another moment."""
HOLDERS_S: Final = 3.0
"""This often it is looked up which processes have them open; it means reading /proc."""


class Kernel:
    """The kernel's own view of the sockets on this host, asked now and then."""

    def __init__(self, ports: frozenset[int]) -> None:
        """Begin; ``ports`` narrows what is asked for."""
        self._ports = ports
        self._sockets: dict[tuple[Endpoint, Endpoint], KernelSocket] = {}
        self._asking = Seldom(LOOK_S / 2)
        self._held_s = -1e9
        self.asked_ns = 0
        """When the kernel said what is known of it, by the time of day."""
        from analyzer.cli.link import Link

        self.link = Link()
        """The way to hosts that fall silent."""

    def views(self, judged: JudgedFlow) -> dict[Side, KernelView]:
        """Return what the kernel says of the ends of a flow that are on this host."""
        from analyzer.judge.record import other
        from analyzer.report.live_screen import KernelView
        from analyzer.track.flow import SIDES

        self._ask()
        views: dict[Side, KernelView] = {}
        for side in SIDES:
            record = judged.record
            seen = self._sockets.get((record.endpoint(side), record.endpoint(other(side))))
            if seen is not None:
                holders = ", ".join(f"{holder.pid} ({printable(holder.name)})" for holder in seen.holders)
                views[side] = KernelView(seen.state, seen.timer, seen.timer_ns, seen.unanswered, holders)
        return views

    def sockets(self) -> dict[tuple[Endpoint, Endpoint], KernelSocket]:
        """Return the sockets, by local and remote endpoint."""
        self._ask()
        return self._sockets

    def _ask(self) -> None:
        """Ask again if the last answer is old."""
        if not self._asking.is_due:
            return
        with self._asking.doing():
            self._ask_now(time.monotonic())

    def _ask_now(self, now_s: float) -> None:
        """Ask; who holds the sockets is looked up now and then, and when there are new ones."""
        from dataclasses import replace

        from analyzer import sockets

        # one that its process closed has no inode any more, and nobody holds it
        known = {(key, each.inode): each.holders for key, each in self._sockets.items() if each.inode}
        with contextlib.suppress(OSError):
            self._sockets = sockets.kernel_sockets(self._ports)
            self.asked_ns = time.time_ns()
        new = any(each.inode and (key, each.inode) not in known for key, each in self._sockets.items())
        if new or now_s - self._held_s > HOLDERS_S:
            self._held_s = now_s
            self._sockets = sockets.with_holders(self._sockets)
        else:
            self._sockets = {
                key: replace(each, holders=known.get((key, each.inode), ())) for key, each in self._sockets.items()
            }


def kernel_object(view: KernelView) -> dict[str, Any]:
    """Return what the kernel says of an end, for JSON."""
    from analyzer.units import seconds

    return {
        "state": view.state,
        "timer": view.timer,
        "timer_s": seconds(view.timer_ns) if view.timer else None,
        "unanswered": view.unanswered,
        "holders": view.holders or None,
    }


def kernel_text(judged: JudgedFlow, kernel: dict[Side, KernelView], late_ns: int = 0) -> Iterator[str]:
    """Yield what the kernel says of the ends of a flow, for a line of the log, and how late if that is worth a word."""
    from analyzer.units import format_duration

    later = f" {format_duration(late_ns)} later" if late_ns >= LATE_NS else ""
    for side, view in kernel.items():
        holder = f"pid {view.holders}" if view.holders else "no process"
        yield f"; kernel{later}: {judged.record.role(side)} {view.state}, {holder}"


def with_ways(flows: Iterable[Flow], ask: Kernel | None) -> Iterator[Flow]:
    """Yield flows, with what the kernel said of the way to their hosts among the witnesses."""
    from dataclasses import replace

    for flow in flows:
        if ask is not None and (ways := ask.link.witnesses(flow.judged)):
            witnesses = sorted((*flow.judged.witnesses, *ways), key=lambda witness: witness.ts_ns)
            flow.judged = replace(flow.judged, witnesses=tuple(witnesses))
        yield flow
