"""What a witness says, in a sentence: with the names of machines, and when, counted from the flow's last packet.

It must not decide what a witness means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.events import REDIRECTS
from analyzer.words.icmp import fitting, icmp_text, sent_to
from analyzer.words.model import Line
from analyzer.words.teller import capital, count, duration, setting, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.judge.judged import JudgedFlow, Witness
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

QUOTES: Final = {
    "probe": "quoting a probe",
    "data": "quoting data",
    "reset": "quoting the RST",
    "segment": "quoting a segment",
    "": "quoting nothing that had been sent: perhaps forged",
}
CARRIED: Final = {6: "TCP", 17: "UDP", 1: "ICMP", 58: "ICMPv6", 2: "IGMP", -1: "ARP or another frame of the link"}


def number(witness: Witness, key: str) -> int:
    """Return a number of a witness's data, 0 if it is not there."""
    value = witness.data.get(key, 0)
    return value if isinstance(value, int) else 0


def text(witness: Witness, key: str) -> str:
    """Return a text of a witness's data."""
    return str(witness.data.get(key, ""))


def shows_life(judged: JudgedFlow) -> bool:
    """Say whether something beside the flow shows that the silent end's host was there meanwhile."""
    signs = [witness for witness in judged.witnesses if witness.kind == "life_sign"]
    own = [w for w in signs if w.says == "station" and number(w, "own") and not number(w, "before")]
    return bool(own) or any(w.says in {"heard", "throughout"} for w in signs)


def _icmp(t: Teller, w: Witness) -> str:
    what = icmp_text(number(w, "version"), number(w, "type"), number(w, "code")) + fitting(number(w, "mtu"))
    to = t.the("a" if text(w, "to") == "a" else "b")
    if (number(w, "version"), number(w, "type")) in REDIRECTS:
        again = f", {times(number(w, 'count'))}" if number(w, "count") > 1 else ""
        where = sent_to(text(w, "router"), t.the("b" if text(w, "to") == "a" else "a"))
        return (
            f"{text(w, 'sender')} told {to} at {t.at(w.ts_ns)}{again} to send {where} (ICMP {what},"
            f" {QUOTES[text(w, 'quotes')]}): what follows may go another way."
        )
    if w.data.get("whence") == "nearer":
        return (
            f"{count(number(w, 'count'), 'ICMP error')} to {to} bear the address {text(w, 'sender')}, but came sooner"
            f" than anything from there can: {what}, {QUOTES[text(w, 'quotes')]}."
        )
    return (
        f"{text(w, 'sender')} sent {to} {count(number(w, 'count'), 'ICMP error')}: {what}, {QUOTES[text(w, 'quotes')]}."
    )


def _more_icmp(t: Teller, w: Witness) -> str:
    del t
    return (
        f"{count(number(w, 'count'), 'more ICMP error')} of {count(number(w, 'senders'), 'sender')} quote this"
        " connection, too: anybody may send such."
    )


def _asking(w: Witness) -> str:
    return "ARP" if w.kind == "arp" else "neighbour discovery"


def _unanswered(t: Teller, w: Witness) -> str:
    """Return who asked for whom in vain, when, and whether it had given up by then."""
    lasted = number(w, "lasted_ns")
    when = f"from {t.at(w.ts_ns)} to {t.at(w.ts_ns + lasted)}" if lasted else f"at {t.at(w.ts_ns)}"
    asker: Side = "b" if text(w, "of") == "a" else "a"
    reset = t.reset
    gone = reset is not None and reset.sender == asker and reset.ts_ns < w.ts_ns
    return (
        f"{t.start(asker)}'s station asked {times(number(w, 'count'))} for {text(w, 'address')} by {_asking(w)},"
        f" {when}{', after its RST' if gone else ''}, and nobody answered."
    )


def _answered(t: Teller, w: Witness) -> str:
    if w.about == "path":
        return f"The next hop {text(w, 'address')} was heard by {_asking(w)} at {t.at(w.ts_ns)}: the link to it works."
    return f"{text(w, 'address')} was heard by {_asking(w)} at {t.at(w.ts_ns)}: its host is alive on this link."


def _answered_elsewhere(t: Teller, w: Witness) -> str:
    return (
        f"{text(w, 'address')} was heard by {_asking(w)} at {t.at(w.ts_ns)}, from the machine that has the address by"
        " then: that says nothing of the one that had it."
    )


def moved_away(t: Teller) -> list[Witness]:
    """Return what says that an end's address went to another machine after the last packet of the connection."""
    return [each for each in t.judged.witnesses if each.says == "moved" and each.ts_ns > t.record.last_ns]


def _moved(t: Teller, w: Witness) -> str:
    how = ", unprompted," if number(w, "unasked") else ""
    if "seen" in w.data:
        return (
            f"{capital(_asking(w))} said at {t.at(w.ts_ns)}{how} that {text(w, 'address')} is at {text(w, 'to_mac')};"
            f" its packets here had come from {text(w, 'from_mac')}."
        )
    return (
        f"{capital(_asking(w))} said at {t.at(w.ts_ns)}{how} that {text(w, 'address')} is at {text(w, 'to_mac')},"
        f" which was at {text(w, 'from_mac')} before."
    )


def _both(t: Teller, w: Witness) -> str:
    lasted = number(w, "lasted_ns")
    again = f", and again up to {t.at(w.ts_ns + lasted)}" if lasted else ""
    return (
        f"{capital(_asking(w))} said at {t.at(w.ts_ns)}{again} that {text(w, 'address')} is at two stations at once:"
        f" {text(w, 'mac')} and {text(w, 'other_mac')}."
    )


def _claimed(t: Teller, w: Witness) -> str:
    lasted = number(w, "lasted_ns")
    again = f", and again up to {t.at(w.ts_ns + lasted)}" if lasted else ""
    return (
        f"{capital(_asking(w))} said at {t.at(w.ts_ns)}{again} that {text(w, 'address')}, which is"
        f" {t.the('a' if w.about == 'a' else 'b')}'s own address, is at {text(w, 'mac')}; its packets here come from"
        f" {text(w, 'own_mac')}."
    )


def _announced(t: Teller, w: Witness) -> str:
    return (
        f"{text(w, 'address')} announced itself by {_asking(w)} at {t.at(w.ts_ns)}, as an interface does that comes up."
    )


def _heard(t: Teller, w: Witness) -> str:
    what = CARRIED.get(number(w, "what"), f"IP protocol {number(w, 'what')}")
    first, last = duration(number(w, "after_ns")), duration(number(w, "last_after_ns"))
    when = f"from {first} to {last}" if first != last else first
    del t
    return f"{text(w, 'address')} was heard outside this flow {when} after its last packet here ({what})."


def _heard_before(t: Teller, w: Witness) -> str:
    nothing = " Nothing of it was captured since." if number(w, "whole") else ""
    return (
        f"{text(w, 'address')} was last heard outside this flow at {t.at(w.ts_ns)}, before an answer was due: the first"
        f" packet that stayed unanswered was sent at {t.at(number(w, 'asked_ns'))}.{nothing}"
    )


def _heard_elsewhere(t: Teller, w: Witness) -> str:
    del t
    what = CARRIED.get(number(w, "what"), f"IP protocol {number(w, 'what')}")
    return (
        f"{text(w, 'address')} was heard outside this flow {duration(number(w, 'after_ns'))} after its last packet here"
        f" ({what}), when another machine had that address: no sign of the one that held the connection."
    )


def _heard_unclear(t: Teller, w: Witness) -> str:
    del t
    what = CARRIED.get(number(w, "what"), f"IP protocol {number(w, 'what')}")
    return (
        f"{text(w, 'address')} was heard outside this flow {duration(number(w, 'after_ns'))} after its last packet here"
        f" ({what}), when two stations claimed that address: need be no sign of the one that held the connection."
    )


def _throughout(t: Teller, w: Witness) -> str:
    del t
    longest = duration(number(w, "longest_ns"))
    silent = f"never silent for longer than {longest}"
    if "second_ns" in w.data:
        other = duration(number(w, "second_ns"))
        silent = f"silent for {longest} once, but not while it was asked in vain, and otherwise for {other} at most"
    return (
        f"{text(w, 'address')} was heard outside this flow all the time: {silent}, and heard up to"
        f" {duration(number(w, 'last_after_ns'))} after its last packet here."
    )


def _heard_later(t: Teller, w: Witness) -> str:
    if not t.ending.verdict.is_reset:
        return (
            f"{text(w, 'address')} was heard again at {t.at(w.ts_ns)}, after the last packet that stayed unanswered:"
            " that it was alive before does not show by this."
        )
    return f"{text(w, 'address')} was heard again at {t.at(w.ts_ns)}, when this flow was over."


def _unheard(t: Teller, w: Witness) -> str:
    slack_ns = number(w, "slack_ns")
    early = f" (one that came within {setting(slack_ns)} is not counted)" if slack_ns else ""
    what = "that the capture's filter lets pass" if number(w, "filtered") else "of any kind"
    resets = sum(
        reset.ts_ns > w.ts_ns and t.record.endpoint(reset.sender).address == w.data["address"]
        for reset in t.record.resets
    )
    but = {0: "", 1: ", but for a RST of this connection"}.get(resets, ", but for RSTs of this connection")
    return (
        f"{text(w, 'address')} fell silent: its last segment here came at {t.at(w.ts_ns)}, and since then no frame"
        f" {what} came from it{but}{early}.{_if_only_tcp(w)}"
    )


def _if_only_tcp(w: Witness) -> str:
    """Return how little a silence means where a capture may have nothing but TCP in it, and does not say so."""
    if number(w, "filtered") or not number(w, "link_unseen"):
        return ""
    return " That says little if nothing but TCP was captured: no ARP or neighbour discovery for it is here."


def _only_resets(t: Teller, w: Witness) -> str:
    return (
        f"Nothing but RSTs came in the name of {text(w, 'address')} after its last segment here ({t.at(w.ts_ns)}), and"
        " a box on the way may have sent those."
    )


def _station(t: Teller, w: Witness) -> str:
    del t
    whose = f"the next hop {text(w, 'hop')}" if text(w, "hop") else "the station that brought its packets"
    whose = "a frame from its own MAC address" if number(w, "own") else whose
    after = f"{duration(number(w, 'after_ns'))} after the last segment of {text(w, 'address')} here"
    return f"{capital(whose)} ({text(w, 'mac')}) was heard {after}."


def _alike(t: Teller, w: Witness) -> str:
    del t
    own = f"the other packets of {text(w, 'address')}"
    low, high = number(w, "low"), number(w, "high")
    if not low <= number(w, "ttl") <= high:
        theirs = str(low) if low == high else f"{low} to {high}"
        station = " and the MAC address of that host, which is on this link" if number(w, "on_link") else ""
        return (
            f"The RST came with TTL {number(w, 'ttl')}{station}; {own} in this flow have TTL {theirs}. Many kernels"
            " send a RST for a connection that they do not know with a TTL of its own, so that alone proves nothing;"
            " nothing else about the RST is strange."
        )
    if number(w, "on_link"):
        return (
            f"The RST has the MAC address and the TTL ({number(w, 'ttl')}) of {own}; that host is on this link, so"
            " most likely no router or NAT is between."
        )
    return f"The RST came with the TTL ({number(w, 'ttl')}) of {own}, and nothing else about it is strange."


def _unlike(t: Teller, w: Witness) -> str:
    del t
    names = {"ttl": "TTL", "mac": "MAC address", "ip_id": "IP ID"}
    whats = " and ".join(names.get(each, each) for each in text(w, "strange").split())
    return f"The RST differs from the other packets of {text(w, 'address')} in {whats}."


def _same_host(t: Teller, w: Witness) -> str:
    del t
    others = count(number(w, "flows"), "other flow")
    return f"{others} with {text(w, 'address')} fell silent in the same moment ({_among(w)})."


def _other_hosts(t: Teller, w: Witness) -> str:
    del t
    flows = count(number(w, "flows"), "flow")
    return f"{flows} with other hosts fell silent in the same moment ({_among(w)})."


def _among(w: Witness) -> str:
    """Return the one flow of several that is known by its number."""
    return f"{'one is ' if number(w, 'flows') > 1 else ''}flow {number(w, 'flow')}"


def _refused(t: Teller, w: Witness) -> str:
    return f"{text(w, 'service')} refused a new connection at {t.at(w.ts_ns)}."


def _accepted(t: Teller, w: Witness) -> str:
    return f"{text(w, 'service')} accepted a new connection at {t.at(w.ts_ns)}."


def _whose(t: Teller, w: Witness) -> str:
    """Return the end that a witness is about, as whose something is, for the start of a sentence."""
    return f"{t.start('a' if w.about == 'a' else 'b')}'s"


def _restarted(t: Teller, w: Witness) -> str:
    before = count(number(w, "agreed") + 1, "handshake")
    return f"{_whose(t, w)} timestamp clock started anew by {t.at(w.ts_ns)}: {before} before agreed with each other."


def _went_on(t: Teller, w: Witness) -> str:
    return (
        f"In a handshake at {t.at(w.ts_ns)} the timestamp clock of {text(w, 'address')} goes on from before: its host"
        " has not restarted since."
    )


def _ttl(t: Teller, w: Witness) -> str:
    after, before = number(w, "after"), number(w, "before")
    return f"{_whose(t, w)} packets come with TTL {after} from {t.at(w.ts_ns)} on; before, with {before}."


def _other_station(t: Teller, w: Witness) -> str:
    return f"{_whose(t, w)} packets come from another MAC address than {text(w, 'before')} from {t.at(w.ts_ns)} on."


def _given_back(t: Teller, w: Witness) -> str:
    return f"The host of {text(w, 'address')} gave that address back (DHCP RELEASE) at {t.at(w.ts_ns)}."


def _leased(t: Teller, w: Witness) -> str:
    return (
        f"DHCP gave {text(w, 'address')} to {text(w, 'to_mac')} at {t.at(w.ts_ns)}; before, {text(w, 'from_mac')} had"
        " it."
    )


def _other_address(t: Teller, w: Witness) -> str:
    new = text(w, "new") or "another address"
    return f"DHCP gave the host of {text(w, 'address')} {new} instead at {t.at(w.ts_ns)}."


def _asked_anew(t: Teller, w: Witness) -> str:
    return (
        f"The host of {text(w, 'address')} asked DHCP for an address anew at {t.at(w.ts_ns)}, as a host does that has"
        " just started, or whose link came up."
    )


def _topology(t: Teller, w: Witness) -> str:
    lasted = number(w, "lasted_ns")
    on = f" and for {duration(lasted)}" if lasted else ""
    return (
        f"Spanning tree told of a change of topology at {t.at(w.ts_ns)}{on}: a link between switches went down or came"
        " up."
    )


def _port_shut(t: Teller, w: Witness) -> str:
    whose = f"The host of {text(w, 'address')}" if number(w, "own") else "A port on this link"
    return f"{whose} said by LLDP at {t.at(w.ts_ns)} that its port goes down."


def _other_port(t: Teller, w: Witness) -> str:
    return f"LLDP names another port of a switch from {t.at(w.ts_ns)} on: a cable, or a virtual machine, was moved."


def _dropped(t: Teller, w: Witness) -> str:
    del t
    return f"{count(number(w, 'packets'), 'packet')} were dropped while capturing: an answer may be among them."


def _filtered(t: Teller, w: Witness) -> str:
    del t
    whats = {"arp": "ARP, neighbour discovery", "icmp": "ICMP errors", "others": "other traffic of the hosts"}
    lacking, unsure = ([what for key, what in whats.items() if text(w, key) == word] for word in ("no", "perhaps"))
    head = f"The capture was filtered to '{text(w, 'filter')}'"
    if lacking:
        return f"{head}: it cannot contain {_or(lacking)}. That there is none in it proves nothing."
    return f"{head}: it may not contain {_or(unsure)}. That there is none in it proves little."


def _or(whats: list[str]) -> str:
    """Return things as a list that ends with ``or``."""
    *before, last = ", ".join(whats).split(", ")
    return f"{', '.join(before)} or {last}" if before else last


def _failed(t: Teller, w: Witness) -> str:
    hop = f"the next hop {text(w, 'gateway')}" if text(w, "gateway") else text(w, "address")
    at = f"neighbour table of this host ({text(w, 'interface')})"
    return f"From {t.at(w.ts_ns)} on, {hop} was {text(w, 'state')} in the {at}: nobody answers for it on the link."


def _back(t: Teller, w: Witness) -> str:
    hop = f"The next hop {text(w, 'gateway')}" if text(w, "gateway") else text(w, "address")
    return f"{hop} was {text(w, 'state') or 'known'} again in this host's neighbour table at {t.at(w.ts_ns)}."


def _no_route(t: Teller, w: Witness) -> str:
    return f"From {t.at(w.ts_ns)} on, this host had no route to {text(w, 'address')}."


def _routed(t: Teller, w: Witness) -> str:
    return f"This host had a route to {text(w, 'address')} again at {t.at(w.ts_ns)} ({text(w, 'interface')})."


def _down(t: Teller, w: Witness) -> str:
    return f"The captured interface went down after {t.at(w.ts_ns)}: what passed until it came up is missing."


def _hole(t: Teller, w: Witness) -> str:
    return f"The capture has a hole from {t.at(w.ts_ns)} on, in which an answer may have passed."


SAYINGS: Final[dict[tuple[str, str], Callable[[Teller, Witness], str]]] = {
    ("icmp", "error"): _icmp,
    ("icmp", "more"): _more_icmp,
    ("arp", "unanswered"): _unanswered,
    ("ndp", "unanswered"): _unanswered,
    ("arp", "answered"): _answered,
    ("arp", "elsewhere"): _answered_elsewhere,
    ("ndp", "answered"): _answered,
    ("ndp", "elsewhere"): _answered_elsewhere,
    ("arp", "moved"): _moved,
    ("ndp", "moved"): _moved,
    ("arp", "both"): _both,
    ("ndp", "both"): _both,
    ("arp", "claimed"): _claimed,
    ("ndp", "claimed"): _claimed,
    ("arp", "announced"): _announced,
    ("ndp", "announced"): _announced,
    ("life_sign", "heard"): _heard,
    ("life_sign", "heard_before"): _heard_before,
    ("life_sign", "elsewhere"): _heard_elsewhere,
    ("life_sign", "unclear"): _heard_unclear,
    ("life_sign", "throughout"): _throughout,
    ("life_sign", "heard_later"): _heard_later,
    ("life_sign", "unheard"): _unheard,
    ("life_sign", "only_resets"): _only_resets,
    ("life_sign", "station"): _station,
    ("same_hop", "alike"): _alike,
    ("same_hop", "unlike"): _unlike,
    ("fate_shared", "same_host"): _same_host,
    ("fate_shared", "other_hosts"): _other_hosts,
    ("reconnect", "refused"): _refused,
    ("reconnect", "accepted"): _accepted,
    ("clock_restarted", "restarted"): _restarted,
    ("reconnect", "same_clock"): _went_on,
    ("path", "ttl"): _ttl,
    ("path", "station"): _other_station,
    ("link", "down"): _down,
    ("neighbour", "failed"): _failed,
    ("neighbour", "back"): _back,
    ("route", "none"): _no_route,
    ("route", "back"): _routed,
    ("dhcp", "given_back"): _given_back,
    ("dhcp", "other_station"): _leased,
    ("dhcp", "other_address"): _other_address,
    ("dhcp", "asked_anew"): _asked_anew,
    ("stp", "changed"): _topology,
    ("lldp", "shut"): _port_shut,
    ("lldp", "other_port"): _other_port,
    ("capture", "dropped"): _dropped,
    ("capture", "filtered"): _filtered,
    ("capture", "hole"): _hole,
}
"""By kind and word of a witness, what it says."""


def says(t: Teller, witness: Witness) -> str:
    """Return what a witness says."""
    return SAYINGS[witness.kind, witness.says](t, witness)


def witness_lines(t: Teller) -> list[Line]:
    """Return what all witnesses of a flow say, with their frames."""
    told: list[Line] = []
    for witness in t.judged.witnesses:
        # who answered ARP was heard: that its station, or its address, was heard in the same frame says no more
        again = witness.says in {"station", "elsewhere", "unclear"} and any(
            set(witness.frames) <= set(line.frames) for line in told
        )
        if not again:
            told.append(Line(says(t, witness), witness.frames))
    return told
