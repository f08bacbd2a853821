"""A packet as ``tcpdump`` prints it: a TCP segment, an ICMP error with what it quotes, or anything else.

Read are the forms of tcpdump 4 and 5 (``Flags [P.], seq 1:6, ack 1, win 64, length 5``) and of tcpdump 3
(``P 1:6(5) ack 1 win 64``), with what ``-e``, ``-v`` and an ``any`` interface add. tcpdump does not print the number of
a segment that carries nothing, neither data nor SYN, FIN or RST, except with ``-vv``.

This module must not know what earlier lines said: numbers may be relative (``numbers``), hosts be names (``names``).
"""

from __future__ import annotations

import re
from typing import Final

from analyzer.capture.redirect import REDIRECT_V4, REDIRECT_V6
from analyzer.capture.text.names import Names, endpoint
from analyzer.segment import ABSENT, ACK, CWR, ECE, FIN, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP, PSH, RST, SYN, URG
from analyzer.values import dataclass

MAC: Final = r"(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}"
STARTS: Final = re.compile(
    rf"(?:IP6?[ ,]|ARP[ ,]|R?ARP,|{MAC}|(?:\S+ +)?(?:In|Out|[BMP]) +(?:IP6?[ ,]|ARP|ifindex|{MAC}|ethertype)"
    r"|AF IPv[46] |ip: |ethertype |vlan \d|802\.1|STP |LLDP|CDPv|MPLS |PPPoE |EAP|LLC|IPX|CARP|VRRP"
    r"|unknown|\(tos |\[\|)",
    re.IGNORECASE,
)
"""How a packet begins, behind its time."""
WITHOUT_TIME: Final = re.compile(rf"\s*(?:IP6? (?=\S+ (?:>|→|->) |\()|{MAC} > \S+, ethertype|vlan \d+, p \d)")
"""How one begins that has no time (``-t``)."""

ENDS: Final = r"(?<![^\s>(),])(?P<src>[^\s>(),]{1,255})(?:\s*(?:>|→|->)\s*|\s+)(?P<dst>[^\s>(),]{1,255}?):\s*"
"""Who sent it to whom; some trackers eat the sign between them."""
SEGMENT: Final = re.compile(
    ENDS + r"(?:tcp )?Flags \[(?P<flags>[^\]]*)\]"
    r"(?:, cksum 0x(?P<checksum>[0-9a-f]{1,4}) \((?P<verdict>[^)]*)\))?"
    r"(?:, seq (?P<seq>\d{1,10})(?::(?P<end>\d{1,10}))?)?(?:, ack (?P<ack>\d{1,10}))?"
    r"(?P<win>, win (?P<window>\d{1,10}))?(?:, urg \d{1,10})?"
    r"(?:, options \[(?P<options>.*?)(?P<closed>\](?=,|:|$|\s)|\[\|tcp\]>?|$))?"
    r"(?:, length (?P<length>\d{1,10}))?"
)
SEGMENT_3: Final = re.compile(
    ENDS + r"(?P<flags>[SFRPWEU]+|\.)(?: \[[^\]]*\])*(?: (?P<seq>\d{1,10}):(?P<end>\d{1,10})\((?P<length>\d{1,10})\))?"
    r"(?: ack (?P<ack>\d{1,10}))?(?P<win> win (?P<window>\d{1,10}))?(?: urg \d{1,10})?"
    r"(?: <(?P<options>[^>]*)(?P<closed>>?))?"
)
"""As tcpdump 3 has it."""
MTU: Final = re.compile(r"\bmtu (?P<mtu>\d{1,10})\b")
"""What a packet that was too big is told to be smaller than."""
TCP_FLAGS: Final = re.compile(r"Flags \[(?:[SFRPUEWe.]+|none)(?:\]|$)")
CUT: Final = re.compile(ENDS + r"(?:\[\|tcp\]|tcp \d{1,10})")
"""Cut before the flags, or printed without them (``-q``)."""
ICMP: Final = re.compile(
    r"(?<!\S)(?P<src>[^\s>]{1,255}) > (?P<dst>[^\s>]{1,255}):(?: \[icmp6 sum \w+\])? ICMP(?P<six>6)?,? (?P<what>.*)"
)
TOO_BIG: Final = {3 << 8 | 4, 1 << 16 | 2 << 8}
"""Fragmentation needed, and packet too big."""
ABOUT: Final = re.compile(
    r"(?:host |net )?(?P<host>\S{1,255}?)(?: protocol 6| tcp port (?P<port>\S{1,64}?))? unreachable(?=,| -|$)"
)
ABOUT_6: Final = re.compile(
    r"destination unreachable, unreachable (?:route|prohibited|address|port,) (?P<host>[\w:.-]{1,255}?)"
    r"(?: tcp port (?P<port>\S{1,64}?))?(?=,|$)"
)
REDIRECT: Final = re.compile(r"redirect(?:-tos)? (?P<host>\S{1,255}) to (?P<what>host|net) (?P<router>[^\s,]{1,255})")
REDIRECT_6: Final = re.compile(r"redirect, (?:length \d{1,10}, )?(?P<host>\S{1,255}) to (?P<router>[^\s,]{1,255})")
"""Whom an ICMP error is about, if it shows no segment."""
IPV4: Final = re.compile(
    r"\(tos 0x[^)]{0,80}?ttl (?P<ttl>\d{1,3}), id (?P<id>\d{1,5})(?:,[^,]{0,60}){0,9}?, length (?P<length>\d{1,5})"
)
IPV6: Final = re.compile(
    r"\((?:class|flowlabel|hlim)?[^)]{0,60}?hlim (?P<ttl>\d{1,3}), next-header [^:]{1,60}: (?P<length>\d{1,5})"
)
VLAN: Final = re.compile(r"\bvlan (\d{1,10}), p ")
SENDER: Final = re.compile(rf"(?:\s*(?:\S+ +)?(?:In|Out|[BMP]) +(?:ifindex \d+ )?)?({MAC})(?= |,)")
TIMESTAMPS: Final = re.compile(r"(?:TS val|timestamp) (\d{1,10}) (?:ecr )?(\d{1,10})")
SACK: Final = re.compile(r"sack \d+ \{(\d{1,10}):(\d{1,10})\}")
SCALE: Final = re.compile(r"wscale (\d{1,10})")
FLAGS: Final = {"F": FIN, "S": SYN, "R": RST, "P": PSH, ".": ACK, "U": URG, "E": ECE, "W": CWR}

OPTION_LENGTHS: Final = (
    ("nop", 1), ("eol", 1), ("mss", 4), ("sackOK", 2), ("TS val", 10), ("timestamp ", 10), ("wscale", 3), ("md5", 18),
)  # fmt: skip

UNREACHABLE: Final = (
    ("protocol", 2), ("tcp port", 3), ("need to frag", 4), ("host {} unreachable - admin", 10), ("net {} - admin", 9),
    ("admin prohibited", 13), ("net ", 0), ("host ", 1),
)  # fmt: skip
"""Words of an ICMP unreachable, and its code (RFC 792, RFC 1812 5.2.7.1)."""
UNREACHABLE_6: Final = (("route", 0), ("prohibited", 1), ("address", 3), ("port", 4))
"""The same of ICMPv6 (RFC 4443 3.1)."""


@dataclass(slots=True)
class Printed:
    """What a line says of a segment; numbers as they are printed."""

    row: dict[str, int]
    """A SEGMENT row without time, frame and what is known of the text as a whole."""
    sack: tuple[int, int] | None = None
    """Its first SACK block."""


def is_tcp(text: str) -> bool:
    """Say whether a line is of a TCP segment, readable or not."""
    return TCP_FLAGS.search(text) is not None or "[|tcp]" in text or (" > " in text and " win " in text)


def is_whole(text: str) -> bool:
    """Say whether a packet's line has all that tcpdump prints of a segment: nothing of it can be on the next line."""
    flags = text.rfind("Flags [")
    if flags >= 0:
        return ", length " in text[flags:]
    win = text.rfind(" win ")
    return win >= 0 and ("<" not in text[win:] or ">" in text[win:])


def segment(text: str, names: Names) -> Printed | None:
    """Return what a line, behind its time, says of a TCP segment; None if it is not of one, or cannot be read."""
    found = SEGMENT.search(text) or SEGMENT_3.search(text)
    if found is None:
        cut = CUT.search(text)
        return None if cut is None else _cut(cut, text, names)
    row = _addressed(found, text, names)
    if row is None:
        return None
    flags = 0 if found["flags"] == "none" else sum({FLAGS.get(letter, 0) for letter in found["flags"]})
    if found.re is SEGMENT_3:
        flags = (flags & ~ACK) | (ACK if found["ack"] else 0)
    if bool(flags & ACK) != (found["ack"] is not None) or not found["win"]:
        return None  # cut, or mangled within
    if found["length"] is None and found.re is SEGMENT and text[found.end("win") :][:1] not in {",", ""}:
        return None
    seq, end, closed = found["seq"], found["end"], found["closed"]
    if end is None and found.re is SEGMENT and int(found["length"] or 0) > 0:
        return None  # a segment with data shows where it ends
    payload = (int(end) - int(seq)) % (1 << 32) if end else 0
    if end and found["length"] is not None and int(found["length"]) != payload:
        return None
    options = found["options"] or ""
    whole = bool(closed) or not options
    if not whole:
        options = ""
    payload_at = row["header_len"]  # of TCP, by the length that IP gives
    row |= _options(options, syn=bool(flags & SYN))
    if payload_at - payload >= 20 and whole:
        row["header_len"] = min(payload_at - payload, 60)
    row.update(
        seq=ABSENT if seq is None else int(seq) & 0xFFFFFFFF,
        ack=int(found["ack"] or 0) & 0xFFFFFFFF,
        flags=flags & 0xFF,
        window=min(int(found["window"]), 0xFFFF),
        payload_len=min(payload, 1 << 24),
        options_cut=int(not whole or (closed or "").startswith("[|tcp]")),
        note=NOTE_TCP,
    )
    sack = SACK.search(options)
    return Printed(row, (int(sack[1]), int(sack[2])) if sack else None)


def icmp_error(text: str, names: Names) -> Printed | None:
    """Return the row of an ICMP error that quotes a TCP segment, of which the line says which; else None."""
    found = ICMP.search(text) if "ICMP" in text else None
    if found is None:
        return None
    what = found["what"]
    kind = _icmp_kind(what, six=found["six"] is not None)
    quoted = segment(what, names)
    if kind == ABSENT or quoted is None:
        return None
    if quoted.row["note"] == NOTE_CUT:
        quoted.row["seq"] = ABSENT
    quoted.row.update(icmp=kind, tsecr=_named(what, kind, names), ttl=_ip(text[: found.start("what")])[0])
    quoted.row["src_mac"] = _station(text)
    quoted.row["sack_left"], quoted.row["sack_right"], _ = names.halves(found["src"], 6 if found["six"] else 4)
    return quoted


def icmp_alone(text: str, names: Names) -> dict[str, int] | None:
    """Return the row of an ICMP error that says which host cannot be reached, but not which segment it quotes."""
    found = ICMP.search(text) if "ICMP" in text and ("nreachable" in text or "redirect" in text) else None
    about = None
    if found is not None:
        moved, away = (REDIRECT_6, ABOUT_6) if found["six"] else (REDIRECT, ABOUT)
        about = moved.match(found["what"]) or away.match(found["what"])
    if found is None or about is None:
        return None
    row = empty_row()
    row["seq"] = ABSENT
    row["ip_version"] = version = 6 if found["six"] else 4
    row["src_hi"], row["src_lo"], _ = names.halves(found["dst"], version)
    row["dst_hi"], row["dst_lo"], _ = names.halves(about["host"], version)
    row["src_mac"] = _station(text)
    row["sack_left"], row["sack_right"], _ = names.halves(found["src"], version)
    port = about.groupdict().get("port")
    row["dst_port"] = names.port(port) if port else 0
    kind = _icmp_kind(found["what"], six=version == 6)
    row.update(icmp=kind, tsecr=_named(found["what"], kind, names), ttl=_ip(text[: found.start("what")])[0])
    return row if row["icmp"] != ABSENT else None


def as_quoted(row: dict[str, int]) -> dict[str, int]:
    """Return the row of an ICMP error, whose number was made whole: of the quoted segment only that counts."""
    known = (
        "src_hi",
        "src_lo",
        "dst_hi",
        "dst_lo",
        "tag",
        "src_mac",
        "sack_left",
        "sack_right",
        "tsecr",
        "src_port",
        "dst_port",
        "ip_id",
        "icmp",
        "ttl",
        "ip_version",
    )
    return empty_row() | {name: row[name] for name in known} | {"seq": row["seq"], "note": NOTE_ICMP_ERROR}


def empty_row() -> dict[str, int]:
    """Return a SEGMENT row of which nothing is known."""
    return {
        "ts_ns": 0, "frame": 0, "src_hi": 0, "src_lo": 0, "dst_hi": 0, "dst_lo": 0, "tag": 0, "src_mac": ABSENT,
        "seq": 0, "ack": 0, "tsval": ABSENT, "tsecr": ABSENT, "sack_left": ABSENT, "sack_right": ABSENT,
        "payload_len": 0, "window": 0, "src_port": 0, "dst_port": 0, "ip_id": ABSENT, "icmp": ABSENT, "interface": 0,
        "first_octet": ABSENT, "flags": 0, "ttl": ABSENT, "header_len": 0, "window_scale": ABSENT, "options_cut": 0,
        "ip_version": 4, "note": NOTE_TCP,
    }  # fmt: skip


def _addressed(found: re.Match[str], text: str, names: Names) -> dict[str, int] | None:
    """Return a row with what stands before the segment; None if the ends are none."""
    (src, src_port), (dst, dst_port) = endpoint(found["src"]), endpoint(found["dst"])
    if not (src and dst and src_port and dst_port):
        return None
    before = text[: found.start("src")]
    version = 6 if any(word in before for word in ("IP6", "IPv6", "0x86dd")) else 4
    row = empty_row()
    row["src_hi"], row["src_lo"], row["ip_version"] = names.halves(src, version)
    row["dst_hi"], row["dst_lo"], _ = names.halves(dst, version)
    row["src_port"], row["dst_port"] = names.port(src_port), names.port(dst_port)
    row["ttl"], row["ip_id"], length = _ip(before)
    for vlan in VLAN.findall(before)[:4] if "vlan" in before else ():
        row["tag"] = (row["tag"] << 12 | int(vlan) & 0xFFF) & 0xFFFFFFFFFFFF
    row["src_mac"] = _station(before)
    row["header_len"] = length  # of the IP payload, where it is printed, until the payload is known
    return row


def _station(text: str) -> int:
    """Return the MAC address of who sent it, where ``-e`` prints one."""
    sender = SENDER.match(text)
    return int("".join(part.zfill(2) for part in sender[1].split(":")), 16) if sender else ABSENT


def _ip(text: str) -> tuple[int, int, int]:
    """Return TTL, IP ID and length of what is inside, where ``-v`` prints them; the last header counts."""
    if headers := list(IPV4.finditer(text)):
        found = headers[-1]
        return min(int(found["ttl"]), 255), int(found["id"]) & 0xFFFF, int(found["length"]) - 20
    if (six := IPV6.search(text)) is not None:
        return min(int(six["ttl"]), 255), ABSENT, int(six["length"])
    return ABSENT, ABSENT, 0


def _options(text: str, *, syn: bool) -> dict[str, int]:
    """Return the columns that TCP options fill."""
    stamps, scale = TIMESTAMPS.search(text), SCALE.search(text)
    octets = sum(length * text.count(word) for word, length in OPTION_LENGTHS)
    octets += sum(2 + 8 * text[at:].count("{", 0, 64) for at in (text.find("sack "),) if at >= 0)
    return {
        "tsval": int(stamps[1]) & 0xFFFFFFFF if stamps else ABSENT,
        "tsecr": int(stamps[2]) & 0xFFFFFFFF if stamps else ABSENT,
        "window_scale": min(int(scale[1]), 14) if scale and syn else ABSENT,
        "header_len": 20 + min(-(-octets // 4) * 4, 40),
    }


def _cut(found: re.Match[str], text: str, names: Names) -> Printed | None:
    """Return the row of a segment of which only addresses and ports are shown."""
    row = _addressed(found, text, names)
    if row is None:
        return None
    row.update(note=NOTE_CUT, header_len=0)
    return Printed(row)


def _named(what: str, kind: int, names: Names) -> int:
    """Return the MTU, or the low half of the router's address, that an ICMP error names; ABSENT if none."""
    six = kind >> 16 == 1
    moved = (REDIRECT_6 if six else REDIRECT).match(what) if kind >> 8 & 255 in {REDIRECT_V4, REDIRECT_V6} else None
    if moved is not None:
        return ABSENT if moved["router"] == moved["host"] else names.halves(moved["router"], 6 if six else 4)[1]
    found = MTU.search(what.partition(", length")[0]) if kind in TOO_BIG else None
    most = 0xFFFF if kind < 1 << 16 else 0xFFFFFFFF
    return min(int(found["mtu"]), most) or ABSENT if found else ABSENT


def _icmp_kind(what: str, *, six: bool) -> int:
    """Return the ``icmp`` column for the words of an error; ABSENT if it is none."""
    words = what.partition(", length")[0]
    if six:
        if "unreachable" in words:
            code = next((code for word, code in UNREACHABLE_6 if word in words.partition("unreachable")[2]), 0)
            return 1 << 16 | 1 << 8 | code
        kinds = (("packet too big", 2), ("time exceeded", 3), ("parameter problem", 4), ("redirect", REDIRECT_V6))
        return next((1 << 16 | kind << 8 for word, kind in kinds if word in words), ABSENT)
    if "unreachable" in words:
        flat = re.sub(r"(host|net) \S+", r"\1 {}", words)
        code = next((code for word, code in UNREACHABLE if word in flat), 1)
        return 3 << 8 | code
    if (moved := REDIRECT.match(what)) is not None:
        return REDIRECT_V4 << 8 | int(moved["what"] == "host") | ("-tos " in words) << 1
    named = (("time exceeded", 11), ("parameter problem", 12), ("source quench", 4))
    return next((kind << 8 for word, kind in named if word in words), ABSENT)
