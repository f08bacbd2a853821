"""Keepalive options, and two sockets connected across namespaces."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from captures.recipes.network import Namespace

CLIENT, SERVER = "192.0.2.1", "192.0.2.2"
"""Addresses set aside for documentation (RFC 5737)."""
CLIENT_PORT, SERVER_PORT = 59285, 4001


@dataclass(frozen=True, slots=True)
class Keepalive:
    """The three numbers: TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT."""

    idle_s: int
    interval_s: int
    count: int

    def switch_on(self, connection: socket.socket) -> None:
        """Set the numbers first, so that no timer starts with the system's defaults."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self.idle_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, self.interval_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, self.count)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


@contextlib.contextmanager
def connected(client: Namespace, server: Namespace) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Connect the client's namespace to the server's and give both sockets, client first."""
    with contextlib.ExitStack() as open_sockets:
        with server.inside():
            listener = open_sockets.enter_context(socket.create_server((SERVER, SERVER_PORT)))
        with client.inside():
            source = (CLIENT, CLIENT_PORT)
            near = socket.create_connection((SERVER, SERVER_PORT), 5, source_address=source)
        open_sockets.enter_context(near)
        near.settimeout(None)
        far, _ = listener.accept()
        open_sockets.enter_context(far)
        yield near, far


def vanish(connection: socket.socket) -> None:
    """Destroy a socket without a packet, as a power cut does; the host itself lives on.

    A socket in repair mode (made for moving live connections between machines) closes silently.
    """
    tcp_repair = 19  # not in the socket module
    connection.setsockopt(socket.IPPROTO_TCP, tcp_repair, 1)
    connection.close()


def next_read(connection: socket.socket) -> str:
    """Say what the application would see now, without waiting for it."""
    try:
        received = connection.recv(1024, socket.MSG_DONTWAIT)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return f"{len(received)} bytes" if received else "end of file"
