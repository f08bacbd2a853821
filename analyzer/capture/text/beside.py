"""What a printed line that is no segment shows of hosts, as a WITNESS row: ARP, neighbour discovery, signs of life.

The rows are those that ``capture.beside`` makes of frames, as far as a line has it: the station only with ``-e``, and
what an address is at only where that is printed. A line that cannot be told apart shows nothing.

This module must not know flows, or what a witness means.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.capture.text.names import endpoint
from analyzer.capture.text.tcpdump import MAC, SENDER, VLAN
from analyzer.segment import ABSENT, ASKS, LINK, NO_NEWS, SAYS, SIGN

if TYPE_CHECKING:
    from analyzer.capture.text.names import Names

    Row = dict[str, int]

ARP: Final = 0x0806
ICMP: Final = 1
UDP: Final = 17
ICMPV6: Final = 58

ASKED: Final = re.compile(
    rf"(?:^|[\s,:])(?:arp |Request |Probe )?who-has (?P<whom>[^\s,()]{{1,255}})(?: \((?:{MAC}|Broadcast|Unknown)\))?"
    r"(?: tell (?P<who>[^\s,()]{1,255}))?",
    re.IGNORECASE,
)
SAID: Final = re.compile(
    rf"(?:^|[\s,:])(?:arp )?(?:reply|announcement) (?P<who>[^\s,()]{{1,255}})(?: is-at (?P<mac>{MAC}))?", re.IGNORECASE
)
IP: Final = re.compile(r"(?<![^\s>(),])(?P<src>[^\s>(),]{1,255}) (?:>|→|->) (?P<dst>[^\s>(),]{1,255}?): (?P<what>.*)")
SOLICITS: Final = re.compile(r"ICMP6, neighbor solicitation,.{0,80}?who has (?P<whom>[^\s,]{1,64})")
ADVERTISES: Final = re.compile(
    r"ICMP6, neighbor advertisement,.{0,80}?tgt is (?P<who>[^\s,]{1,64})(?:, Flags \[(?P<flags>[^\]]{0,64})\])?"
)
TARGET: Final = re.compile(rf"destination link-address option \(2\), length 8 \(1\): ({MAC})")
LIST_ASKED: Final = re.compile(r"Who has (?P<whom>[0-9.]{7,15})\? (?:Tell (?P<who>[0-9.]{7,15})|\(ARP Probe\))")
LIST_SAID: Final = re.compile(rf"(?:Gratuitous ARP for )?(?P<who>[0-9.]{{7,15}}) is at (?P<mac>{MAC})", re.IGNORECASE)
LIST_ANNOUNCED: Final = re.compile(r"(?:Gratuitous ARP for|ARP Announcement for) (?P<who>[0-9.]{7,15}) \(Request\)")
LIST_SOLICITS: Final = re.compile(r"Neighbor Solicitation for (?P<whom>[0-9a-f:]{2,39})")
LIST_ADVERTISES: Final = re.compile(
    rf"Neighbor Advertisement (?P<who>[0-9a-f:]{{2,39}}) \((?P<flags>[a-z, ]{{1,20}})\)(?: is at (?P<mac>{MAC}))?"
)


def printed(text: str, names: Names) -> Row | None:
    """Return the row of a line of tcpdump, behind its time; None if it shows nobody."""
    if "who-has" in text or "is-at" in text or "Announcement" in text:
        return _arp(text, names)
    found = IP.search(text)
    if found is None:
        return None
    version = 6 if "IP6" in text[: found.start()] or "ICMP6" in found["what"] else 4
    row = _row(text)
    what = found["what"]
    if "ICMP6" in what and "neighbor" in what:
        _neighbour(row, found["src"], SOLICITS.search(what), ADVERTISES.search(what), names)
        if stated := TARGET.search(what):
            row["said_mac"] = _mac(stated[1])
        return row
    host, _, port = found["src"].rpartition(".")
    if what.startswith(("ICMP", "[icmp6")):
        row.update(kind=SIGN, protocol=ICMPV6 if version == 6 else ICMP)
        host = found["src"]
    elif host and endpoint(found["dst"])[0] and ("UDP" in text or (version == 6 or host.count(".") >= 3)):
        row.update(kind=SIGN, protocol=UDP, port=names.port(port))
    else:
        return None
    _from(row, host, version, names)
    return row


def listed(line: re.Match[str], names: Names) -> Row | None:
    """Return the row of a line of a packet list (a match of ``packet_list.LINE``); None if it shows nobody.

    A list has no stations but where there is no IP, so none is noted: hosts would seem to change theirs.
    """
    src, protocol, info = line["src"], line["protocol"].upper(), line["info"]
    row = _row("")
    station = re.fullmatch(MAC, src, re.IGNORECASE)
    if protocol == "ARP":
        row["protocol"] = ARP
        if asked := LIST_ASKED.search(info):
            _ask(row, asked["whom"], asked["who"] or "", names)
        elif announced := LIST_ANNOUNCED.search(info):
            _say(row, announced["who"], src if station else "", names, unasked=True)
        elif said := LIST_SAID.search(info):
            _say(row, said["who"], said["mac"], names, unasked=info.startswith("Gratuitous"))
        return row if row["kind"] != LINK else None
    version = 6 if ":" in src else 4
    if protocol == "ICMPV6" and "Neighbor" in info:
        _neighbour(row, src, LIST_SOLICITS.search(info), LIST_ADVERTISES.search(info), names)
        return row
    known = {"ICMP": ICMP, "ICMPV6": ICMPV6, "UDP": UDP, "DNS": UDP, "MDNS": UDP, "DHCP": UDP, "NTP": UDP, "QUIC": UDP}
    if protocol not in known:
        return None
    row.update(kind=SIGN, protocol=known[protocol])
    _from(row, src, version, names)
    return row


def _arp(text: str, names: Names) -> Row | None:
    """Return the row of a line of ARP."""
    row = _row(text)
    row["protocol"] = ARP
    if (asked := ASKED.search(text)) is not None:
        _ask(row, asked["whom"], asked["who"] or "", names)
    elif (said := SAID.search(text)) is not None:
        _say(row, said["who"], said["mac"] or "", names, unasked="nnouncement" in text)
    else:
        return None
    return row


def _ask(row: Row, whom: str, who: str, names: Names) -> None:
    """Note who asks for whom; who asks for itself announces itself (RFC 5227 3)."""
    if who == whom:
        _say(row, who, "", names, unasked=True)
        return
    row["kind"] = ASKS
    row["dst_hi"], row["dst_lo"], _ = names.halves(whom, 4)
    if who and who != "0.0.0.0":  # noqa: S104 - an address in a text: who has none asks for one
        row["src_hi"], row["src_lo"], _ = names.halves(who, 4)


def _say(row: Row, who: str, mac: str, names: Names, *, unasked: bool) -> None:
    """Note that an address is at a station."""
    row.update(kind=SAYS, unasked=int(unasked))
    row["src_hi"], row["src_lo"], _ = names.halves(who, 4)
    row["said_mac"] = _mac(mac) if mac else row["src_mac"]


def _neighbour(row: Row, src: str, asked: re.Match[str] | None, said: re.Match[str] | None, names: Names) -> None:
    """Note neighbour discovery; ``src`` is who sent it."""
    row.update(kind=SIGN, protocol=ICMPV6)
    _from(row, src, 6, names)
    if asked is not None:
        row["kind"] = ASKS
        row["dst_hi"], row["dst_lo"], _ = names.halves(asked["whom"], 6)
    elif said is not None:
        groups = said.groupdict()
        flags = groups["flags"]
        row.update(kind=SAYS, unasked=int(flags is not None and "sol" not in flags))
        row["src_hi"], row["src_lo"], _ = names.halves(said["who"], 6)
        row["said_mac"] = _mac(groups["mac"]) if groups.get("mac") else row["src_mac"]


def _from(row: Row, host: str, version: int, names: Names) -> None:
    """Note whose packet it is; nobody's if it has no address yet."""
    if host not in {"::", "0.0.0.0"}:  # noqa: S104 - addresses in a text
        row["src_hi"], row["src_lo"], _ = names.halves(host, version)


def _row(text: str) -> Row:
    """Return a row that shows a station at most."""
    row = {
        "ts_ns": 0, "frame": 0, "src_hi": 0, "src_lo": 0, "dst_hi": 0, "dst_lo": 0, "tag": 0, "src_mac": ABSENT,
        "said_mac": ABSENT, "news_mac": ABSENT, "protocol": 0, "port": 0, "kind": LINK, "unasked": 0, "news": NO_NEWS,
    }  # fmt: skip
    if sender := SENDER.match(text):
        row["src_mac"] = _mac(sender[1])
    for vlan in VLAN.findall(text)[:4] if "vlan" in text else ():
        row["tag"] = (row["tag"] << 12 | int(vlan) & 0xFFF) & 0xFFFFFFFFFFFF
    return row


def _mac(text: str) -> int:
    return int("".join(part.zfill(2) for part in text.split(":")), 16)
