"""Data or a FIN stayed unacknowledged to the capture's end: keepalive does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of, train_of
from analyzer.findings.kind import NO_REMEDY, FindingKind, Lead, Remedy, Row
from analyzer.findings.phrases import by_what, what_is_sent
from analyzer.judge.record import other
from analyzer.judge.retransmitting import gave_up_ns
from analyzer.judge.tried import tried_before
from analyzer.words.calls import unaware
from analyzer.words.icmp import gave_up_with, is_too_big
from analyzer.words.model import Line, LongText
from analyzer.words.probes import last_heard
from analyzer.words.teller import count, duration, evidence, lines, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import Heartbeats
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


BOUND: Final = (
    "Set TCP_USER_TIMEOUT on this socket: it bounds how long data may stay unacknowledged (and overrides keepalive's"
    " count)."
)
LET_GO: Final = "There is nothing to set: all data had been acknowledged, and its kernel gives the FIN up by itself."
FREE_THE_PEER: Final = (
    " The other end, if it is alive, may not have learned of the close: turn keepalive on there, which frees what it"
    " holds."
)
WHAT: Final = {"data": "data", "FIN": "a FIN"}


def sent_again_unacknowledged(f: Flows) -> Mask:
    """What it sent is unacknowledged at the capture's end, and was sent again at least once."""
    return (f.own("unacked_ns") >= 0) & (f.own("resent") > 0)


def probed_none_since(f: Flows) -> Mask:
    """It sent no probe since."""
    since_ns = f.own("unacked_ns")
    return (since_ns >= 0) & ~f.any_row(f.probing & (f.seen("ts_ns") >= f.of_row(since_ns)))


def _evidence(case: Case) -> Evidence:
    """Since when something is outstanding, and how often it was sent again."""
    facts = case.facts
    assert facts.unacked_ns is not None
    train = _first_in_vain(case)
    first = numbers_of(case.probes)[-1:] if case.probes else ()
    return frames_of(facts.unacked_frame, facts.resent_frame, first), known(
        what="FIN" if case.fin is not None and case.fin.frame == facts.unacked_frame else "data",
        protocol=train.protocol if train is not None else None,
        heartbeat_frame=facts.unacked_frame if train is not None else None,
        passed=_passed(train) if train is not None else None,
        since_frame=facts.unacked_frame,
        last_frame=facts.resent_frame,
        unacked_ns=case.record.end_ns - facts.unacked_ns,
        resent=facts.resent,
        probed_before=len(case.probes),
        gave_up_ns=_gave_up(case),
        peer_fin_frame=fin.frame if (fin := case.record.fin_of(case.peer)) is not None else None,
        **_idle_before(case),
    )


def _first_in_vain(case: Case) -> Heartbeats | None:
    """Return the train of its heartbeats of which the first that failed is the first data that was not acknowledged."""
    train = train_of(case.record, case.side)
    first = case.facts.unacked_frame
    return train if train is not None and first in {train.silent_frame, train.last_frame} else None


def _passed(train: Heartbeats) -> int:
    """Return how many heartbeats of a train came through: those that were answered, or all but the last."""
    return train.sent - 1 if train.answered is None else train.answered


def _what(f: Finding) -> str:
    """Return what was not acknowledged, as the headline calls it."""
    if "heartbeat_frame" not in f.data:
        return str(f.data["what"])
    return f"{what_is_sent(f)} ({by_what(f)})"


def _idle_before(case: Case) -> dict[str, int]:
    """Return the silence before what was lost, where nobody probed in it and an idle limit may have run out."""
    tried = tried_before(case.record, case.facts.unacked_frame)
    if tried is None or not tried.fits_known_limit or case.record.probes:
        return {}
    return {"idle_ns": tried.silence_ns, "survived_ns": tried.survived_ns}


def _gave_up(case: Case) -> int | None:
    """Return how long after it was sent the next retransmission was due that never came, or None."""
    due_ns = gave_up_ns(case.record, case.side)
    return None if due_ns is None or case.facts.unacked_ns is None else due_ns - case.facts.unacked_ns


def _headline(t: Teller, f: Finding) -> str:
    """Return the same of one f, for both ends can have one."""
    lasted, again = duration(number(f, "unacked_ns")), times(number(f, "resent"))
    who = t.start(side_of(f))
    if "gave_up_ns" in f.data:
        return (
            f"{who}'s {_what(f)} was never acknowledged: retransmitted {again}, then no more, though the capture"
            f" went on. Most likely its kernel had given up within {duration(number(f, 'gave_up_ns'))}, which sends"
            " nothing."
        )
    return (
        f"{who}'s {_what(f)} stayed unacknowledged for {lasted}, until {t.its_end}:"
        f" retransmitted {again}, no keepalive probe in that time."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the data, its retransmissions, and the probes before it."""
    side = side_of(f)
    probes = t.probes(side)
    resent = times(number(f, "resent"))
    what = WHAT[str(f.data["what"])]
    sent_ns, heard_ns = t.facts(side).unacked_ns, t.facts(other(side)).last_ns
    text = f"{t.start(side)} then sent {what} that nothing acknowledged, and retransmitted it {resent}."
    if sent_ns is not None and heard_ns is not None and heard_ns > sent_ns:
        text = (
            f"{t.start(side)} had sent {what} at {t.at(sent_ns)} already, and retransmitted it {resent};"
            f" {t.the(other(side))} was heard after that, but did not acknowledge all of it: either it did not get"
            " there, or what acknowledged it was lost. A capture at that end would tell."
        )
    before = f"It had sent {count(len(probes), 'keepalive probe')} before, {t.answered_text(probes)}; since then none."
    return lines(
        last_heard(t, other(side)),
        Line(text, (number(f, "since_frame"), number(f, "last_frame"))),
        _first_failed(t, f),
        Line(before, evidence(probes)) if probes else None,
    )


def _first_failed(t: Teller, f: Finding) -> Line | None:
    """Return that this was a heartbeat, and the first of its train that failed."""
    if "heartbeat_frame" not in f.data:
        return None
    text = (
        f"That data is a {what_is_sent(f)} of {t.the(side_of(f))}'s program ({by_what(f)}): the first that failed,"
        f" after {number(f, 'passed')} that came through."
    )
    return Line(text, (number(f, "heartbeat_frame"),))


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return why there are no probes, and what ends it."""
    frames, side = f.frames, side_of(f)
    gives_up = (
        f"The next retransmission was due {duration(number(f, 'gave_up_ns'))} after the first of that, and none came:"
        f" most likely {t.the(side)}'s kernel had given up by then (net.ipv4.tcp_retries2, or TCP_USER_TIMEOUT). Or"
        " its host was gone, or the way from it to this point. Linux gives up without a RST."
        if "gave_up_ns" in f.data
        else "When Linux gives up on it (net.ipv4.tcp_retries2; 15 by default, about a quarter of an hour; sooner if"
        " the program has closed the socket: net.ipv4.tcp_orphan_retries, 8 by default) it sends no RST: on the wire"
        " the end looks like this silence."
        if f.data["what"] == "FIN"
        else "When Linux gives up on it (net.ipv4.tcp_retries2; 15 by default, about a quarter of an hour) it sends"
        " no RST: on the wire the end looks like this silence."
    )
    too_big = [error.frame for error in t.record.icmp_errors if error.quotes == side and is_too_big(error)]
    return lines(
        Line(
            f"ICMP came back for it: a link on the path takes no packet of that size. {t.start(side)} must send smaller"
            " ones; if it goes on as before, the message did not reach it or was not heeded.",
            tuple(too_big),
        )
        if too_big
        else None,
        Line(
            "Linux sends no probe while anything sent is unacknowledged. It is the"
            " retransmission timer's turn, and keepalive's settings do not shorten that.",
            frames,
        ),
        Line(gives_up, frames),
    )


def _sees(t: Teller, f: Finding) -> list[Line]:
    if f.data["what"] == "FIN":
        return [
            Line(
                f"{t.start(side_of(f))}: its program learns nothing if it has closed the socket (close, exit, kill);"
                " after shutdown() not until Linux gives up retransmitting, then ETIMEDOUT.",
                f.frames,
            ),
            unaware(t, other(side_of(f)), f.frames),
        ]
    if "gave_up_ns" in f.data and t.fin(side_of(f)) is None:
        text = f"{t.start(side_of(f))}, read or write once its kernel gave up: ETIMEDOUT (most likely)."
        return [Line(text, f.frames), unaware(t, other(side_of(f)), f.frames)]
    return [
        Line(f"{t.start(side_of(f))}, {_calls(t, side_of(f))}", f.frames),
        unaware(t, other(side_of(f)), f.frames),
    ]


def _calls(t: Teller, side: Side) -> str:
    """Return what the waiting end's calls return, by the FINs that were sent before."""
    read = "read: end of file from the FIN on" if t.fin(other(side)) else "read: waits until Linux gives up"
    if t.fin(side) is not None:
        return (
            f"{read}. Write: fails with EPIPE after shutdown(); a program that has closed the socket learns nothing of"
            " the data that is not acknowledged."
        )
    kept = gave_up_with(t.record.icmp_errors, side)
    error = kept[0] if kept else "ETIMEDOUT"
    because = f" (for the ICMP error in frame {kept[1]}; ETIMEDOUT if that message did not reach it)" if kept else ""
    failing = f", then {error}" if t.fin(other(side)) is None else ""
    return (
        f"{read}{failing}. Write: succeeds as long as the send buffer has room, until Linux gives up retransmitting;"
        f" then {error}{because}."
    )


def _change(f: Finding) -> str | None:
    """Return the advice, with keepalive where nobody had any."""
    if f.data["what"] == "FIN":
        return LET_GO + ("" if "peer_fin_frame" in f.data else FREE_THE_PEER)
    if "idle_ns" not in f.data:
        return None
    survived_ns = number(f, "survived_ns")
    shorter = f" (a silence of {duration(survived_ns)} was survived)" if survived_ns else ""
    return (
        f"{BOUND} Before that data nothing passed for {duration(number(f, 'idle_ns'))}, and no end probed. Turn"
        f" keepalive on, with a shorter idle time{shorter}: it keeps the entries of boxes on the way, and finds a dead"
        " peer before there is data to lose."
    )


def _remedies(f: Finding) -> frozenset[Remedy]:
    """Return what that comes down to."""
    if f.data["what"] == "FIN":
        return NO_REMEDY
    more = {Remedy.PASS_MORE_OFTEN} if "idle_ns" in f.data else set()
    return frozenset({Remedy.BOUND_THE_WAIT, *more})


OUTSTANDING: Final = FindingKind(
    code="data-unacknowledged-no-keepalive",
    rows=(Row((c.verdict_silent, sent_again_unacknowledged, probed_none_since), _evidence),),
    text=LongText(
        title="Keepalive does not run: data is unacknowledged",
        meaning=(
            "Data from this end stayed unacknowledged until the capture ended and was retransmitted; no probe"
            " came after it."
        ),
        why=(
            "Linux does not probe while data is outstanding. Only the retransmission timer can find the peer"
            " dead, after about a quarter of an hour by default, and keepalive's settings do not shorten that."
        ),
        change=BOUND,
        doubt=(
            "BSD and macOS do probe while data is outstanding. Acknowledgements may have taken another path"
            " than this capture point."
        ),
        source="RFC 9293 3.8.4 MUST-26; RFC 5482; Linux tcp_keepalive_timer; field guide 2.2, 2.4",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    sees=_sees,
    change=_change,
    remedies=_remedies,
)
