"""Other ways a probed connection goes on or ends: silence, a reboot, a half-close meant as such."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from captures.recipes.network import Namespace, bridge, capture, link, wait_until
from captures.recipes.sockets import Keepalive, connected, next_read, vanish

LINUX_COUNT = 9
GO_5_S = Keepalive(idle_s=5, interval_s=5, count=LINUX_COUNT)
"""What SetKeepAlivePeriod(5 s) gives on Linux."""


@contextlib.contextmanager
def _two_hosts(out: Path, name: str) -> Iterator[tuple[Namespace, Namespace]]:
    """Give a client's and a server's host on one cable, captured at the server."""
    with Namespace("client") as client, Namespace("server") as server:
        link(client, server)
        with capture(server, "eth0", out / f"{name}.pcap"):
            yield client, server
        print(f"{name}: the server's kernel sent {server.probes_sent()} keepalive probes")


def dead_peer_silence(out: Path) -> None:
    """Cut the client's cable at the switch: nine probes go unanswered, the server's kernel resets."""
    name = "dead_peer_silence"
    with (
        Namespace("client") as client,
        Namespace("middle") as middle,
        Namespace("server") as server,
    ):
        bridge(client, middle, server)
        with (
            capture(server, "eth0", out / f"{name}.pcap"),
            connected(client, server) as (near, far),
        ):
            GO_5_S.switch_on(far)
            near.sendall(b"howdy")
            far.recv(1024)
            time.sleep(12)
            middle.ip("link", "set", "client", "down")
            # The server notices nothing but silence: the cut is two hops away from it.
            wait_until(lambda: server.sockets_in("ESTABLISHED") == 0, at_most_s=70)
            print(f"{name}: the server's next read gives {next_read(far)}")
            time.sleep(1)
        print(f"{name}: the server's kernel sent {server.probes_sent()} keepalive probes")


def peer_rebooted(out: Path) -> None:
    """Let the client's host forget the connection: the next probe is answered by a bare reset."""
    name = "peer_rebooted"
    with _two_hosts(out, name) as (client, server), connected(client, server) as (near, far):
        GO_5_S.switch_on(far)
        near.sendall(b"howdy")
        far.recv(1024)
        time.sleep(12)
        vanish(near)
        wait_until(lambda: server.sockets_in("ESTABLISHED") == 0, at_most_s=10)
        print(f"{name}: the server's next read gives {next_read(far)}")
        time.sleep(6)


def half_close_deliberate(out: Path) -> None:
    """Shut down one direction on purpose: probes after a FIN can be right, and this flow closes well."""
    name = "half_close_deliberate"
    with _two_hosts(out, name) as (client, server), connected(client, server) as (near, far):
        Keepalive(idle_s=2, interval_s=1, count=LINUX_COUNT).switch_on(far)
        near.sendall(b"howdy")
        far.recv(1024)
        time.sleep(3)
        near.shutdown(socket.SHUT_WR)  # "that was my whole request; now your answer"
        for _ in range(3):
            time.sleep(5)  # a slow answer: the server's keepalive fills the pauses
            far.sendall(b"a part of the answer")
        time.sleep(1)
        far.close()
        wait_until(lambda: next_read(near) == "end of file", at_most_s=5)
        near.close()
        time.sleep(3)
