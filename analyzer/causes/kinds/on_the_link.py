"""Causes that ARP and neighbour discovery show: who does not answer on the captured link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import lapses, unanswered
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


def lease_ended(s: Scene) -> bool:
    """Its host gave the address back, or was given another one, by DHCP, while the flow was silent."""
    return any(s.since_ns < s.beside(name) <= s.until_ns for name in ("back_ns", "got_ns"))


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
        f"{t.start(asker)} is alive: it is the one that asks. What it sends from now on, probes and at last a RST,"
        " waits for an address on the link, and does not leave its host."
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
