"""The kernel's own view of the sockets on this host, asked now and then while ``keepalive watch`` runs.

It must not decide what is shown, or judge a flow.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

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
PATIENCE: Final = 20
"""Looking at the flows may take one part in so many of the time; with very many flows it is done less often."""
HOLDERS_S: Final = 3.0
"""This often it is looked up which processes have them open; it means reading /proc."""


class Kernel:
    """The kernel's own view of the sockets on this host, asked now and then."""

    def __init__(self, ports: frozenset[int]) -> None:
        """Begin; ``ports`` narrows what is asked for."""
        self._ports = ports
        self._sockets: dict[tuple[Endpoint, Endpoint], KernelSocket] = {}
        self._ask_again_s = self._held_s = -1e9
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
        from dataclasses import replace

        from analyzer import sockets

        now_s = time.monotonic()
        if now_s < self._ask_again_s:
            return
        known = {key: each.holders for key, each in self._sockets.items()}
        with contextlib.suppress(OSError):
            self._sockets = sockets.kernel_sockets(self._ports)
        new = self._sockets.keys() - known.keys()
        if new or now_s - self._held_s > HOLDERS_S:
            self._held_s = now_s
            self._sockets = sockets.with_holders(self._sockets)
        else:
            self._sockets = {key: replace(each, holders=known[key]) for key, each in self._sockets.items()}
        took_s = time.monotonic() - now_s
        self._ask_again_s = now_s + max(LOOK_S / 2, PATIENCE * took_s)


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


def kernel_text(judged: JudgedFlow, kernel: dict[Side, KernelView]) -> Iterator[str]:
    """Yield what the kernel says of the ends of a flow, to go on a line of the log."""
    from analyzer.report.live_screen import role

    for side, view in kernel.items():
        holder = f"pid {view.holders}" if view.holders else "no process"
        yield f"; kernel: {role(judged, side)} {view.state}, {holder}"


def with_ways(flows: Iterable[Flow], ask: Kernel | None) -> Iterator[Flow]:
    """Yield flows, with what the kernel said of the way to their hosts among the witnesses."""
    from dataclasses import replace

    for flow in flows:
        if ask is not None and (ways := ask.link.witnesses(flow.judged)):
            witnesses = sorted((*flow.judged.witnesses, *ways), key=lambda witness: witness.ts_ns)
            flow.judged = replace(flow.judged, witnesses=tuple(witnesses))
        yield flow
