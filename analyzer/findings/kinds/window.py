"""A receive window that was closed, probed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Remedy, Row
from analyzer.findings.notable import LONG_CLOSED_NS
from analyzer.judge.closings import closings, unanswered
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.label.rules import Kind
from analyzer.words.model import Line, LongText
from analyzer.words.probes import last_heard, probe_summary
from analyzer.words.stacks import has_user_timeout
from analyzer.words.teller import count, duration, lines, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.closings import Closing
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

NEVER_NS: Final = 1 << 62


def probed_closed_window(f: Flows) -> Mask:
    """Its peer probed its closed window."""
    return f.peer_run("zero_window") > 0


def window_stays_closed(f: Flows) -> Mask:
    """Its window is closed at the capture's end, its peer can still send, and sent no sure window probe."""
    going_on = f.verdict_in(Verdict.OPEN, Verdict.SILENT, Verdict.HALF_CLOSED)
    return (f.own("window_shut_frame") > 0) & ~probed_closed_window(f) & going_on & (f.peer("fin_frame") == 0)


def window_closed_for_long(f: Flows) -> Mask:
    """Its window was closed for 10 s or more at a time, as far as the capture shows both ends of that time."""
    # what closings() says of one record, by columns
    moves = f.mine & f.window_moves
    shut = np.flatnonzero(moves & (f.seen("window") == 0))
    opened = np.flatnonzero(moves & (f.seen("window") > 0))
    probes = np.flatnonzero(f.from_peer.mine & f.kind_in(Kind.ZERO_WINDOW_PROBE))
    if not (len(shut) or len(probes)):
        return f.none
    # a window that was closed before the capture showed it is known by the first probe of it
    known = np.append(shut, probes)
    known.sort()
    first = known[np.append(True, np.diff(f.columns.owner[known]) != 0)] if len(known) else known
    # a row that is in both does no harm; np.union1d would import numpy.ma, for a hundredth of a report's time
    since = np.append(shut, first)
    flow = f.columns.owner[since]
    stops = np.append(f.columns.start[1:], len(f.columns.owner))[flow]

    def next_of(rows: Column, low: Column) -> Column:
        """Return of each flow the first of these rows from another on; where its rows stop if there is none."""
        return np.minimum(np.append(rows, len(f.columns.owner))[np.searchsorted(rows, low)], stops)

    ends, probe = next_of(opened, since), next_of(probes, since)
    # where it closed again and no row showed it open between, only the last time is sure
    last = np.maximum(since, np.append(shut, -1)[np.searchsorted(shut, ends) - 1])
    ts_ns, frame = np.append(f.seen("ts_ns"), NEVER_NS), np.append(f.seen("frame"), 0)
    from_ns = np.minimum(ts_ns[last], np.where(probe < stops, ts_ns[probe], NEVER_NS))
    ended_ns = np.where(f.ending("reset_row") >= 0, f.ending("reset_ns"), f.flow("last_ns"))[flow]
    lasted_ns = np.where(ends < stops, ts_ns[ends], ended_ns) - from_ns
    until = np.where(ends < stops, frame[ends], f.flow("last_frame")[flow])
    long = (lasted_ns >= LONG_CLOSED_NS) & f.columns.is_awake_until(last, until)
    found = np.bincount(flow[long], minlength=len(f)) > 0
    mask: Mask = found & (f.flow("backwards") == 0)
    return mask


def _long(case: Case) -> list[Closing]:
    """Return the long closings."""
    every = closings(case.record, case.side)
    return [each for each in every if each.lasted_ns >= LONG_CLOSED_NS and _is_measured(case, each)]


def _is_measured(case: Case, closing: Closing) -> bool:
    """Say whether the capture was awake all the time that a window was closed."""
    record = case.record
    until = closing.opened_frame or record.last_frame
    return not record.backwards and record.is_awake(closing.shut_frame or closing.probes[0].frame, until)


def verdict_open(f: Flows) -> Mask:
    """The verdict is open."""
    return f.verdict_in(Verdict.OPEN)


def silent_to_window_probes(f: Flows) -> Mask:
    """The verdict is silent, and it is probes of a closed window that stayed unanswered."""
    return f.rule_is("window-unanswered")


def last_window_probes_unanswered(f: Flows) -> Mask:
    """Its last probes of its peer's closed window were not answered."""
    asked = f.mine & f.kind_in(Kind.ZERO_WINDOW_PROBE, Kind.AT_ZERO_WINDOW)
    return f.any_row(asked & (f.seen("ts_ns") > f.of_row(f.peer("last_ns"))))


def _closed_evidence(case: Case) -> Evidence:
    """Each closing: since when, the probes, until when."""
    every = closings(case.record, case.side)
    told = [closing for closing in every if closing.probes] or list(every[-1:])
    last = told[-1]
    return frames_of(
        (each.shut_frame for each in told if each.shut_frame),
        (probe.frame for each in told for probe in each.probes),
        (each.opened_frame for each in told if each.opened_frame),
    ), known(
        closings=len(told),
        probes=sum(len(each.probes) for each in told),
        shut_frame=told[0].shut_frame,
        opened_frame=last.opened_frame,
        longest_ns=max((each.lasted_ns for each in told if _is_measured(case, each)), default=None),
    )


def _shut_evidence(case: Case) -> Evidence:
    """Since when the window is closed."""
    last = next((each for each in reversed(closings(case.record, case.side)) if each.opened_frame is None), None)
    return frames_of(case.facts.window_shut_frame), known(
        closings=1,
        probes=0,
        undecided=len(case.record.undecided_from(case.peer)) or None,
        shut_frame=case.facts.window_shut_frame,
        longest_ns=last.lasted_ns if last is not None and _is_measured(case, last) else None,
    )


def _detail(t: Teller, f: Finding) -> str:
    receiver, many, probes = side_of(f), number(f, "closings"), number(f, "probes")
    lasted = duration(number(f, "longest_ns"))
    at_most = f", for at most {lasted} at a time" if "longest_ns" in f.data else ""
    who, peer = t.start(receiver), t.the(other(receiver))
    if many > 1:
        ended = "each time it opened again" if "opened_frame" in f.data else "the last time it stayed closed"
        return f"{who}'s receive window closed {times(many)}{at_most}; {peer} probed it {times(probes)}, and {ended}."
    if not probes:
        since = f" for {lasted} to the flow's last segment" if "longest_ns" in f.data else ""
        if undecided := number(f, "undecided"):
            whether = f"{count(undecided, 'probe')} of {peer} asked for the window or for the peer, which is undecided"
        else:
            whether = "its peer sent no window probe"
        return f"{who}'s receive window stayed closed{since}; {whether}."
    asked = f"{t.start(other(receiver))} probed {t.the(receiver)}'s closed window {times(probes)}"
    if "opened_frame" not in f.data:
        return f"{asked}; it was still closed when last heard of."
    return f"{asked}; it opened again" + (f" after {lasted}." if "longest_ns" in f.data else ".")


def _change(f: Finding) -> str:
    """Return what to do at the end whose window it is: now, or before it happens again."""
    if "opened_frame" in f.data:
        return (
            "It reads again. Find out why the program that owns this window had not read in that time; it should read"
            " what arrives at once, or close the connection."
        )
    return "Read what has arrived, or close the connection, in the program that owns this window."


def _remark(t: Teller) -> str | None:
    """Return what the other end can do."""
    waiting = other(side_of(t.need(CLOSED.code)))
    settings = t.judged.settings(waiting)
    linux = has_user_timeout(settings.stack if settings else None)
    how = "TCP_USER_TIMEOUT on Linux, or a timeout on write" if linux else "a timeout on write"
    again = " for the next time" if "opened_frame" in t.need(CLOSED.code).data else ""
    return f"{t.start(waiting)}: limit the wait{again} ({how})."


CLOSED: Final = FindingKind(
    code="window-closed",
    rows=(
        Row((probed_closed_window,), _closed_evidence),
        Row((window_stays_closed,), _shut_evidence),
    ),
    text=LongText(
        title="The receive window was closed",
        meaning=(
            "This end advertised window 0. A peer with data to send asks from time to time whether it has opened;"
            " such probes look like keepalive but are not."
        ),
        why=(
            "The program at this end does not read, or not fast enough. Its kernel still answers while the"
            " window is closed, so this can last forever."
        ),
        change=(
            "Read what has arrived, or close the connection, in the program at this end. At the other end,"
            " limit the wait (TCP_USER_TIMEOUT, or a timeout on write)."
        ),
        doubt=(
            "On Linux window probes and keepalive probes are the same segment; the closed window and the doubling"
            " of the gaps tell them apart."
        ),
        source="RFC 9293 3.8.6.1; Linux tcp_send_probe0; field guide 2.6",
    ),
    detail=_detail,
    change=_change,
    remark=_remark,
    remark_remedies=frozenset({Remedy.BOUND_THE_WAIT}),
)


# ── closed for long ──


def _long_evidence(case: Case) -> Evidence:
    """The longest closing."""
    longest = max(_long(case), key=lambda closing: closing.lasted_ns)
    return frames_of(longest.shut_frame, (probe.frame for probe in longest.probes), longest.opened_frame), known(
        probes=len(longest.probes),
        shut_frame=longest.shut_frame,
        opened_frame=longest.opened_frame,
        closed_ns=longest.lasted_ns,
        closed_before=1 if longest.closed_before else None,
    )


def _long_headline(t: Teller, f: Finding) -> str:
    receiver, lasted = side_of(f), duration(number(f, "closed_ns"))
    lasted = f"at least {lasted}" if number(f, "closed_before") else lasted
    who, peer = t.start(receiver), t.the(other(receiver))
    if "opened_frame" in f.data:
        return f"{who}'s receive window was closed for {lasted}: {peer} could send nothing in that time."
    return f"{who}'s receive window was still closed when last heard of, after {lasted}: {peer} can send nothing."


def _long_happened(t: Teller, f: Finding) -> list[Line]:
    receiver = side_of(f)
    probes = number(f, "probes")
    text = (
        f"{t.start(other(receiver))} asked {times(probes)} whether it was open again: such probes are not keepalives."
        if probes
        else f"{t.start(other(receiver))} never asked whether it was open again: perhaps it had nothing more to send."
    )
    if t.record.undecided_from(other(receiver)):
        return [*probe_summary(t), Line(_long_headline(t, f), f.frames)]
    return [
        *(probe_summary(t) if t.record.probes else []),
        Line(_long_headline(t, f), f.frames),
        Line(text, f.frames),
    ]


def _long_why(t: Teller, f: Finding) -> list[Line]:
    receiver = side_of(f)
    reads = Line(
        f"{t.start(receiver)}'s program did not read what had arrived; its kernel keeps the connection, and answers.",
        f.frames,
    )
    if any(probe.sender != receiver for probe in t.record.probes):
        return [reads]
    pending = Line(
        f"While {t.the(other(receiver))} has data waiting for the window, its kernel probes the window in place of"
        " the peer: that no keepalive probe is seen then says nothing about its settings.",
        f.frames,
    )
    return [reads, pending] if number(f, "probes") else [reads]


FOR_LONG: Final = FindingKind(
    code="window-closed-for-long",
    rows=(Row((verdict_open, window_closed_for_long), _long_evidence),),
    text=LongText(
        title="The receive window was closed for a long time",
        meaning="This end advertised window 0 for 10 s or more: its peer could not send anything in that time.",
        why=(
            "The connection hangs although both kernels are alive: the program at this end does not read. Keepalive"
            " cannot show that, and does not run while the peer has data waiting (Linux)."
        ),
        change="Find out why this end's program did not read in that time; window-closed says what to do.",
        doubt="A window can be closed on purpose, to hold a sender back.",
        source="RFC 9293 3.8.6; Linux tcp_send_probe0; field guide 2.6",
    ),
    detail=_long_headline,
    lead=Lead(_long_headline, _long_happened, _long_why),
    advice=Advice.NONE,
)


# ── nobody answers ──


def _unanswered_evidence(case: Case) -> Evidence:
    """The window probes without answer, of how many, and when the peer was last heard."""
    frames, heard_ns = unanswered(case.record, case.side), case.peer_facts.last_ns
    shut = [closing for closing in closings(case.record, case.peer) if closing.opened_frame is None]
    return frames_of(shut[-1].shut_frame if shut else None, frames), known(
        unanswered=len(frames),
        probes=max(sum(probe.sender == case.side for probe in case.record.zero_window_probes), len(frames)),
        first_frame=frames[0],
        shut_frame=shut[-1].shut_frame if shut else None,
        silent_ns=case.record.end_ns - heard_ns if heard_ns is not None else None,
    )


def _unanswered_headline(t: Teller, f: Finding) -> str:
    prober = side_of(f)
    many, probes = number(f, "unanswered"), number(f, "probes")
    probed = count(probes, "window probe")
    part = f"of {t.the(prober)}'s {probed} the last {many}" if many < probes else f"{t.the(prober)}'s {probed}"
    peer = t.start(other(prober))
    text = f"{peer} stopped answering with its window closed: {part} got no answer before {t.its_end}"
    if "silent_ns" in f.data:
        text += f", {duration(number(f, 'silent_ns'))} after its last packet"
    return f"{text}."


def _unanswered_happened(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    many = number(f, "unanswered")
    shut = f.data.get("shut_frame")
    closed = (
        Line(f"{t.start(other(prober))} had closed its receive window.", (shut,)) if isinstance(shut, int) else None
    )
    text = f"Then {count(many, 'probe')} of {t.the(prober)} that asked whether it was open again got no answer."
    return lines(
        *(probe_summary(t) if t.record.probes else []), closed, last_heard(t, other(prober)), Line(text, f.frames)
    )


def _unanswered_why(t: Teller, f: Finding) -> list[Line]:
    prober = side_of(f)
    return [
        Line(
            f"A kernel answers window probes at once, however long its program does not read: {t.the(other(prober))},"
            " or the path, is gone, or answers are lost on the way here.",
            f.frames,
        ),
        Line(
            f"Keepalive cannot run meanwhile: {t.the(prober)} has data waiting for the window, and its kernel sends"
            " window probes instead of keepalive probes (Linux).",
            f.frames,
        ),
    ]


def _unanswered_sees(t: Teller, f: Finding) -> list[Line]:
    return [
        Line(
            f"{t.start(side_of(f))}, write: blocks once the send buffer is full; ETIMEDOUT when Linux has had no answer"
            " to as many window probes in a row as net.ipv4.tcp_retries2 says (15 by default). Read: waits as long.",
            f.frames,
        ),
        Line(
            f"{t.start(other(side_of(f)))}, if it still runs: read returns what had arrived; it notices nothing else.",
            f.frames,
        ),
    ]


UNANSWERED: Final = FindingKind(
    code="window-probes-unanswered",
    rows=(Row((silent_to_window_probes, last_window_probes_unanswered), _unanswered_evidence),),
    text=LongText(
        title="Probes of a closed window went unanswered",
        meaning=(
            "The peer's window is closed, and this end's window probes got no answer before the capture ended."
            " A kernel answers such probes even if its program never reads."
        ),
        why=(
            "The peer or the path is probably gone. Keepalive does not run while data waits for a closed"
            " window, so only the window probes can notice, and they come less and less often."
        ),
        change=(
            "Set TCP_USER_TIMEOUT on this socket: it bounds how long data may wait without an answer. Keepalive's"
            " settings do not."
        ),
        doubt="Answers may have passed another way than this capture point, or been lost on the way to it.",
        source="RFC 9293 3.8.6.1; RFC 5482; Linux tcp_probe_timer; field guide 2.4, 2.6",
    ),
    detail=_unanswered_headline,
    lead=Lead(_unanswered_headline, _unanswered_happened, _unanswered_why),
    sees=_unanswered_sees,
    remedies=frozenset({Remedy.BOUND_THE_WAIT}),
)
