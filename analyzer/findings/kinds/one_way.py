"""Probes unanswered by a peer that is alive, since it probes itself: one direction is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.words.model import Line, LongText
from analyzer.words.probes import last_heard, probe_summary
from analyzer.words.teller import count, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def _evidence(case: Case) -> Evidence:
    """The unanswered probes, and those of the peer meanwhile."""
    trailing = case.trailing
    theirs = [probe for probe in case.record.probes_from(case.peer) if probe.ts_ns > trailing[0].ts_ns]
    return frames_of(numbers_of(trailing), numbers_of(theirs)), known(
        unanswered=len(trailing),
        first_frame=trailing[0].frame,
        last_frame=trailing[-1].frame,
        peer_probes=len(theirs),
        peer_unanswered=len(case.record.trailing(case.peer)),
        peer_answered=sum(probe.answer is not None for probe in theirs),
        peer_last_frame=theirs[-1].frame,
    )


def _headline(t: Teller, f: Finding) -> str:
    prober = side_of(f)
    peer = t.start(other(prober))
    if not number(f, "peer_answered"):
        own, theirs = number(f, "unanswered"), number(f, "peer_unanswered")
        return (
            f"Both ends probe, and neither got an answer before {t.its_end}: not {t.the(prober)} to its last"
            f" {count(own, 'probe')}, nor {t.the(other(prober))} to its last {theirs}."
        )
    return (
        f"{peer} is alive, since it probes too, but answered none of {t.the(prober)}'s last"
        f" {count(number(f, 'unanswered'), 'probe')} before {t.its_end}."
    )


def _theirs(t: Teller, f: Finding) -> tuple[int, ...]:
    """Return the frames of the peer's probes since."""
    peer, first = other(side_of(f)), number(f, "first_frame")
    return tuple(probe.frame for probe in t.probes(peer) if probe.frame > first)


def _ours(t: Teller, f: Finding) -> tuple[int, ...]:
    """Return the frames of the unanswered probes."""
    return numbers_of(t.record.trailing(side_of(f)))


def _happened(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    peer = other(prober)
    answered, many = number(f, "peer_answered"), number(f, "peer_probes")
    how = "none of them was answered" if not answered else f"{answered} of these answered by {t.the(prober)}"
    how = f"all answered by {t.the(prober)}" if answered == many else how
    return lines(
        *probe_summary(t),
        Line(
            f"The last {count(number(f, 'unanswered'), 'probe')} from {t.the(prober)} got no answer, and no RST came.",
            _ours(t, f),
        ),
        Line(
            f"Meanwhile {t.the(peer)} sent {count(many, 'probe')} of its own, {how}: it was there, and still held the"
            " connection.",
            _theirs(t, f),
        ),
        last_heard(t, peer),
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    peer = t.the(other(prober))
    both = number(f, "peer_answered") == 0
    text = (
        "What either end sends passes here, and nothing answers either of them: it is dropped behind this point, each"
        " way, or the answers pass elsewhere. A box that forgot the connection drops both."
        if both
        else f"{t.start(prober)}'s probes are lost behind this point, before {peer} gets them; or it answers no empty"
        " probe. The way back works."
    )
    return [
        Line(text, f.frames),
        Line(
            f"On Linux {peer}'s probes do not count as answers: {t.the(prober)} gives up when its own count is full,"
            " although its peer is alive. On BSD and macOS whatever arrives restarts its clock.",
            f.frames,
        ),
    ]


def _unsure(t: Teller, f: Finding) -> list[Line]:
    return [
        Line("Where these probes, or their answers, were lost; a capture beside each end shows it.", _ours(t, f)),
    ]


def _sees(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    if not number(f, "peer_answered"):
        return [_sees_of(t, side) for side in SIDES]
    peer = f"{t.start(other(prober))}: nothing; its own probes are answered."
    return [_sees_of(t, prober), Line(peer, f.frames)]


def _sees_of(t: Teller, side: Side) -> Line:
    who, fin, frames = t.start(side), t.fin(other(side)), numbers_of(t.record.trailing(side))
    if fin is not None:
        text = f"{who}, read: end of file from the FIN on. Write: ETIMEDOUT once its kernel has given up (Linux)."
        return Line(text, (fin.frame, *frames))
    text = (
        f"{who}, read: waits until its kernel gives up, then ETIMEDOUT. A write meanwhile succeeds, and on Linux stops"
        " the probes, for its data is outstanding."
    )
    return Line(text, frames)


LIVE_UNANSWERED: Final = FindingKind(
    code="live-peer-leaves-probes-unanswered",
    rows=(
        Row(
            (c.silent_to_probes, c.peer_may_answer_probes, c.last_probes_unanswered, c.peer_probes_meanwhile), _evidence
        ),
    ),
    text=LongText(
        title="Probes went unanswered, but the peer was alive and probing",
        meaning=(
            "This end's last probes got no answer before the capture ended, while its peer sent probes of its"
            " own: the peer is alive and holds the connection."
        ),
        why=(
            "Packets are lost in one direction, or both. On Linux the peer's probes do not count as answers, so"
            " this end gives up on a healthy peer."
        ),
        change=(
            "Find what loses packets in one direction: a firewall or NAT that dropped the flow from its table,"
            " a changed route, a filter. Capture at both ends at the same time: which probes arrive shows where."
        ),
        doubt=(
            "A peer whose kernel does not answer empty probes, but sends some, looks the same. Answers may take"
            " another path than this capture point."
        ),
        source="RFC 9293 3.8.4; Linux tcp_validate_incoming, tcp_keepalive_timer; field guide 2.2",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.READER,
    sees=_sees,
    unsure=_unsure,
)
