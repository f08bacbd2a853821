"""What the kernel says of the way to a host (Linux): its neighbour table and its routes, through pyroute2.

Beside a live capture these are witnesses: a neighbour that FAILED does not answer on the link, and a host to which no
route leads cannot be asked. Sources: rtnetlink(7); include/uapi/linux/neighbour.h. pyroute2 is an extra of the
package; ``missing`` says so where it is not installed.

It must not know captures or flows.
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import os
import socket
import sys
from typing import TYPE_CHECKING, Final

from analyzer.units import NS_PER_S
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.untyped import Foreign

STATES: Final = {
    0x01: "INCOMPLETE",
    0x02: "REACHABLE",
    0x04: "STALE",
    0x08: "DELAY",
    0x10: "PROBE",
    0x20: "FAILED",
    0x40: "NOARP",
    0x80: "PERMANENT",
}
"""Linux's NUD_* bits, as ``ip neigh`` names them."""
BAD: Final = frozenset({"INCOMPLETE", "FAILED"})
"""Nobody answers."""
TICKS_PER_S: Final = 100
"""USER_HZ: in what the kernel counts the age of an entry (struct nda_cacheinfo)."""
LOCAL: Final = 2
"""RTN_LOCAL: an address of this host itself."""
MOST: Final = 64
"""Maximum number of hosts that are asked about at a time."""


@dataclass(frozen=True, slots=True)
class Way:
    """How this host gets to another one."""

    address: str
    gateway: str | None
    """The next hop; None if the host is on the link itself."""
    interface: str | None
    """None if no route leads there."""
    state: str | None
    """Of the next hop in the neighbour table, as ``ip neigh`` says; None if there is no entry."""
    since_ns: int | None
    """When that state began."""
    mac: str | None

    @property
    def is_cut(self) -> bool:
        """Whether no route leads there, or nobody answers at the next hop."""
        return self.interface is None or self.state in BAD


def missing() -> str:
    """Say why nothing can be asked here, in one sentence; empty if all is there."""
    if sys.platform != "linux":
        return "the neighbour table is asked for on Linux only"
    if importlib.util.find_spec("pyroute2") is None:
        return (
            "the neighbour table and routes are not asked: pyroute2 is not installed (pip install"
            " 'keepalive-analyzer[live]')"
        )
    return ""


def ways(addresses: Iterable[str], now_ns: int) -> dict[str, Way]:
    """Return how the kernel gets to these addresses, but for its own; at most ``MOST`` are asked about.

    Raises:
        OSError: the kernel does not answer.
    """
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    found: dict[str, Way] = {}
    with IPRoute() as kernel:
        try:
            known = {(entry["ifindex"], address): entry for entry, address in _neighbours(kernel)}
            for address in list(dict.fromkeys(addresses))[:MOST]:
                way = _way(kernel, address, known, now_ns)
                if way is not None:
                    found[address] = way
        except NetlinkError as error:
            raise OSError(error.code, os.strerror(error.code)) from error
    return found


def _neighbours(kernel: Foreign) -> Iterator[tuple[Foreign, str]]:
    """Yield the entries of the neighbour tables, with their addresses."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for entry in kernel.get_neighbours(family=family):
            address = entry.get_attr("NDA_DST")
            if address:
                yield entry, address


def _way(kernel: Foreign, address: str, known: dict[tuple[int, str], Foreign], now_ns: int) -> Way | None:
    """Return the way to an address, None if it is one of this host."""
    from pyroute2.netlink.exceptions import NetlinkError

    where = ipaddress.ip_address(address)
    if where.is_loopback:
        return None
    family = socket.AF_INET if where.version == 4 else socket.AF_INET6
    try:
        (route, *_) = kernel.route("get", dst=address, family=family)
    except NetlinkError:  # network unreachable, prohibited, or a blackhole
        return Way(address, None, None, None, None, None)
    if route["type"] == LOCAL:
        return None
    index, gateway = route.get_attr("RTA_OIF"), route.get_attr("RTA_GATEWAY")
    interface = f"interface {index}"
    with contextlib.suppress(OSError, TypeError):
        interface = socket.if_indextoname(index)
    entry = known.get((index, gateway or address))
    if entry is None:
        return Way(address, gateway, interface, None, None, None)
    age = (entry.get_attr("NDA_CACHEINFO") or {}).get("ndm_updated")
    since_ns = None if age is None else now_ns - age * NS_PER_S // TICKS_PER_S
    state = STATES.get(entry["state"], f"state {entry['state']:#x}")
    return Way(address, gateway, interface, state, since_ns, entry.get_attr("NDA_LLADDR"))
