"""One connection of the lab: what was set on its sockets, what was done to it, what its applications saw.

Knows sockets, and nothing of namespaces, links or captures. Everything is stamped with the time.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from captures.recipes.sockets import vanish

if TYPE_CHECKING:
    import subprocess

Side = Literal["client", "server"]
SIDES: Final[tuple[Side, Side]] = ("client", "server")
PEER: Final[dict[Side, Side]] = {"client": "server", "server": "client"}

ENDINGS: Final = {
    "fin_both": "closed",
    "half_closed_still_probed": "half_closed",
    "rst_by_peer_answering_probe": "reset_on_probe",
    "rst_by_prober_after_unanswered": "timed_out",
    "rst_abort": "aborted",
    "silent_at_capture_end": "silent",
    "open_at_capture_end": "open",
    "never_established": "unestablished",
    "one_sided": "undetermined",
    "unseen": None,
    "headers_cut": "undetermined",
}
"""What a scenario brings about, and the verdict that an analyzer must reach; None where it is chance what is seen."""

_IP_RECVERR: Final = 11
_NOTED: Final = 60
"""Reads of one application that are written down."""


def errno_name(error: OSError) -> str:
    """Return ETIMEDOUT and the like."""
    return errno.errorcode.get(error.errno or 0, str(error))


@dataclass(frozen=True)
class Options:
    """What is set on one end's socket; None is left to the system."""

    keepalive: bool | None = None
    idle_s: int | None = None
    interval_s: int | None = None
    count: int | None = None
    user_timeout_ms: int | None = None
    no_delay: bool | None = None
    receive_buffer: int | None = None
    receive_errors: bool | None = None

    def apply(self, connection: socket.socket) -> dict[str, Any]:
        """Set the options, keepalive itself last; return what was set, and what the kernel says is in force."""
        tcp, base = socket.IPPROTO_TCP, socket.SOL_SOCKET
        options = (
            ("idle", tcp, socket.TCP_KEEPIDLE, self.idle_s),
            ("intvl", tcp, socket.TCP_KEEPINTVL, self.interval_s),
            ("cnt", tcp, socket.TCP_KEEPCNT, self.count),
            ("user_timeout", tcp, socket.TCP_USER_TIMEOUT, self.user_timeout_ms),
            ("nodelay", tcp, socket.TCP_NODELAY, self.no_delay),
            ("recverr", socket.IPPROTO_IP, _IP_RECVERR, self.receive_errors),
            ("rcvbuf", base, socket.SO_RCVBUF, self.receive_buffer),
            ("keepalive", base, socket.SO_KEEPALIVE, self.keepalive),
        )
        given: dict[str, Any] = {}
        for name, level, option, value in options:
            if value is not None:
                connection.setsockopt(level, option, int(value))
                given[name] = value
        if self.keepalive:
            force = (
                ("idle", socket.TCP_KEEPIDLE),
                ("intvl", socket.TCP_KEEPINTVL),
                ("cnt", socket.TCP_KEEPCNT),
                ("user_timeout_ms", socket.TCP_USER_TIMEOUT),
            )
            given["in_force"] = {name: connection.getsockopt(tcp, option) for name, option in force}
        return given


def probing(idle_s: int, interval_s: int, count: int | None = None, **more: Any) -> Options:  # noqa: ANN401 - fields
    """Return options that switch keepalive on with these timers."""
    return Options(keepalive=True, idle_s=idle_s, interval_s=interval_s, count=count, **more)


def hostport(address: str, port: int) -> str:
    """Return an endpoint as the reports print it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Flow:
    """A connection between two sockets of ours, either of which may belong to another process."""

    def __init__(self, name: str, started: float, prober: Side | Literal["both"] | None) -> None:
        """Begin with nothing set, nothing done; ``started`` is when the scenario was."""
        self.name = name
        self.prober = prober
        self.sockets: dict[Side, socket.socket] = {}
        self.addresses: dict[Side, tuple[str, int]] = {}
        self.client_as_server_sees_it: str | None = None
        self.options: dict[Side, dict[str, Any]] = {"client": {}, "server": {}}
        self.actions: list[dict[str, Any]] = []
        self.saw: dict[Side, list[dict[str, Any]]] = {"client": [], "server": []}
        self.sampled: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.program: subprocess.Popen[str]
        self.kind = ""
        self.echoes = False
        self.synthetic: str | None = None
        self.window_probes = False
        self.over_at: float | None = None
        self._started = started
        self._expected: dict[str | None, dict[str, Any]] = {}
        self._readers: dict[Side, threading.Thread] = {}
        self._over: set[Side] = set()
        self._stop: dict[Side, threading.Event] = {"client": threading.Event(), "server": threading.Event()}

    # what is written down ──────────────────────────────────────────────────────────────────────────────────────────

    def stamp(self, **what: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever there is to say
        """Return a record with the time, of the epoch and from the scenario's start."""
        now = time.time()
        return {"t": round(now, 6), "rel": round(now - self._started, 4), **what}

    def act(self, what: str, who: Side | None = None) -> None:
        """Write down what was done."""
        self.actions.append(self.stamp(what=what, who=who))

    def see(self, who: Side, call: str, result: str, **more: Any) -> None:  # noqa: ANN401 - whatever there is to say
        """Write down what an application's call returned."""
        self.saw[who].append(self.stamp(call=call, result=result, **more))

    def expect(
        self,
        ending: str,
        first_fin: Side | None = None,
        reset_from: Side | None = None,
        *,
        notes: str | None = None,
        vantage: str | None = None,
    ) -> None:
        """Say how it ended; for one vantage only where that sees something else."""
        assert ending in ENDINGS, ending
        self._expected[vantage] = {"ending": ending, "first_fin": first_fin, "rst_from": reset_from}
        if notes:
            self.notes.append(notes)

    # what is done ──────────────────────────────────────────────────────────────────────────────────────────────────

    def set(self, who: Side, options: Options) -> None:
        """Set options on one end."""
        given = options.apply(self.sockets[who])
        self.options[who].update(given)
        self.act(f"setsockopt { ({name: value for name, value in given.items() if name != 'in_force'}) }", who)

    def read(self, *sides: Side) -> None:
        """Let applications sit in recv from now on, and take all that comes."""
        for who in sides:
            self._readers[who] = threading.Thread(target=self._read, args=(who,), daemon=True)
            self._readers[who].start()

    def _read(self, who: Side) -> None:
        connection, total = self.sockets[who], 0
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        while not self._stop[who].is_set():
            if not poll.poll(40) or self._stop[who].is_set():
                continue
            try:
                received = connection.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue
            except OSError as error:
                self.see(who, "recv", errno_name(error), strerror=error.strerror)
                self._over.add(who)
                return
            if not received:
                self.see(who, "recv", "''", meaning="EOF")
                self._over.add(who)
                return
            total += len(received)
            if len(self.saw[who]) < _NOTED:
                self.see(who, "recv", f"{len(received)} bytes", total=total)
            if self.echoes and who == "server":
                connection.send(received)

    def read_once(self, who: Side) -> None:
        """Let an application read once, and never look again."""
        self.see(who, "recv", f"{len(self.sockets[who].recv(65536))} bytes")

    def look(self, who: Side) -> None:
        """Let an application read, ask for its error, and write, to see what it would find now."""
        connection = self.sockets[who]
        try:
            received = connection.recv(65536, socket.MSG_DONTWAIT)
            self.see(who, "recv (late)", f"{len(received)} bytes" if received else "''")
        except BlockingIOError:
            self.see(who, "recv (late)", "still blocked")
        except OSError as error:
            self.see(who, "recv (late)", errno_name(error))
        pending = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.see(who, "getsockopt SO_ERROR", errno.errorcode.get(pending, "0"))
        try:
            connection.send(b"x", socket.MSG_NOSIGNAL)
            self.see(who, "send (late)", "ok")
        except OSError as error:
            self.see(who, "send (late)", errno_name(error))

    def send(self, who: Side, data: bytes, *, quiet: bool = False) -> None:
        """Let one end send, which may fail."""
        if not quiet:
            self.act(f"send {len(data)} bytes", who)
        try:
            self.sockets[who].send(data)
        except OSError as error:
            self.see(who, "send", errno_name(error))

    def send_all(self, who: Side, data: bytes) -> None:
        """Let one end send until everything is on its way."""
        self.act(f"send {len(data)} bytes", who)
        self.sockets[who].sendall(data)

    def overfill(self, who: Side) -> None:
        """Let one end write until neither the peer's window nor its own buffer takes more."""
        self.sockets[who].settimeout(0)
        written = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                written += self.sockets[who].send(b"z" * 10_000)
        self.act(f"sent {written} bytes without anybody reading", who)

    def close(self, who: Side) -> None:
        """Close one end."""
        connection = self._taken(who)
        self.act("close()", who)
        connection.close()

    def shut(self, who: Side) -> None:
        """Shut down one end's sending side."""
        self.act("shutdown(SHUT_WR)", who)
        self.sockets[who].shutdown(socket.SHUT_WR)

    def abort(self, who: Side) -> None:
        """Reset from one end."""
        connection = self._taken(who)
        self.act("close() with SO_LINGER 0 (RST)", who)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def vanish(self, who: Side) -> None:
        """Let one socket disappear without a word, as in a reboot."""
        connection = self._taken(who)
        self.act("socket vanishes silently (TCP_REPAIR, close)", who)
        vanish(connection)

    def _taken(self, who: Side) -> socket.socket:
        """Return a socket that nobody reads any more, and forget it."""
        self._stop[who].set()
        if who in self._readers:
            self._readers[who].join()
        return self.sockets.pop(who)

    def finish(self) -> None:
        """Stop reading where anybody still does; end keepalive, so that no probe is sent that nobody captures."""
        for connection in self.sockets.values():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        for who in SIDES:
            self._stop[who].set()
            if who in self.sockets and who in self._readers and who not in self._over:
                self.see(who, "recv", "still blocked")

    def drop(self) -> None:
        """Close what is left."""
        for connection in self.sockets.values():
            connection.close()

    # the truth ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def endpoint(self, who: Side) -> str | None:
        """Return one end's address and port."""
        return hostport(*self.addresses[who]) if who in self.addresses else None

    def truth(self, vantage: str) -> dict[str, Any]:
        """Return what the JSON says of the flow, as somebody at a vantage can know it."""
        expected = {"ending": None, "first_fin": None, "rst_from": None}
        expected |= self._expected.get(None, {}) | self._expected.get(vantage, {})
        for key in ("first_fin", "rst_from"):
            expected[f"{key}_side"] = expected[key]
            expected[key] = self.endpoint(expected[key]) if expected[key] else None
        expected["verdict"] = ENDINGS.get(expected["ending"] or "")
        probers = {"both": [self.endpoint(who) for who in SIDES], None: None}
        return {
            "id": self.name,
            "client": self.endpoint("client"),
            "server": self.endpoint("server"),
            "prober": probers[self.prober] if self.prober in probers else self.endpoint(self.prober),
            "prober_side": self.prober,
            "address_seen_elsewhere": {"c_seen_by_s": self.client_as_server_sees_it}
            if self.client_as_server_sees_it
            else None,
            "options": self.options,
            "actions": self.actions,
            "saw": self.saw,
            "expected": expected,
            "notes": self.notes,
            "synthetic": self.synthetic,
            "zero_window_probes_expected": self.window_probes,
            "ss": self.sampled,
        }
