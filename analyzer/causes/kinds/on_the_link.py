"""Causes that ARP and neighbour discovery show: who does not answer on the captured link, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import foreign_reset, forgotten, lapses, unanswered
from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.judge.witness import mac_text
from analyzer.track.flow import SIDES
from analyzer.words.calls import unaware
from analyzer.words.model import Line, LongText

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

OFTEN: Final = 3
"""Linux asks three times before it gives up (mcast_solicit, ucast_solicit)."""


def asked_thrice_in_vain(s: Scene) -> bool:
    """Since then the asker asked three times or more for the host by ARP or neighbour discovery, without an answer."""
    return s.beside("asked") >= OFTEN


def asked_twice_in_vain(s: Scene) -> bool:
    """Since then the asker asked twice or more for the host by ARP or neighbour discovery, without an answer."""
    return s.beside("asked") >= OFTEN - 1


def hop_asked_thrice_in_vain(s: Scene) -> bool:
    """Since then the asker asked three times or more for the next hop, without an answer."""
    return s.beside("hop_asked") >= OFTEN


def hop_is_known(s: Scene) -> bool:
    """ARP or neighbour discovery said before that this hop is at the station that brings the host's packets."""
    return s.hop_is_known


def moved_meanwhile(s: Scene) -> bool:
    """ARP or neighbour discovery said that its address is at another station, while the flow lived or later.

    Where they had not said before where it was, its segments show it; then it was said unasked, or the RST came from
    there: who asks may get an answer from another interface of the same host.
    """
    if s.beside("moved_frame") == 0 or s.beside("moved_from") == s.beside("moved_to"):
        return False
    return s.beside("moved_seen") == 0 or s.beside("moved_unasked") == 1 or reset_came_from_new_station(s)


def moved_since(s: Scene) -> bool:
    """That was no earlier than a moment before its last word in the flow."""
    return s.beside("moved_ns") > s.since_ns - s.beside("slack_ns")


def leased_to_another(s: Scene) -> bool:
    """DHCP gave its address to another station than before, while the flow was silent."""
    return s.since_ns < s.beside("leased_ns") <= s.until_ns


def lease_ended(s: Scene) -> bool:
    """Its host gave the address back, or was given another one, by DHCP, while the flow was silent."""
    return any(s.since_ns < s.beside(name) <= s.until_ns for name in ("back_ns", "got_ns"))


def reset_came_from_new_station(s: Scene) -> bool:
    """The RST came from that other station."""
    return s.reset is not None and "mac" in s.reset.strange and s.beside("reset_mac") == s.beside("moved_to")


def _gone(s: Scene) -> Facts:
    frames = (
        s.beside("station_last_frame"),
        s.beside("asked_frame"),
        s.beside("asked_last_frame"),
        *s.asked_frames,
    )
    return frames, {"address": s.record.endpoint(s.quiet).address, "mac": mac_text(s.beside("mac"))}


def _asked(s: Scene) -> Facts:
    frames = (s.beside("asked_frame"), s.beside("asked_last_frame"), *s.asked_frames[:1])
    return frames, {"address": s.record.endpoint(s.quiet).address, "count": s.beside("asked")}


def _hop_asked(s: Scene) -> Facts:
    frames = (s.beside("hop_asked_frame"), s.beside("hop_asked_last_frame"), *s.asked_frames[:1])
    return frames, {"address": s.hop or "", "count": s.beside("hop_asked")}


def _moved(s: Scene) -> Facts:
    how = "moved" if moved_meanwhile(s) else "leased"
    frames = (s.beside(f"{how}_frame"), *([s.reset.frame] if s.reset else s.asked_frames[:1]))
    data: dict[str, int | str] = {
        "address": s.record.endpoint(s.quiet).address,
        "to_mac": mac_text(s.beside(f"{how}_to")),
        "from_mac": mac_text(s.beside(f"{how}_from")),
    }
    return frames, data


def _lease(s: Scene) -> Facts:
    frames = (s.beside("back_frame"), s.beside("got_frame"), *s.asked_frames[:1])
    data: dict[str, int | str] = {"address": s.record.endpoint(s.quiet).address}
    if s.beside("got_frame"):
        data["new"] = s.address_got or "another address"
    return frames, data


def _lease_headline(t: Teller, cause: Cause) -> str:
    del t
    address = cause.data["address"]
    if "new" in cause.data:
        return f"The host of {address} has another address now: DHCP gave it {cause.data['new']}."
    return f"The host of {address} gave its address back (DHCP RELEASE), and was not heard under it again."


def _lease_who(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"Whoever runs the host that had {cause.data['address']}: it was shut down, its interface was taken down, or it"
        " moved to another network. Its connections are lost; clients must connect anew."
    )


def _off_link_headline(t: Teller, cause: Cause) -> str:
    del t
    return f"{cause.data['address']} is off the link: asked for {cause.data['count']} times there, it gave no answer."


def _off_link_who(t: Teller, cause: Cause) -> str:
    del t
    asked = "neighbour solicitations" if ":" in str(cause.data["address"]) else "ARP"
    return (
        f"Whoever runs the host {cause.data['address']}: it is off, its interface or cable is down, the switch between"
        f" does not pass it, or it is set not to answer {asked}. No setting of keepalive brings it back."
    )


def _gateway_headline(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"The next hop {cause.data['address']} is off the link: asked for {cause.data['count']} times, it gave no"
        " answer."
    )


def _gateway_who(t: Teller, cause: Cause) -> str:
    del t
    return f"Whoever runs the router {cause.data['address']}, and the link to it. The peer itself may be fine."


def _moved_headline(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"{cause.data['address']} moved to another machine: it is at {cause.data['to_mac']}, and was at"
        f" {cause.data['from_mac']}, which held the connection."
    )


def _moved_who(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"Whoever moves {cause.data['address']} (failover, a floating address, a new host of that address): the machine"
        " that takes it over does not know its connections. Clients must connect anew; keepalive only notices."
    )


def _moved_why(t: Teller, cause: Cause) -> list[Line]:
    """Who answers, and that it is no box between."""
    reset = t.reset
    if reset is None or t.ending.verdict is Verdict.TIMED_OUT:
        return []
    peer = t.the(reset.sender)
    text = (
        f"Whoever has {peer}'s address now has no such connection, and answers with a RST. No box between need have"
        f" forgotten it. The machine that had the address may hold the connection still, but nothing reaches it there."
    )
    return [Line(text, cause.frames)]


def _moved_sees(t: Teller, cause: Cause) -> list[Line]:
    """What the programs get of it."""
    reset = t.reset
    if reset is None or t.ending.verdict is Verdict.TIMED_OUT:
        return []
    asker = t.start(other(reset.sender))
    return [
        Line(
            f"{asker}, read: ECONNRESET, not end of file. Write: ECONNRESET if it comes first, then EPIPE.",
            (reset.frame,),
        ),
        Line(
            f"The program on the machine that had {cause.data['address']}, if it runs: learns nothing of the RST.",
            cause.frames,
        ),
    ]


def _gone_headline(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"{cause.data['mac']}, the host that had {cause.data['address']}, is alive on this link, but nothing comes from"
        " that address any more."
    )


def _gone_who(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"Whoever runs the host that had {cause.data['address']}: was the address removed (ip addr, DHCP), is it set to"
        " answer no ARP, or does its own packet filter drop what comes for it?"
    )


def _asks_on(t: Teller) -> Side | None:
    """Return the asker, if it went on asking on the link after its last segment, of a flow that nothing ended."""
    beside = t.record.beside
    if beside is None or t.ending.verdict not in {Verdict.OPEN, Verdict.SILENT}:
        return None
    asker = other(SIDES[beside["side"]])
    asked_ns = max(beside["asked_last_ns"], beside["hop_asked_last_ns"])
    return asker if asked_ns > (t.record.facts(asker).last_ns or 0) else None


def _waits(t: Teller, cause: Cause) -> list[Line]:
    """Why the probes stopped: they wait in the asker's own kernel."""
    asker = _asks_on(t)
    if asker is None:
        return []
    text = (
        f"{t.start(asker)} is alive: it is the one that asks. Its probes, and its RST when it gives up, wait for an"
        " address on the link to send them to, and never leave it."
    )
    return [Line(text, cause.frames)]


def _sees(t: Teller, cause: Cause) -> list[Line]:
    """What the asker's program gets."""
    asker = _asks_on(t)
    if asker is None:
        return []
    text = f"{t.start(asker)}, read: ETIMEDOUT when its kernel gives up, of which nothing is on the wire."
    return [Line(text, cause.frames), unaware(t, other(asker), cause.frames)]


LEASE_ENDED: Final = CauseKind(
    code="lease-ended",
    needs=frozenset({Trait.SILENT, lapses.STOPPED.code}),
    rows=(CauseRow(Certainty.LIKELY, (c.fell_silent_or_stopped, lease_ended)),),
    facts=_lease,
    headline=_lease_headline,
    who=_lease_who,
    tells="Check which addresses the host has now (ip addr), and the DHCP server's log.",
    text=LongText(
        title="The host gave its address back, or got another one",
        meaning="DHCP shows that the peer's host no longer has the address of the connection.",
        why="A connection is bound to its address: under another one the host does not answer for it.",
        change="Give hosts of long connections fixed addresses, and have clients connect anew.",
        doubt="A DHCP message can be forged by whoever is on the link. A host may keep an address that it gave back.",
        source="RFC 2131 4.4.6; RFC 8415 18.2.7",
    ),
)
PEER_OFF_LINK: Final = CauseKind(
    code="peer-off-link",
    needs=frozenset({Trait.SILENT, lapses.STOPPED.code}),
    needs_question=True,
    rows=(
        CauseRow(
            Certainty.PROVEN,
            (
                c.fell_silent_or_stopped,
                asked_thrice_in_vain,
                c.host_was_not_heard,
                c.station_was_silent_since,
                c.capture_is_whole,
                c.answers_could_be_captured,
            ),
        ),
        CauseRow(Certainty.LIKELY, (c.fell_silent_or_stopped, asked_twice_in_vain, c.station_was_silent_since)),
    ),
    facts=_asked,
    headline=_off_link_headline,
    who=_off_link_who,
    why=_waits,
    sees=_sees,
    overrules=frozenset({lapses.STOPPED.code, unanswered.THEN_NONE.code, unanswered.STILL_PROBING.code}),
    tells="Check the host's interface (ip link) and its port on the switch.",
    text=LongText(
        title="The peer's host does not answer on the link",
        meaning=(
            "The other end asks for the host's link address, by ARP or neighbour discovery, and gets no answer: the"
            " host is off, disconnected, or has lost the address."
        ),
        why="No box between is to blame: both are on one link.",
        change="Look at the host, its interface, its cable and the switch.",
        doubt=(
            "Questions seen without answers prove something only where answers are seen too: they go to the asker, as"
            " its other frames do. A host that is set to answer no ARP looks the same."
        ),
        source="RFC 826; RFC 4861 7.3; Linux mcast_solicit, ucast_solicit",
    ),
)
GATEWAY_OFF_LINK: Final = CauseKind(
    code="gateway-off-link",
    needs=frozenset({Trait.SILENT, lapses.STOPPED.code}),
    needs_question=True,
    rows=(
        CauseRow(
            Certainty.PROVEN,
            (
                c.fell_silent_or_stopped,
                c.is_behind_hop,
                hop_asked_thrice_in_vain,
                hop_is_known,
                c.capture_is_whole,
                c.answers_could_be_captured,
            ),
        ),
        CauseRow(Certainty.LIKELY, (c.fell_silent_or_stopped, c.is_behind_hop, hop_asked_thrice_in_vain)),
    ),
    facts=_hop_asked,
    headline=_gateway_headline,
    who=_gateway_who,
    why=_waits,
    sees=_sees,
    overrules=frozenset({lapses.STOPPED.code, unanswered.THEN_NONE.code, unanswered.STILL_PROBING.code}),
    tells="Check the router's interface.",
    text=LongText(
        title="The next hop does not answer on the link",
        meaning="The asker asks for the link address of the router on the way, and gets no answer.",
        why="Everything behind that router is out of reach; the peer may be well.",
        change="Look at the router, its interface, and the link to it.",
        doubt="See peer-off-link. If ARP never named the router, the address asked for is taken to be the router's.",
        source="RFC 826; RFC 4861 7.3",
    ),
)
ADDRESS_MOVED: Final = CauseKind(
    code="address-moved",
    needs=frozenset({Trait.SILENT, Trait.RESET}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.PROVEN, (c.was_reset, moved_meanwhile, reset_came_from_new_station)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, moved_meanwhile, moved_since)),
        CauseRow(Certainty.LIKELY, (c.was_reset, c.knows_no_connection, moved_meanwhile)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, leased_to_another)),
    ),
    facts=_moved,
    headline=_moved_headline,
    who=_moved_who,
    why=_moved_why,
    sees=_moved_sees,
    overrules=frozenset({foreign_reset.FROM_BETWEEN.code, forgotten.FORGOTTEN.code}),
    replaces=frozenset({foreign_reset.FROM_BETWEEN.code, forgotten.FORGOTTEN.code}),
    tells="Check whether the new machine answers, and what moved the address (keepalived, pacemaker, a cloud's API).",
    text=LongText(
        title="The address moved to another machine",
        meaning="ARP, neighbour discovery or DHCP shows the peer's address at another MAC address than before.",
        why="The machine that has it now knows nothing of the other one's connections.",
        change="Have clients connect anew after a failover; share the connections' state where the product can.",
        doubt="An ARP packet can be forged on the link, not from afar. A host with two interfaces may change over too.",
        source="RFC 826; RFC 5227 3; RFC 5798 8.1.2",
    ),
)
ADDRESS_GONE: Final = CauseKind(
    code="address-gone",
    needs=frozenset({Trait.SILENT, lapses.STOPPED.code}),
    needs_question=True,
    rows=(
        CauseRow(
            Certainty.LIKELY,
            (c.fell_silent_or_stopped, asked_thrice_in_vain, c.station_was_heard_after_the_question),
        ),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, c.is_on_link, c.station_was_heard)),
    ),
    facts=_gone,
    headline=_gone_headline,
    who=_gone_who,
    why=_waits,
    sees=_sees,
    overrules=frozenset({lapses.STOPPED.code, unanswered.THEN_NONE.code, unanswered.STILL_PROBING.code}),
    tells="Check which addresses the host has now (ip addr), and whether it answers ARP for this one.",
    text=LongText(
        title="The host is there, but nothing comes from its address",
        meaning="The peer's station is alive on the link, but sends nothing in the name of the address any more.",
        why="The host was not restarted, and the link is not down.",
        change="Check whether the address was removed, or a packet filter drops what comes for it.",
        doubt="A host that has nothing to say for this address looks the same.",
        source="RFC 826; RFC 1122 3.3.1.6",
    ),
)
