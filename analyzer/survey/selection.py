"""Which flows a reader asked for: by host, port, number or time, decided over columns before anything is judged.

It must not know files, verdicts or words.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analyzer.segment import address_halves
from analyzer.units import NS_PER_S
from analyzer.values import dataclass

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch

IPV4_BITS = 32
LARGEST_PORT = 65535
HALF = (1 << 64) - 1
DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Instant:
    """A point of time, which may count from the capture."""

    ns: int
    counts_from: str = "1970"
    """``1970``; ``start``, the capture's first frame; or ``day``, midnight (UTC) before that."""

    def since_1970(self, start_ns: int) -> int:
        """Return it in nanoseconds since 1970, for a capture that starts then."""
        return self.ns + {"1970": 0, "start": start_ns, "day": start_ns - start_ns % DAY_NS}[self.counts_from]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time; an end that is None is open."""

    since: Instant | None = None
    until: Instant | None = None

    def mask(self, flow: NDArray[np.void], start_ns: int) -> NDArray[np.bool_]:
        """Say which flows had a segment in it, or one before it and one behind it."""
        picked = np.ones(len(flow), dtype=np.bool_)
        if self.since is not None:
            picked &= flow["last_ns"] >= self.since.since_1970(start_ns)
        if self.until is not None:
            picked &= flow["first_ns"] <= self.until.since_1970(start_ns)
        return picked


class FlowOf(NamedTuple):
    """A flow of one of several captures."""

    capture: int
    number: int

    def __str__(self) -> str:
        """Return it as a report calls it."""
        return f"{self.capture}:{self.number}"


@dataclass(frozen=True, slots=True)
class Selection:
    """The flows to look at; an empty tuple asks for all."""

    hosts: tuple[str, ...] = ()
    """Addresses or networks (``10.0.0.0/8``); one end has to be in one of them."""
    ports: tuple[int, ...] = ()
    """One end has to have one of them."""
    numbers: tuple[int, ...] = ()
    """Flow numbers within their capture, whichever that is."""
    display_filter: str = ""
    """One frame has to match this filter of Wireshark; tshark says which, while the capture is read."""
    window: Window | None = None
    """The flow has to have lived in it."""
    flows: tuple[FlowOf, ...] = ()
    """Flows of certain captures, besides ``numbers``."""

    def __bool__(self) -> bool:
        """Say whether anything is left out."""
        return bool(self.hosts or self.ports or self.numbers or self.flows or self.display_filter or self.window)

    def mask(self, batch: FlowBatch, start_ns: int = 0, capture: int = 0) -> NDArray[np.bool_]:
        """Say which flows of a batch, of the capture of that number, which starts then, are asked for."""
        flow = batch.flow
        picked = np.ones(len(flow), dtype=np.bool_)
        if self.numbers or self.flows:
            here = [flow.number for flow in self.flows if flow.capture == capture]
            picked &= np.isin(flow["number"], [*self.numbers, *here])
        if self.ports:
            picked &= np.isin(flow["a_port"], self.ports) | np.isin(flow["b_port"], self.ports)
        if self.hosts:
            within = [
                inside(flow[f"{side}_hi"], flow[f"{side}_lo"], host) for host in self.hosts for side in ("a", "b")
            ]
            picked &= np.logical_or.reduce(within)
        if self.window is not None:
            picked &= self.window.mask(flow, start_ns)
        return picked


def checked_ports(ports: int | Iterable[int] | None) -> tuple[int, ...]:
    """Return ports as they were given: one, several or none.

    Raises:
        ValueError: one is no number from 0 to 65535.
    """
    __tracebackhide__ = True  # what is wrong is the caller's line
    if ports is None:
        return ()
    several: tuple[Any, ...] = (ports,)
    if isinstance(ports, Iterable) and not isinstance(ports, str | bytes):
        several = tuple(ports)
    for port in several:
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= LARGEST_PORT:
            raise ValueError(f"{port!r} is not a port; expected a number from 0 to {LARGEST_PORT}, or several")
    return several


def checked_hosts(hosts: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return addresses and networks as they were given: one, several or none.

    Raises:
        ValueError: one is no address and no network.
    """
    if hosts is None:
        return ()
    several = (hosts,) if isinstance(hosts, str) else tuple(hosts)
    for host in several:
        try:
            ip_network(host, strict=False)
        except ValueError:
            raise ValueError(f"{host!r} is not an address or a network (names are not looked up)") from None
    return several


def inside(high: NDArray[np.int64], low: NDArray[np.int64], host: str) -> NDArray[np.bool_]:
    """Say which addresses, given as two signed halves, lie in a network (or are that address)."""
    net = ip_network(host, strict=False)
    mask = _mask(net)
    base_high, base_low = address_halves(str(net.network_address))
    mask_high, mask_low = (np.uint64(part) for part in (mask >> 64, mask & HALF))
    same_high = (_unsigned(high) & mask_high) == np.uint64(base_high & HALF)
    return np.asarray(same_high & ((_unsigned(low) & mask_low) == np.uint64(base_low & HALF)))


def _unsigned(words: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(words).view(np.uint64)


def _mask(net: IPv4Network | IPv6Network) -> int:
    """Return the network's mask over 128 bits; an IPv4 address is ``::ffff:a.b.c.d``."""
    fixed = net.prefixlen + (128 - IPV4_BITS if net.version == 4 else 0)
    return ((1 << fixed) - 1) << (128 - fixed)
