"""What the kernel says of its own sockets (Linux): real states, keepalive timers, who holds them, how often it probed.

A capture derives states from what passed by; on the host itself they can be asked for. Sources: sock_diag(7),
include/uapi/linux/inet_diag.h, and proc(5) for the counters in /proc/net/netstat.

It must not know captures or flows beyond their endpoints.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.track.flow import Endpoint
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NETLINK_SOCK_DIAG: Final = 4
SOCK_DIAG_BY_FAMILY: Final = 20
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLM_F_REQUEST_DUMP: Final = 0x301
IPPROTO_TCP: Final = 6
ALL_BUT_LISTEN: Final = 0xFFF & ~(1 << 10)

STATES: Final = {
    1: "ESTABLISHED",
    2: "SYN-SENT",
    3: "SYN-RECEIVED",
    4: "FIN-WAIT-1",
    5: "FIN-WAIT-2",
    6: "TIME-WAIT",
    7: "CLOSED",
    8: "CLOSE-WAIT",
    9: "LAST-ACK",
    10: "LISTEN",
    11: "CLOSING",
    12: "SYN-RECEIVED",
}
"""Linux's numbers, in RFC 9293's spelling."""
TIMERS: Final = {1: "retransmission", 2: "keepalive", 3: "time-wait", 4: "zero-window probe"}
"""A FIN-WAIT-2 that no program has any more counts down to being forgotten: by timer 3, or 2 where that is set long."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a socket open."""

    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class KernelSocket:
    """One end of a connection, as the kernel knows it."""

    local: Endpoint
    remote: Endpoint
    state: str
    timer: str | None
    timer_ns: int
    """Until the timer runs out."""
    unanswered: int
    """Probes (or retransmissions) since the peer last answered, by the kernel's count."""
    inode: int
    """0 for a socket that no program has any more."""
    holders: tuple[Holder, ...] = ()


def available() -> bool:
    """Say whether this system answers such questions."""
    return sys.platform == "linux"


def kernel_sockets(ports: frozenset[int] = frozenset()) -> dict[tuple[Endpoint, Endpoint], KernelSocket]:
    """Return the TCP sockets that have one of these ports (all for none), by local and remote endpoint.

    Raises:
        OSError: the kernel does not tell.
    """
    found = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        for each in _dump(family):
            if not ports or each.local.port in ports or each.remote.port in ports:
                found[each.local, each.remote] = each
    return found


def with_holders(
    sockets: Mapping[tuple[Endpoint, Endpoint], KernelSocket],
) -> dict[tuple[Endpoint, Endpoint], KernelSocket]:
    """Return the same sockets with the processes that have them open, as far as this user may see."""
    holders: dict[int, list[Holder]] = {each.inode: [] for each in sockets.values() if each.inode}
    if holders:
        for inode, holder in _open_sockets(holders.keys()):
            holders[inode].append(holder)
    return {key: replace(each, holders=tuple(holders.get(each.inode, ()))) for key, each in sockets.items()}


def probes_sent() -> int | None:
    """Return how many keepalive probes the kernel has sent since it started, in this network namespace."""
    try:
        lines = Path("/proc/thread-self/net/netstat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    rows = [line.split() for line in lines if line.startswith("TcpExt:")]
    if len(rows) != 2:
        return None
    return int(dict(zip(rows[0], rows[1], strict=True)).get("TCPKeepAlive", 0))


def _dump(family: int) -> Iterator[KernelSocket]:
    """Ask for all TCP sockets of an address family."""
    request = struct.pack("=BBBBI48x", family, IPPROTO_TCP, 0, 0, ALL_BUT_LISTEN)
    head = struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asking:
        asking.settimeout(2)
        asking.send(head + request)
        while True:
            octets = asking.recv(1 << 18)
            at = 0
            while at + 16 <= len(octets):
                length, kind, _, _, _ = struct.unpack_from("=IHHII", octets, at)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    (number,) = struct.unpack_from("=i", octets, at + 16)
                    raise OSError(-number, os.strerror(-number))
                yield _socket_of(octets, at + 16)
                at += (length + 3) & ~3


def _socket_of(octets: bytes, at: int) -> KernelSocket:
    """Read a ``struct inet_diag_msg``."""
    family, state, timer, retransmits = struct.unpack_from("=BBBB", octets, at)
    local_port, remote_port = struct.unpack_from("!HH", octets, at + 4)
    expires_ms, _, _, _, inode = struct.unpack_from("=IIIII", octets, at + 52)
    return KernelSocket(
        Endpoint(_address(family, octets[at + 8 : at + 24]), local_port),
        Endpoint(_address(family, octets[at + 24 : at + 40]), remote_port),
        STATES.get(state, f"state {state}"),
        TIMERS.get(timer),
        expires_ms * 1_000_000 if timer in TIMERS else 0,
        retransmits,
        inode,
    )


def _address(family: int, octets: bytes) -> str:
    """Return an address in text; one of IPv4 in an IPv6 socket as IPv4, as it is on the wire."""
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(octets[:4]))
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped or address)


def _open_sockets(wanted: object) -> Iterator[tuple[int, Holder]]:
    """Yield which process has which of these sockets open."""
    import psutil

    for process in psutil.process_iter(["name"]):
        folder = f"/proc/{process.pid}/fd"
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    target = os.readlink(entry.path)  # noqa: PTH115 - thousands of them
                    if target.startswith("socket:[") and int(target[8:-1]) in wanted:  # type: ignore[operator]
                        yield int(target[8:-1]), Holder(process.pid, process.info["name"] or "?")
