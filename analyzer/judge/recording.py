"""Makes the ``FlowRecord`` of one flow from its row of a FlowBatch.

On demand: a capture of a million flows has a million rows, but only the flows that somebody looks at become records.

It must not judge: no verdict, no inference about timers, no words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.connection import Event, Milestone, follow
from analyzer.judge.flow_rows import AT_ONCE, rows_of
from analyzer.judge.record import (
    AFTER_FIN_WORDS,
    NOT_PROBE_WORDS,
    PROBE_KINDS,
    Challenge,
    EndpointFacts,
    Fin,
    FlowRecord,
    IcmpError,
    Late,
    NewSyn,
    NotProbe,
    Probe,
    Resent,
    Reset,
    Translation,
    Untranslated,
    WindowChange,
    ZeroWindowProbe,
    other,
)
from analyzer.label.outcome import Answer, Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.reset_acceptance import Receiver, Reception
from analyzer.label.rules import Kind
from analyzer.label.unlike_sender import Stranger
from analyzer.loops.loop import pick, thaw
from analyzer.segment import ACK, FIN, NOTE_TCP, RST, SYN
from analyzer.tolerances import WENT_ON_NS
from analyzer.track.challenged import BY_SYN, BY_UNSENT_ACK
from analyzer.track.flow import SIDES, Side, endpoints_of
from analyzer.track.untranslated import INSIDE, LONE, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.judge.flow_rows import FlowRows
    from analyzer.judge.record import Row
    from analyzer.track.awake import Hole
    from analyzer.track.batch import FlowBatch
    from analyzer.track.flow import Endpoint
    from analyzer.untyped import Foreign, Record

FLOWS_AT_ONCE: Final = 64
CERTAINTIES: Final = {int(each): each.name.lower() for each in Certainty}
ROLES: Final = {OUTSIDE: "outside", LONE: "lone", INSIDE: "inside"}
DOUBTS: Final = {int(each): each.name.lower() for each in Doubt}
ANSWERS: Final = {int(each): each.name.lower() for each in Answer}


PROVOCATIONS: Final = {BY_SYN: "syn", BY_UNSENT_ACK: "ack"}

MOST_LATE: Final = 64
"""So many segments behind an ending are told."""
CHALLENGE_ROWS: Final = 4
"""So many rows behind a RST are kept whatever they are (``seen.notable``)."""


def build(batch: FlowBatch, index: int) -> FlowRecord:
    """Return the record of the flow in row ``index`` of a batch."""
    return next(build_each(batch, [index]))


def build_each(batch: FlowBatch, indices: Sequence[int]) -> Iterator[FlowRecord]:
    """Yield the records of some flows of a batch: what numpy costs is paid once for many.

    The rows of flows are taken together, at most AT_ONCE, or one flow that has more.
    """
    sizes = batch.start[1:] - batch.start[:-1]
    some: list[int] = []
    held = 0
    for index in indices:
        size = int(sizes[index])
        if some and (held + size > AT_ONCE or len(some) == FLOWS_AT_ONCE):
            yield from _together(batch, some)
            some, held = [], 0
        some.append(index)
        held += size
    if some:
        yield from _together(batch, some)


def _together(batch: FlowBatch, indices: list[int]) -> Iterator[FlowRecord]:
    """Yield the records of flows that have few rows, or of one that has many."""
    parts = (batch.flow, batch.a, batch.b, batch.ending)
    flows, a, b, endings = (thaw(pick(part, np.array(indices)), jit=False) for part in parts)
    rows = [batch.rows(index) for index in indices]
    ends_ns = batch.ends_ns[indices].tolist()
    for flow, own_a, own_b, ending, own_rows, end_ns in zip(flows, a, b, endings, rows_of(rows), ends_ns, strict=True):
        yield _record(flow, (own_a, own_b), ending["reset_row"], own_rows, end_ns, batch)


def _record(
    flow: Row, ends: tuple[Row, Row], accepted: int, rows: FlowRows, end_ns: int, batch: FlowBatch
) -> FlowRecord:
    a, b = endpoints_of(flow)
    resets = _resets(rows, accepted)
    if accepted >= 0:
        reset = next(row for row in rows.of(Kind.RESET) if row["at"] == accepted)
        for end, known in zip(ends, until(reset, ends), strict=True):
            end.update({name: int(value) for name, value in known.items()})
    changes, states = follow(_milestones(ends, resets))
    first, last = int(flow["first_frame"]), int(flow["last_frame"])
    holes = _holes(batch.holes, first, last)
    return FlowRecord(
        number=int(flow["number"]),
        a=a,
        b=b,
        tag=int(flow["tag"]),
        initiator=_initiator(ends),
        starts_with="handshake" if ends[0]["syn_frame"] or ends[1]["syn_frame"] else "midstream",
        first_frame=first,
        first_ns=int(flow["first_ns"]),
        last_frame=last,
        last_ns=int(flow["last_ns"]),
        end_ns=end_ns,
        holes=holes,
        facts_a=_facts(ends[0]),
        facts_b=_facts(ends[1]),
        copies=int(flow["copies"]),
        cut=int(flow["cut"]),
        translation=_translation(flow),
        untranslated=_untranslated(flow),
        new_syn=_new_syn(flow),
        silence_ns=int(flow["silence_ns"]),
        silence_from=int(flow["silence_from"]) or None,
        silence_to=int(flow["silence_to"]) or None,
        backwards=int(flow["backwards"]),
        probes=tuple(_probes(rows)),
        zero_window_probes=tuple(
            ZeroWindowProbe(*_basics(row), row["payload_len"], _frame(rows, row["answer_row"]))
            for row in rows.of(Kind.ZERO_WINDOW_PROBE)
        ),
        not_probes=tuple(
            NotProbe(
                *_basics(row),
                NOT_PROBE_WORDS[Kind(row["kind"])],
                row["payload_len"] <= 1 and row["seq"] == row["snd_nxt"] - 1,
            )
            for row in rows.of(*NOT_PROBE_WORDS)
        ),
        fins=_fins(ends, rows),
        resets=resets,
        challenges=tuple(
            Challenge(*_basics(row), PROVOCATIONS[row["provocation"]], row["provoked"])
            for row in rows.of(Kind.CHALLENGE_ACK)
        ),
        late=tuple(_late(rows.raw, accepted, ends)),
        icmp_errors=tuple(_icmp_errors(rows)),
        resent=tuple(
            Resent(*_basics(row), row["payload_len"]) for row in rows.of(Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION)
        ),
        windows=tuple(WindowChange(*_basics(row), row["window"] == 0) for row in rows.moves()),
        changes=changes,
        states=states,
        lost=batch.lost,
    )


def _holes(holes: tuple[Hole, ...], first: int, last: int) -> tuple[Hole, ...]:
    """Return the holes of the capture that a flow lived through, and the first one behind its last frame."""
    behind = [hole for hole in holes if hole.from_frame >= last][:1]
    return (*(hole for hole in holes if first < hole.to_frame and hole.from_frame < last), *behind)


def _new_syn(flow: Row) -> NewSyn | None:
    if flow["new_syn_ack_frame"] == 0:
        return None
    frame, ts_ns = int(flow["new_syn_frame"]), int(flow["new_syn_ns"])
    return NewSyn(SIDES[flow["new_syn_side"]], frame, ts_ns, int(flow["new_syn_ack_frame"]))


def _translation(flow: Row) -> Translation | None:
    if flow["twin"] == 0:
        return None
    side = SIDES[flow["twin_side"]]
    return Translation(int(flow["twin"]) - 1, side, _elsewhere(flow, "twin"), is_first=bool(flow["twin_is_first"]))


def _untranslated(flow: Row) -> Untranslated | None:
    if flow["stray"] == 0:
        return None
    side = SIDES[flow["stray_side"]]
    role = ROLES[flow["stray_role"]]
    return Untranslated(role, int(flow["stray"]) - 1, side, _elsewhere(flow, "stray"), int(flow["stray_frame"]))


def _elsewhere(flow: Row, name: str) -> Endpoint:
    """Return what the end that the fields ``name_*`` of a FLOW are about is called in another flow."""
    side = flow[f"{name}_side"]
    renamed = flow | {f"{SIDES[side]}_{part}": flow[f"{name}_{part}"] for part in ("hi", "lo", "port")}
    return endpoints_of(renamed)[side]


def until(reset: Foreign, ends: tuple[Foreign, Foreign]) -> tuple[dict[str, Foreign], dict[str, Foreign]]:
    """Return what was heard of each end, a and b, when the RST came that ended the flow.

    ``reset`` is that RST as a SEEN record, ``ends`` are the ENDPOINT records; or columns of them, of many flows.
    """

    def of(side: int) -> dict[str, Foreign]:
        own, beyond = reset["side"] == side, ends[side]["active_frame"] > reset["frame"]
        then = {
            name: np.where(own, reset[f"own_{name}"], reset[f"peer_{name}"])
            for name in ("last_ns", "active_ns", "active_frame")
        }
        now = {name: np.where(beyond, then[name], ends[side][name]) for name in ("active_ns", "active_frame")}
        return {"last_ns": then["last_ns"], **now}

    return of(0), of(1)


def _basics(row: Row) -> tuple[int, int, Side]:
    return row["frame"], row["ts_ns"], SIDES[row["side"]]


def _frame(rows: FlowRows, at: int) -> int | None:
    return int(rows.frame[at]) if at >= 0 else None


def _probes(rows: FlowRows) -> Iterator[Probe]:
    trains: set[tuple[int, int]] = set()
    for row in rows.of(*PROBE_KINDS):
        at = row["answer_row"]
        train = (row["side"], row["train"])
        first = train not in trains
        trains.add(train)
        yield Probe(
            *_basics(row),
            payload_len=row["payload_len"],
            certainty=CERTAINTIES[row["certainty"]],
            doubt=DOUBTS[row["doubt"]] if row["doubt"] else None,
            gap_ns=_at_least_zero(row["gap_ns"]),
            idle_ns=_at_least_zero(row["idle_ns"]),
            idle_frame=row["idle_frame"] or None,
            unheard=row["ack"] < row["peer_nxt"],
            train=train[1],
            first_of_train=first,
            after_fin=AFTER_FIN_WORDS[row["after_fin"]],
            answer=ANSWERS[row["answer"]] if row["answer"] else None,
            answer_frame=_frame(rows, at),
            answer_ns=int(rows.ts_ns[at]) - row["ts_ns"] if at >= 0 else None,
            header_len=row["header_len"],
        )


def _at_least_zero(value: int) -> int | None:
    return value if value >= 0 else None


def _fins(ends: tuple[Any, Any], rows: FlowRows) -> tuple[Fin, ...]:
    again = [(row["side"], row["frame"]) for row in rows.fins()]
    fins = [
        Fin(
            int(end["fin_frame"]),
            int(end["fin_ns"]),
            side,
            int(end["fin_acked_frame"]) or None,
            int(end["fin_acked_ns"]) if end["fin_acked_frame"] else None,
            tuple(frame for whose, frame in again if whose == number),
        )
        for number, (side, end) in enumerate(zip(SIDES, ends, strict=True))
        if end["fin_frame"]
    ]
    return tuple(sorted(fins, key=lambda fin: fin.frame))


def _resets(rows: FlowRows, accepted: int) -> tuple[Reset, ...]:
    return tuple(
        Reset(
            *_basics(row),
            kind=ResetKind(row["reset_kind"]).name.lower(),
            answers_probe=_frame(rows, row["answers_row"]),
            strange=tuple(bit.name.lower() for bit in Stranger if row["stranger"] & bit),
            has_ack=row["flags"] & ACK != 0,
            window=row["window"],
            ttl=row["ttl"],
            own_ttl=(row["ttl_low"], row["ttl_high"]) if row["ttl_low"] >= 0 else None,
            ip_id=_at_least_zero(row["ip_id"]),
            has_options=row["header_len"] > 20,
            lost_bytes=_outstanding(row),
            accepted_end=row["at"] == accepted,
            reception=Reception(row["reception"]).name.lower(),
            receiver_state=Receiver(row["receiver_state"]).name.replace("_", "-"),
            challenge_frame=_challenge(rows.raw, row) if row["reset_kind"] == ResetKind.IGNORED else None,
        )
        for row in rows.of(Kind.RESET)
    )


def _challenge(rows: NDArray[np.void], reset: Row) -> int | None:
    """Return the frame of the challenge ACK to an ignored RST: the receiver's next segment, empty, at SND.NXT."""
    for row in rows[reset["at"] + 1 : reset["at"] + 1 + CHALLENGE_ROWS]:
        if row["side"] == reset["side"] or row["note"] != 0 or row["is_copy"]:
            continue
        plain = row["payload_len"] == 0 and row["flags"] & (ACK | SYN | FIN | RST) == ACK
        prompt = row["ts_ns"] - reset["ts_ns"] <= WENT_ON_NS and not row["answers_pending"]
        return int(row["frame"]) if plain and prompt and row["seq"] == row["snd_nxt"] else None
    return None


def _late(rows: NDArray[np.void], accepted: int, ends: tuple[Row, Row]) -> Iterator[Late]:
    """Yield what came behind the RST that ended the flow, or when both FINs had been acknowledged."""
    if accepted >= 0:
        over = int(rows["frame"][accepted])
    elif all(end["fin_acked_frame"] for end in ends):
        over = max(int(end["fin_acked_frame"]) for end in ends)
    else:
        return
    if not len(rows) or rows["frame"][-1] <= over:
        return
    kinds = rows["kind"]
    told = np.isin(kinds, (*PROBE_KINDS, Kind.ZERO_WINDOW_PROBE, Kind.DUPLICATE_COPY, Kind.CHALLENGE_ACK))
    left = (rows["frame"] > over) & ~told & (rows["note"] == NOTE_TCP) & (rows["flags"] & RST == 0)
    for row in rows[left][:MOST_LATE]:
        flags, length = int(row["flags"]), int(row["payload_len"])
        is_ = "syn" if flags & SYN else "fin" if flags & FIN else "data" if length else "ack"
        yield Late(int(row["frame"]), int(row["ts_ns"]), SIDES[row["side"]], is_, length)


def _outstanding(row: Row) -> int:
    """Return how many octets of data the receiver of a RST had sent that were not acknowledged."""
    if row["rcv_nxt"] < 0:
        return 0
    beyond = row["peer_fin_seq"] if row["peer_fin_seq"] >= 0 else row["peer_nxt"]
    return max(0, beyond - row["rcv_nxt"])


def _icmp_errors(rows: FlowRows) -> Iterator[IcmpError]:
    latest: dict[int, Row] = {}
    for row in rows.of(*PROBE_KINDS, Kind.ICMP_ERROR):
        if row["kind"] != Kind.ICMP_ERROR:
            latest[row["side"]] = row
            continue
        what = row["icmp"]
        probe = latest.get(row["side"])
        same = probe is not None and (probe["seq"] - row["seq"]) % (1 << 32) == 0
        yield IcmpError(
            *_basics(row),
            6 if what >> 16 else 4,
            (what >> 8) & 0xFF,
            what & 0xFF,
            probe["frame"] if same and probe is not None else None,
        )


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
