"""The same rows through scapy: for link types and tunnels that ``headers`` leaves to it, and as a second opinion.

scapy takes one layer apart at a time here, and only layers that may have TCP inside; nothing beyond TCP is
dissected, and UDP only where its port means a tunnel. The innermost TCP counts. What a dissector raises ends the frame,
never the capture.

This module must not know flows, files or rules; it is one of the two that may import scapy.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from analyzer.capture.frame import CUT, CUT_ROW, FRAGMENT, NOT_TCP, ROW
from analyzer.capture.headers import empty_tcp, mtu_named
from analyzer.capture.redirect import REDIRECT_V4, is_valid_redirect, quoted_by_redirect, router_named
from analyzer.capture.tunnel import (
    IN_ETHERIP,
    IN_GENEVE,
    IN_GRE,
    IN_GTP_U,
    IN_IP,
    IN_MPLS,
    IN_PBB,
    IN_VXLAN,
    protocol_of_tunnel,
    tunnel_tag,
    udp_carries_ip,
)
from analyzer.segment import ABSENT, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP, address_halves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.untyped import Foreign

MAX_LAYERS: Final = 32
"""Frames with more are not followed; real ones have a dozen."""


class Failed(Exception):  # noqa: N818 - not an error of the program: a frame that scapy cannot take apart
    """A dissector raised."""


def knows(link_type: int) -> bool:
    """Whether scapy can take frames of this link type apart."""
    return _scapy().links.get(link_type) is not None


def decode_frame(octets: bytes, link_type: int, original: int, row: dict[str, int]) -> int:
    """Write the row of one frame, all but its number, time and interface; returns the outcome, as ``headers.segment``.

    Raises:
        Failed: scapy could not take it apart, although it was captured whole.
    """
    first = _scapy().links.get(link_type)
    if first is None:
        return NOT_TCP
    walk = Walk(octets, original)
    with _quiet():
        try:
            return walk.run(first, row)
        except Exception as error:
            if len(octets) < original:
                return CUT
            raise Failed(_name_of(type(error))) from error


class Walk:
    """The way through the layers of one frame."""

    def __init__(self, octets: bytes, original: int) -> None:
        """Begin at the first octet."""
        self.octets = octets
        self.original = original
        self.at = 0
        self.stop = original  # where the data of the innermost IP ends
        self.tunnel = (0, 0)  # kind and id; a kind of 0 is none
        self.vlans = 0
        self.mac = ABSENT
        self.in_ip = False
        self.icmp = ABSENT
        self.named = ABSENT  # the MTU or router that an ICMP error names
        self.ip: dict[str, int] = {}
        self.sender = (0, 0)  # of an ICMP error, when ``ip`` is what it quotes

    def run(self, first: Foreign, row: dict[str, int]) -> int:
        """Follow the layers from the class ``first`` to TCP; returns the outcome."""
        scapy = _scapy()
        kind, below = first, None
        for _ in range(MAX_LAYERS):
            rest = self.octets[self.at :]
            if not rest:
                return CUT
            if hasattr(kind, "dispatch_hook"):
                kind = kind.dispatch_hook(rest)
            if not issubclass(kind, scapy.followed):
                return NOT_TCP
            layer = kind(_internal=1, _underlayer=below)
            layer.original = rest  # as dissect() would: some layers look at it
            if issubclass(kind, scapy.TCP):
                return self._tcp(layer, rest, row)
            begin = self.at
            behind = layer.post_dissect(layer.do_dissect(layer.pre_dissect(rest)))
            if isinstance(layer, scapy.Dot11FCS):  # takes the check sequence from the end of the frame
                self.octets = self.octets[:-4]
            self.at = len(self.octets) - len(behind)
            if isinstance(layer, scapy.ICMPv6ND_Redirect):
                self.at = quoted_by_redirect({"octet": self.octets}, begin, len(self.octets))
                behind = self.octets[self.at :]
            elif isinstance(layer, (scapy.ICMP, *scapy.icmpv6_errors)):
                self.at = begin + 8  # scapy looks for extensions (RFC 4884) behind the quotation, and may mistake data
                behind = self.octets[self.at :]
            outcome = self._note(layer, begin)
            if outcome != ROW:
                return outcome
            kind, below = self._next(layer, behind), layer
        return NOT_TCP

    def _next(self, layer: Foreign, behind: bytes) -> Foreign:
        """Return the class of what is inside a layer: scapy's guess, where it knows."""
        scapy = _scapy()
        if isinstance(layer, (scapy.Loopback, scapy.LoopbackOpenBSD)):
            word = self.octets[self.at - 4 : self.at]  # scapy reads it in one byte order only
            family = min(int.from_bytes(word, "big"), int.from_bytes(word, "little"))
            return {2: scapy.IP, 10: scapy.IPv6, 24: scapy.IPv6, 28: scapy.IPv6, 30: scapy.IPv6}.get(family, scapy.Raw)
        if isinstance(layer, scapy.ICMPv6ND_Redirect):
            return scapy.IPv6
        if isinstance(layer, scapy.AH):
            return {4: scapy.IP, 6: scapy.TCP, 17: scapy.UDP, 41: scapy.IPv6, 47: scapy.GRE}.get(layer.nh, scapy.Raw)
        return layer.guess_payload_class(behind)

    def _note(self, layer: Foreign, begin: int) -> int:
        """Keep what a layer says; returns ROW to go on, else the outcome."""
        scapy = _scapy()
        if isinstance(layer, (scapy.IP, scapy.IPv6)):
            return self._note_ip(layer, begin)
        if isinstance(layer, scapy.IPv6ExtHdrFragment) and layer.offset:
            return FRAGMENT if layer.nh == 6 or protocol_of_tunnel(layer.nh) else NOT_TCP
        if isinstance(layer, scapy.UDP):
            octets = {"octet": self.octets}
            return ROW if udp_carries_ip(octets, self.at, len(self.octets), layer.dport) else NOT_TCP
        if isinstance(layer, scapy.ICMP):
            if layer.type not in (3, 4, REDIRECT_V4, 11, 12):
                return NOT_TCP
            self.icmp = layer.type << 8 | layer.code
            self.named = self._router(begin, 4) if layer.type == REDIRECT_V4 else self._mtu(begin, self.icmp, 4)
        elif isinstance(layer, scapy.ICMPv6ND_Redirect):
            if self.at >= len(self.octets) or not self._is_valid_redirect(begin):
                return NOT_TCP
            self.named = self._router(begin, 6)
            self.icmp = 1 << 16 | layer.type << 8 | layer.code
        elif isinstance(layer, scapy.icmpv6_errors):
            self.named = self._mtu(begin, layer.type << 8 | layer.code, 6)
            self.icmp = 1 << 16 | layer.type << 8 | layer.code
        elif isinstance(layer, (scapy.Ether, scapy.Dot3)):
            self.mac = int(layer.src.replace(":", ""), 16)
        elif isinstance(layer, (scapy.CookedLinux, scapy.CookedLinuxV2)):
            self.mac = int.from_bytes(bytes(layer.src)[:6], "big") if layer.lladdrlen == 6 else ABSENT
        elif isinstance(layer, (scapy.Dot1Q, scapy.Dot1AD)):
            self.vlans = (self.vlans << 12 | layer.vlan) & 0xFFFFFFFFFFFF if layer.vlan else self.vlans
        else:
            self._note_tunnel(layer)
        return ROW

    def _mtu(self, begin: int, kind: int, version: int) -> int:
        """Return the MTU that an ICMP error names."""
        return mtu_named({"octet": self.octets}, begin, kind, version) if begin + 8 <= len(self.octets) else ABSENT

    def _router(self, begin: int, version: int) -> int:
        """Return the router that a redirect names."""
        return router_named({"octet": self.octets}, begin, version) if begin + 8 <= len(self.octets) else ABSENT

    def _is_valid_redirect(self, begin: int) -> bool:
        """Say whether an ICMPv6 redirect is one that its receiver takes."""
        unrouted = {"octet": bytes([0] * 7 + [self.ip.get("ttl", 0) & 255]) + self.octets[begin:]}
        return is_valid_redirect(unrouted, 0, 8, len(self.octets) - begin + 8)

    def _note_tunnel(self, layer: Foreign) -> None:
        """Keep which tunnel this is, if it is one."""
        for kind, number, field in _scapy().tunnels:
            if isinstance(layer, kind):
                self._enter(number, (getattr(layer, field) or 0) if field else 0)
                return

    def _enter(self, kind: int, identifier: int) -> None:
        """Go into a tunnel: what was outside no longer names the flow."""
        self.tunnel = (kind, identifier)
        self.vlans = 0
        self.in_ip = False

    @property
    def tag(self) -> int:
        """What tells this flow from others between the same addresses and ports."""
        kind, identifier = self.tunnel
        return tunnel_tag(kind, identifier, self.vlans) if kind else self.vlans

    def _note_ip(self, layer: Foreign, begin: int) -> int:
        """Keep addresses and lengths of an IP header."""
        four = isinstance(layer, _scapy().IP)
        if layer.version != (4 if four else 6):
            return NOT_TCP
        if self.icmp == ABSENT:
            if self.in_ip:
                self._enter(IN_IP, 0)
            self.in_ip = True
        if four:
            if layer.ihl < 5:
                return NOT_TCP
            length, ttl, identifier = layer.len, layer.ttl, layer.id
        else:
            length, ttl, identifier = layer.plen and layer.plen + 40, layer.hlim, ABSENT
        self.stop = begin + length if length else self.original
        ttl = self.ip.get("ttl", ttl) if self.icmp != ABSENT else ttl
        (src_hi, src_lo), (dst_hi, dst_lo) = address_halves(layer.src), address_halves(layer.dst)
        if self.icmp == ABSENT:
            self.sender = src_hi, src_lo
        self.ip = {
            "src_hi": src_hi,
            "src_lo": src_lo,
            "dst_hi": dst_hi,
            "dst_lo": dst_lo,
            "ip_id": identifier,
            "ip_version": 4 if four else 6,
            "ttl": ttl,
        }
        if four and layer.frag:
            return (
                FRAGMENT if (layer.proto == 6 or protocol_of_tunnel(layer.proto)) and self.icmp == ABSENT else NOT_TCP
            )
        return ROW

    def _tcp(self, layer: Foreign, rest: bytes, row: dict[str, int]) -> int:
        """Write the row; returns the outcome."""
        behind = b""
        with contextlib.suppress(Exception):  # a cut header gives the fields before the cut
            behind = layer.do_dissect(rest)
        found = layer.fields
        if "dport" not in found:
            return CUT
        row.update(self.ip, tag=self.tag, src_mac=self.mac)
        quoted = self.icmp != ABSENT
        if quoted or "window" not in found:
            if quoted and "seq" not in found:
                return CUT
            empty_tcp(row, NOTE_ICMP_ERROR if quoted else NOTE_CUT)
            row.update(src_port=found["sport"], dst_port=found["dport"])
            if quoted:
                sack_left, sack_right = self.sender
                row.update(
                    seq=found["seq"], icmp=self.icmp, sack_left=sack_left, sack_right=sack_right, tsecr=self.named
                )
            return ROW if quoted else CUT_ROW
        header = found["dataofs"] * 4
        payload = self.stop - self.at - header
        if header < 20 or payload < 0:
            return CUT
        row.update(
            src_port=found["sport"],
            dst_port=found["dport"],
            seq=found["seq"],
            ack=found["ack"],
            flags=int(found["flags"]) & 0xFF,
            window=found["window"],
            header_len=header,
            payload_len=payload,
            icmp=ABSENT,
            note=NOTE_TCP,
            first_octet=behind[0] if behind and payload else ABSENT,
            options_cut=int(len(rest) < header),
        )
        self._options(found.get("options", []), row)
        return ROW

    @staticmethod
    def _options(options: list[tuple[Any, Any]], row: dict[str, int]) -> None:
        """Write what the options say; scapy leaves the value of one that is not whole as octets."""
        row.update(tsval=ABSENT, tsecr=ABSENT, sack_left=ABSENT, sack_right=ABSENT, window_scale=ABSENT)
        for kind, value in options:
            if kind == "Timestamp" and isinstance(value, tuple):
                row["tsval"], row["tsecr"] = value
            elif kind == "SAck" and isinstance(value, tuple) and len(value) >= 2:
                row["sack_left"], row["sack_right"] = value[:2]
            elif kind == "WScale" and isinstance(value, int) and row["flags"] & 2:
                row["window_scale"] = min(value, 14)


def _name_of(kind: type) -> str:
    """Return the name of an exception, with its module where the name alone says nothing (struct.error)."""
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class _Silence(logging.Filter):
    """Drops every record."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return False


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep scapy's remarks about packets off the terminal."""
    silence = _Silence()
    loggers = [logging.getLogger(name) for name in ("scapy", "scapy.runtime", "scapy.loading")]
    for logger in loggers:
        logger.addFilter(silence)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(silence)


# Layers that may have TCP inside, by module of scapy; what the walk asks about by name is among them.
_FOLLOWED: Final = {
    "layers.l2": (
        "Ether", "Dot3", "LLC", "SNAP", "Dot1Q", "Dot1AD", "Dot1AH", "CookedLinux", "CookedLinuxV2", "Loopback",
        "LoopbackOpenBSD", "MPacketPreamble", "GRE", "GRE_PPTP", "GRErouting",
    ),
    "layers.inet": ("IP", "UDP", "ICMP", "TCP"),
    "layers.inet6": (
        "IPv6", "IPv46", "IPv6ExtHdrHopByHop", "IPv6ExtHdrDestOpt", "IPv6ExtHdrRouting", "IPv6ExtHdrSegmentRouting",
        "IPv6ExtHdrFragment", "ICMPv6DestUnreach", "ICMPv6PacketTooBig", "ICMPv6TimeExceeded", "ICMPv6ParamProblem",
        "ICMPv6ND_Redirect",
    ),
    "layers.ipsec": ("AH",),
    "layers.ppp": ("PPPoE", "PPP", "HDLC", "DIR_PPP"),
    "layers.dot11": ("RadioTap", "Dot11", "Dot11FCS", "Dot11QoS", "PrismHeader"),
    "layers.ppi": ("PPI",),
    "layers.pflog": ("PFLog",),
    "layers.vxlan": ("VXLAN",),
    "contrib.avs": ("AVSWLANHeader",),
    "contrib.chdlc": ("CHDLC",),
    "contrib.erspan": ("ERSPAN_I", "ERSPAN_II", "ERSPAN_III", "ERSPAN_PlatformSpecific"),
    "contrib.etherip": ("EtherIP",),
    "contrib.geneve": ("GENEVE",),
    "contrib.gtp": ("GTP_U_Header", "GTPPDUSessionContainer"),
    "contrib.mpls": ("MPLS", "EoMCW"),
}  # fmt: skip


@functools.cache
def _scapy() -> SimpleNamespace:
    """Import the layers that may have TCP inside; they are attributes under their names."""
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from scapy.config import conf
        from scapy.packet import Raw

        layers = {
            name: getattr(importlib.import_module(f"scapy.{module}"), name)
            for module, names in _FOLLOWED.items()
            for name in names
        }
    s = SimpleNamespace(Raw=Raw, followed=tuple(layers.values()), **layers)
    s.icmpv6_errors = (s.ICMPv6DestUnreach, s.ICMPv6PacketTooBig, s.ICMPv6TimeExceeded, s.ICMPv6ParamProblem)
    s.tunnels = (
        (s.GRE_PPTP, IN_GRE, ""),
        (s.GRE, IN_GRE, "key"),
        (s.VXLAN, IN_VXLAN, "vni"),
        (s.GENEVE, IN_GENEVE, "vni"),
        (s.GTP_U_Header, IN_GTP_U, ""),
        (s.MPLS, IN_MPLS, ""),
        (s.EtherIP, IN_ETHERIP, ""),
        (s.Dot1AH, IN_PBB, "isid"),
    )
    s.links = {number: kind for number, kind in conf.l2types.num2layer.items() if issubclass(kind, s.followed)}
    # The file's LINKTYPE_ numbers, where scapy keeps the DLT_ numbers of one system or none.
    s.links |= {0: s.Loopback, 108: s.LoopbackOpenBSD, 12: s.IPv46, 14: s.IPv46, 101: s.IPv46, 228: s.IP, 229: s.IPv6}
    return s
