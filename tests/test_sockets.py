"""What the kernel says of its sockets: states, timers, holders and its own count of probes."""

import os
import socket

import pytest

from analyzer import sockets
from analyzer.track.flow import Endpoint
from tests.loopback import connected, host, probe_every_second, within  # noqa: F401 - host is a fixture

pytestmark = pytest.mark.live


def both_ends(client, server):
    """Return the endpoints of a connection as the wire has them."""
    return tuple(Endpoint(*each.getsockname()[:2]) for each in (client, server))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_states_are_the_kernels(host, address):  # noqa: F811
    """Both ends of a half-closed connection are found, in the states that RFC 9293 names."""
    with connected(4001, address) as (client, server):
        client.shutdown(socket.SHUT_WR)
        near, far = both_ends(client, server)
        within(lambda: sockets.kernel_sockets()[near, far].state == "FIN-WAIT-2")
        found = sockets.kernel_sockets(frozenset({4001}))

    assert "CLOSE-WAIT" == found[far, near].state


def test_an_ipv4_connection_of_an_ipv6_socket_is_one_of_ipv4(host):  # noqa: F811
    """A server that listens on both families has its IPv4 connections under their IPv4 addresses."""
    listener = socket.create_server(("::", 4001), family=socket.AF_INET6, dualstack_ipv6=True)
    with listener, socket.create_connection(("127.0.0.1", 4001)) as client:
        server, _ = listener.accept()
        with server:
            near, far = Endpoint(*client.getsockname()), Endpoint("127.0.0.1", 4001)
            assert {(near, far), (far, near)} <= sockets.kernel_sockets().keys()


def test_the_keepalive_timer_is_shown(host):  # noqa: F811
    """The end that probes has a keepalive timer that runs out within its idle time; the other has none."""
    with connected() as (client, server):
        probe_every_second(server)
        near, far = both_ends(client, server)
        found = sockets.kernel_sockets(frozenset({4001}))

    assert "keepalive" == found[far, near].timer
    assert 0 < found[far, near].timer_ns <= 1_100_000_000
    assert None is found[near, far].timer
    assert 0 == found[near, far].timer_ns


def test_the_holder_of_a_socket_is_found(host):  # noqa: F811
    """This process has both ends open; an end that was closed has no holder."""
    with connected() as (client, server):
        near, far = both_ends(client, server)
        client.close()
        found = sockets.with_holders(sockets.kernel_sockets(frozenset({4001})))

    assert os.getpid() in [holder.pid for holder in found[far, near].holders]
    assert () == found[near, far].holders


def test_other_ports_are_left_out(host):  # noqa: F811
    """Only sockets of the ports that were asked for are returned."""
    with connected(4001), connected(4002) as (client, server):
        near, far = both_ends(client, server)
        found = sockets.kernel_sockets(frozenset({4002}))

    assert {(near, far), (far, near)} == found.keys()


def test_the_kernel_counts_its_probes(host):  # noqa: F811
    """The counter of this namespace grows with each probe."""
    before = sockets.probes_sent()
    with connected() as (_, server):
        probe_every_second(server)
        within(lambda: sockets.probes_sent() > before)

    assert 0 == before


def test_without_sockets_nobody_is_looked_for():
    """No process is asked when there is nothing to look for."""
    assert {} == sockets.with_holders({})


def test_a_system_without_counters_tells_none(monkeypatch, tmp_path):
    """Where the file is missing or strange there is no count."""
    monkeypatch.setattr(sockets, "Path", lambda _: tmp_path / "missing")
    assert sockets.probes_sent() is None

    (tmp_path / "missing").write_text("IpExt: 1\n")
    assert sockets.probes_sent() is None


def test_an_error_of_the_kernel_is_raised():
    """A question that the kernel refuses is an OSError with its reason."""
    with pytest.raises(OSError, match=r"No such file|not supported|Invalid"):
        list(sockets._dump(99))


def test_only_linux_answers(monkeypatch):
    """Other systems are not asked."""
    assert sockets.available()
    monkeypatch.setattr("sys.platform", "darwin")
    assert not sockets.available()
