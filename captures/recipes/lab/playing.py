"""The table of scenarios, and how they are played: each in a process of its own, many side by side."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING, Final

from captures.recipes.lab import (
    answered,
    beside,
    boxes,
    dead,
    half_close,
    howdy,
    many,
    numbers,
    octets,
    points,
    vantage,
    windows,
    wire,
)
from captures.recipes.lab.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import ModuleType

TOOLS: Final = ("ip", "ss", "iptables", "tcpdump", "tshark")
"""Programs that every scenario may need; `dumpcap` and `go` are looked for where one does."""
WITH_DUMPCAP: Final = frozenset({"beside_filtered_to_port", "beside_capture_drops"})
"""What tcpdump does not write down, its filter and what was dropped, is what these are about."""


def _scenarios_of(module: ModuleType) -> Iterator[Callable[[Stage], None]]:
    """Yield the scenarios of a module: its public functions, of which it has no others."""
    for value in vars(module).values():
        if getattr(value, "__module__", "") == module.__name__ and not getattr(value, "__name__", "_").startswith("_"):
            yield value


SCENARIOS: Final[dict[str, Callable[[Stage], None]]] = {
    scenario.__name__: scenario
    for module in (howdy, dead, boxes, answered, windows, octets, vantage, numbers, half_close, many, beside, points)
    for scenario in _scenarios_of(module)
}
NUMBERS: Final = {name: number for number, name in enumerate(sorted(SCENARIOS))}
"""Each scenario's part of its addresses, the same whichever are played."""


def why_not(names: Iterable[str]) -> str | None:
    """Return why scenarios cannot be played here, or None."""
    names = set(names)
    needed = [*TOOLS, *(["dumpcap"] if any("pcapng" in name or name in WITH_DUMPCAP for name in names) else [])]
    needed += ["go"] if any("_go_" in name for name in names) else []
    if missing := [tool for tool in needed if shutil.which(tool) is None]:
        return f"the lab needs {', '.join(missing)}"
    if os.geteuid() != 0:
        return "the lab needs root, for network namespaces"
    return None


def play(name: str, out: Path, *, sampled: bool = True) -> list[str]:
    """Play one scenario; return a line for each capture that it made. ``sampled`` is ``Stage``'s."""
    scenario = SCENARIOS[name]
    description = " ".join((scenario.__doc__ or "").split())
    with Stage(name, description, out, NUMBERS[name], sampled=sampled) as stage:
        scenario(stage)
    return [_line(out / file) for file in stage.files]


def _line(file: Path) -> str:
    """Add the wire's part of the truth beside a capture; return the capture in a line."""
    truth = wire.add(file, file.with_suffix(".json"))
    verdicts = sorted({flow["expected"]["verdict"] or "by chance" for flow in truth["flows"]})
    probes = sum(reading["probes"] for reading in truth["wire"])
    complaints = "".join(f"\n  {complaint}" for complaint in truth["checks"])
    return f"{file.name}: {', '.join(verdicts)}; {probes} probes{complaints}"


def _leave_in_order() -> None:
    """Let a signal end a worker as an error would: its stage takes away what it has made; a second one is ignored."""

    def leave(number: int, _: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)


def play_all(
    names: list[str], out: Path, jobs: int, say: Callable[[str], object], *, sampled: bool = True
) -> list[str]:
    """Play scenarios side by side, telling of each when it is done; return the names of those that failed.

    ``sampled`` is ``Stage``'s.
    """
    out.mkdir(parents=True, exist_ok=True)
    failed = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_leave_in_order, max_tasks_per_child=1) as pool:
        playing = {pool.submit(play, name, out, sampled=sampled): name for name in names}
        try:
            for done in as_completed(playing):
                if (error := done.exception()) is not None:
                    failed.append(playing[done])
                    say(f"{playing[done]}: FAILED\n{''.join(traceback.format_exception(error))}")
                else:
                    for line in done.result():
                        say(line)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
    return failed
