"""Two stations claim the address of an end at once: ARP or neighbour discovery names both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import foreign_reset, forgotten
from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.judge.witness import mac_text
from analyzer.words.calls import unaware
from analyzer.words.model import Line, LongText

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def claimed_twice(s: Scene) -> bool:
    """ARP or neighbour discovery said of two stations at once that its address is there.

    In one moment, in answer to one question, or in turn: the one that had it said so again shortly after the other. An
    address that moves is claimed by the new station alone.
    """
    return s.is_claimed_twice


def claimed_twice_since(s: Scene) -> bool:
    """That showed, or showed again, after its last word in the flow."""
    return s.beside("both_last_ns") > s.since_ns


def reset_came_from_other_claimant(s: Scene) -> bool:
    """The RST came from one of these stations, and the connection's packets before from the other."""
    return s.reset_came_from_other_claimant


def _facts(s: Scene) -> Facts:
    names = ("both_before_frame", "both_frame", "both_last_frame")
    frames = (*map(s.beside, names), *([s.reset.frame] if s.reset else s.asked_frames[:1]))
    stations = {s.beside("both_mac"), s.beside("both_other")}
    own = s.beside("mac")
    strange = stations - {own} if own in stations else stations
    data: dict[str, int | str] = {
        "address": s.record.endpoint(s.quiet).address,
        "macs": " and ".join(mac_text(mac) for mac in sorted(stations)),
        "own_mac": mac_text(own) if own in stations else "",
        "strange_mac": mac_text(min(strange)),
        "peer": s.quiet,
    }
    return frames, data


def _headline(t: Teller, cause: Cause) -> str:
    """Return who claims the address; what they are is inferred."""
    del t
    return (
        f"Two stations claim {cause.data['address']} at once, {cause.data['macs']}: most likely two hosts have that"
        " address."
    )


def _who(t: Teller, cause: Cause) -> str:
    del t
    strange = cause.data["strange_mac"] if cause.data["own_mac"] else cause.data["macs"]
    return (
        f"Whoever gives out {cause.data['address']}: find the machine with {strange} (by the switch's table of MAC"
        " addresses) and give one of the two another address. If both are interfaces of one host, set it to answer ARP"
        " only for the interface's own addresses (Linux: arp_ignore, arp_announce)."
    )


def _peer(cause: Cause) -> Side:
    return "a" if cause.data["peer"] == "a" else "b"


def _why(t: Teller, cause: Cause) -> list[Line]:
    """Why a RST, or nothing, comes from an address that two stations claim."""
    peer, own, strange = t.the(_peer(cause)), cause.data["own_mac"], cause.data["strange_mac"]
    held = f" The connection's packets came from {own}." if own else ""
    if cause.certainty is Certainty.PROVEN:
        text = (
            f"{peer} is known by one address, that two stations claim.{held} The RST came from {strange}, which has no"
            " such connection. No box between need have forgotten it. The machine that holds it is not told."
        )
    else:
        so = "the connection ended so" if t.ending.verdict.is_reset else "no answer came"
        text = (
            f"Each new answer to ARP may send the packets for {cause.data['address']} to the other station, which does"
            f" not know the connection.{held} That this is why {so} is inferred: to which of the two the last"
            " packets went is not told here."
        )
    return [Line(text[0].upper() + text[1:], cause.frames)]


def _sees(t: Teller, cause: Cause) -> list[Line]:
    """What the programs get of it."""
    reset = t.reset
    if t.ending.verdict is Verdict.TIMED_OUT:
        return []
    asker = other(_peer(cause))
    if reset is None:
        text = (
            f"{t.start(asker)}, read: waits. ECONNRESET once what it sends reaches a station that does not know the"
            " connection and answers with RST; ETIMEDOUT if nothing answers until its own kernel gives up. If it"
            " reaches the one that holds the connection, that goes on."
        )
        return [Line(text, cause.frames), unaware(t, _peer(cause), cause.frames)]
    return [
        Line(
            f"{t.start(asker)}, read: ECONNRESET, not end of file. Write: ECONNRESET if it comes first, then EPIPE.",
            (reset.frame,),
        ),
        Line(
            f"The program on the other machine that has {cause.data['address']}, if it held the connection: learns"
            " nothing of the RST.",
            cause.frames,
        ),
    ]


CLAIMED_TWICE: Final = CauseKind(
    code="address-claimed-twice",
    needs=frozenset({Trait.SILENT, Trait.RESET}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.PROVEN, (c.was_reset, claimed_twice, reset_came_from_other_claimant)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, claimed_twice, claimed_twice_since)),
        CauseRow(Certainty.LIKELY, (c.was_reset, c.knows_no_connection, claimed_twice)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, claimed_twice)),
    ),
    facts=_facts,
    headline=_headline,
    who=_who,
    why=_why,
    sees=_sees,
    overrules=frozenset({foreign_reset.FROM_BETWEEN.code, forgotten.FORGOTTEN.code}),
    replaces=frozenset({foreign_reset.FROM_BETWEEN.code, forgotten.FORGOTTEN.code}),
    tells=(
        "Ask for the address on that link (arping -D, ndisc6) and see which stations answer; capture with tcpdump -e,"
        " which prints to which station each packet goes."
    ),
    text=LongText(
        title="Two stations claim the address at once",
        meaning=(
            "ARP or neighbour discovery says of two MAC addresses that the peer's address is there: in one moment, in"
            " answer to one question, or in turn."
        ),
        why="Packets go to whichever answered last; the one that does not hold the connection resets it or drops them.",
        change="Find both machines by their MAC addresses, and give one of them another address.",
        doubt=(
            "One host with two interfaces on the link may answer from both, some bonds answer from several MAC"
            " addresses, a router may answer for the host (proxy ARP), and ARP can be forged on the link. An address"
            " that is passed to and fro within seconds (two nodes that both think they lead) looks the same."
        ),
        source="RFC 826; RFC 5227 2.4; RFC 4862 5.4; Linux ip-sysctl arp_ignore, arp_announce",
    ),
)
