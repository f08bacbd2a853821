"""A loopback of our own, in a namespace, and connections on it, for live tests."""

import contextlib
import socket
import struct
import time

import pytest

from captures.recipes.network import Namespace
from captures.recipes.sockets import Keepalive


@pytest.fixture
def host():
    """A host with nothing but its loopback; the test's thread is in it."""
    with Namespace("live") as namespace, namespace.inside():
        yield namespace


@contextlib.contextmanager
def connected(port=4001, address="127.0.0.1"):
    """Give a client's socket and the server's, connected on loopback."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server((address, port), family=family))
        client = opened.enter_context(socket.create_connection((address, port), 5))
        client.settimeout(5)
        server, _ = listener.accept()
        server.settimeout(5)
        yield client, opened.enter_context(server)


def probe_every_second(connection, count=9):
    """Turn keepalive on, with the shortest times there are."""
    Keepalive(1, 1, count).switch_on(connection)


def exchange(port=4001, address="127.0.0.1"):
    """Connect, send five bytes, and close both ends: the server last, when it has read the end of file."""
    with connected(port, address) as (client, server):
        client.sendall(b"howdy")
        assert server.recv(100) == b"howdy"
        client.shutdown(socket.SHUT_WR)
        assert server.recv(100) == b""
        server.close()
        assert client.recv(100) == b""


def send_datagrams(count, payload=b"x" * 32, port=9):
    """Send datagrams to loopback that nobody waits for; a bounded load that is no TCP."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taking,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as giving,
    ):
        taking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # another test process may do the same
        taking.bind(("127.0.0.1", port))
        giving.connect(("127.0.0.1", port))
        for number in range(count):
            giving.send(payload + struct.pack("!I", number))


PATIENCE_S = 120
"""What has not happened by then, however busy the machine, is not going to."""


def within(happened, patience_s=PATIENCE_S):
    """Wait until something has happened; give up loudly."""
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline, f"did not happen within {patience_s} s"
        time.sleep(0.01)
