"""What ``keepalive watch`` shows while it runs: nothing, a log of events, or a table that is drawn again and again.

Only flows that changed are judged. It must not capture, nor say how the watch ends.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.cli.kernel import kernel_object, kernel_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from analyzer.analysis import Analysis
    from analyzer.cli.kernel import Kernel
    from analyzer.explain.news import Item, News
    from analyzer.judge.judged import JudgedFlow
    from analyzer.kept_flows import Flow
    from analyzer.report.live_screen import LiveFlow
    from analyzer.watching import Watching

OF_SOCKETS: Final = ("fin", "verdict", "probe")
"""Events beside which it is told what the kernel says of the sockets."""
OF_STATES: Final = ("fin", "reset")
"""Events with which sockets come into other states."""
HALF_CLOSED_S: Final = 1.0
"""Every connection that ends is half-closed for a moment; one that is for longer is shown."""


class Attention:
    """Which flows are worth a look: those that probe, and those that stay half-closed or silent."""

    def __init__(self) -> None:
        """Begin with none."""
        self._since_s: dict[int, float] = {}
        self._shown: set[int] = set()

    def of(self, view: Analysis, *, last: bool = False) -> NDArray[np.void]:
        """Return their lines, most important first, with those that were worth it before.

        Every connection is half-closed for a moment when it ends; so that counts only after HALF_CLOSED_S, or if this
        is the ``last`` look.
        """
        import numpy as np

        from analyzer.findings.notable import has_verdict
        from analyzer.judge.verdict import Verdict
        from analyzer.survey import overview

        lines = view.lines()
        probes = (lines["probes"] > 0) | (lines["zero_window"] > 0)
        lasting = has_verdict(lines["winner"], Verdict.HALF_CLOSED, Verdict.SILENT) & ~probes
        now_s = time.monotonic()
        numbers = lines["number"][lasting].tolist()
        self._since_s = {number: self._since_s.get(number, now_s) for number in numbers}
        self._shown |= set(lines["number"][probes].tolist())
        self._shown |= {n for n, since_s in self._since_s.items() if last or now_s - since_s >= HALF_CLOSED_S}
        return overview.ranked(lines[np.isin(lines["number"], list(self._shown))])


class Changes:
    """Which flows changed since the last look; only these are judged."""

    def __init__(self) -> None:
        """Begin with none known."""
        self._attention = Attention()
        self._known: dict[int, Any] = {}

    def of(self, view: Analysis, *, last: bool = False) -> Iterator[Flow]:
        """Yield the flows worth a look that changed, in order."""
        from analyzer.survey import overview

        worth = self._attention.of(view, last=last)
        for line in overview.in_order(worth):
            number = int(line["number"])
            mark = line.copy()
            mark["batch"] = mark["row"] = 0
            if self._known.get(number) != mark.item():
                self._known[number] = mark.item()
                yield view.flow(line)


class Bare:
    """A display that has nothing to put in order when it begins or ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Quiet(Bare):
    """Shows nothing, but lets the kernel be asked for the way to hosts of flows."""

    def __init__(self, watching: Watching) -> None:
        """Begin."""
        self._watching = watching
        self._changes = Changes()

    def look(self, ask: Kernel | None, *, last: bool = False) -> None:
        """Ask."""
        now_ns = time.time_ns()
        changed = list(self._changes.of(self._watching.view(now_ns), last=last))
        if ask is not None:
            for _ in ask.link.news((flow.judged for flow in changed), now_ns):
                pass  # kept for the report


class Log(Bare):
    """Events, one a line, on stdout."""

    def __init__(self, watching: Watching, *, jsonl: bool) -> None:
        """Begin."""
        self._watching = watching
        self._jsonl = jsonl
        self._changes = Changes()
        self._news: dict[int, News] = {}
        self._waiting: dict[int, Flow] = {}

    def look(self, ask: Kernel | None, *, last: bool = False) -> None:
        """Tell what is new."""
        from analyzer.explain.news import News

        now_ns = time.time_ns()
        view = self._watching.view(now_ns)
        changed = {flow.number: flow for flow in self._changes.of(view, last=last)}
        told: list[tuple[Item, JudgedFlow]] = []
        unsure = {}
        for number, flow in {**self._waiting, **changed}.items():
            news = self._news.setdefault(number, News())
            told += [(item, flow.judged) for item in news.of(flow.judged, view.start_ns(), now_ns)]
            if any(probe.answer is None for probe in flow.judged.record.probes[-2:]):
                unsure[number] = flow
        self._waiting = unsure
        told.sort(key=lambda entry: entry[0].ts_ns)
        # the kernel is asked now, behind all that is told: what it says is not of the time before a FIN or RST
        changed_at = {judged.record.number: at for at, (item, judged) in enumerate(told) if item.event in OF_STATES}
        for at, (item, judged) in enumerate(told):
            is_since = item.event in OF_SOCKETS and at >= changed_at.get(judged.record.number, 0)
            self._write(item, judged, view.start_ns(), ask if is_since else None)
        if ask is not None:
            for event in ask.link.news((flow.judged for flow in changed.values()), now_ns):
                sys.stdout.write((json.dumps(event.object) if self._jsonl else event.line) + "\n")
        sys.stdout.flush()

    def _write(self, item: Item, judged: JudgedFlow, start_ns: int, ask: Kernel | None) -> None:
        from analyzer.report.live_screen import log_line, log_object
        from analyzer.units import seconds

        kernel = ask.views(judged) if ask is not None else {}
        asked_ns = ask.asked_ns if ask is not None else 0
        if self._jsonl:
            entry = log_object(item, judged, start_ns)
            if kernel:
                entry["kernel"] = {side: kernel_object(view) for side, view in kernel.items()}
                entry["kernel_time_s"] = seconds(asked_ns - start_ns)
            sys.stdout.write(json.dumps(entry) + "\n")
            return
        sys.stdout.write(log_line(item, judged) + "".join(kernel_text(judged, kernel, asked_ns - item.ts_ns)) + "\n")


class Screen:
    """A table on the terminal that is drawn again and again."""

    def __init__(self, watching: Watching, where: str) -> None:
        """Begin; nothing is drawn yet."""
        from rich.console import Console
        from rich.live import Live

        self._watching = watching
        self._where = where
        self._since_ns = time.monotonic_ns()
        self._console = Console()
        self._drawn = ""
        self._attention = Attention()
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stderr=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def look(self, ask: Kernel | None, *, last: bool = False) -> None:
        """Draw what there is now."""
        from analyzer.report.live_screen import LINES_AROUND, LINES_OF_FLOW, Standing, table

        now_ns = time.time_ns()
        view = self._watching.view(now_ns)
        lines = self._attention.of(view, last=last)
        room = max((self._console.height - LINES_AROUND) // (LINES_OF_FLOW + (ask is not None)), 1)
        reader = self._watching.reader
        standing = Standing(
            where=self._where,
            frames=reader.taken,
            lost=reader.lost,
            flows=view.totals.flows,
            running_ns=time.monotonic_ns() - self._since_ns,
            now_ns=now_ns,
            start_ns=view.start_ns(),
            more=max(len(lines) - room, 0),
        )
        flows = [_live_flow(view.flow(line).judged, ask) for line in lines[:room]]
        if ask is not None:
            for _ in ask.link.news((flow.judged for flow in flows), now_ns):
                pass  # what stands is in the table
        drawn = table(standing, flows, ask.link.standing() if ask is not None else ())
        with self._console.capture() as capture:
            self._console.print(drawn)
        if capture.get() != self._drawn:  # drawn no more often than something on it changes
            self._drawn = capture.get()
            self._live.update(drawn, refresh=True)


def _live_flow(judged: JudgedFlow, ask: Kernel | None) -> LiveFlow:
    from analyzer.judge.outlook import outlook
    from analyzer.report.live_screen import LiveFlow

    return LiveFlow(judged, outlook(judged), ask.views(judged) if ask else {})
