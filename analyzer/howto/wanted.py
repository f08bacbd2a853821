"""What somebody wants to capture: checked values, and the filter (pcap-filter(7)) and snap length they make.

The filter lets more pass than the connection: ARP, ICMP and ICMPv6 show why a host fell silent.

This module must not know which program captures.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

WITNESSES: Final = "arp or icmp or icmp6"
"""What tells why a host fell silent: who answers no ARP, which router rejects, neighbour discovery."""
LENGTH_4: Final = 96
"""Bytes of a packet that hold Ethernet (14), IPv4 (20) and TCP (60), or what an ICMP error quotes (20 + 8 + 20 + 20);
with the longest link header there is (Linux cooked 2, 20) all but the end of a third block of SACK."""
LENGTH_6: Final = 128
"""The same of IPv6: 20 + 40 + TCP 60, or 20 + 40 + ICMPv6 8 and the quoted 40 + 20."""
AS_RANGE: Final = 3
"""How many ports in a row are written as a range."""
LONGEST_NAME: Final = 253
"""Characters of a host's name (RFC 1035 2.3.4)."""
LONGEST_INTERFACE: Final = 128
LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
"""Of a name (RFC 1123 2.1, and the underscore that some have)."""
OBJECT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")
"""A container's or a pod's name, or its namespace's."""
WORDS: Final = (
    "aarp ack action address1 address2 address3 address4 ah and arp atalk bcc broadcast byte carp clnp connectmsg csnp "
    "decnet dir direction dpc dst es-is esis esp ether fddi fisu fisup gateway geneve greater hdpc hfisu hlssu hmsu "
    "host hopc hsio hsls icmp icmp6 ieee ifindex ifname igmp igrp iih ilmic inbound ip ip6 ipx is-is isis iso l1 l2 "
    "lane lat len less link llc lsp lssu lsu mask metac metaconnect mopdl moprc mpls msu multicast net netbeui not oam "
    "oamf4 oamf4ec oamf4sc on opc or outbound pim port portrange ppp pppoed pppoes proto protochain psnp ra radio rarp "
    "reason rnr rset ruleset rulenum rulesetnum sc sca sctp sio slip sls snp src srnr stp subrulenum subtype ta tcp "
    "token tr type udp vci vlan vpi vrrp vxlan wlan"
)
"""Words of filters, which a host may be called too."""
KEYWORDS: Final = frozenset(WORDS.split())
LOOPBACK: Final = frozenset({"localhost", "localhost6", "ip6-localhost", "ip6-loopback"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to capture, and where; every text is one that the functions below let pass."""

    hosts: tuple[str, ...] = ()
    """Addresses, networks or names: one end is one of them."""
    ports: tuple[int, ...] = ()
    """One end has one of these."""
    interface: str | None = None
    namespace: str | None = None
    name: str | None = None
    """Of a container, a pod, or a host to log in to."""

    @property
    def tcp(self) -> str:
        """Return the filter of the connections alone."""
        hosts = [_primitive(host) for host in dict.fromkeys(self.hosts)]
        ports = port_primitives(self.ports)
        if len(ports) == 1:
            return " and ".join([f"tcp {ports[0]}", *_alternatives(hosts)])
        return " and ".join(["tcp", *_alternatives(ports), *_alternatives(hosts)])

    @property
    def filter(self) -> str:
        """Return the filter of the connections and of what may explain their end."""
        tcp = f"({self.tcp})" if " and " in self.tcp else self.tcp
        return f"{tcp} or {WITNESSES}"

    @property
    def length(self) -> int:
        """Return how many bytes of each packet to keep."""
        return (
            LENGTH_4 if self.hosts and all(isinstance(network(host), IPv4Network) for host in self.hosts) else LENGTH_6
        )

    @property
    def is_local(self) -> bool:
        """Whether both ends are this host's loopback addresses."""
        return bool(self.hosts) and all(map(_is_loopback, self.hosts))


def checked_host(text: str) -> str:
    """Return an address, a network or a name as a filter takes it.

    Raises:
        ValueError: it is none; the sentence says what is wrong.
    """
    bare = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    if "%" in bare and ":" in bare:
        address, _, zone = bare.partition("%")
        raise ValueError(f"{text} has a zone, which no filter knows; give {address}, and --interface {zone}")
    found = network(bare)
    if found is not None:
        return str(found.network_address) if found.prefixlen == found.max_prefixlen else str(found)
    labels = bare.removesuffix(".").split(".")
    if (
        len(bare) > LONGEST_NAME
        or not all(LABEL.fullmatch(label) for label in labels)
        or labels[-1].isdecimal()  # 10.0.0.300 is meant for an address
        or bare[0] == "_"
    ):
        raise ValueError(f"{text} is not an address, a network or the name of a host")
    return bare.removesuffix(".")


def checked_interface(text: str) -> str:
    """Return the name of an interface.

    Raises:
        ValueError: it can be none.
    """
    if not text or text[0] == "-" or len(text) > LONGEST_INTERFACE or not text.isprintable() or text != text.strip():
        raise ValueError(f"{text} is not the name of an interface")
    return text


def checked_name(text: str) -> str:
    """Return the name of a container, a pod or a namespace.

    Raises:
        ValueError: it can be none.
    """
    if not OBJECT.fullmatch(text):
        raise ValueError(f"{text} is not the name of a container or a pod")
    return text


def network(text: str) -> IPv4Network | IPv6Network | None:
    """Return what addresses a text means: one of IPv4 that is written as one of IPv6 (RFC 4291 2.5.5.2) is IPv4."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(found, IPv6Network) and found.prefixlen == found.max_prefixlen:
        inner = found.network_address.ipv4_mapped
        return found if inner is None else IPv4Network(inner)
    return found


def port_primitives(ports: Sequence[int]) -> list[str]:
    """Return the filters for ports, in the order given; three or more in a row are one range."""
    runs: list[list[int]] = []
    for port in dict.fromkeys(ports):
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    found = []
    for run in runs:
        if len(run) < AS_RANGE:
            found += [f"port {port}" for port in run]
        else:
            found.append(f"portrange {run[0]}-{run[-1]}")
    return found


def _primitive(host: str) -> str:
    """Return the filter for a host or network; a name that is a word of filters is marked as none."""
    if "/" in host:
        return f"net {host}"
    return f"host \\{host}" if host.lower() in KEYWORDS else f"host {host}"


def _alternatives(primitives: list[str]) -> list[str]:
    """Return one primitive of several: nothing, the one, or all in brackets."""
    if len(primitives) < 2:
        return primitives
    return [f"({' or '.join(primitives)})"]


def _is_loopback(host: str) -> bool:
    if host.lower() in LOOPBACK:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
