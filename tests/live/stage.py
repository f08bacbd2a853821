"""A stage for fresh kernel truth: two hosts, a switch between them, tcpdump looking on, and the steps of scenarios.

A `Scenario` says what is set on each socket, what happens (`steps`), and what an analyzer must then find. `play` acts
it out in three network namespaces of its own, and brings back the capture and what the kernels counted: nothing the
analyzer says has a part in that. A host sends nothing but this one connection, so its counters are the connection's.

A new scenario is a new row in the table of test_fresh_truth.py. A new step is a function that returns a `Step`; it
must come to an end by itself, whatever happens.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from captures.recipes.network import Namespace, bridge, capture, wait_until
from captures.recipes.sockets import CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, Keepalive, next_read, vanish

Who = Literal["client", "server"]
BOTH: tuple[Who, Who] = ("client", "server")
PORTS: dict[int, Who] = {CLIENT_PORT: "client", SERVER_PORT: "server"}
PATIENCE_S = 15
"""The longest that a step waits for the other end or for the kernel."""


@dataclass
class Stage:
    """Two connected sockets, their hosts, and the switch."""

    hosts: dict[Who, Namespace]
    switch: Namespace
    sockets: dict[Who, socket.socket] = field(default_factory=dict)


Step = Callable[[Stage], None]


@dataclass(frozen=True)
class Options:
    """What is set on one end's socket."""

    keepalive: Keepalive | None = None
    user_timeout_ms: int | None = None
    receive_buffer: int | None = None
    late: bool = False
    """Not set at once, but by the step `sets`."""

    def prepare(self, unconnected: socket.socket) -> None:
        """Set what the handshake needs to know; a buffer that shrinks later would break the window's promise."""
        unconnected.settimeout(PATIENCE_S)
        if self.receive_buffer is not None:
            unconnected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)

    def apply(self, connection: socket.socket) -> None:
        """Set the rest."""
        if self.user_timeout_ms is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.user_timeout_ms)
        if self.keepalive is not None:
            self.keepalive.switch_on(connection)


@dataclass(frozen=True)
class Scenario:
    """What is set, what happens, and what must be found."""

    name: str
    steps: tuple[Step, ...]
    verdict: str
    by: Who | None = None
    answers: str = "a*"
    """Of the server's probes, as a pattern: a an ACK, d data, r a RST, - nothing."""
    client_answers: str = ""
    """Of the client's."""
    after_fin: str | None = None
    """What the last probe's field of that name says."""
    server: Options = Options()
    client: Options = Options()
    client_sysctl: tuple[tuple[str, int], ...] = ()
    unseen: tuple[Step, ...] = ()
    """What happens after the handshake and before the capture starts; if nothing, the handshake is captured too."""
    claims: tuple[str, ...] = ()
    """Settings of the server that its probes determine: a value must be claimed."""
    reads: str | None = None
    """What the server's application reads at the end: whether what happened is what was meant."""
    vantage: Literal["client", "server", "switch"] = "server"
    version: Literal[4, 6] = 4

    def options(self, who: Who) -> Options:
        """Return what is set on one end."""
        return self.client if who == "client" else self.server


@dataclass(frozen=True)
class Truth:
    """What the kernels say about a scenario that was played."""

    capture: Path
    probes: dict[Who, int]
    window_probes: dict[Who, int]
    reads: str | None


def play(scenario: Scenario, folder: Path) -> Truth:
    """Act a scenario out; whatever was made for it is gone afterwards, but the capture."""
    file = folder / f"{scenario.name}.pcap"
    with contextlib.ExitStack() as stage_door:
        client, switch, server = (stage_door.enter_context(Namespace(role)) for role in ("client", "switch", "server"))
        bridge(client, switch, server)
        if scenario.version == 6:
            address_6(client, server)
        for key, value in scenario.client_sysctl:
            client.sysctl(key, value)
        stage = Stage({"client": client, "server": server}, switch)
        looking = stage_door.enter_context(contextlib.ExitStack())
        place = {"client": (client, "eth0"), "server": (server, "eth0"), "switch": (switch, "server")}

        if not scenario.unseen:
            looking.enter_context(capture(*place[scenario.vantage], file))
        ends = stage_door.enter_context(connected(stage, scenario))
        stage.sockets.update(zip(BOTH, ends, strict=True))
        for who in BOTH:
            stage.sockets[who].settimeout(PATIENCE_S)
            if not scenario.options(who).late:
                scenario.options(who).apply(stage.sockets[who])
        for step in scenario.unseen:
            step(stage)
        before = {who: counters(stage.hosts[who]) for who in BOTH}
        if scenario.unseen:
            looking.enter_context(capture(*place[scenario.vantage], file))
        for step in scenario.steps:
            step(stage)

        for connection in stage.sockets.values():
            connection.setblocking(True)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)  # no probe that tcpdump could miss
        reads = next_read(stage.sockets["server"]) if "server" in stage.sockets else None
        looking.close()
        after = {who: counters(stage.hosts[who]) for who in BOTH}
    return Truth(
        file,
        {who: after[who]["TCPKeepAlive"] - before[who]["TCPKeepAlive"] for who in BOTH},
        {who: after[who]["TCPWinProbe"] - before[who]["TCPWinProbe"] for who in BOTH},
        reads,
    )


def address_6(client: Namespace, server: Namespace) -> None:
    """Give both hosts an IPv6 address beside the other, and the peer's for good, as `bridge` does for IPv4."""
    for number, other, end in ((1, 2, client), (2, 1, server)):
        end.ip("address", "add", f"2001:db8::{number}/64", "dev", "eth0", "nodad")
        neighbour = ("lladdr", f"02:00:00:00:00:0{other}", "dev", "eth0", "nud", "permanent")
        end.ip("neigh", "replace", f"2001:db8::{other}", *neighbour)


@contextlib.contextmanager
def connected(stage: Stage, scenario: Scenario) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Connect the client to the server and give both sockets, client first."""
    family = {4: socket.AF_INET, 6: socket.AF_INET6}[scenario.version]
    client, server = {4: (CLIENT, SERVER), 6: ("2001:db8::1", "2001:db8::2")}[scenario.version]
    with contextlib.ExitStack() as open_sockets:
        with stage.hosts["server"].inside():
            listener = open_sockets.enter_context(socket.socket(family))
        with stage.hosts["client"].inside():
            near = open_sockets.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        scenario.server.prepare(listener)
        scenario.client.prepare(near)
        listener.bind((server, SERVER_PORT))
        listener.listen()
        near.bind((client, CLIENT_PORT))
        near.connect((server, SERVER_PORT))
        far, _ = listener.accept()
        open_sockets.enter_context(far)
        yield near, far


def counters(host: Namespace) -> dict[str, int]:
    """Return what the kernel has counted for a host, as nstat shows it (TcpExt)."""
    with host.inside():
        lines = Path("/proc/thread-self/net/netstat").read_text(encoding="ascii").splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("TcpExt:"))
    return dict(zip(names, map(int, values), strict=True))


# steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def wait(seconds: float) -> Step:
    """Let time pass."""
    return lambda _: time.sleep(seconds)


def says(who: Who, text: bytes = b"howdy") -> Step:
    """Let one end send, and the other read it."""

    def step(stage: Stage) -> None:
        stage.sockets[who].sendall(text)
        received = b""
        while len(received) < len(text):
            received += stage.sockets[peer_of(who)].recv(65536)

    return step


def writes(who: Who, text: bytes = b"anybody there?") -> Step:
    """Let one end send, and nobody read it."""
    return lambda stage: stage.sockets[who].sendall(text)


def sets(who: Who, options: Options) -> Step:
    """Let one end set its options only now."""
    return lambda stage: options.apply(stage.sockets[who])


def closes(who: Who) -> Step:
    """Close one end."""
    return lambda stage: stage.sockets.pop(who).close()


def stops_sending(who: Who) -> Step:
    """Shut down the sending side of one end."""
    return lambda stage: stage.sockets[who].shutdown(socket.SHUT_WR)


def forgets(who: Who) -> Step:
    """Let one host lose its socket without a packet, as in a reboot."""
    return lambda stage: vanish(stage.sockets.pop(who))


def cable(who: Who, state: Literal["up", "down"]) -> Step:
    """Pull or plug in the cable of one host, at the switch: neither host notices."""
    return lambda stage: stage.switch.ip("link", "set", who, state) and None


def until_gone(who: Who) -> Step:
    """Wait until one host's kernel has given up the connection."""

    def step(stage: Stage) -> None:
        host = stage.hosts[who]
        wait_until(lambda: not host.sockets_in("ESTABLISHED") + host.sockets_in("CLOSE-WAIT"), PATIENCE_S)

    return step


def overfills(who: Who) -> Step:
    """Let one end write until neither the peer's window nor its own buffer takes more."""

    def step(stage: Stage) -> None:
        connection = stage.sockets[who]
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                connection.send(bytes(16_384))
        connection.settimeout(PATIENCE_S)

    return step


def fills_to_the_brim(who: Who) -> Step:
    """Let one end fill the peer's window exactly, so that nothing is pending when it is shut."""

    def step(stage: Stage) -> None:
        connection = stage.sockets[who]
        deadline = time.monotonic() + PATIENCE_S
        while (window := peer_window(connection)) > 0:
            connection.sendall(bytes(min(window, 1000)))
            wait_until(lambda: not unacknowledged(connection), PATIENCE_S)
            if time.monotonic() > deadline:
                raise TimeoutError("the window never shut")

    return step


def reads_all(who: Who, lull_s: float = 0.5) -> Step:
    """Let one end read until nothing has come for a while, or the end."""

    def step(stage: Stage) -> None:
        connection = stage.sockets[who]
        connection.settimeout(lull_s)
        deadline = time.monotonic() + PATIENCE_S
        with contextlib.suppress(TimeoutError):
            while connection.recv(1 << 20) and time.monotonic() < deadline:
                pass
        connection.settimeout(PATIENCE_S)

    return step


def peer_of(who: Who) -> Who:
    """Return the other end."""
    return "server" if who == "client" else "client"


def peer_window(connection: socket.socket) -> int:
    """Return the window that the peer last advertised (tcpi_snd_wnd)."""
    return int(struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 240), 228)[0])


def unacknowledged(connection: socket.socket) -> int:
    """Return how many segments are on their way (tcpi_unacked), or waiting to be sent (tcpi_notsent_bytes)."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 240)
    return int(struct.unpack_from("I", info, 24)[0] + struct.unpack_from("I", info, 144)[0])


def why_not(tools: tuple[str, ...]) -> str | None:
    """Return why no scenario can be played here, or None."""
    import shutil

    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        return f"needs {' and '.join(missing)}"
    try:
        with Namespace("trial"):
            return None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the reason
        return f"cannot make a network namespace: {getattr(error, 'stderr', None) or errno_name(error)}"


def errno_name(error: Exception) -> str:
    """Return an error's name, or the error itself."""
    return errno.errorcode.get(getattr(error, "errno", None) or 0, str(error))
