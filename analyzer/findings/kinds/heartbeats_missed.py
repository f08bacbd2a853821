"""An end closed or reset the connection because its heartbeats stayed unanswered, or the other end's stayed away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.beating import (
    SOON,
    gave_up_on_its_peer,
    gave_up_waiting,
    of_heartbeats,
    owes_answers,
    peers_heartbeats_ceased,
)
from analyzer.findings.evidence import ended_by, frames_of, in_vain, known, said_by, surely_train_of, train_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.phrases import agreed_on, by_what
from analyzer.judge.record import other
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


@of_heartbeats
def last_heartbeats_unanswered(f: Flows) -> Mask:
    """Its heartbeats had been answered, and the last of them was not."""
    return owes_answers(f) & (f.beats("unanswered") > 0)


def _unanswered_evidence(case: Case) -> Evidence:
    """What was answered of its own heartbeats, what was not, and how long it waited."""
    return in_vain(case, case.side)


def _ceased_evidence(case: Case) -> Evidence:
    """The last heartbeat of its peer, and how long it waited for the next."""
    train = surely_train_of(case, case.peer)
    how, closed, until_ns = ended_by(case, case.side)
    return frames_of(train.first_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        sent=train.sent,
        last_frame=train.last_frame,
        closed_frame=closed,
        closed_by=how,
        lost=1 if case.facts.resent or case.peer_facts.resent else None,
        waited_ns=until_ns - train.last_ns,
        **said_by(case, case.side),
    )


def _detail(t: Teller, f: Finding) -> str:
    ended = f"{t.start(side_of(f))} ended the connection {duration(number(f, 'waited_ns'))} after"
    why = f" It said itself why: {f.data['said']}." if "said" in f.data else ""
    if "sent" in f.data:
        beats, often = count(number(f, "sent"), "heartbeat"), duration(number(f, "period_ns"))
        return f"{ended} the last of {beats} of its peer, one every {often} ({by_what(f)}).{agreed_on(f, SOON)}{why}"
    missed = number(f, "unanswered")
    beat = "a heartbeat" if missed == 1 else f"the first of {missed} heartbeats"
    return f"{ended} {beat} ({by_what(f)}) that nothing answered.{why}"


def _tells_why_it_ended(_t: Teller, f: Finding) -> bool:
    """Whether heartbeats that stayed away tell how the flow ended, and nobody said so himself."""
    return "sent" in f.data and "said" not in f.data and "closed_by" in f.data


def _headline(t: Teller, f: Finding) -> str:
    asker = side_of(f)
    ended = {"RST": "reset", "FIN": "closed"}[str(f.data["closed_by"])]
    return (
        f"{t.start(asker)} {ended} the connection {duration(number(f, 'waited_ns'))} after {t.the(other(asker))}'s last"
        f" heartbeat ({by_what(f)}), most likely because none reached it any more."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    asker = side_of(f)
    peer = other(asker)
    train = train_of(t.record, peer)
    due = ""
    if train is not None and t.facts(peer).unacked_frame == train.last_frame:
        due = " It was the first that failed: nothing acknowledged it."
    elif train is not None:
        due = f" The next was due at about {t.at(train.last_ns + train.period_ns)}: the first that did not come."
    text = (
        f"{t.start(peer)}'s program sent {count(number(f, 'sent'), 'heartbeat')} ({by_what(f)}), one every"
        f" {duration(number(f, 'period_ns'))}, the last one here.{agreed_on(f, SOON)}{due}"
    )
    ended = Line(f"{t.start(asker)} then ended the connection ({f.data['closed_by']}).", (number(f, "closed_frame"),))
    again = [_sent_again(t, f, asker), _sent_again(t, f, peer)]
    return lines(Line(text, (number(f, "last_frame"),)), *again, ended)


def _sent_again(t: Teller, f: Finding, side: Side) -> Line | None:
    """Return how often an end sent data again in vain since that last heartbeat, before the other end had enough."""
    again = [
        sent.frame
        for sent in t.record.resent
        if sent.sender == side and number(f, "last_frame") < sent.frame < number(f, "closed_frame")
    ]
    if not again:
        return None
    text = f"Since then {t.the(side)}'s data got no acknowledgement: it was sent again {times(len(again))}."
    return Line(text, tuple(again))


def _why(t: Teller, f: Finding) -> list[Line]:
    asker, peer = side_of(f), other(side_of(f))
    sent_again = _sent_again(t, f, asker), _sent_again(t, f, peer)
    if all(sent_again):
        text = (
            f"Inferred: the path failed, both ways. {t.start(peer)} was alive, and sent data again and again, which did"
            f" not reach {t.the(asker)}; what {t.the(asker)} sent got no acknowledgement either."
        )
    elif sent_again[1] is not None:
        text = (
            f"Inferred: the path failed. {t.start(peer)} was alive, and what it sent passed here and did not reach"
            f" {t.the(asker)}, or the acknowledgements did not come back."
        )
    elif sent_again[0] is not None:
        text = (
            f"{t.start(peer)}'s kernel acknowledged nothing any more: its host was gone, or the path lost what either"
            " sent. It was not its program alone."
        )
    else:
        text = f"Whether {t.the(peer)}'s program, its host or the path failed, does not show: nothing was asked of it."
    doubt = f"That {t.the(asker)} ended the connection because of that is inferred from the time."
    return [Line(text, f.frames), Line(doubt, (number(f, "closed_frame"),))]


def _remark(t: Teller) -> str | None:
    """Return where to look, where it was not the program alone."""
    found = t.find(MISSED.code)
    if found is None or "lost" not in found.data or not _tells_why_it_ended(t, found):
        return None
    asker = t.the(side_of(found))
    return (
        f"{asker.capitalize()}'s rule did what it should. Find out why nothing came any more: is the other host up, and"
        " does the path pass both ways? A capture at each end shows where packets are lost."
    )


MISSED: Final = FindingKind(
    code="heartbeats-missed",
    rows=(
        Row((last_heartbeats_unanswered, gave_up_waiting), _unanswered_evidence),
        Row((peers_heartbeats_ceased, gave_up_on_its_peer), _ceased_evidence),
    ),
    text=LongText(
        title="It closed because heartbeats were missing",
        meaning=(
            "This end's program sent heartbeats, the last of them got no answer, and it closed or reset the"
            " connection later than any answer had taken; or its peer's heartbeats, which had come steadily, stayed"
            " away for as long as both had agreed on, or for three periods. It closed most likely by a rule of its own."
        ),
        why=(
            "Such a rule finds a dead host, a broken path and a hung program alike. What it was shows in whether the"
            " other kernel acknowledged the heartbeats."
        ),
        change=(
            "Nothing, if the other end was dead. If it was only slow, let the rule wait for longer than the other"
            " program may be busy, or tolerate more than one missed heartbeat."
        ),
        doubt="It may have closed for another reason at that time.",
        source="RFC 6455 5.5.2; OASIS MQTT 5.0 3.1.2.10",
    ),
    detail=_detail,
    lead=Lead(_headline, _happened, _why, overrules=True, when=_tells_why_it_ended),
    advice=Advice.MINOR,
    remark=_remark,
)
