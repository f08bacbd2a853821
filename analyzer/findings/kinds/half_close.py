"""A deliberate half-close: its other direction is in use, or the end that sent FIN waits and probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.evidence import count_answered, end_ns, frames_of, known, numbers_of, train_of
from analyzer.findings.kind import Advice, FindingKind, Row, Told
from analyzer.judge.probe import AFTER_FIN_WORDS
from analyzer.judge.record import other
from analyzer.words.model import LongText
from analyzer.words.teller import count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


IN_USE_NS: Final = 10_000_000_000


def peer_takes_data_after_its_fin(f: Flows) -> Mask:
    """After its peer's FIN it sent data, and all of it was acknowledged."""
    return ~c.sent_no_data_since_peer_fin(f) & (f.own("unacked_ns") < 0)


def half_closed_for_long(f: Flows) -> Mask:
    """The half-closed connection was probed, or lasted 10 s."""
    until_ns = np.where(f.own("fin_frame") > 0, f.own("fin_ns"), f.ends_ns)
    probed = f.run("after_fin") + f.peer_run("after_fin") > 0
    return (f.peer("fin_frame") > 0) & (probed | (until_ns - f.peer("fin_ns") >= IN_USE_NS))


def _are_heartbeats(case: Case) -> bool:
    """Say whether the last that was sent after the peer's FIN was a heartbeat."""
    train = train_of(case.record, case.side)
    return train is not None and train.last_frame == case.facts.last_data_frame


def _used_evidence(case: Case) -> Evidence:
    """The peer's FIN and the data it still took."""
    fin = case.peer_fin
    assert fin is not None
    return frames_of(fin.frame, case.facts.last_data_frame), known(
        fin_frame=fin.frame,
        data_frame=case.facts.last_data_frame,
        beats=1 if _are_heartbeats(case) else None,
        half_closed_ns=(case.fin.ts_ns if case.fin else end_ns(case)) - fin.ts_ns,
        probes=len(case.record.probes_after_fin),
    )


def _used_detail(t: Teller, f: Finding) -> str:
    writer = side_of(f)
    if "beats" in f.data:
        return (
            f"{t.start(other(writer))}'s kernel took {t.the(writer)}'s heartbeats after its own FIN, for"
            f" {duration(number(f, 'half_closed_ns'))}: its program had not closed in full, but whether it still reads"
            " cannot be seen."
        )
    return (
        f"{t.start(other(writer))} took data from {t.the(writer)} after its own FIN: a half-close in use, for"
        f" {duration(number(f, 'half_closed_ns'))}."
    )


IN_USE: Final = FindingKind(
    code="half-close-in-use",
    rows=(Row((c.peer_sent_fin, peer_takes_data_after_its_fin, half_closed_for_long), _used_evidence),),
    text=LongText(
        title="A deliberate half-close",
        meaning=(
            "The peer sent FIN and went on taking data: it shut down its sending side only. Probes during that"
            " time are normal."
        ),
        why="It looks like the leak of close-wait-held-by-keepalive, but is not one.",
        change=(
            "Nothing. But some middleboxes drop a half-closed flow sooner (Linux conntrack after 60 or 120 s,"
            " Cisco ASA after 10 min)."
        ),
        doubt="The capture shows that data was acknowledged, not that the program read it.",
        source="RFC 9293 3.6; field guide 6, 7.3",
    ),
    detail=_used_detail,
    told=Told.STORY,
    advice=Advice.NONE,
)


def sent_fin(f: Flows) -> Mask:
    """It sent FIN."""
    return f.own("fin_frame") > 0


def probed_after_own_fin(f: Flows) -> Mask:
    """It probed after its own FIN, before any FIN of the peer."""
    return f.any_row(f.probing & (f.seen("after_fin") == AFTER_FIN_WORDS.index("sent")))


def _waits_evidence(case: Case) -> Evidence:
    """Its FIN and its probes after it."""
    assert case.fin is not None
    probes = [probe for probe in case.probes if probe.after_fin == "sent"]
    return frames_of(case.fin.frame, numbers_of(probes)), known(
        fin_frame=case.fin.frame, probes=len(probes), answered=count_answered(probes)
    )


def _waits_detail(t: Teller, f: Finding) -> str:
    return (
        f"{t.start(side_of(f))} sent {count(number(f, 'probes'), 'probe')} after its own FIN,"
        f" {number(f, 'answered')} answered."
    )


FIN_SENDER_PROBES: Final = FindingKind(
    code="fin-sender-still-probes",
    rows=(Row((sent_fin, probed_after_own_fin), _waits_evidence),),
    text=LongText(
        title="The end that sent FIN keeps probing",
        meaning=(
            "Probes come from an end in FIN-WAIT-2 (derived). Linux runs keepalive there only for a socket that a"
            " program still holds: shutdown(SHUT_WR), not close()."
        ),
        why=(
            "It waits for the other end, which has not closed; its kernel will not drop the connection after 60"
            " s as it would after close()."
        ),
        change=(
            "To limit the wait, set a time limit in this end's program. If the other end should have finished, that"
            " end's program must close on end of file."
        ),
        doubt=(
            "That only held sockets probe is Linux's behaviour; macOS probes in FIN-WAIT-2 too, and FreeBSD does not."
        ),
        source="Linux tcp_keepalive_timer; XNU tcp_timer.c; field guide 2.2, 3.1, 4",
    ),
    detail=_waits_detail,
    told=Told.STORY,
)
