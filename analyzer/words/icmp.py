"""The names of ICMP errors that can quote a TCP segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.judge.events import IcmpError
    from analyzer.track.flow import Side

V4: Final = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 5): "source route failed",
    (3, 6): "network unknown",
    (3, 7): "host unknown",
    (3, 8): "source host isolated",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 11): "network unreachable for this type of service",
    (3, 12): "host unreachable for this type of service",
    (3, 13): "communication administratively prohibited",
    (3, 14): "host precedence violation",
    (3, 15): "precedence cutoff in effect",
    (4, 0): "source quench",
    (5, 0): "redirect for the network",
    (5, 1): "redirect for the host",
    (5, 2): "redirect for the type of service and network",
    (5, 3): "redirect for the type of service and host",
    (11, 0): "time to live exceeded",
    (11, 1): "fragment reassembly time exceeded",
    (12, 0): "bad header",
}
V6: Final = {
    (1, 0): "no route",
    (1, 1): "administratively prohibited",
    (1, 2): "beyond scope of source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed ingress or egress policy",
    (1, 6): "reject route to destination",
    (2, 0): "packet too big",
    (3, 0): "hop limit exceeded",
    (3, 1): "fragment reassembly time exceeded",
    (4, 0): "erroneous header field",
    (137, 0): "redirect",
}


SOURCE_QUENCH: Final = 4
"""A type of ICMP that Linux ignores."""
TOO_BIG: Final = {(4, 3, 4), (6, 2, 0)}
"""What a router says of a packet that the next link does not take: IP version, type and code.

RFC 1191 4, RFC 4443 3.2.
"""


ERRNO_V4: Final = {
    (3, 0): "ENETUNREACH",
    (3, 2): "ENOPROTOOPT",
    (3, 3): "ECONNREFUSED",
    (3, 6): "ENETUNREACH",
    (3, 9): "ENETUNREACH",
    (3, 11): "ENETUNREACH",
}
ERRNO_V6: Final = {
    (1, 0): "ENETUNREACH",
    (1, 1): "EACCES",
    (1, 4): "ECONNREFUSED",
    (1, 5): "EACCES",
    (1, 6): "EACCES",
}
"""What Linux makes of an ICMP error, where it is not EHOSTUNREACH (icmp_err_convert, icmpv6_err_convert)."""


def gave_up_with(errors: Iterable[IcmpError], side: Side) -> tuple[str, int] | None:
    """Return the error with which Linux gives up on an end's data, and the ICMP error that is the reason.

    One that quotes data on its way is kept (sk_err_soft), the last one, and told instead of ETIMEDOUT when the
    retransmissions are over (field guide 2.5). None if there is none: then it is ETIMEDOUT.
    """
    kept = [error for error in errors if error.quotes == side and error.fits == "data" and _is_heeded(error)]
    if not kept:
        return None
    last = max(kept, key=lambda error: error.frame)
    known = (ERRNO_V4 if last.version == 4 else ERRNO_V6).get((last.type, last.code))
    return known or "EHOSTUNREACH", last.frame


def failed_with(errors: Iterable[IcmpError], side: Side) -> tuple[str, int] | None:
    """Return the error with which connect() fails on Linux, and the ICMP error that is the reason; None if none is.

    While nothing is established the first one that quotes a SYN ends the attempt (tcp_v4_err, tcp_v6_err).
    """
    hard = [error for error in errors if error.quotes == side and _is_heeded(error)]
    if not hard:
        return None
    first = min(hard, key=lambda error: error.frame)
    known = (ERRNO_V4 if first.version == 4 else ERRNO_V6).get((first.type, first.code))
    return known or "EHOSTUNREACH", first.frame


def _is_heeded(error: IcmpError) -> bool:
    """Say whether Linux has an error for the program of it: of what is too big it sends less; others it passes by."""
    return not (is_too_big(error) or error.is_redirect or (error.version, error.type) == (4, SOURCE_QUENCH))


def is_too_big(error: IcmpError) -> bool:
    """Say whether an ICMP error is about the size of what it quotes."""
    return (error.version, error.type, error.code) in TOO_BIG


def icmp_text(version: int, type_: int, code: int) -> str:
    """Return what an ICMP error says."""
    known = (V4 if version == 4 else V6).get((type_, code))
    return known or f"ICMP{'v6' if version != 4 else ''} type {type_} code {code}"


def sent_to(router: str | None, peer: str) -> str:
    """Return where a redirect has packets for ``peer`` sent; without a router it says that peer is on the link."""
    return f"to the router {router} instead" if router else f"straight to {peer}, which it says is on the link"


def fits_at_most(errors: Iterable[IcmpError]) -> int | None:
    """Return the smallest MTU that these errors name, None if none does."""
    return min((error.mtu for error in errors if error.mtu is not None), default=None)


def fitting(mtu: int | None, behind: str = ", ") -> str:
    """Return what an MTU in bytes that ICMP names means, ``behind`` what the error says; nothing without one."""
    return f"{behind}only {mtu:,} bytes fit" if mtu else ""


def one_kind(errors: Iterable[IcmpError]) -> tuple[int, int, int] | None:
    """Return the IP version, type and code that all these errors have, None where they differ (or there is none)."""
    kinds = {(error.version, error.type, error.code) for error in errors}
    return kinds.pop() if len(kinds) == 1 else None
