"""``attend``: the loop that hears of hosts: every segment, and every frame that is none.

It takes what ``observe`` notes of segments, and WITNESS rows, in the order of their frames, and keeps the tables of
``hosts``. Of segments not all are noted: of each end of each flow the first in about four seconds, and what answers a
SYN. A RST is no sign of life of the host in whose name it came: a box may have sent it.

It must not know flows, or judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import fetch, lines_of, loop, prefetch
from analyzer.segment import ABSENT, ASKS, LINK, NO_NEWS, SAYS, SIGN
from analyzer.track.flow import likely
from analyzer.track.hosts import (
    ASKED,
    CLOCK_FASTEST_NS,
    CLOCK_SLACK,
    HOST,
    NO_IP,
    OF_STATION,
    REFUSED,
    SERVED,
    SYN_AGAIN_NS,
    TCP,
    clock_of,
    heard,
    is_virtual,
    new_host,
    new_station,
    whom,
)
from analyzer.track.news import note_news, note_of_station
from analyzer.track.subjects import digest_of, entered, sought

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

# Positions in the registers: how many records of each table are used, and what else is counted.
HOSTS: Final = 0
STATIONS: Final = 1
CLAIMS: Final = 2
QUESTIONS: Final = 3
SERVICES: Final = 4
ANNOUNCED: Final = 5
LAST_MAC: Final = 6  # the station heard last, and when
LAST_NS: Final = 7
LAST_FRAME: Final = 8
OTHER_MAC: Final = 9  # the station heard last that is not that one
OTHER_NS: Final = 10
OTHER_FRAME: Final = 11
REGISTERS: Final = 12

ONE_MOMENT_NS: Final = 10_000_000
"""No address moves from one station that says that it has it to another that does in so short a time."""
ONE_QUESTION_NS: Final = 100_000_000
"""Answers of two stations within this time answer one question: nobody asks again so soon (RFC 1122 2.3.2.1)."""
IN_TURN_NS: Final = 10_000_000_000
"""Who had an address, and says so again so soon after another one did, had not given it up (RFC 5227 2.4)."""
NOT_GIVEN_UP_NS: Final = 600_000_000_000
"""The same of who only answers for it, and announces nothing: the next to ask comes no later, with most systems."""

ETHERTYPES: Final = 256
"""Numbers from here on are none of a protocol of IP."""
HOST_LINES: Final = lines_of(HOST)
NEAR: Final = 6
FAR: Final = 12
RING: Final = 32
"""Rows ahead of which a host's record is fetched, and its slot; a power of two above twice that."""


@loop
def host_of(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    slots: Numbers, hosts: Rows, registers: Numbers, digest: int, hi: int, lo: int, tag: int, ts_ns: int, frame: int,
    mac: int,
) -> int:  # fmt: skip
    """Return the index of a host, which may be new."""
    index = entered(slots, hosts, registers, HOSTS, digest, hi, lo, tag)
    if index >= 0:
        return index
    index = -1 - index
    new_host(hosts[index], ts_ns, frame, mac)
    return index


@loop
def station_of(
    slots: Numbers, stations: Rows, registers: Numbers, keys: Numbers, mac: int, ts_ns: int, frame: int
) -> int:
    """Return the index of a station, which may be new."""
    index = entered(slots, stations, registers, STATIONS, digest_of(0, mac, OF_STATION, keys), 0, mac, OF_STATION)
    if index >= 0:
        return index
    index = -1 - index
    new_station(stations[index], ts_ns, frame)
    return index


@loop
def note_station(host: Record, mac: int, ts_ns: int, frame: int) -> None:
    """Note from which station a host's packet came."""
    if host["mac"] != mac:
        if host["mac"] >= 0:
            host["mac_before"] = host["mac"]
            host["mac_ns"] = ts_ns
            host["mac_frame"] = frame
            host["mac_turns"] += 1
        host["mac"] = mac


@loop
def note_ttl(host: Record, ttl: int, ts_ns: int, frame: int) -> None:
    """Note the TTL of a host's segment."""
    if host["ttl"] != ttl:
        if host["ttl"] >= 0:
            host["ttl_before"] = host["ttl"]
            host["ttl_ns"] = ts_ns
            host["ttl_frame"] = frame
            host["ttl_turns"] += 1
        host["ttl"] = ttl


@loop
def have_it_at_once(claim: Record, other: Record) -> bool:
    """Say whether two stations have an address at once: that of a claim, and another that says so now.

    Both answer one question; or they say so in one moment; or the one that had said so before comes back to it at once.
    An address that moves is said to be at the new station, and the old one says no more.
    """
    passed_ns = other["ts_ns"] - claim["last_ns"]
    if is_virtual(claim["mac"]) or is_virtual(other["said_mac"]) or passed_ns < 0:
        return False
    answers = claim["answers"] == 1 and other["kind"] == SAYS and other["unasked"] == 0
    returns = claim["moved_from"] == other["said_mac"]
    if returns:
        # who takes an address back announces that; who only answers for it had it all the time
        return passed_ns <= (IN_TURN_NS if other["kind"] != SAYS or other["unasked"] == 1 else NOT_GIVEN_UP_NS)
    return passed_ns <= (ONE_QUESTION_NS if answers else ONE_MOMENT_NS)


@loop
def note_both(claim: Record, other: Record) -> None:
    """Note that the station of a claim and another one have its address at once."""
    if claim["both_mac"] < 0:
        claim["both_ns"] = other["ts_ns"]
        claim["both_frame"] = other["frame"]
        claim["both_before_frame"] = claim["last_frame"]
    claim["both_mac"] = claim["mac"]
    claim["both_last_ns"] = other["ts_ns"]
    claim["both_last_frame"] = other["frame"]


@loop
def note_said(
    slots: Numbers, claims: Rows, registers: Numbers, digest: int, hi: int, lo: int, tag: int, other: Record
) -> None:
    """Note where ARP or neighbour discovery says that an address is."""
    mac = other["said_mac"]
    index = entered(slots, claims, registers, CLAIMS, digest, hi, lo, tag)
    claim = claims[index if index >= 0 else -1 - index]
    if index < 0:
        claim["moved_from"] = -1
        claim["moved_ns"] = 0
        claim["moved_frame"] = 0
        claim["moved_unasked"] = 0
        claim["announced_ns"] = 0
        claim["announced_frame"] = 0
        claim["both_mac"] = -1
        claim["both_ns"] = 0
        claim["both_frame"] = 0
        claim["both_before_frame"] = 0
        claim["both_last_ns"] = 0
        claim["both_last_frame"] = 0
    elif claim["mac"] != mac:
        if have_it_at_once(claim, other):
            note_both(claim, other)
        claim["moved_from"] = claim["mac"]
        claim["moved_ns"] = other["ts_ns"]
        claim["moved_frame"] = other["frame"]
        claim["moved_unasked"] = other["unasked"]
    if index < 0 or claim["mac"] != mac:
        claim["there_ns"] = other["ts_ns"]
        claim["there_frame"] = other["frame"]
        claim["there_unasked"] = other["unasked"]
    if other["unasked"] == 1:
        claim["announced_ns"] = other["ts_ns"]
        claim["announced_frame"] = other["frame"]
    claim["mac"] = mac
    claim["answers"] = 1 if other["kind"] == SAYS and other["unasked"] == 0 else 0
    claim["last_ns"] = other["ts_ns"]
    claim["last_frame"] = other["frame"]


@loop
def note_question(ask: Record, said_ns: int, ts_ns: int, frame: int) -> None:
    """Note that a station asks for an address; ``said_ns`` is when that last said where it is."""
    if ask["count"] > 0 and said_ns >= ask["first_ns"]:
        if ask["count"] > 1:
            ask["failed"] = ask["count"]
            ask["failed_ns"] = ask["first_ns"]
            ask["failed_frame"] = ask["first_frame"]
            ask["failed_last_ns"] = ask["last_ns"]
            ask["failed_last_frame"] = ask["last_frame"]
        ask["count"] = 0
    if ask["count"] == 0:
        ask["first_ns"] = ts_ns
        ask["first_frame"] = frame
    ask["count"] += 1
    ask["last_ns"] = ts_ns
    ask["last_frame"] = frame


@loop
def note_handshake(note: Record, service_slots: Numbers, services: Rows, registers: Numbers, keys: Numbers) -> None:
    """Note what the answer to a SYN says of a service."""
    ts_ns = note["ts_ns"]
    hi, lo, tag = note["hi"], note["lo"], SERVED - note["port"]
    index = entered(service_slots, services, registers, SERVICES, digest_of(hi, lo, tag, keys), hi, lo, tag)
    service = services[index if index >= 0 else -1 - index]
    if index < 0:
        service["accepted_ns"] = 0
        service["accepted_frame"] = 0
        service["refused_ns"] = 0
        service["refused_frame"] = 0
        service["refused_last_ns"] = 0
        service["refused_last_frame"] = 0
    service["last_ns"] = ts_ns
    if note["what"] == REFUSED:
        if service["refused_ns"] == 0 or service["accepted_ns"] > service["refused_last_ns"]:
            service["refused_ns"] = ts_ns
            service["refused_frame"] = note["frame"]
        service["refused_last_ns"] = ts_ns
        service["refused_last_frame"] = note["frame"]
        return
    service["accepted_ns"] = ts_ns
    service["accepted_frame"] = note["frame"]


@loop
def note_clock(note: Record, clocks: Rows) -> None:
    """Note what a SYN says of its sender's clock.

    One with ACK may show that it started anew. One without only shows that it went on: behind one address that opens
    connections there may be many hosts (NAT). One that is sent again is of the same handshake, and says nothing new: a
    kernel may give each connection a clock of its own.
    """
    ts_ns = note["ts_ns"]
    hi, lo = whom(note["hi"], note["lo"]), whom(note["dst_hi"], note["dst_lo"])
    clock = clocks[clock_of(hi, lo)]
    known = clock["hi"] == hi and clock["lo"] == lo
    if known and clock["ports"] == note["ports"] and ts_ns - clock["last_ns"] < SYN_AGAIN_NS:
        return
    ticks = (note["tsval"] - clock["tsval"]) & 0xFFFFFFFF
    if known and ticks <= (ts_ns - clock["last_ns"]) // CLOCK_FASTEST_NS + CLOCK_SLACK:
        clock["agreed"] += 1
    else:
        if known and note["port"] > 0:
            clock["agreed_before"] = clock["agreed"]
            clock["broke_ns"] = ts_ns
            clock["broke_frame"] = note["frame"]
        else:
            clock["hi"] = hi
            clock["lo"] = lo
            clock["agreed_before"] = 0
            clock["broke_ns"] = 0
            clock["broke_frame"] = 0
        clock["agreed"] = 0
        clock["first_ns"] = ts_ns
    clock["tsval"] = note["tsval"]
    clock["ports"] = note["ports"]
    clock["last_ns"] = ts_ns
    clock["last_frame"] = note["frame"]


@loop
def note_other(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    other: Record,
    slots: Numbers,
    hosts: Rows,
    station_slots: Numbers,
    stations: Rows,
    claim_slots: Numbers,
    claims: Rows,
    ask_slots: Numbers,
    asks: Rows,
    news_slots: Numbers,
    news: Rows,
    registers: Numbers,
    keys: Numbers,
) -> None:
    """Note a frame that is no segment."""
    kind = other["kind"]
    ts_ns, frame, tag = other["ts_ns"], other["frame"], other["tag"]
    hi, lo = other["src_hi"], other["src_lo"]
    mac = other["src_mac"]
    what = other["protocol"] if other["protocol"] < ETHERTYPES else NO_IP
    station = -1
    if mac != ABSENT:
        station = station_of(station_slots, stations, registers, keys, mac, ts_ns, frame)
        heard_at(registers, mac, ts_ns, frame)
        heard(stations[station], ts_ns, frame, what)
    if kind != LINK and (hi != 0 or lo != 0):
        digest = digest_of(hi, lo, tag, keys)
        host = hosts[host_of(slots, hosts, registers, digest, hi, lo, tag, ts_ns, frame, mac)]
        heard(host, ts_ns, frame, what)
        if other["said_mac"] != ABSENT:
            note_said(claim_slots, claims, registers, digest, hi, lo, tag, other)
            if station >= 0 and other["said_mac"] == mac:
                stations[station]["owner_hi"] = hi
                stations[station]["owner_lo"] = lo
        elif kind == SIGN:
            note_station(host, mac, ts_ns, frame)
    if kind == ASKS and station >= 0:
        hi, lo = other["dst_hi"], other["dst_lo"]
        index = sought(claim_slots, claims, digest_of(hi, lo, tag, keys), hi, lo, tag)
        said_ns = claims[index]["last_ns"] if index >= 0 else 0
        stations[station]["asks_hi"] = hi
        stations[station]["asks_lo"] = lo
        word = whom(hi, lo)
        index = entered(ask_slots, asks, registers, QUESTIONS, digest_of(mac, word, ASKED, keys), mac, word, ASKED)
        ask = asks[index if index >= 0 else -1 - index]
        if index < 0:
            ask["count"] = 0
            ask["failed"] = 0
        note_question(ask, said_ns, ts_ns, frame)
    if other["news"] != NO_NEWS:
        note_news(news_slots, news, registers, ANNOUNCED, keys, other)
        note_of_station(news_slots, news, registers, ANNOUNCED, keys, other)


@loop
def hash_ahead(note: Record, i: int, slots: Numbers, digests: Numbers, keys: Numbers) -> None:
    """Hash the sender of a segment, and have the processor fetch its slot."""
    digest = digest_of(note["hi"], note["lo"], note["tag"], keys)
    digests[i % RING] = digest
    prefetch(slots, digest & (len(slots) - 1), 0)


@loop
def attend(  # noqa: C901, PLR0912, PLR0913, PLR0917 - loops take positional arguments
    notes: Rows,
    count: int,
    others: Rows,
    more: int,
    slots: Numbers,
    hosts: Rows,
    station_slots: Numbers,
    stations: Rows,
    claim_slots: Numbers,
    claims: Rows,
    ask_slots: Numbers,
    asks: Rows,
    service_slots: Numbers,
    services: Rows,
    news_slots: Numbers,
    news: Rows,
    clocks: Rows,
    registers: Numbers,
    keys: Numbers,
    digests: Numbers,
) -> None:
    """Take ``count`` NOTE records and ``more`` WITNESS rows in the order of frames.

    The caller has made room for a record of each in each table. ``digests`` is room for RING numbers.
    """
    near_mac, near = ABSENT, -1
    far_mac, far = ABSENT, -1
    at = 0
    for i in range(min(FAR, count)):
        hash_ahead(notes[i], i, slots, digests, keys)
    for i in range(count + 1):
        before = notes[i]["frame"] if i < count else 0x7FFFFFFFFFFFFFFF
        while at < more and others[at]["frame"] < before:
            note_other(
                others[at], slots, hosts, station_slots, stations, claim_slots, claims, ask_slots, asks, news_slots,
                news, registers, keys,
            )  # fmt: skip
            at += 1
        if i == count:
            break
        if i + FAR < count:
            hash_ahead(notes[i + FAR], i + FAR, slots, digests, keys)
        if i + NEAR < count:
            index = likely(slots, digests[(i + NEAR) % RING])
            if index >= 0:
                fetch(hosts, index, HOST_LINES)
        note = notes[i]
        what = note["what"]
        if note["port"] > 0:
            note_handshake(note, service_slots, services, registers, keys)
        if note["tsval"] >= 0:
            note_clock(note, clocks)
        if what == REFUSED:
            continue
        mac = note["mac"]
        ts_ns = note["ts_ns"]
        frame = note["frame"]
        if mac != ABSENT:
            if mac == far_mac:
                far_mac, far, near_mac, near = near_mac, near, far_mac, far
            elif mac != near_mac:
                station = station_of(station_slots, stations, registers, keys, mac, ts_ns, frame)
                far_mac, far, near_mac, near = near_mac, near, mac, station
            heard_at(registers, mac, ts_ns, frame)
            heard(stations[near], ts_ns, frame, what)
            stations[near]["has_tcp"] = 1
        hi, lo, tag = note["hi"], note["lo"], note["tag"]
        index = entered(slots, hosts, registers, HOSTS, digests[i % RING], hi, lo, tag)
        host = hosts[index if index >= 0 else -1 - index]
        if index < 0:
            new_host(host, ts_ns, frame, mac)
        heard(host, ts_ns, frame, what)
        note_station(host, mac, ts_ns, frame)
        if what == TCP:
            note_ttl(host, note["ttl"], ts_ns, frame)


@loop
def heard_at(registers: Numbers, mac: int, ts_ns: int, frame: int) -> None:
    """Note which station was heard last, and which other before it."""
    if registers[LAST_MAC] != mac:
        registers[OTHER_MAC] = registers[LAST_MAC]
        registers[OTHER_NS] = registers[LAST_NS]
        registers[OTHER_FRAME] = registers[LAST_FRAME]
        registers[LAST_MAC] = mac
    registers[LAST_NS] = ts_ns
    registers[LAST_FRAME] = frame
