"""What a capture filter lets pass, told from the words of its expression (pcap-filter(7)).

Nothing is compiled: that needs libpcap, and the words of the filters that people use are enough. Where they are not,
the answer is that nobody knows.

It must not know flows, or what follows from what is missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["arp", "icmp", "others"]
"""ARP and neighbour discovery; ICMP errors about the flow; whatever else its hosts send."""

NARROW: Final = frozenset({"tcp", "udp", "sctp", "port", "portrange", "tcp6", "udp6"})
"""Whatever has one of these words lets transport protocols pass, unless an alternative does not."""
WIDE: Final = frozenset(
    {"host", "net", "ether", "vlan", "broadcast", "multicast", "inbound", "outbound", "less", "greater"}
)
"""Words of conditions that packets of any protocol can meet."""
PASSING: Final[dict[Kind, frozenset[str]]] = {
    "arp": frozenset({"arp"}),
    "icmp": frozenset({"icmp", "icmp6"}),
    "others": frozenset(),
}
INTERNET: Final = frozenset({"ip", "ip6", "proto"})
_WORD: Final = re.compile(r"[a-z0-9_.:/]+|[!\[]|\|\||&&")


def passes(filters: Iterable[str], kind: Kind) -> bool | None:
    """Say whether frames of a kind pass one of these filters, or whether there is none; None if nobody knows."""
    answers = {_passes(each, kind) for each in filters}
    if not answers or True in answers:
        return True
    return False if answers == {False} else None


def _passes(expression: str, kind: Kind) -> bool | None:
    """Answer for one expression."""
    words = set(_WORD.findall(expression.lower()))
    if words & {"not", "!"}:
        return None
    alternatives = bool(words & {"or", "||"})
    if words & PASSING[kind]:
        return True if alternatives or not words & NARROW else None
    if words & NARROW:
        return None if alternatives and words & WIDE else False
    if words & INTERNET:
        return kind == "icmp" or (None if kind == "others" else False)
    if words & (PASSING["arp"] | PASSING["icmp"]):
        return None if alternatives and words & WIDE else False
    return True if words & {"host", "net"} and not words & {"[", "less", "greater"} else None
