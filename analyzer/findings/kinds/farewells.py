"""Ends that said in their own protocol why they end the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.beating import own_reason, says_heartbeats_missed
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.phrases import CALM_DOWN
from analyzer.judge.farewells import is_of_heartbeats, is_of_pings
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line, LongText
from analyzer.words.teller import duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def said_why(f: Flows) -> Mask:
    """It said in its protocol why it ends the connection."""
    return own_reason(f) > 0


def is_being_ended(f: Flows) -> Mask:
    """The connection did not go on: an end closed or reset it, or it fell silent."""
    return ~f.verdict_in(Verdict.OPEN) | says_heartbeats_missed(f)


def _evidence(case: Case) -> Evidence:
    """What was said, and how its sender then ended the connection; if heartbeats ceased, what its peer said last."""
    (farewell,) = case.record.farewells
    fin, reset, own, peer = case.fin, case.own_reset, case.facts, case.peer_facts
    misses = is_of_heartbeats(farewell.said)
    before = peer.last_data_frame if misses and (peer.last_data_frame or farewell.frame) < farewell.frame else None
    silent_ns = None
    if before and own.last_data_frame == farewell.frame and own.last_data_ns and peer.last_data_ns:
        silent_ns = own.last_data_ns - peer.last_data_ns
    closed = fin or reset
    return frames_of(before, farewell.frame, closed.frame if closed else None), known(
        said=farewell.said,
        said_frame=farewell.frame,
        misses=1 if misses else None,
        last_frame=before,
        silent_ns=silent_ns,
        closed_frame=closed.frame if closed else None,
        closed_by=("FIN" if fin else "RST") if closed else None,
    )


def _headline(t: Teller, f: Finding) -> str:
    who, said = t.start(side_of(f)), f.data["said"]
    if "misses" in f.data:
        return f"{who} ended the connection because {_what(t, f)} stayed away: it said so itself ({said})."
    return f"{who} ended the connection and said why: {said}."


def _what(t: Teller, f: Finding) -> str:
    """Return what stayed away: answers where it asks, else heartbeats."""
    asks = any(train.sender == f.about and train.answered is not None for train in t.record.heartbeats)
    return f"{t.the(other(side_of(f)))}'s {'answers to its heartbeats' if asks else 'heartbeats'}"


def _happened(t: Teller, f: Finding) -> list[Line]:
    who = t.start(side_of(f))
    ended, before = None, None
    if "closed_frame" in f.data:
        ended = Line(f"It then ended the connection ({f.data['closed_by']}).", (number(f, "closed_frame"),))
    if "last_frame" in f.data:
        silent = f", {duration(number(f, 'silent_ns'))} before the other end gave up" if "silent_ns" in f.data else ""
        text = f"{t.start(other(side_of(f)))}'s program said its last here{silent}."
        before = Line(text, (number(f, "last_frame"),))
    return lines(before, Line(f"{who}'s program sent {f.data['said']}.", (number(f, "said_frame"),)), ended)


def _why(t: Teller, f: Finding) -> list[Line]:
    text = "That is the sender's own word, in its protocol: why it ended the connection need not be inferred."
    if "misses" in f.data:
        text += f" Why {_what(t, f)} did not reach it, it cannot know: program, host or path may be the reason."
    return [Line(text, (number(f, "said_frame"),))]


def _change(f: Finding) -> str | None:
    if "misses" in f.data:
        return (
            "Look at the program, the host and the path of the end that was waited for. If it was only late, let both"
            " ends agree on a longer time."
        )
    if is_of_pings(str(f.data["said"])):
        return CALM_DOWN
    return f"Follow the reason that was given: {f.data['said']}."


REASON_GIVEN: Final = FindingKind(
    code="reason-given",
    rows=(Row((said_why, is_being_ended), _evidence),),
    text=LongText(
        title="It said itself why it ended the connection",
        meaning=(
            "This end's program sent a message of its protocol that ends the connection and says why: BGP NOTIFICATION,"
            " MQTT DISCONNECT, AMQP connection.close, WebSocket Close, HTTP/2 GOAWAY, Diameter Disconnect-Peer-Request,"
            " an error of PostgreSQL, MySQL, NATS, XMPP or IRC. Nothing is said of usual closes."
        ),
        why="What a program says of itself is worth more than what is inferred from the times of packets.",
        change=(
            "Follow the reason. If heartbeats stayed away, look at the program, the host and the path of the other end;"
            " if they were only late, let both ends agree on a longer time."
        ),
        doubt="A program may word its reason wrongly, and a box between may have written it.",
        source="RFC 4271 6; RFC 4486; OASIS MQTT 5.0 3.14.2.1; AMQP 0-9-1 connection.close; RFC 6455 7.4; RFC 9113 6.8",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    change=_change,
    advice=Advice.READER,
)
