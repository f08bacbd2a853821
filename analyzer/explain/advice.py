"""What to change: what the findings advise, each with whom it concerns; where none does, that nothing needs changing.

It must not find anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain import blocked, reading, why_so
from analyzer.explain.orderly import late_data
from analyzer.explain.settings import skipped_at
from analyzer.findings import Advice, kind_of
from analyzer.findings.kinds import (
    abort,
    dead_peer,
    farewells,
    half_close,
    heartbeat_limits,
    no_answers,
    no_heartbeats,
    program_hung,
    rhythm,
)
from analyzer.judge.outlook import hurried
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import RATE_LIMIT_NS
from analyzer.track.flow import SIDES
from analyzer.words.beats import late_lines, over_lines
from analyzer.words.calls import CLOSE_IN_GO
from analyzer.words.fins import may_have_closed_before, refused_fin
from analyzer.words.icmp import icmp_text
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, evidence, side_of, small, times
from analyzer.words.witnesses import moved_away

if TYPE_CHECKING:
    from analyzer.findings import Remedy
    from analyzer.judge.events import IcmpError
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

NOTHING: Final = {
    Verdict.CLOSED: "Nothing: both ends closed, as they should.",
    Verdict.CLOSING: "Nothing: the connection was being closed. To see how it ended, capture for longer.",
    Verdict.OPEN: "Nothing: as far as this capture goes, all is well.",
    Verdict.HALF_CLOSED: "Nothing so far. To see whether the other end closes, capture for longer.",
    Verdict.UNESTABLISHED: (
        "Nothing in keepalive. Check that something listens at that address and port, and that routes and firewalls let"
        " the SYN and its answer through."
    ),
    Verdict.UNDETERMINED: "Nothing can be advised from this capture. Capture both directions, where no packet is lost.",
}
"""What to say where no finding advises anything, by verdict; the others have too many possible reasons."""

OLDER: Final = (
    " If an older connection on the same addresses and ports is in this capture, read its story first: the other end"
    " may still hold it."
)
"""What else to do about a SYN without an answer: what a called end says of an older connection is told with that."""
LATE_CLOSE_NS: Final = 10_000_000_000
"""A program that reads closes sooner after its peer, unless it has still something to send."""
OFTEN: Final = 3
"""Data that was sent again so often is not on its way."""
COVERED: Final[dict[str, tuple[str, ...]]] = {
    dead_peer.DEAD.code: (no_answers.ANSWERS_NONE.code,),
    abort.ABORT.code: (program_hung.HUNG.code, no_heartbeats.NEVER_SENT.code),
    farewells.REASON_GIVEN.code: (program_hung.HUNG.code, no_heartbeats.NEVER_SENT.code),
}
"""Findings whose advice one of others gives better, to an end by its name."""
NORMAL: Final = (half_close.IN_USE, heartbeat_limits.MASKED, rhythm.BOTH_ENDS)
"""Findings that say in their own words that nothing needs changing."""


def advice(t: Teller) -> list[Line]:
    """Return what to change; where no finding advises anything, that nothing needs changing."""
    return findings_advice(t) or _nothing(t)


def findings_advice(t: Teller) -> list[Line]:
    """Return what the records of the findings advise, each with whom it concerns, and each remedy once."""
    found, remarks = [], []
    overruled = why_so.overruled(t)
    given: dict[Remedy, str] = {}

    def is_given(remedies: frozenset[Remedy], code: str) -> bool:
        """Say whether other findings gave all of these; else they are given by this one."""
        again = bool(remedies) and all(given.get(remedy, code) != code for remedy in remedies)
        if not again:
            given.update(dict.fromkeys(remedies - given.keys(), code))
        return again

    for finding in t.judged.findings:
        if finding.code in overruled or any(map(t.find, COVERED.get(finding.code, ()))):
            continue
        kind = kind_of(finding.code)
        advises = kind.advice in {Advice.OWN, Advice.READER}
        if advises and not is_given(kind.remedies_of(finding), finding.code):
            who = f"{t.start(side_of(finding))}: " if kind.advice is Advice.OWN else ""
            told = kind.advice_of(finding) if _may_be_go(t) else kind.advice_of(finding).replace(CLOSE_IN_GO, "")
            found.append(Line(who + small(told) if who else told, finding.frames))
        if kind.remark is None or is_given(kind.remark_remedies, finding.code):
            continue
        if (text := kind.remark(t)) is not None:
            remarks.append(Line(text, finding.frames))
    return _each_once([*found, *remarks])


def _may_be_go(t: Teller) -> bool:
    """Say whether the timers of either end are those of programs in Go."""
    each = (t.judged.settings(side) for side in SIDES)
    return any("Go" in family.split() for settings in each if settings for family in settings.families)


def _nothing(t: Teller) -> list[Line]:
    """Return that nothing needs changing, unless somebody must act or the reason for the end is open."""
    text = NOTHING.get(t.ending.verdict)
    if text is None or why_so.who(t):
        return []
    if t.ending.verdict is Verdict.UNESTABLISHED and (acks := blocked.advice(t)):
        return acks
    if t.record.reused_ns is not None and t.ending.verdict is Verdict.OPEN:
        text = (
            "See the story of the connection that took these addresses and ports: one end most likely had this one no"
            " longer, and the other may still hold it."
        )
        return [Line(text, (t.record.last_frame,))]
    closed = [side for side in SIDES if t.facts(side).unseen_fin and t.record.starts_with == "handshake"]
    if closed and t.ending.verdict is Verdict.OPEN:
        text = (
            f"{t.start(other(closed[0]))}: see whether its program read the end of file and did not close. For"
            f" certainty, capture again, so that no packet is missing."
        )
        return [Line(text, (t.record.last_frame,))]
    if t.ending.verdict is Verdict.HALF_CLOSED and (late := _not_closing(t)):
        return late
    if t.ending.verdict is Verdict.OPEN and (open_questions := _not_well(t)):
        return open_questions
    refused = refused_fin(t)
    if refused is not None:
        text = "Nothing: both programs had closed. That the last FIN drew a RST harms neither."
        return [Line(text, (refused[0].frame, refused[1].frame))]
    if t.ending.verdict in {Verdict.OPEN, Verdict.CLOSING} and (over := over_lines(t)):
        return over
    for kind in NORMAL:
        if found := t.find(kind.code):
            return [Line(kind.advice_of(found), found.frames)]
    if t.ending.verdict is Verdict.UNESTABLISHED and t.record.number > 0:  # the first flow of all has none before it
        text += OLDER
    return [Line(text, (t.ending.frame or t.record.last_frame,))]


def _not_closing(t: Teller) -> list[Line]:
    """Return whose program is to close, where it has not in a while and sends nothing either: that is no half-close."""
    fin = t.record.fins[0]
    waits = other(fin.sender)
    sent_ns = t.facts(waits).last_data_ns
    if t.record.end_ns - fin.ts_ns < LATE_CLOSE_NS or (sent_ns is not None and sent_ns > fin.ts_ns):
        return []
    text = (
        f"{t.start(waits)}: see that its program reads until end of file and then closes; in"
        f" {duration(t.record.end_ns - fin.ts_ns)} it did not. To see whether it does later, capture for longer."
    )
    if may_have_closed_before(t, waits):
        text = (
            f"{t.start(waits)}: look whether it still holds the connection (ss -tanp there): it may have closed before"
            " the capture began. If it is in CLOSE-WAIT, see that its program reads until end of file and then closes."
        )
    return [Line(text, (fin.frame,))]


def _not_well(t: Teller) -> list[Line]:
    """Return what to find out where nothing is found, but something stayed without its answer: then all is not well."""
    said = []
    for side in SIDES:
        facts = t.facts(side)
        if errors := _errors_since(t, side):
            what = icmp_text(errors[-1].version, errors[-1].type, errors[-1].code)
            text = (
                f"Find out why {errors[-1].source} answers {t.the(side)} by ICMP ({what}). Whether it reaches"
                f" {t.the(other(side))} again, this capture does not show: capture for longer."
            )
            said.append(Line(text, tuple(error.frame for error in errors)))
        if sooner := hurried(t.probes(side)):
            text = (
                f"{t.start(side)}: see whether the answers to its probes still reach it: capture there, too, and for"
                " longer. If none does, it gives up once its count of probes is reached."
            )
            said.append(Line(text, evidence(sooner)))
        if facts.unacked_ns is not None and facts.resent >= OFTEN:
            text = (
                f"{t.start(side)}: find out why its data is not acknowledged although it was sent again"
                f" {times(facts.resent)}, and {t.the(other(side))} was heard: look at its counters (nstat -az, for"
                " example TcpExtPAWSEstab, TcpInCsumErrors), and capture there too."
            )
            said.append(Line(text, tuple(frame for frame in (facts.unacked_frame, facts.resent_frame) if frame)))
        patient = [probe for probe in t.probes(side) if t.record.end_ns - probe.ts_ns >= RATE_LIMIT_NS]
        waiting = [probe for probe in patient if probe.answer is None and probe.certainty != "suspected"]
        if waiting:
            text = (
                f"{t.start(side)}: {count(len(waiting), 'probe')} got no answer here that counts. Find out whether"
                f" {t.the(other(side))} answers none, or packets are lost: capture there too."
            )
            said.append(Line(text, evidence(waiting)))
        skipped = skipped_at(t, side)
        if skipped is not None and (skipped.probes_lost or skipped.answers_lost):
            lost = skipped.probes_lost + skipped.answers_lost
            text = (
                f"The path between {t.the(side)} and this point: it most likely lost {count(lost, 'packet')} of this"
                " connection's keepalive. Look for the loss there. Keepalive carried the connection over it."
            )
            said.append(Line(text, evidence(skipped.shown_by)))
    look = "Look for what lost these packets, or kept the other end away so long: on the path, and there."
    away = [Line(look, line.frames) for line in late_data(t)]
    return [*said, *away, *_moved(t), *late_lines(t)] or reading.advice(t)


def _errors_since(t: Teller, side: Side) -> list[IcmpError]:
    """Return the ICMP errors about what an end sent since its peer was last heard."""
    heard_ns = t.facts(other(side)).last_ns
    return [error for error in t.record.errors_about(side) if heard_ns is None or error.ts_ns > heard_ns]


def _moved(t: Teller) -> list[Line]:
    """Return what a new place of an end's address means for a connection that nothing passed on since."""
    return [
        Line(
            f"{witness.data['address']} is at another machine since {t.at(witness.ts_ns)}, and nothing passed on this"
            " connection after that. That machine most likely does not know it: whoever moved the address, have"
            " clients connect anew.",
            witness.frames,
        )
        for witness in moved_away(t)
    ]


def _each_once(said: list[Line]) -> list[Line]:
    """Return lines without repeating a text: the first has the frames of all."""
    frames: dict[str, set[int]] = {}
    for line in said:
        frames.setdefault(line.text, set()).update(line.frames)
    return [Line(text, tuple(sorted(shown))) for text, shown in frames.items()]
