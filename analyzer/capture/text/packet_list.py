"""A packet as ``tshark`` prints it, or as Wireshark exports its list: number, time, ends, protocol, length, info.

What Wireshark thinks of a segment ([TCP Keep-Alive], [TCP Retransmission]) is no evidence, and not read. Where a
protocol above TCP took the info column, it says nothing of numbers, and the segment is none that could be used.

This module must not know what earlier lines said (see ``numbers``).
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from analyzer.capture.text.tcpdump import Printed, empty_row
from analyzer.capture.text.times import SECONDS, STAMP
from analyzer.segment import ABSENT, ACK, CWR, ECE, FIN, NOTE_CUT, PSH, RST, SYN, URG

if TYPE_CHECKING:
    from analyzer.capture.text.names import Names

ARROW: Final = r"(?:→|->|>|\?)"
LINE: Final = re.compile(
    rf"\s*(?P<number>\d{{1,12}})\s+(?P<time>{STAMP}|{SECONDS})\s+(?P<src>\S+)\s+(?:{ARROW}\s+)?(?P<dst>\S+)\s+"
    r"(?P<protocol>[A-Za-z][\w./+-]*)\s+(?P<length>\d{1,8})\s+(?P<info>.*)"
)
INFO: Final = re.compile(
    rf"(?:\[[^\]]*\]\s*)*(?P<src_port>[\w.-]+)\s*{ARROW}\s*(?P<dst_port>[\w.-]+)\s+\[(?P<flags>[A-Z, ]+|<None>)\]"
    r"\s+(?:Seq=(?P<seq>\d{1,10})\s+)?(?:Ack=(?P<ack>\d{1,10})\s+)?Win=(?P<window>\d{1,10})(?:\s+Urg=\d{1,10})?\s+Len=(?P<length>\d{1,10})(?P<rest>.*)"
)
OPTION: Final = re.compile(r"\b(TSval|TSecr|WS|SLE|SRE|MSS|SACK_PERM)(?:=(\d{1,10}))?")
OPTIONS: Final = re.compile(r"\s*(?:(?:\b(?:TSval|TSecr|WS|SLE|SRE|MSS)=\d{1,10}|SACK_PERM(?:=1)?)\s*){1,12}")
CUT: Final = re.compile(rf"(?P<src_port>\d{{1,5}})\s*{ARROW}\s*(?P<dst_port>\d{{1,5}})\s*\[Packet size limited")
FLAGS: Final = {
    "FIN": FIN, "SYN": SYN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG, "ECE": ECE, "ECN": ECE, "CWR": CWR,
}  # fmt: skip


def spread(line: str) -> str:
    """Return a line of a list that was exported as CSV in the form of the others."""
    if not line.startswith('"'):
        return line
    fields = next(csv.reader([line]))
    return " ".join(fields) if len(fields) >= 6 else line


def segment(line: re.Match[str], names: Names) -> Printed | None:
    """Return what a line of a list (a match of LINE) says of a TCP segment; None if it says nothing of one."""
    found = INFO.match(line["info"])
    if found is None:
        cut = CUT.match(line["info"])
        return None if cut is None else Printed(_addressed(line, cut, names) | {"note": NOTE_CUT})
    flags = sum({FLAGS.get(word.strip(), 0) for word in found["flags"].split(",")})
    if found["seq"] is None or bool(flags & ACK) != (found["ack"] is not None):
        return None
    row = _addressed(line, found, names)
    options = {name: int(value or 0) for name, value in OPTION.findall(found["rest"])}
    stamped = "TSval" in options and "TSecr" in options
    scale = options.get("WS", 0)
    octets = 12 * stamped + 4 * ("MSS" in options) + 4 * (scale > 0) + 2 * ("SACK_PERM" in options and not stamped)
    octets += (2 + 8 * found["rest"].count("SLE=")) * ("SLE" in options)
    row.update(
        seq=int(found["seq"]) & 0xFFFFFFFF,
        ack=int(found["ack"] or 0) & 0xFFFFFFFF,
        flags=flags,
        window=min(int(found["window"]), (1 << 31) - 1),
        payload_len=min(int(found["length"]), 1 << 24),
        tsval=options["TSval"] & 0xFFFFFFFF if stamped else ABSENT,
        tsecr=options["TSecr"] & 0xFFFFFFFF if stamped else ABSENT,
        window_scale=min(scale.bit_length() - 1, 14) if scale and flags & SYN else ABSENT,
        header_len=20 + min(-(-octets // 4) * 4, 40),
    )
    blocks = re.findall(r"SLE=(\d{1,10}) SRE=(\d{1,10})", found["rest"])
    return Printed(row, (int(blocks[0][0]), int(blocks[0][1])) if blocks else None)


def _addressed(line: re.Match[str], found: re.Match[str], names: Names) -> dict[str, int]:
    """Return a row with the ends of a segment."""
    row = empty_row()
    version = 6 if ":" in line["src"] or ":" in line["dst"] else 4
    row["src_hi"], row["src_lo"], row["ip_version"] = names.halves(line["src"], version)
    row["dst_hi"], row["dst_lo"], _ = names.halves(line["dst"], version)
    row["src_port"], row["dst_port"] = names.port(found["src_port"]), names.port(found["dst_port"])
    return row


def goes_on(line: re.Match[str], more: str) -> re.Match[str] | None:
    """Return a line of a list together with what was broken off it; None if that does not belong to it."""
    if line["protocol"] != "TCP" or (" Len=" in line["info"] and not OPTIONS.fullmatch(more)):
        return None
    return LINE.fullmatch(f"{line.string} {more.strip()}")


def is_above_tcp(line: re.Match[str]) -> bool:
    """Say whether a line may be of a segment whose numbers a protocol above TCP has displaced."""
    below = {"ARP", "ICMP", "ICMPV6", "UDP", "DNS", "MDNS", "IGMP", "STP", "LLDP", "DHCP", "NTP", "LLMNR", "NBNS"}
    return line["protocol"].upper() not in below | {"SSDP", "QUIC", "TCP", "DHCPV6", "IPV6", "IPV4", "RIP", "OSPF"}
