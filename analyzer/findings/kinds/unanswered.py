"""Probes unanswered when the capture ended: the prober has not given up yet, or has fallen silent as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.phrases import LOST_OR_GONE
from analyzer.judge.record import other
from analyzer.tolerances import OVERDUE, OVERDUE_NS, UNEVEN
from analyzer.words.calls import unaware
from analyzer.words.fins import left_open
from analyzer.words.model import Line, LongText
from analyzer.words.probes import dropped_refusals, last_heard, turned_back
from analyzer.words.teller import capital, count, duration, gaps_of, lines, number, side_of, spacing, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


LINUX: Final = (9, "the default of Linux")
COUNTS: Final = (LINUX, (8, "that of macOS and FreeBSD"))
"""After how many unanswered probes a prober gives up, unless told otherwise (field guide 5)."""


def probed_last(f: Flows) -> Mask:
    """A probe is the last that it sent."""
    return (f.run("probes") > 0) & (f.value_at(f.last_of(f.probing), "ts_ns") == f.own("last_ns"))


def next_probe_overdue(f: Flows) -> Mask:
    """Twice the spacing of those probes passed to the capture's end without another."""
    waited_ns = f.ends_ns - f.value_at(f.last_of(f.trailing), "ts_ns")
    later = f.trailing.copy()
    first = f.first_of(f.trailing)
    later[first[first >= 0]] = False
    spacing_ns = f.largest(f.seen("gap_ns"), later)
    return (spacing_ns >= 0) & (waited_ns > OVERDUE * spacing_ns + OVERDUE_NS)


def next_probe_not_overdue(f: Flows) -> Mask:
    """Another was not yet due, or it is not known when."""
    return ~next_probe_overdue(f)


def trailing_gap(case: Case) -> int | None:
    """Return the longest time between its last, unanswered probes; None if there are fewer than two."""
    return max((probe.gap_ns for probe in case.trailing[1:] if probe.gap_ns is not None), default=None)


def _is_uneven(case: Case) -> bool:
    """Whether its last, unanswered probes came at times from which nothing can be reckoned on."""
    gaps = [probe.gap_ns for probe in case.trailing[1:] if probe.gap_ns is not None]
    return bool(gaps) and max(gaps) > UNEVEN * min(gaps)


def _evidence(case: Case) -> Evidence:
    """The unanswered probes so far, their spacing, and how long the capture went on."""
    trailing = case.trailing
    interval = case.settings.interval if case.settings else None
    heard_ns = case.peer_facts.last_ns
    if not case.record.keeps_time(case.record.first_frame, trailing[-1].frame):
        heard_ns = None
    return frames_of(numbers_of(trailing)), known(
        unanswered=len(trailing),
        first_frame=trailing[0].frame,
        first_ns=trailing[0].ts_ns,
        gap_ns=trailing_gap(case),
        interval_ns=interval.value_ns if interval else None,
        backs_off=int(case.settings is not None and case.settings.backs_off) or None,
        uneven=int(_is_uneven(case)) or None,
        silent_ns=case.record.end_ns - heard_ns if heard_ns is not None else None,
        waited_ns=case.record.end_ns - trailing[-1].ts_ns,
        **_outstanding(case),
    )


def _outstanding(case: Case) -> dict[str, int | str]:
    """Return what is known of data that was unacknowledged before the first of these probes, if there was any."""
    facts = case.facts
    if facts.unacked_ns is None or facts.unacked_frame is None or not facts.resent:
        return {}
    if facts.unacked_ns >= case.trailing[0].ts_ns or case.fin is not None:
        return {}
    return known(unacked_frame=facts.unacked_frame, resent=facts.resent, resent_frame=facts.resent_frame)


def _headline(t: Teller, f: Finding) -> str:
    """Return the same of one f, for both ends can have one."""
    prober = side_of(f)
    unanswered = count(number(f, "unanswered"), "probe")
    peer = t.the(other(prober))
    text = f"{left_open(t, prober)}{peer} stopped answering: {unanswered} from {t.the(prober)} unanswered"
    text = f"{capital(text)} when {t.its_end}"
    if "silent_ns" in f.data:
        text += f", {duration(number(f, 'silent_ns'))} after its last packet"
    if "unacked_frame" in f.data:
        text += f"; data, retransmitted {times(number(f, 'resent'))}, is unacknowledged too"
    return f"{text}."


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the last packet, the probes since, and when the prober would have given up."""
    prober = side_of(f)
    sent = f"Since then {count(number(f, 'unanswered'), 'probe')} from {t.the(prober)} got no answer"
    refused = dropped_refusals(t, t.record.trailing(prober))
    text = f"{sent} that counts." if refused else f"{sent}, and no RST came."
    data = None
    if "unacked_frame" in f.data:
        also = (
            f"{t.start(prober)} had sent data before, which nothing acknowledged, and retransmitted it"
            f" {times(number(f, 'resent'))}. BSD and macOS also probe meanwhile; Linux sends no probe while data is"
            " outstanding."
        )
        data = Line(also, (number(f, "unacked_frame"), number(f, "resent_frame")))
    return lines(last_heard(t, other(prober)), data, Line(text, f.frames), refused, _gives_up(t, f))


def gave_up_ns(t: Teller, f: Finding) -> int:
    """Return when a prober gave up of which no more probes came: one interval behind its last, if it did."""
    last_ns = max((p.ts_ns for p in t.record.probes_from(side_of(f))), default=0)
    gap_ns = number(f, "gap_ns") * (2 if "backs_off" in f.data else 1)
    return last_ns + (number(f, "interval_ns") or gap_ns)


def _when(t: Teller, f: Finding) -> str:
    return f"at about {t.at(gave_up_ns(t, f))}, after {count(number(f, 'unanswered'), 'probe')}"


def asks_on(t: Teller, f: Finding) -> bool:
    """Whether the prober asked on the link for its peer, or for the next hop, after its last probe."""
    beside = t.record.beside
    last_ns = max((p.ts_ns for p in t.record.probes_from(side_of(f))), default=0)
    return beside is not None and max(beside["asked_last_ns"], beside["hop_asked_last_ns"]) > last_ns


def _gives_up(t: Teller, f: Finding) -> Line | None:
    """Return when the prober would have given up, by the usual counts."""
    gap = number(f, "interval_ns") or number(f, "gap_ns")
    first = number(f, "first_ns")
    counts = [each for each in COUNTS if each != LINUX or "unacked_frame" not in f.data]
    whens = [
        f"at about {t.at(first + many * gap)} if its count is {many} ({whose})"
        for many, whose in counts
        if first + many * gap > t.record.end_ns
    ]
    if not gap:
        return None
    if f.code == THEN_NONE.code:
        apart = spacing(gaps_of([probe for probe in t.probes(side_of(f)) if probe.frame in f.frames]))
        text = f"They came {apart or 'once'}, then no more for {duration(number(f, 'waited_ns'))}: " + (
            "its host no longer knows the link address to send them to, and asks for it. Later probes, and the RST with"
            f" which it gives up, could not leave: it gave up {_when(t, f)}, or later."
            if asks_on(t, f)
            else f"the prober is gone as well, or it gave up {_when(t, f)} and its RST was not captured."
        )
        return Line(text, f.frames)
    if "uneven" in f.data and "interval_ns" not in f.data:
        apart = spacing(gaps_of([probe for probe in t.probes(side_of(f)) if probe.frame in f.frames]))
        grows = ", each longer after the one before" if "backs_off" in f.data else ""
        return Line(f"They came {apart}{grows}: when {t.the(side_of(f))} gives up cannot be told from that.", f.frames)
    return (
        Line(
            f"At one probe every {duration(gap)}, {t.the(side_of(f))} gives up and sends a RST {', '.join(whens)}.",
            f.frames,
        )
        if whens
        else None
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what the silence can be, unless its cause is told: then why the prober goes on."""
    peer = t.the(other(side_of(f)))
    reason = (
        "Keepalive works as intended: nothing comes back."
        if t.cause_is_told or turned_back(t, side_of(f))
        else f"Either {peer} or the path to it is gone, or answers are lost on the way here."
    )
    text = f"{reason} A prober must not give up before its count is reached: one lost probe proves nothing."
    return [Line(text, f.frames)]


def _unsure(t: Teller, f: Finding) -> list[Line]:
    return [] if t.cause_is_told or turned_back(t, side_of(f)) else [Line(LOST_OR_GONE, f.frames)]


def _sees(t: Teller, f: Finding) -> list[Line]:
    """Probes unanswered so far."""
    prober = side_of(f)
    who, fin = t.start(prober), t.fin(other(prober))
    if f.code == THEN_NONE.code and fin is None and asks_on(t, f):
        text = f"{who}, read: ETIMEDOUT from about {t.at(gave_up_ns(t, f))} on, or later: once its kernel gave up."
        own = Line(text, f.frames)
    elif fin is not None:
        text = f"{who}, read: end of file from the FIN on. Write: ETIMEDOUT once its kernel has given up (Linux)."
        own = Line(text, (fin.frame, *f.frames))
    else:
        text = f"{who}, read: waits until its kernel gives up, then ETIMEDOUT. A write meanwhile succeeds"
        text += "." if "unacked_frame" in f.data else ", and on Linux stops the probes, for its data is outstanding."
        own = Line(text, f.frames)
    return [own, unaware(t, other(prober), f.frames)]


STILL_PROBING: Final = FindingKind(
    code="still-probing-at-end",
    rows=(
        Row(
            (
                c.silent_to_probes,
                c.peer_may_answer_probes,
                c.last_probes_unanswered,
                c.peer_is_silent,
                probed_last,
                next_probe_not_overdue,
            ),
            _evidence,
        ),
    ),
    text=LongText(
        title="Probes unanswered when the capture ended",
        meaning="The peer stopped answering, and the capture ended before the prober gave up.",
        why="The end is not in the capture, but it is near: a prober without answers gives up after its count.",
        change=(
            "Capture for longer: until idle + count x interval after the last packet. Linux counts to 9 and"
            " macOS to 8 unless set otherwise."
        ),
        doubt=(
            "One unanswered probe never means that the peer is dead (RFC 9293 MUST-29); answers may have been lost"
            " on the way to this capture point."
        ),
        source="RFC 9293 3.8.4; field guide 2.3, 9.5",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.READER,
    sees=_sees,
    unsure=_unsure,
)


THEN_NONE: Final = FindingKind(
    code="probes-unanswered-then-none",
    rows=(
        Row(
            (
                c.silent_to_probes,
                c.peer_may_answer_probes,
                c.last_probes_unanswered,
                c.peer_is_silent,
                probed_last,
                next_probe_overdue,
            ),
            _evidence,
        ),
    ),
    text=LongText(
        title="Probes unanswered, then no more probes",
        meaning=(
            "The last probes got no answer. After them nothing came for more than two of their intervals, up to"
            " the end of the capture: not even the prober's RST."
        ),
        why="The peer or the path was gone, and then the prober itself fell silent.",
        change=(
            "Check the prober: it may have given up (its RST need not have passed this point), been shut down,"
            " or had data to send."
        ),
        doubt=(
            "The capture may have lost packets, or a link without carrier may have swallowed probes and RST"
            " before they could be captured."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.3, 8, 9.5",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.READER,
    sees=_sees,
    unsure=_unsure,
)
