"""What stands in a line where an address and a port should be: numbers, or names that stand for them.

A name has no address in the text, so it gets one of the ranges for documentation (RFC 5737, RFC 3849, RFC 2544), which
no host has; ``Names.sentences`` says which. Names of services are those of IANA, as the system knows them.

This module must not know what a packet looks like.
"""

from __future__ import annotations

import functools
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Final

from analyzer.capture.text.lines import excerpt
from analyzer.segment import address_halves

LOCAL: Final = frozenset(
    {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback", "localhost6.localdomain6"}
)
RANGES: Final = (
    IPv4Network("192.0.2.0/24"),
    IPv4Network("198.51.100.0/24"),
    IPv4Network("203.0.113.0/24"),
    IPv4Network("198.18.0.0/15"),
)
IPV6_RANGE: Final = int(IPv6Address("2001:db8::"))
MOST: Final = 100_000
"""This many names have addresses of their own; all others share one."""
SHOWN: Final = 8
"""This many names are listed."""

SERVICES: Final = {
    "amqp": 5672, "bootpc": 68, "domain": 53, "ftp": 21, "ftp-data": 20, "http": 80, "http-alt": 8080, "https": 443,
    "imap": 143, "imap2": 143, "imaps": 993, "iscsi-target": 3260, "kerberos": 88, "ldap": 389, "ldaps": 636,
    "microsoft-ds": 445, "ms-sql-s": 1433, "mqtt": 1883, "mysql": 3306, "netbios-ssn": 139,
    "newoak": 4001, "nfs": 2049, "pop3": 110,
    "pop3s": 995, "postgres": 5432, "postgresql": 5432, "radmin": 4899, "rdp": 3389, "redis": 6379, "rsync": 873,
    "sip": 5060, "smtp": 25, "ssh": 22, "submission": 587, "sunrpc": 111, "telnet": 23, "webcache": 8080, "www": 80,
    "x11": 6000, "xmpp-client": 5222,
}  # fmt: skip
"""What tcpdump and tshark call ports, where the system does not know."""


class Names:
    """Addresses and ports of a text; the same name is always the same host."""

    def __init__(self) -> None:
        """Begin without a name."""
        self._addresses: dict[tuple[str, int], str] = {}
        self._ports: dict[str, int] = {}
        self._given = {4: 0, 6: 0}
        self._unknown = 0
        self.halves = functools.lru_cache(maxsize=4096)(self._halves)
        """Return the halves of an address's 128 bits, and the version of IP, for what a line says (and a hint)."""

    def _halves(self, text: str, version: int) -> tuple[int, int, int]:
        literal = text.partition("%")[0]
        try:
            high, low = address_halves(literal)
        except ValueError:
            high, low = address_halves(self._stand_in(text, version))
            return high, low, version
        return high, low, 6 if ":" in literal else 4

    def _stand_in(self, name: str, version: int) -> str:
        """Return the address that stands for a name."""
        if name.lower() in LOCAL:
            return "::1" if version == 6 else "127.0.0.1"
        known = self._addresses.get((name, version))
        if known is None:
            self._given[version] = number = min(self._given[version] + 1, MOST)
            known = str(IPv6Address(IPV6_RANGE + number)) if version == 6 else _documentation(number)
            if len(self._addresses) < MOST:
                self._addresses[name, version] = known
        return known

    def port(self, text: str) -> int:
        """Return the number of a port that may be named."""
        if text.isdecimal() and len(text) <= 5:
            return min(int(text), 0xFFFF)
        known = self._ports.get(text)
        if known is None:
            known = _service(text)
            if known < 0:
                self._unknown += 1
                known = 0xFFFF - min(self._unknown, 1000)
            if len(self._ports) < MOST:
                self._ports[text] = known
        return known

    def sentences(self) -> list[str]:
        """Return what somebody should be told who reads addresses."""
        found = []
        if self._addresses:
            listed = [f"{excerpt(name)} is {address}" for (name, _), address in list(self._addresses.items())[:SHOWN]]
            more = len(self._addresses) - len(listed)
            rest = f", and {more:,} more" if more else ""
            found.append(
                f"the text has names for addresses; each got one that no host has: {', '.join(listed)}{rest} "
                "(tcpdump -n prints addresses)"
            )
        if self._unknown:
            strange = [excerpt(name) for name, port in self._ports.items() if port >= 0xFFFF - 1000][:SHOWN]
            found.append(f"services whose ports are not known here, and got others: {', '.join(strange)}")
        return found


def endpoint(text: str) -> tuple[str, str]:
    """Return host and port of what tcpdump prints for an end of TCP: the last dot is before the port."""
    host, _, port = text.rpartition(".")
    return host, port


def _documentation(number: int) -> str:
    """Return the IPv4 address for documentation of this number, from 1."""
    for network in RANGES:
        if number < network.num_addresses - 1:
            return str(IPv4Address(int(network.network_address) + number))
        number -= network.num_addresses - 2
    return str(RANGES[-1].broadcast_address)


@functools.lru_cache(maxsize=4096)
def _service(name: str) -> int:
    """Return the port of a service, -1 if nobody knows."""
    if name.lower() in SERVICES:
        return SERVICES[name.lower()]
    try:
        return socket.getservbyname(name, "tcp")
    except (OSError, ValueError, UnicodeError):
        return -1
