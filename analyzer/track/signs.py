"""Signs: what each table of ``hosts`` and ``news`` says of one end of a flow since an instant, put down for it.

Each loop looks at one record and writes the fields of a TESTIMONY record (``testimony``) that come from it. Everything
has the frame that shows it.

It must not know which flows are asked about, or judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.track.hosts import ASKED, is_virtual, whom
from analyzer.track.news import GOT, LEASED, PORTS, RETURNED, SHUT, STARTED, TOPOLOGY, row_since
from analyzer.track.subjects import digest_of, sought

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

OWN: Final = 1
"""ARP or neighbour discovery said that the address is at this station."""
HOP: Final = 2
"""They said that another address is there: a router passes its packets on."""
TAKEN_FOR_HOP: Final = 3
"""Nothing says so, but the other end asks for this address when it wants to send."""
BESIDE_NS: Final = 1_000_000_000
"""What comes so shortly behind an end's last segment may be a copy of it, or what was on its way already."""

BOTH_NS: Final = 60_000_000_000
"""What was said of an address so shortly before a flow began is said of that flow: who opens it asks for it before."""


@loop
def first_since(host: Record, since_ns: int) -> tuple[int, int]:
    """Return time and frame of the first frame of a host or station that is known to be later; its last one is."""
    if since_ns < host["gap_from_ns"]:
        return host["gap_from_ns"], host["gap_from_frame"]
    if since_ns < host["gap_to_ns"]:
        return host["gap_to_ns"], host["gap_to_frame"]
    return host["last_ns"], host["last_frame"]


@loop
def of_host(host: Record, since_ns: int, flow_ns: int, at: Record) -> None:
    """Write when a host was heard since, and what changed about its packets since a flow began."""
    at["known"] = 1 if host["first_ns"] <= since_ns else 0
    at["longest_ns"] = host["longest_ns"]
    at["second_ns"] = host["second_ns"]
    at["gap_from_ns"] = host["gap_from_ns"]
    at["gap_to_ns"] = host["gap_to_ns"]
    if host["last_ns"] > since_ns + BESIDE_NS:
        at["last_ns"] = host["last_ns"]
        at["last_frame"] = host["last_frame"]
        at["last_what"] = host["last_what"]
        at["sign_ns"], at["sign_frame"] = first_since(host, since_ns + BESIDE_NS)
    at["mac_turns"] = host["mac_turns"]
    if host["mac_before"] >= 0 and host["mac_ns"] >= flow_ns:
        at["mac_before"] = host["mac_before"]
        at["mac_ns"] = host["mac_ns"]
        at["mac_frame"] = host["mac_frame"]
    at["ttl"] = host["ttl"]
    at["ttl_turns"] = host["ttl_turns"]
    if host["ttl_before"] >= 0 and host["ttl_ns"] >= flow_ns:
        at["ttl_before"] = host["ttl_before"]
        at["ttl_ns"] = host["ttl_ns"]
        at["ttl_frame"] = host["ttl_frame"]


@loop
def of_station(station: Record, since_ns: int, at: Record) -> None:
    """Write when a station was heard since."""
    if station["last_ns"] > since_ns + BESIDE_NS:
        at["station_last_ns"] = station["last_ns"]
        at["station_last_frame"] = station["last_frame"]
        at["station_ns"], at["station_frame"] = first_since(station, since_ns + BESIDE_NS)


@loop
def of_claim(claim: Record, since_ns: int, flow_ns: int, at: Record) -> None:
    """Write what an address said of where it is."""
    if claim["last_ns"] > since_ns:
        at["said_ns"] = claim["last_ns"]
        at["said_frame"] = claim["last_frame"]
    if claim["announced_ns"] > since_ns:
        at["announced_ns"] = claim["announced_ns"]
        at["announced_frame"] = claim["announced_frame"]
    if claim["moved_from"] >= 0 and claim["moved_ns"] >= flow_ns:
        at["moved_from"] = claim["moved_from"]
        at["moved_to"] = claim["mac"]
        at["moved_ns"] = claim["moved_ns"]
        at["moved_frame"] = claim["moved_frame"]
        at["moved_unasked"] = claim["moved_unasked"]
    elif claim["mac"] != at["mac"] >= 0 and claim["there_ns"] > since_ns:
        # nobody was seen to say where it was before, but its segments came from there
        at["moved_from"] = at["mac"]
        at["moved_to"] = claim["mac"]
        at["moved_ns"] = claim["there_ns"]
        at["moved_frame"] = claim["there_frame"]
        at["moved_unasked"] = claim["there_unasked"]
        at["moved_seen"] = 1


@loop
def of_both(claim: Record, flow_ns: int, at: Record) -> None:
    """Write that two stations have an address at once, where that showed in a flow or shortly before it."""
    if claim["both_mac"] < 0 or claim["both_last_ns"] < flow_ns - BOTH_NS:
        return
    at["both_mac"] = claim["mac"]
    at["both_other"] = claim["both_mac"]
    at["both_ns"] = claim["both_ns"]
    at["both_frame"] = claim["both_frame"]
    at["both_before_frame"] = claim["both_before_frame"]
    at["both_last_ns"] = claim["both_last_ns"]
    at["both_last_frame"] = claim["both_last_frame"]


@loop
def of_asker(claim: Record, mac: int, ttl: int, flow_ns: int, last_ns: int, at: Record) -> None:
    """Write that another station claims the address of the end that asks, which sends from a station of its own.

    Both claim it at once; or the other one did, and the end sent on from its own. ``ttl`` is that of its segments,
    ``last_ns`` when it last sent one.
    """
    if mac in (claim["mac"], claim["both_mac"]) and claim["both_mac"] >= 0 and claim["both_last_ns"] >= flow_ns:
        at["asker_mac"] = mac
        at["asker_other"] = claim["both_mac"] if claim["mac"] == mac else claim["mac"]
        at["asker_ns"] = claim["both_ns"]
        at["asker_frame"] = claim["both_frame"]
        at["asker_last_ns"] = claim["both_last_ns"]
        at["asker_last_frame"] = claim["both_last_frame"]
        return
    # no router brings its segments; and who asks may get an answer from another interface of the same host
    own = claim["moved_from"] == mac or (is_undiminished(ttl) and claim["there_unasked"] == 1)
    went_on = claim["there_ns"] >= flow_ns and last_ns > claim["there_ns"] + BESIDE_NS
    if own and went_on and is_another_station(claim, mac):
        at["asker_mac"] = mac
        at["asker_other"] = claim["mac"]
        at["asker_ns"] = claim["there_ns"]
        at["asker_frame"] = claim["there_frame"]
        at["asker_last_ns"] = claim["last_ns"]
        at["asker_last_frame"] = claim["last_frame"]


@loop
def asked_for(ask_slots: Numbers, asks: Rows, keys: Numbers, mac: int, hi: int, lo: int) -> int:
    """Return the index of what a station asked of an address, or below zero."""
    word = whom(hi, lo)
    return sought(ask_slots, asks, digest_of(mac, word, ASKED, keys), mac, word, ASKED)


@loop
def in_vain(ask: Record, said_ns: int, since_ns: int) -> int:
    """Return 1 if the last questions stayed without an answer, 2 if earlier ones did, since then; else 0."""
    if ask["last_ns"] > since_ns and ask["first_ns"] > said_ns:
        return 1
    if ask["count"] > 1 and ask["first_ns"] > since_ns and said_ns > ask["last_ns"]:
        return 1
    return 2 if ask["failed"] > 0 and ask["failed_ns"] > since_ns else 0


@loop
def questions(ask: Record, said_ns: int, since_ns: int, at: Record) -> None:
    """Write which questions for the host itself stayed without an answer."""
    which = in_vain(ask, said_ns, since_ns)
    if which == 1:
        at["asked"] = ask["count"]
        at["asked_ns"] = ask["first_ns"]
        at["asked_frame"] = ask["first_frame"]
        at["asked_last_ns"] = ask["last_ns"]
        at["asked_last_frame"] = ask["last_frame"]
    elif which == 2:
        at["asked"] = ask["failed"]
        at["asked_ns"] = ask["failed_ns"]
        at["asked_frame"] = ask["failed_frame"]
        at["asked_last_ns"] = ask["failed_last_ns"]
        at["asked_last_frame"] = ask["failed_last_frame"]


@loop
def hop_questions(ask: Record, said_ns: int, since_ns: int, at: Record) -> None:
    """Write which questions for the next hop stayed without an answer."""
    which = in_vain(ask, said_ns, since_ns)
    if which == 1:
        at["hop_asked"] = ask["count"]
        at["hop_asked_ns"] = ask["first_ns"]
        at["hop_asked_frame"] = ask["first_frame"]
        at["hop_asked_last_ns"] = ask["last_ns"]
        at["hop_asked_last_frame"] = ask["last_frame"]
    elif which == 2:
        at["hop_asked"] = ask["failed"]
        at["hop_asked_ns"] = ask["failed_ns"]
        at["hop_asked_frame"] = ask["failed_frame"]
        at["hop_asked_last_ns"] = ask["failed_last_ns"]
        at["hop_asked_last_frame"] = ask["failed_last_frame"]


@loop
def of_service(service: Record, since_ns: int, at: Record) -> None:
    """Write what an address and port answered to SYNs."""
    if service["refused_last_ns"] > since_ns:
        inside = service["refused_ns"] > since_ns
        at["refused_ns"] = service["refused_ns"] if inside else service["refused_last_ns"]
        at["refused_frame"] = service["refused_frame"] if inside else service["refused_last_frame"]
        at["refused_last_ns"] = service["refused_last_ns"]
        at["refused_last_frame"] = service["refused_last_frame"]
    if service["accepted_ns"] > since_ns:
        at["accepted_ns"] = service["accepted_ns"]
        at["accepted_frame"] = service["accepted_frame"]


ALIKE: Final = 8
"""The bit of ``place_of`` that says that both ends' addresses of IPv6 have one prefix of 64 bits."""
RENAMED: Final = 16
"""And that its station took another address after its last word, and no router had taken from its packets' TTL: it is
that end's own, under a new name.
"""


@loop
def may_be_own(hi: int, known: int) -> bool:
    """Say whether an address at an end's station may be that end's own second one: link-local, on one network."""
    return known & ALIKE > 0 and (hi >> 54) & 0x3FF == 0x3FA  # fe80::/10


@loop
def of_one_version(hi: int, own_hi: int) -> bool:
    """Say whether two addresses are both of IPv4, or both of IPv6: a station with both is no router for that."""
    return (hi == 0) == (own_hi == 0)


@loop
def is_undiminished(ttl: int) -> bool:
    """Say whether a TTL is one with which hosts send, so that no router has passed the packet on."""
    return ttl in (64, 128, 255)


@loop
def is_another_station(claim: Record, mac: int) -> bool:
    """Say whether an address is elsewhere than the station that brings an end's packets, and at no virtual router."""
    there = claim["mac"]
    if mac < 0 or there == mac:
        return False
    return not is_virtual(there)


@loop
def no_hop(at: Record) -> None:
    """Take back what was taken for the next hop."""
    at["place"] = 0
    at["hop_hi"] = 0
    at["hop_lo"] = 0


@loop
def place_of(claim: Record, station: Record, asker: Record, known: int, own_hi: int, own_lo: int, at: Record) -> None:
    """Write whether an end's station is its own, or which next hop is there.

    ``known`` has a bit for each of the three records that is one: what the end said by ARP, its station, and the other
    end's; and ALIKE and RENAMED.
    """
    if known & 1 and at["mac"] >= 0 and at["mac"] in (claim["mac"], claim["moved_from"]):
        at["place"] = OWN
        return
    named = known & 2 > 0 and station["owner_lo"] != 0
    other = station["owner_hi"] != own_hi or station["owner_lo"] != own_lo
    other = other and not may_be_own(station["owner_hi"], known)
    if at["moved_seen"] == 1 and not (named and other):
        # what is said by ARP is said on its own link
        at["place"] = OWN
        return
    if at["moved_seen"] == 1:
        # a router brought its segments: who says so on this link answers in its name (proxy ARP)
        at["moved_from"] = -1
        at["moved_to"] = -1
        at["moved_ns"] = 0
        at["moved_frame"] = 0
        at["moved_unasked"] = 0
        at["moved_seen"] = 0
    if known & 2:
        hi, lo = station["owner_hi"], station["owner_lo"]
        is_hop = lo != 0 and (hi != own_hi or lo != own_lo) and not may_be_own(hi, known)
        if is_hop and of_one_version(hi, own_hi):
            if known & RENAMED:
                at["place"] = OWN
                return
            at["place"] = HOP
            at["hop_hi"] = hi
            at["hop_lo"] = lo
            return
    if known & 4:
        hi, lo = asker["asks_hi"], asker["asks_lo"]
        if hi == own_hi and lo == own_lo:
            at["place"] = OWN
        elif lo != 0 and of_one_version(hi, own_hi) and not may_be_own(hi, known):
            at["place"] = TAKEN_FOR_HOP
            at["hop_hi"] = hi
            at["hop_lo"] = lo


@loop
def announced(flow: Record, side: int, slots: Numbers, news: Rows, keys: Numbers, at: Record) -> None:
    """Write what DHCP, LLDP and spanning tree announced that bears on one end, whose other testimony is written."""
    hi = flow["a_hi"] if side == 0 else flow["b_hi"]
    lo = flow["a_lo"] if side == 0 else flow["b_lo"]
    since_ns = at["since_ns"]
    word = whom(hi, lo)
    mac = at["mac"] if at["place"] == OWN else -1
    index = sought(slots, news, digest_of(flow["tag"], word, LEASED, keys), flow["tag"], word, LEASED)
    if index >= 0:
        lease = news[index]
        if lease["turns"] > 0 and lease["first_ns"] > flow["first_ns"]:
            at["leased_ns"], at["leased_frame"] = lease["first_ns"], lease["first_frame"]
            at["leased_to"], at["leased_from"] = lease["word"], lease["before_word"]
        elif mac < 0:
            mac = lease["word"]
    index = sought(slots, news, digest_of(flow["tag"], word, RETURNED, keys), flow["tag"], word, RETURNED)
    if index >= 0:
        at["back_ns"], at["back_frame"] = row_since(news[index], since_ns)
    if mac >= 0:
        index = sought(slots, news, digest_of(0, mac, STARTED, keys), 0, mac, STARTED)
        if index >= 0:
            at["anew_ns"], at["anew_frame"] = row_since(news[index], since_ns)
        index = sought(slots, news, digest_of(0, mac, GOT, keys), 0, mac, GOT)
        if index >= 0 and news[index]["word"] != word and news[index]["first_ns"] > since_ns:
            at["got_ns"], at["got_frame"] = news[index]["first_ns"], news[index]["first_frame"]
            at["got"] = news[index]["word"]
    index = sought(slots, news, digest_of(0, 0, TOPOLOGY, keys), 0, 0, TOPOLOGY)
    if index >= 0 and news[index]["last_ns"] > since_ns:
        at["changed_ns"], at["changed_frame"] = row_since(news[index], since_ns)
        at["changed_last_ns"], at["changed_last_frame"] = news[index]["last_ns"], news[index]["last_frame"]
    own = sought(slots, news, digest_of(0, mac, SHUT, keys), 0, mac, SHUT) if mac >= 0 else -1
    index = own if own >= 0 else sought(slots, news, digest_of(0, 0, SHUT, keys), 0, 0, SHUT)
    if index >= 0:
        at["shut_ns"], at["shut_frame"] = row_since(news[index], since_ns)
        at["shut_own"] = 1 if own >= 0 else 0
    index = sought(slots, news, digest_of(0, 0, PORTS, keys), 0, 0, PORTS)
    if index >= 0 and news[index]["turns"] == 1 and news[index]["first_ns"] > since_ns:
        at["port_ns"], at["port_frame"] = news[index]["first_ns"], news[index]["first_frame"]
