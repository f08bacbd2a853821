"""Another station claims the address of the end that gets no answer: what is sent to it may go to that station."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.judge.witness import mac_text
from analyzer.words.model import Line, LongText

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def askers_address_is_claimed(s: Scene) -> bool:
    """ARP or neighbour discovery said of another station that it has the asker's own address.

    While the asker sent on from the station that it had.
    """
    return s.asker_is_claimed


def claimed_since(s: Scene) -> bool:
    """That showed, or showed again, after the other end's last word in the flow."""
    return s.beside("asker_last_ns") > s.since_ns - s.beside("slack_ns")


def _facts(s: Scene) -> Facts:
    data: dict[str, int | str] = {
        "address": s.record.endpoint(s.asker).address,
        "own_mac": mac_text(s.beside("asker_mac")),
        "strange_mac": mac_text(s.beside("asker_other")),
        "asker": s.asker,
    }
    return (s.beside("asker_frame"), s.beside("asker_last_frame"), *s.asked_frames[:1]), data


def _asker(cause: Cause) -> Side:
    return "a" if cause.data["asker"] == "a" else "b"


def _headline(t: Teller, cause: Cause) -> str:
    """Return who else claims the address; what that does to the flow is inferred."""
    data, asker = cause.data, t.the(_asker(cause))
    return (
        f"Another station, {data['strange_mac']}, claims {data['address']}, the own address of {asker}, which sends"
        f" from {data['own_mac']}: what is sent to {asker} most likely goes there."
    )


def _who(t: Teller, cause: Cause) -> str:
    del t
    data = cause.data
    return (
        f"Whoever gives out {data['address']}: find the machine with {data['strange_mac']} (by the switch's table of"
        f" MAC addresses), and give it or the one with {data['own_mac']} another address. If one of them was to hand"
        " the address over to the other (failover), it must stop using it."
    )


def _why(t: Teller, cause: Cause) -> list[Line]:
    """Why no answer comes back though nothing need be wrong at the other end."""
    asker, peer, data = t.the(_asker(cause)), t.the(other(_asker(cause))), cause.data
    text = (
        f"What is sent to {data['address']} goes to the station that last said that it has the address. "
        f"{data['strange_mac']} does not know the connection: it drops what {peer} answers, or resets the connection"
        f" there. That this is why nothing reached {asker} is inferred; {peer} may be well."
    )
    return [Line(text, cause.frames)]


def _sees(t: Teller, cause: Cause) -> list[Line]:
    """What the programs get of it."""
    if t.ending.verdict is Verdict.TIMED_OUT:
        return []
    asker, peer = _asker(cause), other(_asker(cause))
    return [
        Line(
            f"{t.start(asker)}, read: waits until its own kernel gives up (ETIMEDOUT), or packets reach it again.",
            cause.frames,
        ),
        Line(
            f"{t.start(peer)}, read: waits; ECONNRESET if the other station answers what {t.the(peer)} sends with RST.",
            cause.frames,
        ),
    ]


OWN_CLAIMED: Final = CauseKind(
    code="own-address-claimed",
    needs=frozenset({Trait.SILENT}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (c.fell_silent, askers_address_is_claimed, claimed_since)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, askers_address_is_claimed)),
    ),
    facts=_facts,
    headline=_headline,
    who=_who,
    why=_why,
    sees=_sees,
    tells=(
        "Ask for the prober's own address on its link (arping -D, ndisc6) and see which stations answer; capture at the"
        " other end, or with tcpdump -e, which prints to which station its packets go."
    ),
    text=LongText(
        title="Another station claims the address of the end that gets no answer",
        meaning=(
            "ARP or neighbour discovery says that the address of the end that probes, or waits for an acknowledgement,"
            " is at another station; that end goes on sending from its own."
        ),
        why="Answers go to whoever last said that it has the address: they never come back, though the peer is well.",
        change="Find both machines by their MAC addresses, and give one of them another address.",
        doubt=(
            "One host with two interfaces on the link may answer from both, and bonds may change their MAC address."
            " ARP can be forged on the link; the answers may be lost for another reason."
        ),
        source="RFC 826; RFC 5227 2.4; RFC 4862 5.4; Linux ip-sysctl arp_ignore, arp_announce",
    ),
)
