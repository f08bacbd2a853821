"""The address of an end moved to another machine: ARP, neighbour discovery or DHCP shows it at another station."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import foreign_reset, forgotten, lapses
from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.judge.witness import mac_text
from analyzer.words.calls import unaware
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, lines

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.judged import Cause
    from analyzer.judge.probe import Probe
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def moved_meanwhile(s: Scene) -> bool:
    """ARP or neighbour discovery said that its address is at another station, while the flow lived or later.

    Where they had not said before where it was, its segments show it; then it was said unasked, or the RST came from
    there: who asks may get an answer from another interface of the same host.
    """
    return s.was_moved


def moved_since(s: Scene) -> bool:
    """That was no earlier than a moment before its last word in the flow."""
    return s.beside("moved_ns") > s.since_ns - s.beside("slack_ns")


def probes_ceased(s: Scene) -> bool:
    """Its own probes ceased, though they had been answered (probes-stopped)."""
    found = s.found(lapses.STOPPED.code)
    return found is not None and found.about == s.quiet


def leased_to_another(s: Scene) -> bool:
    """DHCP gave its address to another station than before, while the flow was silent."""
    return s.was_leased


def reset_came_from_new_station(s: Scene) -> bool:
    """The RST came from that other station."""
    return s.reset_came_from_new_station


def _facts(s: Scene) -> Facts:
    how = "moved" if s.was_moved else "leased"
    frames = (s.beside(f"{how}_frame"), *([s.reset.frame] if s.reset else s.asked_frames[:1]))
    data: dict[str, int | str] = {
        "address": s.record.endpoint(s.quiet).address,
        "to_mac": mac_text(s.beside(f"{how}_to")),
        "from_mac": mac_text(s.beside(f"{how}_from")),
        "moved_ns": s.beside(f"{how}_ns"),
        "peer": s.quiet,
    }
    return frames, data


def _headline(t: Teller, cause: Cause) -> str:
    """Return where the address is; that it moved is inferred, unless the RST came from there."""
    del t
    data = cause.data
    sure = "moved" if cause.certainty is Certainty.PROVEN else "most likely moved"
    return (
        f"{data['address']} {sure} to another machine: it is at {data['to_mac']}, and was at {data['from_mac']}, which"
        " held the connection."
    )


def _who(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"Whoever moves {cause.data['address']} (failover, a floating address, a new host of that address): the machine"
        " that takes it over does not know its connections. Clients must connect anew; keepalive only notices."
    )


def _why(t: Teller, cause: Cause) -> list[Line]:
    """Why nothing, or a RST, comes from an address that moved: who has it now, and that it is no box between."""
    reset = t.reset
    if t.find(lapses.STOPPED.code) is not None:
        text = (
            f"{t.start(_peer(cause))}'s connection lives in the machine that had the address"
            f" ({cause.data['from_mac']}). Without it that sends nothing more for the connection, neither probes nor a"
            f" FIN or RST. That this is why the probes ceased is inferred. {t.start(other(_peer(cause)))} holds the"
            " connection, and is not told."
        )
        return [Line(text, cause.frames)]
    if reset is None or t.ending.verdict is Verdict.TIMED_OUT:
        return _why_silent(t, cause)
    peer = t.the(reset.sender)
    text = (
        f"Whoever has {peer}'s address now has no such connection, and answers with a RST. No box between need have"
        f" forgotten it. The machine that had the address may hold the connection still, but nothing reaches it there."
    )
    return [Line(text, cause.frames)]


def _why_silent(t: Teller, cause: Cause) -> list[Line]:
    """Why what was sent stayed unanswered, and to which machine it can have gone."""
    peer, moved_ns = _peer(cause), int(cause.data["moved_ns"])
    text = (
        f"{t.start(peer)}'s connection lives in the machine that had the address ({cause.data['from_mac']})."
        f" The one that has it now ({cause.data['to_mac']}) does not know it. That this is why no answer came is"
        " inferred."
    )
    since_ns = t.facts(peer).last_ns or 0
    in_vain = [p for p in t.probes(other(peer)) if p.ts_ns > since_ns and p.answer is None]
    early = [probe for probe in in_vain if probe.ts_ns < moved_ns]
    late = [probe for probe in in_vain if probe.ts_ns >= moved_ns]
    before = after = None
    if early:
        it = "It" if len(early) == 1 else "They"
        before = Line(
            f"{_unanswered(t, early)} before the new machine said at {t.at(moved_ns)} that it has the address. {it}"
            " most likely still went to the old machine, which did not answer any more.",
            tuple(probe.frame for probe in early),
        )
    if late:
        after = Line(
            f"{_unanswered(t, late)} after that. A machine that does not know a connection answers with RST, unless a"
            " packet filter there drops what comes; or its answers do not pass this point.",
            tuple(probe.frame for probe in late),
        )
    return lines(Line(text, cause.frames), before, after)


def _unanswered(t: Teller, probes: list[Probe]) -> str:
    """Return how many probes stayed unanswered, and when the last of them was sent."""
    if len(probes) == 1:
        return f"1 unanswered probe was sent at {t.at(probes[0].ts_ns)},"
    return f"{count(len(probes), 'unanswered probe')} were sent, the last at {t.at(probes[-1].ts_ns)},"


def _peer(cause: Cause) -> Side:
    return "a" if cause.data["peer"] == "a" else "b"


def _sees(t: Teller, cause: Cause) -> list[Line]:
    """What the programs get of it."""
    reset = t.reset
    if t.ending.verdict is Verdict.TIMED_OUT:
        return []
    if t.find(lapses.STOPPED.code) is not None:
        text = (
            f"{t.start(_peer(cause))}, read: waits, or fails once its kernel gives up (ETIMEDOUT): it can send nothing"
            " in that name."
        )
        return [Line(text, cause.frames), unaware(t, other(_peer(cause)), cause.frames)]
    if reset is None:
        text = (
            f"{t.start(other(_peer(cause)))}, read: waits until a probe reaches the machine that has"
            f" {cause.data['address']} now. ECONNRESET if that answers with RST, as is usual; ETIMEDOUT if nothing"
            " answers until its own kernel gives up. A write finds out in the same way."
        )
        return [Line(text, cause.frames), unaware(t, _peer(cause), cause.frames)]
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


ADDRESS_MOVED: Final = CauseKind(
    code="address-moved",
    needs=frozenset({Trait.SILENT, Trait.RESET, lapses.STOPPED.code}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.PROVEN, (c.was_reset, moved_meanwhile, reset_came_from_new_station)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, moved_meanwhile, moved_since)),
        CauseRow(Certainty.LIKELY, (c.was_reset, c.knows_no_connection, moved_meanwhile)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, leased_to_another)),
        CauseRow(Certainty.LIKELY, (probes_ceased, moved_meanwhile, moved_since)),
    ),
    facts=_facts,
    headline=_headline,
    who=_who,
    why=_why,
    sees=_sees,
    overrules=frozenset({foreign_reset.FROM_BETWEEN.code, forgotten.FORGOTTEN.code, lapses.STOPPED.code}),
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
