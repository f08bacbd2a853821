"""Causes that lie with the peer's host, or with all hosts: silent, restarted, unreachable together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import forgotten
from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.judge.signatures import SHORTEST_LIMIT_NS
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line, LongText
from analyzer.words.stacks import gave_up_error
from analyzer.words.teller import count

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.words.teller import Teller


ASKED_LEAST: Final = 3
"""A station that gives up on an address has asked so often (Linux mcast_solicit, RFC 4861 10)."""


def clock_started_anew(s: Scene) -> bool:
    """A later SYN,ACK of its host bears a timestamp that does not go on from those of handshakes before."""
    return s.beside("clock_frame") > 0 and s.beside("clock_agreed") > 0


def sent_new_syn(s: Scene) -> bool:
    """Since then it sent a new SYN on the flow's own addresses and ports, and the other end still had the flow."""
    new = s.record.new_syn
    return new is not None and new.sender == s.quiet and new.ts_ns > s.since_ns


def announced_itself(s: Scene) -> bool:
    """Since then its host announced its address unasked, as an interface does that comes up."""
    return s.beside("announced_frame") > 0


def was_off_the_link(s: Scene) -> bool:
    """Since then probes of the other end got no answer, and its station asked for it on the link in vain, 3 times."""
    return s.beside("asked") >= ASKED_LEAST and bool(s.in_vain)


def refused_then_accepted(s: Scene) -> bool:
    """Since then its address and port refused a new connection, and accepted one later."""
    return 0 < s.beside("refused_ns") < s.beside("accepted_ns")


def refused(s: Scene) -> bool:
    """Since then its address and port refused a new connection."""
    return s.beside("refused_frame") > 0


def refused_with_others(s: Scene) -> bool:
    """Two or more other connections of its address and port were refused too, all heard last before the first RST."""
    return s.beside("with_refused") > 1


def sooner_than_any_limit(s: Scene) -> bool:
    """One of these had heard it less than 60 s before its RST: no known box forgets a connection so soon."""
    return s.beside("refusing_idle_ns") < SHORTEST_LIMIT_NS


def stayed_where_it_was(s: Scene) -> bool:
    """Nobody said since the flow began that its address is at another station."""
    return s.beside("moved_frame") == 0


def knows_other_stack(s: Scene) -> bool:
    """Nothing of its clock or address says that the host itself started anew."""
    return not clock_started_anew(s) and not announced_itself(s)


def _together(s: Scene) -> Facts:
    data: dict[str, int | str] = {
        "others": s.beside("shared_other"),
        "same": s.beside("shared_peer"),
        "address": s.record.endpoint(s.quiet).address,
        "asker": s.record.endpoint(s.asker).address,
    }
    return s.asked_frames, data


def _restart(s: Scene) -> Facts:
    frames = (
        s.beside("clock_frame"),
        s.beside("announced_frame"),
        *((s.beside("asked_frame"), s.beside("asked_last_frame")) if was_off_the_link(s) else ()),
        *([s.reset.frame] if s.reset else s.asked_frames[:1]),
    )
    data: dict[str, int | str] = {"address": s.record.endpoint(s.quiet).address}
    if sent_new_syn(s) and s.record.new_syn is not None:
        frames = (*frames, s.record.new_syn.frame, s.record.new_syn.ack_frame)
        data["new_syn"] = s.record.new_syn.frame
        data["resets"] = len(s.resets_in_its_name)
    return frames, data


def _service(s: Scene) -> Facts:
    frames = (
        s.beside("refused_frame"),
        s.beside("accepted_frame"),
        *([s.reset.frame] if s.reset else s.asked_frames[:1]),
    )
    data: dict[str, int | str] = {
        "service": str(s.record.endpoint(s.quiet)),
        "accepted": 1 if refused_then_accepted(s) else 0,
    }
    return frames, data


def _refusals(s: Scene) -> Facts:
    own = s.reset.frame if s.reset else 0
    frames: tuple[int, ...] = (s.beside("refusing_frame"), s.beside("refusing_last_frame"), own)
    data: dict[str, int | str] = {
        "service": str(s.record.endpoint(s.quiet)),
        "others": s.beside("with_refused"),
        "flow": s.beside("with_refused_flow"),
        "from_ns": s.beside("refusing_from_ns"),
        "to_ns": s.beside("refusing_ns"),
        "last_ns": s.beside("refusing_last_ns"),
    }
    if s.beside("accepted_ns") > s.beside("refusing_from_ns"):
        data["accepted_ns"] = s.beside("accepted_ns")
        frames = (*frames, s.beside("accepted_frame"))
    return frames, data


def _unheard(s: Scene) -> Facts:
    frames = (*s.asked_frames, *s.later_frames)
    near = 1 if s.is_on_link else 0
    return frames, {"address": s.record.endpoint(s.quiet).address, "hop": s.hop or "", "on_link": near}


def _together_headline(t: Teller, cause: Cause) -> str:
    del t
    others = cause.data["others"]
    if isinstance(others, int) and others:
        return (
            f"Not this flow alone: {count(others, 'flow')} of {cause.data['asker']} with other hosts fell silent in the"
            " same moment."
        )
    same = cause.data["same"]
    flows = count(same if isinstance(same, int) else 0, "other flow")
    return (
        f"Not this flow alone: {flows} with {cause.data['address']} fell silent too, and nothing of it was heard since."
    )


def _together_who(t: Teller, cause: Cause) -> str:
    del t
    if cause.data["others"]:
        return f"Whoever runs the link or the first hop of {cause.data['asker']}: what all these flows have in common."
    return f"Whoever runs the host {cause.data['address']}, or the path to it: it is not one connection that was lost."


def _restart_headline(t: Teller, cause: Cause) -> str:
    del t
    if "new_syn" in cause.data:
        return (
            f"{cause.data['address']} is alive, but has lost this connection: it opens a new one from the same port, as"
            " after a restart."
        )
    return f"{cause.data['address']} was restarted, or replaced: it came back without the connection."


def _restart_who(t: Teller, cause: Cause) -> str:
    del t
    if "new_syn" in cause.data:
        return (
            f"Whoever runs the host {cause.data['address']}: find why it restarted, or gave the connection up. Its new"
            " connection waits for as long as the other end holds the old one; a shorter keepalive there, or another"
            " source port, makes way sooner."
        )
    return (
        f"Whoever runs the host {cause.data['address']}: find why it restarted. The other end did right to notice;"
        " shorter keepalive notices sooner, and clients should connect anew."
    )


def _restart_why(t: Teller, cause: Cause) -> list[Line]:
    """What a new SYN on the old connection shows."""
    new = t.record.new_syn
    if "new_syn" not in cause.data or new is None:
        return []
    loser, holder = t.the(new.sender), t.the(other(new.sender))
    rst = "" if cause.data["resets"] else " None came here: most likely something between drops it, or the ACK."
    text = (
        f"A kernel that has a connection opens no other on the same addresses and ports, so {loser}'s had lost it."
        f" {t.start(other(new.sender))} still had it, and answered the SYN with an ACK of the old numbers, which"
        f" {loser} answers with a RST (RFC 9293 3.5.1).{rst} So {holder} could only find out by its probes."
    )
    return [Line(text, (new.frame, new.ack_frame))]


def _restart_sees(t: Teller, cause: Cause) -> list[Line]:
    """What the programs get of it."""
    new = t.record.new_syn
    if "new_syn" not in cause.data or new is None or t.ending.verdict is not Verdict.TIMED_OUT or t.reset is None:
        return []
    holder = other(new.sender)
    settings = t.judged.settings(holder)
    connects = f"{t.start(new.sender)}: its connect() waits, or fails with ETIMEDOUT if the old connection lasts."
    return [
        Line(f"{t.start(holder)}{gave_up_error(settings.stack if settings else None)}", (t.reset.frame,)),
        Line(connects, (new.frame,)),
    ]


def _service_headline(t: Teller, cause: Cause) -> str:
    del t
    later = ", and accepted some later" if cause.data["accepted"] else ""
    return f"The service {cause.data['service']} was down: it refused new connections{later}."


def _service_who(t: Teller, cause: Cause) -> str:
    del t
    return f"Whoever runs the service at {cause.data['service']}: find why it stopped or was restarted."


def _refusals_headline(t: Teller, cause: Cause) -> str:
    del t
    others = int(cause.data["others"])
    return (
        f"Not this flow alone: {count(others, 'other connection')} of {cause.data['service']} got a RST for an answer"
        " in the same while."
    )


def _refusals_why(t: Teller, cause: Cause) -> list[Line]:
    from_ns, to_ns = int(cause.data["from_ns"]), int(cause.data["to_ns"])
    accepted = cause.data.get("accepted_ns")
    again = f" It accepted a new connection at {t.at(int(accepted))}." if accepted is not None else ""
    text = (
        f"All these connections were heard last before {t.at(from_ns)}, and the first was refused at {t.at(to_ns)}: so"
        f" {cause.data['service']} lost them all at once in between (inferred). That is what a restart looks like, of"
        " the server or its host, or a takeover by another; a box in front that lost its table looks the same."
        f"{again}"
    )
    return [Line(text, cause.frames)]


def _refusals_fit(t: Teller, cause: Cause) -> str:
    others = count(int(cause.data["others"]), "other connection")
    return (
        f"{others} of {cause.data['service']} were refused too, from {t.at(int(cause.data['to_ns']))} to"
        f" {t.at(int(cause.data['last_ns']))}: it, or a box in front, may have lost them all at once, as in a restart."
    )


def _refusals_who(t: Teller, cause: Cause) -> str:
    return (
        f"Whoever runs the service at {cause.data['service']}: what restarted, failed over or was replaced between"
        f" {t.at(int(cause.data['from_ns']))} and {t.at(int(cause.data['to_ns']))}? Its clients need to connect anew."
    )


def _unheard_headline(t: Teller, cause: Cause) -> str:
    del t
    return f"Nothing more was heard of {cause.data['address']}: the host is down, or the path to it is cut."


def _unheard_fits(t: Teller, cause: Cause) -> str:
    del t
    address = cause.data["address"]
    if cause.data["on_link"]:
        return (
            f"{address} is on this link, so no router or NAT is between: look at that machine, its cable and its port"
            " of the switch."
        )
    return f"Look at {address}, and at each hop on the way there{_behind(cause)}."


def _behind(cause: Cause) -> str:
    return f", beginning with {cause.data['hop']}" if cause.data["hop"] else ""


def _unheard_who(t: Teller, cause: Cause) -> str:
    del t
    hop = f" behind {cause.data['hop']}" if cause.data["hop"] else ""
    return f"Look at the host {cause.data['address']}{hop} first: is it up, and does anything else of it get through?"


ALL_SILENT: Final = CauseKind(
    code="all-silent-together",
    needs=frozenset({Trait.SILENT}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (c.fell_silent, c.shares_fate_with_other_hosts, c.nothing_was_heard)),
        CauseRow(
            Certainty.LIKELY, (c.fell_silent, c.shares_fate_with_its_host, c.host_was_not_heard, c.no_limit_explains_it)
        ),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, c.shares_fate_with_other_hosts)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, c.shares_fate_with_its_host, c.host_was_not_heard)),
    ),
    facts=_together,
    headline=_together_headline,
    who=_together_who,
    tells="Compare the flows that went on with those that did not: which host, link or router do they share?",
    text=LongText(
        title="Several flows fell silent together",
        meaning="Other flows of the same asker fell silent in the same moment: what they share has failed.",
        why="No single connection was lost or forgotten.",
        change="Look at what the silent flows share: the peer's host, the asker's link, a router.",
        doubt="Flows that probe rarely are noticed late, and may have fallen silent at different times.",
        source="RFC 9293 3.8.4",
    ),
)
HOST_RESTARTED: Final = CauseKind(
    code="host-restarted",
    needs=frozenset({Trait.SILENT, Trait.RESET}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (c.knows_no_connection, c.is_on_link, clock_started_anew, stayed_where_it_was)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, c.is_on_link, clock_started_anew, stayed_where_it_was)),
        CauseRow(Certainty.LIKELY, (c.fell_silent, sent_new_syn)),
        CauseRow(Certainty.LIKELY, (c.knows_no_connection, c.is_on_link, announced_itself, stayed_where_it_was)),
        CauseRow(Certainty.LIKELY, (c.knows_no_connection, c.is_on_link, was_off_the_link, stayed_where_it_was)),
        # behind a balancer one address is many machines, each with a clock of its own
        CauseRow(Certainty.POSSIBLE, (c.knows_no_connection, clock_started_anew)),
    ),
    facts=_restart,
    headline=_restart_headline,
    who=_restart_who,
    why=_restart_why,
    sees=_restart_sees,
    tells="Check the host's uptime and its log.",
    text=LongText(
        title="The peer's host was restarted or replaced",
        meaning=(
            "The host came back without the connection: its timestamp clock started anew, its interface announced"
            " itself, or it had been asked for on the link in vain, and it answers that it knows no such connection; or"
            " it opens a new one from the same port."
        ),
        why="Neither its programs nor a box on the way are to blame.",
        change="Find why the host restarted; have clients connect anew.",
        doubt=(
            "Some systems give each connection a clock of its own, so handshakes that agreed before are asked for."
            " Behind a load balancer one address stands for many machines: beyond the link it is at most possible. An"
            " interface that was taken down and up announces itself as well. A program that gave up a connection whose"
            " end did not arrive may open another from the same port."
        ),
        source="RFC 9293 3.5.1; RFC 7323 5.4; Linux secure_tcp_ts_off; RFC 5227 3",
    ),
)
SERVICE_RESTARTED: Final = CauseKind(
    code="service-restarted",
    needs=frozenset({Trait.RESET}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (c.was_reset, refused_then_accepted, knows_other_stack)),
        CauseRow(Certainty.POSSIBLE, (c.was_reset, refused)),
    ),
    facts=_service,
    headline=_service_headline,
    who=_service_who,
    overrules=frozenset({forgotten.FORGOTTEN.code}),
    tells="Check the service's log and start time, and whether the host's timestamp clock started anew, too.",
    text=LongText(
        title="The service was down for a while",
        meaning="The peer's address and port refused new connections, while its host answered.",
        why="The host and the path are fine.",
        change="Look at the service: why it ended, and whether it closes its connections when it does.",
        doubt="A restart of the whole host looks the same where its clock does not show.",
        source="RFC 9293 3.10.7.1",
    ),
)
REFUSED_TOGETHER: Final = CauseKind(
    code="all-refused-together",
    needs=frozenset({Trait.RESET}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (c.was_reset, refused_with_others, sooner_than_any_limit)),
        CauseRow(Certainty.POSSIBLE, (c.was_reset, refused_with_others)),
    ),
    facts=_refusals,
    fits=_refusals_fit,
    headline=_refusals_headline,
    who=_refusals_who,
    why=_refusals_why,
    overrules=frozenset({forgotten.FORGOTTEN.code}),
    tells="Check the service's log and start time, its host's uptime, and what stands in front of it.",
    text=LongText(
        title="Several connections of one service were refused together",
        meaning=(
            "Other connections of the same address and port were answered with a RST too, in the same while, without a"
            " FIN before: what they share has lost them all."
        ),
        why="No single connection was closed or forgotten.",
        change="Find what restarted or failed over, and have clients connect anew.",
        doubt="Connections that were all idle for longer than a box's limit are refused together, too.",
        source="RFC 9293 3.5.1, 3.10.7.1",
    ),
)
HOST_SILENT: Final = CauseKind(
    code="host-silent",
    needs=frozenset({Trait.SILENT}),
    needs_question=True,
    rows=(
        CauseRow(
            Certainty.POSSIBLE,
            (
                c.fell_silent,
                c.host_was_not_heard,
                c.station_was_not_heard,
                c.nothing_refused_a_probe,
                c.sent_nothing_itself,
            ),
        ),
        CauseRow(
            Certainty.POSSIBLE,
            (
                c.fell_silent,
                c.host_came_back,
                c.station_was_not_heard,
                c.nothing_refused_a_probe,
                c.sent_nothing_itself,
            ),
        ),
    ),
    facts=_unheard,
    headline=_unheard_headline,
    who=_unheard_who,
    fits=_unheard_fits,
    tells="Check whether it answers a ping or another connection; behind a router, also what that router says by ICMP.",
    text=LongText(
        title="The host was out of reach, or asleep",
        meaning="Since its last packet in the flow no frame of any kind came from the host, or only when it was over.",
        why=(
            "It may be down or asleep, or the path to it cut; or only this connection was lost and nothing else was to"
            " be sent."
        ),
        change="Look at the host, and at the path to it.",
        doubt="A host that has nothing to say is silent too. RSTs in its name do not count: anybody may send them.",
        source="RFC 1122 4.2.3.6",
    ),
)
