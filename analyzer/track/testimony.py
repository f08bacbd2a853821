"""``TESTIMONY``: what is known beside a flow about the end in question, since that was last heard in the flow.

Made of the tables of ``hosts`` when a flow leaves, for flows that somebody may ask about (``in_question``). Everything
has the frame that shows it.

It must not judge: not whether a host is dead, nor what ended the flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.reset import GAVE_UP
from analyzer.loops.loop import loop
from analyzer.track.attend import ANNOUNCED, LAST_FRAME, LAST_MAC, LAST_NS, OTHER_FRAME, OTHER_NS
from analyzer.track.hosts import OF_STATION, SERVED, TCP, clock_of, heard, whom
from analyzer.track.in_question import end_in_question, left_its_address
from analyzer.track.signs import (
    ALIKE,
    BESIDE_NS,
    HOP,
    RENAMED,
    TAKEN_FOR_HOP,
    announced,
    asked_for,
    hop_questions,
    is_another_station,
    is_undiminished,
    no_hop,
    of_asker,
    of_both,
    of_claim,
    of_host,
    of_service,
    of_station,
    place_of,
    questions,
)
from analyzer.track.subjects import digest_of, sought

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

TESTIMONY: Final = np.dtype(
    [
        ("flow", np.int64),  # number of the flow
        ("side", np.int64),  # the end that is meant
        ("since_ns", np.int64),  # when it was last heard in the flow, but by a RST
        ("slack_ns", np.int64),  # so long after that its host may have been heard without being noted
        ("known", np.int64),  # 1 if all that its host sent since is known
        # a frame of its address beside the flow, the first one known since; frame 0: none
        ("sign_ns", np.int64),
        ("sign_frame", np.int64),
        ("last_ns", np.int64),  # the last one
        ("last_frame", np.int64),
        ("last_what", np.int64),  # protocol of IP, -1 none
        ("longest_ns", np.int64),  # its host was never silent for longer
        ("gap_from_ns", np.int64),  # that was between these two; 0: it was silent for moments only
        ("gap_to_ns", np.int64),
        ("second_ns", np.int64),  # at any other time it was never silent for longer
        # the station that its segments came from
        ("mac", np.int64),  # -1 unknown
        ("place", np.int64),  # OWN, HOP or TAKEN_FOR_HOP, else 0: unknown
        ("hop_hi", np.int64),  # the address that is there, or that the asker takes for the next hop
        ("hop_lo", np.int64),
        ("station_ns", np.int64),  # a frame of the station since, the first one known; 0: none
        ("station_frame", np.int64),
        ("station_last_ns", np.int64),
        ("station_last_frame", np.int64),
        ("any_ns", np.int64),  # the last frame of any station but the other end's
        ("any_frame", np.int64),
        # who has it, asked by the other end's station since, without an answer
        ("asked", np.int64),
        ("asked_ns", np.int64),
        ("asked_frame", np.int64),
        ("asked_last_ns", np.int64),
        ("asked_last_frame", np.int64),
        ("said_ns", np.int64),  # the last time since that it said where it is
        ("said_frame", np.int64),
        # the same of the next hop
        ("hop_asked", np.int64),
        ("hop_asked_ns", np.int64),
        ("hop_asked_frame", np.int64),
        ("hop_asked_last_ns", np.int64),
        ("hop_asked_last_frame", np.int64),
        ("hop_said_ns", np.int64),
        ("hop_said_frame", np.int64),
        # its address was said to be at another station, since the flow began
        ("moved_from", np.int64),
        ("moved_to", np.int64),
        ("moved_ns", np.int64),
        ("moved_frame", np.int64),
        ("moved_unasked", np.int64),
        ("moved_seen", np.int64),  # 1 if only its segments showed where it was before
        # two stations said that they have its address at once: the one that last did, and the other; -1 none
        ("both_mac", np.int64),
        ("both_other", np.int64),
        ("both_ns", np.int64),  # when that showed first, and last
        ("both_frame", np.int64),
        ("both_before_frame", np.int64),
        ("both_last_ns", np.int64),
        ("both_last_frame", np.int64),
        ("asker_heard_ns", np.int64),  # the last frame of the other end's host, later than its last one in the flow
        ("asker_heard_frame", np.int64),  # 0: none
        # another station than its own said that it has the other end's address, while that still sent from its own
        ("asker_mac", np.int64),  # that other end's own station; -1 for none
        ("asker_other", np.int64),
        ("asker_ns", np.int64),  # when that showed first, and last
        ("asker_frame", np.int64),
        ("asker_last_ns", np.int64),
        ("asker_last_frame", np.int64),
        ("reset_mac", np.int64),  # the station that the RST came from that ended the flow, -1 unknown or none
        ("announced_ns", np.int64),  # it said unasked where it is, last, since
        ("announced_frame", np.int64),
        # its packets came by another station, or with another TTL, since the flow began
        ("mac_before", np.int64),
        ("mac_ns", np.int64),
        ("mac_frame", np.int64),
        ("mac_turns", np.int64),
        ("ttl", np.int64),
        ("ttl_before", np.int64),
        ("ttl_ns", np.int64),
        ("ttl_frame", np.int64),
        ("ttl_turns", np.int64),
        # what its address and port answered to SYNs since
        ("refused_ns", np.int64),
        ("refused_frame", np.int64),
        ("refused_last_ns", np.int64),
        ("refused_last_frame", np.int64),
        ("accepted_ns", np.int64),
        ("accepted_frame", np.int64),
        # its timestamp clock started anew since
        ("clock_ns", np.int64),
        ("clock_frame", np.int64),
        ("clock_agreed", np.int64),  # handshakes whose clocks agreed before
        ("kept_ns", np.int64),  # a handshake since whose clock goes on from one before; frame 0: none
        ("kept_frame", np.int64),
        # what DHCP, LLDP and spanning tree announced since; frame 0: nothing
        ("back_ns", np.int64),  # its host gave the address back
        ("back_frame", np.int64),
        ("leased_ns", np.int64),  # the address was given to another station, since the flow began
        ("leased_frame", np.int64),
        ("leased_to", np.int64),
        ("leased_from", np.int64),
        ("got_ns", np.int64),  # its station was given another address
        ("got_frame", np.int64),
        ("got", np.int64),  # that, from ``whom``
        ("anew_ns", np.int64),  # its station asked for an address as one does that has just started
        ("anew_frame", np.int64),
        ("changed_ns", np.int64),  # the topology of the bridges
        ("changed_frame", np.int64),
        ("changed_last_ns", np.int64),
        ("changed_last_frame", np.int64),
        ("shut_ns", np.int64),  # a port said that it goes down
        ("shut_frame", np.int64),
        ("shut_own", np.int64),  # 1 if it is its own station
        ("port_ns", np.int64),  # LLDP names another port than before
        ("port_frame", np.int64),
        # other flows of the asker that fell silent in the same moment, and the number of one of them
        ("silent", np.int64),  # 1 if the end in question left the other without an answer to the last
        ("shared_peer", np.int64),  # with the same host
        ("shared_peer_flow", np.int64),
        ("shared_other", np.int64),  # with other hosts
        ("shared_other_flow", np.int64),
        # other connections of the same service that were refused in the same while, and the number of one of them
        ("with_refused", np.int64),
        ("with_refused_flow", np.int64),
        ("refusing_from_ns", np.int64),  # the last time that any of them was heard before
        ("refusing_ns", np.int64),  # the first RST
        ("refusing_frame", np.int64),
        ("refusing_last_ns", np.int64),  # the last
        ("refusing_last_frame", np.int64),
        ("refusing_idle_ns", np.int64),  # the shortest silence of the service in any of them, before its RST
        ("fellow_ns", np.int64),  # the longest silence that another connection of the same hosts and service survived
        ("fellow_flow", np.int64),
        ("fellow_frame", np.int64),  # the frame that broke it
    ],
    align=True,
)


@loop
def bear(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one look at each table, and loops take positional arguments
    flow: Record,
    side: int,
    end: Record,
    peer: Record,
    heard_ns: int,
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
    clocks: Rows,
    registers: Numbers,
    keys: Numbers,
    at: Record,
) -> None:
    """Write what is known about one end of a flow; ``heard_ns`` is when it was last heard in it, -1 never."""
    hi = flow["a_hi"] if side == 0 else flow["b_hi"]
    lo = flow["a_lo"] if side == 0 else flow["b_lo"]
    port = flow["a_port"] if side == 0 else flow["b_port"]
    tag = flow["tag"]
    since_ns = heard_ns if heard_ns >= 0 else flow["first_ns"]
    mac = end["mac"] if end["segments"] > 0 else -1
    asker_mac = peer["mac"] if peer["segments"] > 0 else -1
    at["flow"] = flow["number"]
    at["side"] = side
    at["since_ns"] = since_ns
    at["mac"] = mac
    at["moved_from"] = -1
    at["moved_to"] = -1
    at["both_mac"] = -1
    at["both_other"] = -1
    at["asker_mac"] = -1
    at["asker_other"] = -1
    at["mac_before"] = -1
    at["ttl"] = -1
    at["ttl_before"] = -1
    digest = digest_of(hi, lo, tag, keys)
    known = 0
    index = sought(slots, hosts, digest, hi, lo, tag)
    if index >= 0:
        of_host(hosts[index], since_ns, flow["first_ns"], at)
    claim = sought(claim_slots, claims, digest, hi, lo, tag)
    said_ns = 0
    if claim >= 0:
        known += 1
        said_ns = claims[claim]["last_ns"]
        of_claim(claims[claim], since_ns, flow["first_ns"], at)
        of_both(claims[claim], flow["first_ns"], at)
    station = -1
    if mac >= 0:
        station = sought(station_slots, stations, digest_of(0, mac, OF_STATION, keys), 0, mac, OF_STATION)
        if station >= 0:
            known += 2
            of_station(stations[station], since_ns, at)
            owner_hi, owner_lo = stations[station]["owner_hi"], stations[station]["owner_lo"]
            owner = sought(claim_slots, claims, digest_of(owner_hi, owner_lo, tag, keys), owner_hi, owner_lo, tag)
            named = owner >= 0 and claims[owner]["mac"] == mac and claims[owner]["there_ns"] > since_ns
            if named and is_undiminished(at["ttl"]):
                known += RENAMED
    asker = -1
    asker_hi = flow["b_hi"] if side == 0 else flow["a_hi"]
    asker_lo = flow["b_lo"] if side == 0 else flow["a_lo"]
    digest = digest_of(asker_hi, asker_lo, tag, keys)
    index = sought(slots, hosts, digest, asker_hi, asker_lo, tag)
    if index >= 0 and peer["segments"] > 0 and hosts[index]["last_ns"] > peer["last_ns"] + BESIDE_NS:
        at["asker_heard_ns"] = hosts[index]["last_ns"]
        at["asker_heard_frame"] = hosts[index]["last_frame"]
    if asker_mac >= 0:
        owner = sought(claim_slots, claims, digest, asker_hi, asker_lo, tag)
        if owner >= 0:
            ttl = hosts[index]["ttl"] if index >= 0 else -1
            of_asker(claims[owner], asker_mac, ttl, flow["first_ns"], peer["last_ns"], at)
        digest = digest_of(0, asker_mac, OF_STATION, keys)
        asker = sought(station_slots, stations, digest, 0, asker_mac, OF_STATION)
        if asker >= 0:
            known += 4
        other = registers[LAST_MAC] == asker_mac
        any_ns = registers[OTHER_NS] if other else registers[LAST_NS]
        if any_ns > since_ns + BESIDE_NS:
            at["any_ns"] = any_ns
            at["any_frame"] = registers[OTHER_FRAME] if other else registers[LAST_FRAME]
    if flow["a_hi"] == flow["b_hi"] != 0:
        known += ALIKE
    place_of(claims[max(claim, 0)], stations[max(station, 0)], stations[max(asker, 0)], known, hi, lo, at)
    if asker_mac >= 0:
        ask = asked_for(ask_slots, asks, keys, asker_mac, hi, lo)
        if ask >= 0:
            questions(asks[ask], said_ns, since_ns, at)
        if at["place"] >= HOP:
            hop_hi, hop_lo = at["hop_hi"], at["hop_lo"]
            hop = sought(claim_slots, claims, digest_of(hop_hi, hop_lo, tag, keys), hop_hi, hop_lo, tag)
            if at["place"] == TAKEN_FOR_HOP and hop >= 0 and is_another_station(claims[hop], mac):
                no_hop(at)  # the other end asked for somebody else
            else:
                said_ns = claims[hop]["last_ns"] if hop >= 0 else 0
                if said_ns > since_ns:
                    at["hop_said_ns"] = said_ns
                    at["hop_said_frame"] = claims[hop]["last_frame"]
                ask = asked_for(ask_slots, asks, keys, asker_mac, hop_hi, hop_lo)
                if ask >= 0:
                    hop_questions(asks[ask], said_ns, since_ns, at)
    served = SERVED - port
    index = sought(service_slots, services, digest_of(hi, lo, served, keys), hi, lo, served)
    if index >= 0:
        of_service(services[index], since_ns, at)
    source = whom(hi, lo)
    target = whom(flow["b_hi"], flow["b_lo"]) if side == 0 else whom(flow["a_hi"], flow["a_lo"])
    clock = clocks[clock_of(source, target)]
    if clock["hi"] == source and clock["lo"] == target and clock["broke_ns"] > since_ns:
        at["clock_ns"] = clock["broke_ns"]
        at["clock_frame"] = clock["broke_frame"]
        at["clock_agreed"] = clock["agreed_before"]
    elif clock["hi"] == source and clock["lo"] == target and clock["first_ns"] <= since_ns < clock["last_ns"]:
        at["kept_ns"] = clock["last_ns"]
        at["kept_frame"] = clock["last_frame"]


@loop
def testify_beside(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    picked: Numbers,
    flows: Rows,
    a: Rows,
    b: Rows,
    ending: Rows,
    run_a: Rows,
    run_b: Rows,
    slack_ns: int,
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
    out: Rows,
) -> None:
    """Write a TESTIMONY record, of zeros before, for each of the flows at the indices ``picked``.

    ``flows``, ``a``, ``b``, ``ending``, ``run_a`` and ``run_b`` are columns of a FlowBatch; ``slack_ns`` is how long a
    host may have been heard without being noted.
    """
    for i in range(len(picked)):
        at = picked[i]
        side = end_in_question(a[at], b[at], ending[at], run_a[at], run_b[at])
        run = run_a[at] if side == 1 else run_b[at]
        if ending[at]["reset_row"] < 0 and run["probes"] > 0 and run["trailing"] == 0:
            # a prober whose probes ceased: the question is its own host's, if that has lost its address
            prober = a[at] if side == 1 else b[at]
            last_ns = ending[at]["heard_a_ns"] if side == 1 else ending[at]["heard_b_ns"]
            if left_its_address(flows[at], 1 - side, prober, last_ns, claim_slots, claims, keys):
                side = 1 - side
        end = a[at] if side == 0 else b[at]
        peer = b[at] if side == 0 else a[at]
        heard_ns = ending[at]["heard_a_ns"] if side == 0 else ending[at]["heard_b_ns"]
        out[i]["slack_ns"] = slack_ns
        out[i]["reset_mac"] = ending[at]["reset_mac"]
        out[i]["silent"] = 1 if ending[at]["reset_row"] < 0 or ending[at]["reset_kind"] == GAVE_UP else 0
        bear(
            flows[at], side, end, peer, heard_ns, slots, hosts, station_slots, stations, claim_slots, claims, ask_slots,
            asks, service_slots, services, clocks, registers, keys, out[i],
        )  # fmt: skip
        if registers[ANNOUNCED] > 0:
            announced(flows[at], side, news_slots, news, keys, out[i])


@loop
def recall(used: int, flows: Rows, ends: Rows, slots: Numbers, hosts: Rows, keys: Numbers) -> None:
    """Note when each end of the live flows was last heard, which ``observe`` does not name at once.

    ``used`` is how many FLOW records to look at; a host that was forgotten stays so.
    """
    for index in range(used):
        flow = flows[index]
        if flow["alive"] < 1:
            continue
        for side in range(2):
            end = ends[2 * index + side]
            if end["segments"] == 0:
                continue
            ts_ns, frame = end["active_ns"], end["active_frame"]
            if end["last_ns"] == flow["last_ns"]:
                ts_ns, frame = flow["last_ns"], flow["last_frame"]
            hi = flow["a_hi"] if side == 0 else flow["b_hi"]
            lo = flow["a_lo"] if side == 0 else flow["b_lo"]
            host = sought(slots, hosts, digest_of(hi, lo, flow["tag"], keys), hi, lo, flow["tag"])
            if host >= 0 and ts_ns > hosts[host]["last_ns"]:
                heard(hosts[host], ts_ns, frame, TCP)
