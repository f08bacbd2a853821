"""What the host says of itself beside a capture: its sockets, timers, counters and settings, kept in the same file.

A capture shows what passed; the kernel knows the state, the timer and the process. ``watch --sockets -w FILE.pcapng``
keeps both together, as notes (``capture.pcapng_writer``), and ``explain`` tells them beside the story. What a file
holds is somebody's word: it is told as what the host said, and decides nothing.

It must not know how packets are captured.
"""

from __future__ import annotations

import json
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.capture.host_notes import host_notes
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analyzer.judge.record import FlowRecord
    from analyzer.sockets import KernelSocket
    from analyzer.track.flow import Endpoint, Side

VERSION: Final = 1
"""Of the form of a note: one JSON object."""
MOST_SOCKETS: Final = 200
"""Maximum number of sockets in a note; the others are counted."""
SETTINGS: Final = (
    "tcp_keepalive_time",
    "tcp_keepalive_intvl",
    "tcp_keepalive_probes",
    "tcp_fin_timeout",
    "tcp_retries2",
    "tcp_orphan_retries",
)
"""Of net.ipv4, ip-sysctl.rst."""
COUNTERS: Final = (
    "TCPKeepAlive",
    "TCPTimeouts",
    "TCPAbortOnTimeout",
    "TCPAbortOnClose",
    "TCPAbortOnData",
    "TCPRcvQDrop",
)
"""Of TcpExt, proc_net_netstat(5)."""


@dataclass(frozen=True, slots=True)
class HostSocket:
    """One end of a connection as the host's kernel had it at an instant."""

    ts_ns: int
    state: str
    timer: str | None = None
    timer_ms: int = 0
    """Until the timer runs out."""
    unanswered: int = 0
    """Probes or retransmissions since the peer last answered."""
    holders: str = ""
    """Processes that have it open; empty where none has, or none was seen."""


@dataclass(slots=True)
class HostView:
    """What a host said beside a capture."""

    settings: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    """By how much each counter grew from the first note to the last."""
    sockets: dict[tuple[str, str], list[HostSocket]] = field(default_factory=dict)
    """By local and remote endpoint, what was said of it, in order, as it changed."""

    def of(self, record: FlowRecord) -> Iterator[tuple[Side, HostSocket]]:
        """Yield what was said of the ends of a flow, while it lived, in order of time, with the end (a or b)."""
        ends: tuple[tuple[Side, Endpoint, Endpoint], ...] = (("a", record.a, record.b), ("b", record.b, record.a))
        found = [
            (side, each)
            for side, local, remote in ends
            for each in self.sockets.get((str(local), str(remote)), [])
            if each.ts_ns >= record.first_ns
        ]
        yield from sorted(found, key=lambda entry: entry[1].ts_ns)


class HostNotes:
    """Makes notes of a host: all of it at first, then only what changed."""

    def __init__(self) -> None:
        """Begin; nothing was noted."""
        self._known: dict[tuple[Endpoint, Endpoint], tuple[object, ...]] = {}
        self._begun = False

    def of(self, sockets: Mapping[tuple[Endpoint, Endpoint], KernelSocket], *, last: bool = False) -> str | None:
        """Return a note of what changed since the one before; None if nothing did. The last has all there is."""
        told: dict[tuple[Endpoint, Endpoint], tuple[object, ...]] = {
            key: (each.state, each.timer, each.unanswered, each.holders) for key, each in sockets.items()
        }
        whole = last or not self._begun
        changed = [key for key, now in told.items() if whole or self._known.get(key) != now]
        gone = [key for key in self._known if key not in told]
        if not (changed or gone or whole):
            return None
        self._known, self._begun = told, True
        note: dict[str, Any] = {
            "version": VERSION,
            "sockets": [_as_json(sockets[key]) for key in changed[:MOST_SOCKETS]],
            "gone": [[str(local), str(remote)] for local, remote in gone[:MOST_SOCKETS]],
            "left_out": max(len(changed) - MOST_SOCKETS, 0) + max(len(gone) - MOST_SOCKETS, 0),
        }
        if whole:
            note |= {"settings": settings(), "counters": counters()}
        return json.dumps(note, separators=(",", ":"))


def settings(folder: str = "/proc/sys/net/ipv4") -> dict[str, int]:
    """Return the kernel's settings that bear on keepalive and on giving up, as far as they can be read."""
    found = {}
    for name in SETTINGS:
        try:
            found[name] = int(Path(folder, name).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return found


def counters(path: str = "/proc/thread-self/net/netstat") -> dict[str, int]:
    """Return the kernel's counters that bear on keepalive, as far as they can be read."""
    try:
        rows = [
            line.split() for line in Path(path).read_text(encoding="ascii").splitlines() if line.startswith("TcpExt:")
        ]
        named = dict(zip(*rows, strict=True)) if len(rows) == 2 else {}
        return {name: int(named[name]) for name in COUNTERS if name in named}
    except (OSError, ValueError):
        return {}


def host_view(paths: Iterable[str]) -> HostView | None:
    """Return what the host said in some files of one capture; None if it said nothing."""
    notes = [(ts_ns, note) for path in paths for ts_ns, text in host_notes(path) if (note := _read(text)) is not None]
    if not notes:
        return None
    view = HostView()
    counted: list[dict[str, int]] = []
    for ts_ns, note in notes:
        view.settings |= _numbers(note.get("settings"))
        if numbers := _numbers(note.get("counters")):
            counted.append(numbers)
        for entry in _listed(note, "sockets"):
            if (read := _socket(ts_ns, entry)) is not None:
                _append(view.sockets.setdefault(read[0], []), read[1])
        for entry in _listed(note, "gone"):
            if isinstance(entry, list) and len(entry) == 2 and all(isinstance(end, str) for end in entry):
                _append(view.sockets.setdefault((entry[0], entry[1]), []), HostSocket(ts_ns, "gone"))
    if len(counted) > 1:
        view.counted = {name: counted[-1][name] - at for name, at in counted[0].items() if name in counted[-1]}
    return view


def _as_json(each: KernelSocket) -> dict[str, Any]:
    holders = ", ".join(f"{holder.pid} ({holder.name})" for holder in each.holders[:8])
    return {
        "local": str(each.local),
        "remote": str(each.remote),
        "state": each.state,
        "timer": each.timer,
        "timer_ms": each.timer_ns // 1_000_000,
        "unanswered": each.unanswered,
        "holders": holders,
    }


def _read(text: str) -> dict[str, Any] | None:
    try:
        note = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) and note.get("version") == VERSION else None


def _listed(note: dict[str, Any], name: str) -> list[Any]:
    entries = note.get(name)
    return entries[:MOST_SOCKETS] if isinstance(entries, list) else []


def _numbers(value: object) -> dict[str, int]:
    """Return what of a mapping is a number under a name that is known."""
    if not isinstance(value, dict):
        return {}
    known = {*SETTINGS, *COUNTERS}
    return {name: number for name, number in value.items() if name in known and type(number) is int}


def _socket(ts_ns: int, entry: object) -> tuple[tuple[str, str], HostSocket] | None:
    """Return a socket as it was noted, and its ends; None if it is not of the form."""
    if not isinstance(entry, dict):
        return None
    texts = [entry.get(name) for name in ("local", "remote", "state", "holders")]
    numbers = [entry.get(name) for name in ("timer_ms", "unanswered")]
    timer = entry.get("timer")
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        return None
    local, remote, state, holders = (str(text) for text in texts)
    timer_ms, unanswered = (int(str(number)) for number in numbers)
    named = timer if isinstance(timer, str) else None
    return (local, remote), HostSocket(ts_ns, state, named, timer_ms, unanswered, holders)


def _append(said: list[HostSocket], now: HostSocket) -> None:
    """Add what was said, unless it is what was said before but for the time."""
    if not said or _told(said[-1]) != _told(now):
        said.append(now)


def _told(each: HostSocket) -> tuple[object, ...]:
    return each.state, each.timer, each.unanswered, each.holders
