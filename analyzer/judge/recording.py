"""Makes the ``FlowRecord`` of one flow from its row of a FlowBatch.

On demand: a capture of a million flows has a million rows, but only the flows that somebody looks at become records.

It must not judge: no verdict, no inference about timers, no words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.judge.connection import Event, Milestone, follow
from analyzer.judge.record import (
    AFTER_FIN_WORDS,
    NOT_PROBE_WORDS,
    PROBE_KINDS,
    EndpointFacts,
    Fin,
    FlowRecord,
    IcmpError,
    NotProbe,
    Probe,
    Resent,
    Reset,
    WindowChange,
    ZeroWindowProbe,
    other,
)
from analyzer.label.outcome import Answer, Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind, opens_window, shuts_window
from analyzer.label.unlike_sender import Stranger
from analyzer.loops.loop import thaw
from analyzer.segment import NOTE_TCP, RST
from analyzer.track.flow import SIDES, Side, endpoints_of

if TYPE_CHECKING:
    from analyzer.judge.record import Row
    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign, Record


def build(batch: FlowBatch, index: int) -> FlowRecord:
    """Return the record of the flow in row ``index`` of a batch."""
    # dicts of Python ints: many times faster to read field by field than numpy records
    rows = thaw(batch.rows(index), jit=False)
    flow, *both = (thaw(part[index : index + 1], jit=False)[0] for part in (batch.flow, batch.a, batch.b))
    ends = (both[0], both[1])
    a, b = endpoints_of(flow)
    accepted = int(batch.ending[index]["reset_row"])
    resets = _resets(rows, accepted)
    if accepted >= 0:
        _until(rows[accepted], ends)
    changes, states = follow(_milestones(ends, resets))
    return FlowRecord(
        number=int(flow["number"]),
        a=a,
        b=b,
        tag=int(flow["tag"]),
        initiator=_initiator(ends),
        starts_with="handshake" if ends[0]["syn_frame"] or ends[1]["syn_frame"] else "midstream",
        first_frame=int(flow["first_frame"]),
        first_ns=int(flow["first_ns"]),
        last_frame=int(flow["last_frame"]),
        last_ns=int(flow["last_ns"]),
        end_ns=int(batch.ends_ns[index]),
        facts_a=_facts(ends[0]),
        facts_b=_facts(ends[1]),
        copies=int(flow["copies"]),
        cut=int(flow["cut"]),
        idle_ns=int(flow["idle_ns"]),
        idle_from=int(flow["idle_from"]) or None,
        idle_to=int(flow["idle_to"]) or None,
        backwards=int(flow["backwards"]),
        probes=_probes(rows),
        zero_window_probes=tuple(
            ZeroWindowProbe(*_basics(row), int(row["payload_len"]), _frame(rows, row["answer_row"]))
            for row in _of(rows, Kind.ZERO_WINDOW_PROBE)
        ),
        not_probes=tuple(
            NotProbe(
                *_basics(row),
                NOT_PROBE_WORDS[Kind(row["kind"])],
                bool(row["payload_len"] <= 1 and row["seq"] == row["snd_nxt"] - 1),
            )
            for row in _of(rows, *NOT_PROBE_WORDS)
        ),
        fins=_fins(ends),
        resets=resets,
        icmp_errors=_icmp_errors(rows),
        resent=tuple(
            Resent(*_basics(row), int(row["payload_len"]))
            for row in _of(rows, Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION)
        ),
        windows=tuple(WindowChange(*_basics(row), bool(row["window"] == 0)) for row in rows if _moves_window(row)),
        changes=changes,
        states=states,
    )


def _until(reset: Row, ends: tuple[Row, Row]) -> None:
    """Set when each end was last heard back to what was known when the RST came that ended the flow."""
    own, peer = ends[reset["side"]], ends[1 - reset["side"]]
    own["last_ns"], peer["last_ns"] = reset["own_last_ns"], reset["peer_last_ns"]
    if peer["active_frame"] > reset["frame"]:
        peer["active_ns"], peer["active_frame"] = reset["peer_active_ns"], reset["peer_active_frame"]
    if own["active_frame"] > reset["frame"]:
        latest = reset["own_active_ns"] == reset["flow_active_ns"]
        own["active_ns"] = reset["own_active_ns"] if latest else -1
        own["active_frame"] = reset["flow_active_frame"] if latest else 0


def _basics(row: Row) -> tuple[int, int, Side]:
    return int(row["frame"]), int(row["ts_ns"]), SIDES[int(row["side"])]


def _of(rows: list[Row], *kinds: Kind) -> list[Any]:
    wanted = {int(kind) for kind in kinds}
    return [row for row in rows if int(row["kind"]) in wanted]


def _moves_window(row: Row) -> bool:
    """Say whether a segment, whatever kind it is for its other properties, closes or opens its sender's window."""
    of_the_sender = row["note"] == NOTE_TCP and not row["is_copy"] and not row["flags"] & RST
    return bool(of_the_sender and (shuts_window(row) or opens_window(row)))


def _frame(rows: list[Row], at: int) -> int | None:
    return int(rows[at]["frame"]) if at >= 0 else None


def _probes(rows: list[Row]) -> tuple[Probe, ...]:
    trains: set[tuple[int, int]] = set()
    probes = []
    for row in _of(rows, *PROBE_KINDS):
        answer = Answer(row["answer"])
        at = int(row["answer_row"])
        train = (int(row["side"]), int(row["train"]))
        first = train not in trains
        trains.add(train)
        probes.append(
            Probe(
                *_basics(row),
                payload_len=int(row["payload_len"]),
                certainty=Certainty(row["certainty"]).name.lower(),
                doubt=Doubt(row["doubt"]).name.lower() if row["doubt"] else None,
                gap_ns=_at_least_zero(row["gap_ns"]),
                idle_ns=_at_least_zero(row["idle_ns"]),
                idle_frame=int(row["idle_frame"]) or None,
                unheard=bool(row["ack"] < row["peer_nxt"]),
                train=train[1],
                first_of_train=first,
                after_fin=AFTER_FIN_WORDS[int(row["after_fin"])],
                answer=answer.name.lower() if answer else None,
                answer_frame=_frame(rows, at),
                answer_ns=int(rows[at]["ts_ns"] - row["ts_ns"]) if at >= 0 else None,
                header_len=int(row["header_len"]),
            )
        )
    return tuple(probes)


def _at_least_zero(value: Foreign) -> int | None:
    return int(value) if value >= 0 else None


def _fins(ends: tuple[Any, Any]) -> tuple[Fin, ...]:
    fins = [
        Fin(
            int(end["fin_frame"]),
            int(end["fin_ns"]),
            side,
            int(end["fin_acked_frame"]) or None,
            int(end["fin_acked_ns"]) if end["fin_acked_frame"] else None,
        )
        for side, end in zip(SIDES, ends, strict=True)
        if end["fin_frame"]
    ]
    return tuple(sorted(fins, key=lambda fin: fin.frame))


def _resets(rows: list[Row], accepted: int) -> tuple[Reset, ...]:
    return tuple(
        Reset(
            *_basics(row),
            kind=ResetKind(row["reset_kind"]).name.lower(),
            answers_probe=_frame(rows, int(row["answers_row"])),
            strange=tuple(bit.name.lower() for bit in Stranger if int(row["stranger"]) & bit),
            has_ack=bool(row["flags"] & 0x10),
            window=int(row["window"]),
            ttl=int(row["ttl"]),
            own_ttl=(int(row["ttl_low"]), int(row["ttl_high"])) if row["ttl_low"] >= 0 else None,
            ip_id=_at_least_zero(row["ip_id"]),
            has_options=bool(row["header_len"] > 20),
            lost_bytes=_outstanding(row),
            accepted_end=at == accepted,
        )
        for at, row in enumerate(rows)
        if row["kind"] == Kind.RESET
    )


def _outstanding(row: Row) -> int:
    """Return how many octets of data the receiver of a RST had sent that were not acknowledged."""
    if row["rcv_nxt"] < 0:
        return 0
    beyond = row["peer_fin_seq"] if row["peer_fin_seq"] >= 0 else row["peer_nxt"]
    return max(0, int(beyond - row["rcv_nxt"]))


def _icmp_errors(rows: list[Row]) -> tuple[IcmpError, ...]:
    errors = []
    latest: dict[int, Any] = {}
    for row in rows:
        if row["kind"] in PROBE_KINDS:
            latest[int(row["side"])] = row
        if row["kind"] == Kind.ICMP_ERROR:
            frame, ts_ns, side = _basics(row)
            what = int(row["icmp"])
            probe = latest.get(int(row["side"]))
            same = probe is not None and (int(probe["seq"]) - int(row["seq"])) % (1 << 32) == 0
            errors.append(
                IcmpError(
                    frame,
                    ts_ns,
                    side,
                    6 if what >> 16 else 4,
                    (what >> 8) & 0xFF,
                    what & 0xFF,
                    int(probe["frame"]) if same and probe is not None else None,
                )
            )
    return tuple(errors)


def _initiator(ends: tuple[Any, Any]) -> Side | None:
    """Return who sent the SYN: of two (simultaneous open) the first; if only a SYN,ACK was seen, its peer."""
    opened = [
        (int(end["syn_frame"]), side)
        for side, end in zip(SIDES, ends, strict=True)
        if end["syn_frame"] and not end["syn_had_ack"]
    ]
    if opened:
        return min(opened)[1]
    for side, end in zip(SIDES, ends, strict=True):
        if end["syn_frame"]:
            return other(side)
    return None


def _milestones(ends: tuple[Any, Any], resets: tuple[Reset, ...]) -> list[Milestone]:
    """Return what may move states, in order of frames."""
    marks = []
    for side, end in enumerate(ends):
        peer = 1 - side

        def mark(field: str, own: Event, seen: Event, side: int = side, peer: int = peer, end: Record = end) -> None:
            frame, ts_ns = int(end[f"{field}_frame"]), int(end[f"{field}_ns"])
            if frame:
                marks.append(Milestone(frame, ts_ns, side, own))
                marks.append(Milestone(frame, ts_ns, peer, seen))

        if end["syn_had_ack"]:
            mark("syn", Event.SENT_SYN_ACK, Event.GOT_SYN_ACK)
        else:
            mark("syn", Event.SENT_SYN, Event.GOT_SYN)
        mark("ack", Event.SENT_ACK, Event.GOT_ACK)
        if end["fin_frame"]:
            marks.append(Milestone(int(end["fin_frame"]), int(end["fin_ns"]), side, Event.SENT_FIN))
            # a peer whose own FIN comes later and does not acknowledge this one had not received it (figure 13)
            crossed = ends[peer]["fin_frame"] > end["fin_frame"] and not (
                0 < end["fin_acked_frame"] <= ends[peer]["fin_frame"]
            )
            at = ends[peer] if crossed else end
            # what is sent again and never acknowledged has not arrived, as far as anybody can tell
            if end["fin_acked_frame"] or not (end["unacked_ns"] >= 0 and end["resent"]):
                marks.append(Milestone(int(at["fin_frame"]), int(at["fin_ns"]), peer, Event.GOT_FIN))
        if end["fin_acked_frame"]:
            marks.append(Milestone(int(end["fin_acked_frame"]), int(end["fin_acked_ns"]), side, Event.FIN_ACKED))
    for reset in resets:
        if reset.accepted_end:
            marks += [Milestone(reset.frame, reset.ts_ns, side, Event.RESET) for side in (0, 1)]
    return sorted(marks, key=lambda mark: (mark.frame, mark.event is Event.GOT_FIN))


def _facts(end: Row) -> EndpointFacts:
    def frame(field: str) -> int | None:
        return int(end[field]) or None

    def instant(field: str) -> int | None:
        return int(end[field]) if end[field] >= 0 else None

    outstanding = end["unacked_ns"] >= 0
    return EndpointFacts(
        segments=int(end["segments"]),
        payload_bytes=int(end["payload"]),
        syn_frame=frame("syn_frame"),
        syn_ns=instant("syn_ns"),
        syn_count=int(end["syn_count"]),
        ack_frame=frame("ack_frame"),
        ack_ns=instant("ack_ns"),
        first_data_frame=frame("first_data_frame"),
        first_data_ns=instant("first_data_ns"),
        last_data_frame=frame("data_frame"),
        last_data_ns=instant("data_ns"),
        unacked_frame=int(end["unacked_frame"]) if outstanding else None,
        unacked_ns=int(end["unacked_ns"]) if outstanding else None,
        resent=int(end["resent"]),
        resent_total=int(end["resent_total"]),
        resent_frame=frame("resent_frame"),
        resent_ns=instant("resent_ns"),
        missed=int(end["missed"]),
        last_ns=instant("last_ns"),
        active_frame=frame("active_frame"),
        active_ns=instant("active_ns"),
        window_shut_frame=frame("window_shut_frame"),
        timestamps=bool(end["timestamps_on"]),
        short_headers=int(end["short_header_frames"]),
        ttl=(int(end["ttl_low"]), int(end["ttl_high"])) if end["ttl_low"] >= 0 else None,
        id_zero_frame=frame("id_zero_frame"),
    )
