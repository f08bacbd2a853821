"""The loop that every segment passes through once.

``observe`` finds the flow of each row, keeps a SEEN row if the segment is notable (what was known of both endpoints
*before* it), and then lets the segment change what is known. Records are taken by the ``tally``, and those of the rows
to come are fetched ``ahead``.

It must not decide what a segment is, or how a flow ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.label.receipt import lies_before
from analyzer.loops.loop import fetch, loop
from analyzer.segment import ABSENT, ACK, FIN, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP, NOTE_UNNUMBERED, RST, SYN
from analyzer.seqnum import unwrap
from analyzer.track.ahead import AHEAD, FAR, NEAR, RING, ROW_LINES, fetch_ends, find_ahead, hash_ahead
from analyzer.track.awaiting import await_another, await_less, take_early
from analyzer.track.awake import testify, testify_clock
from analyzer.track.challenged import BY_SYN, BY_UNSENT_ACK, answers_syn, is_challenge, note_provocation
from analyzer.track.copies import is_copy, sign_in, signature, way_of
from analyzer.track.endpoint import (
    begins_incarnation,
    in_syn_sent,
    learn_header,
    learn_numbers,
    learn_time,
    new_endpoint,
)
from analyzer.track.exchange import is_new_data, may_beat, may_show_answer, note_unseen_answer, watch_beats
from analyzer.track.fast_path import go_on, goes_on, steady
from analyzer.track.flow import find, side_of
from analyzer.track.habits import brings_news, note_habit, widen
from analyzer.track.half_open import (
    bears_old_numbers,
    begins_older,
    may_be_half_open,
    note_new_syn,
    note_old_ack,
)
from analyzer.track.hosts import note_row
from analyzer.track.seen import LIKE_KEEPALIVE, notable, remember
from analyzer.track.tally import (
    COPIES,
    KEY_HIGH,
    KEY_HIGH_TOP,
    KEY_LOW,
    KEY_LOW_TOP,
    KEY_PORT,
    LEAP_FRAME,
    NOTED,
    NOW_NS,
    SEGMENTS,
    SLOTS_USED,
    TESTIMONY,
    WATCHING,
    begin,
    enrol,
    keep,
    let_go,
)
from analyzer.track.translated import link_translation
from analyzer.track.trial import TRIAL_LEAST_NS, try_silence
from analyzer.track.two_tags import take_out, take_tag, under_other_tag
from analyzer.track.uncaptured import settle_claim
from analyzer.track.unnumbered import ANY_NUMBER
from analyzer.track.untranslated import link_lone, link_passing, remember_peers, take_back

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Record, Rows

TOLD_FLOW: Final = 8
TOLD_KEPT: Final = 4
TOLD_COPY: Final = 2
"""What ``told`` has of a row: TOLD_FLOW times the index of its flow, TOLD_KEPT if its evidence is kept as a SEEN row,
TOLD_COPY if it is a copy, and the sender.
"""

MOMENT: Final = 32
"""A time in nanoseconds without so many of its lower bits changes about every four seconds."""

MOST_FLOWS: Final = 0x3FFFFFFF
"""More are never live; the compiler must see that an index is not negative."""


@loop
def is_anew(end: Record, row: Record) -> bool:
    """Say whether a SYN is none that this endpoint had sent before."""
    return bool(end["syn_frame"] == 0 or (end["iss"] & 0xFFFFFFFF) != row["seq"])


@loop
def observe(  # noqa: PLR0917 - loops take positional arguments
    rows: Rows,
    count: int,
    slots: NDArray[np.int64],
    flows: Rows,
    ends: Rows,
    seen: Rows,
    leaving: Numbers,
    registers: Numbers,
    digests: NDArray[np.int64],
    hints: NDArray[np.int64],
    beginnings: Rows,
    habits: Rows,
    peers: Numbers,
    notes: Rows,
    told: Numbers,
    beats: Rows,
    beat_registers: Numbers,
) -> None:
    """Pass ``count`` SEGMENT rows through the flow table in order.

    The caller has made room for ``count`` more flows, SEEN rows and slots. Flows that a new incarnation pushed out are
    listed in ``leaving``. ``digests`` and ``hints`` are room for AHEAD entries; ``beginnings``
    holds BEGINNINGS records of ``translated``, ``habits`` HABITS of ``habits``, ``peers`` MEMORY numbers of
    ``untranslated``. What ``attend`` must see goes to ``notes``, NOTE records: of each end of a flow one row in every
    four seconds, all answers to a SYN, and ICMP errors. ``told``, unless it is empty, is told of each row where its
    flow lies, who sent it, and whether it is kept or a copy (TOLD_*), -1 for what is no segment. ``beats`` holds BEATS
    records of ``beats``, with room for MOST_NEW more for each row, and ``beat_registers`` its registers.
    """
    telling = len(told)
    low, low_top = registers[KEY_LOW], registers[KEY_LOW_TOP]
    high, high_top, port = registers[KEY_HIGH], registers[KEY_HIGH_TOP], registers[KEY_PORT]
    now_ns = registers[NOW_NS]
    segments = 0
    noted = registers[NOTED]
    watching = registers[WATCHING]
    for i in range(min(2 * AHEAD, count)):
        hash_ahead(rows, i, slots, digests, low, low_top, high, high_top, port)
    for i in range(min(AHEAD, count)):
        find_ahead(i, slots, flows, digests, hints)
    for i in range(min(NEAR, count)):
        fetch_ends(rows, i, flows, ends, hints)
    for i in range(count):
        if i + FAR < count:
            fetch(rows, i + FAR, ROW_LINES)
        if i + 2 * AHEAD < count:
            hash_ahead(rows, i + 2 * AHEAD, slots, digests, low, low_top, high, high_top, port)
        if i + AHEAD < count:
            find_ahead(i + AHEAD, slots, flows, digests, hints)
        if i + NEAR < count:
            fetch_ends(rows, i + NEAR, flows, ends, hints)
        row = rows[i]
        if watching > 0 and row["note"] == NOTE_TCP:
            watching -= 1
            known = find(slots, flows, row, digests[i % RING])
            at = 0 if known < 0 else known & MOST_FLOWS
            side = 0 if known < 0 else side_of(flows[at], row)
            if known >= 0:
                testify_clock(flows[at], ends[2 * at + side], side, row, seen, registers, TESTIMONY)
            testify(
                0 if known < 0 else 1,
                flows[at],
                ends[2 * at + side],
                ends[2 * at + 1 - side],
                seen[max(0, flows[at]["last_seen"])],
                side,
                row,
                registers[LEAP_FRAME],
                registers,
                TESTIMONY,
            )
        index = hints[i % RING]
        now_ns = max(now_ns, row["ts_ns"])
        # the guess is wrong where another flow has the same hash, or this one began or ended since
        side = -1
        if index >= 0 and flows[index]["alive"] == 1:
            side = side_of(flows[index], row)
        if side < 0:
            index = -1
        else:
            index &= MOST_FLOWS
            flow = flows[index]
            end = ends[2 * index + side]
            peer = ends[2 * index + 1 - side]
            sign = signature(row)
            if goes_on(flow, end, peer, row, sign):
                segments += 1
                if telling > 0:
                    told[i] = index * TOLD_FLOW + side
                if (row["ts_ns"] ^ end["last_ns"]) >> MOMENT:
                    note_row(notes[noted], row, False)  # noqa: FBT003
                    noted += 1
                if flow["trial_ns"] > 0 or row["ts_ns"] - flow["last_ns"] >= TRIAL_LEAST_NS:
                    try_silence(flow, end, peer, side, row)
                if may_beat(flow, end, peer, side, row):
                    watch_beats(flow, end, peer, side, row, beats, beat_registers)
                sign_in(end, sign, row["ts_ns"])
                go_on(flow, end, peer, row)
                continue
        note = row["note"]
        digest = digests[i % RING]
        if telling > 0:
            told[i] = -1
        if note in (NOTE_TCP, NOTE_UNNUMBERED):
            segments += 1
        if index < 0:
            index = find(slots, flows, row, digest)
            if index < 0:
                index = under_other_tag(peers, flows, ends, row)
                if index >= 0:
                    registers[SLOTS_USED] += take_tag(slots, flows[index], index, row, digest)
            if index >= 0:
                side = side_of(flows[index], row)
        shows = side < 0 or note != NOTE_TCP or row["flags"] & (SYN | RST)
        if shows or (row["ts_ns"] ^ ends[2 * index + side]["last_ns"]) >> MOMENT:
            at = 2 * index + side if side >= 0 else 0
            if note_row(notes[noted], row, side >= 0 and in_syn_sent(ends[at], ends[at ^ 1])):
                noted += 1
        if note == NOTE_CUT:
            if index < 0:
                index = enrol(slots, flows, ends, registers, row, digest)
            flows[index]["cut"] += 1
            if row["ts_ns"] < flows[index]["last_ns"]:
                flows[index]["backwards"] += 1
            flows[index]["last_ns"] = row["ts_ns"]
            flows[index]["last_frame"] = row["frame"]
            continue
        if note == NOTE_ICMP_ERROR:
            if index >= 0:
                flow = flows[index]
                end = ends[2 * index + side]
                at = seen[keep(seen, registers, flow, index)]
                number = row["seq"] if row["seq"] == ABSENT else unwrap(row["seq"], end["snd_nxt"])
                remember(at, flow, end, ends[2 * index + 1 - side], row, number, -1)
                at["side"] = side
                at["is_copy"] = 0
            continue
        flags = row["flags"]
        former = -1
        may_begin = index >= 0 and flags & SYN and not flags & RST
        if may_begin and begins_incarnation(flows[index], ends[2 * index + side], ends[2 * index + 1 - side], row):
            take_out(slots, flows[index], index)
            flows[index]["reused_ns"] = row["ts_ns"]
            former = flows[index]["former"]
            if former < 0 and may_be_half_open(flows[index], ends[2 * index + side], ends[2 * index + 1 - side], row):
                former = index
                flows[index]["alive"] = 2
            else:
                flows[index]["former"] = -1
                let_go(flows, leaving, registers, index)
            if former >= 0:
                note_new_syn(flows[former], side_of(flows[former], row), row["frame"], row["ts_ns"])
            index = -1
        elif index >= 0 and flows[index]["former"] >= 0:
            if bears_old_numbers(ends[2 * index], side, row):
                head = index
                index = flows[index]["former"]
                side = side_of(flows[index], row)
                note_old_ack(flows[index], ends[2 * head], side, row)
            elif side == 1:
                let_go(flows, leaving, registers, flows[index]["former"])
                flows[index]["former"] = -1
        elif index >= 0 and side == 1 and begins_older(ends[2 * index], ends[2 * index + 1], row):
            older = begin(flows, ends, registers, row, digest)
            flows[older]["alive"] = 2
            flows[index]["former"] = older
            note_new_syn(flows[older], 1, ends[2 * index]["syn_frame"], ends[2 * index]["syn_ns"])
            note_old_ack(flows[older], ends[2 * index], 0, row)
            index = older
            side = 0
        if index < 0:
            index = enrol(slots, flows, ends, registers, row, digest)
            flows[index]["former"] = former
            link_translation(flows, beginnings, index, row, signature(row))
            if link_lone(peers, flows, ends, index, row) == 0 and not flags & RST:
                remember_peers(peers, flows[index], index)
            side = 0
        flow = flows[index]
        end = ends[2 * index + side]
        peer = ends[2 * index + 1 - side]
        if flags & SYN and not flags & RST and end["segments"] > 0 and is_anew(end, row):
            # what it sent before its SYN belongs to an older connection, or to an attempt that was refused
            sent = end["segments"]
            new_endpoint(end)
            end["segments"] = sent
            peer["snd_una"] = -1

        ts_ns = row["ts_ns"]
        seq = unwrap(row["seq"], end["snd_nxt"] if end["snd_nxt"] >= 0 else end["snd_una"])
        ack = unwrap(row["ack"], peer["snd_nxt"] if peer["snd_nxt"] >= 0 else peer["snd_una"]) if flags & ACK else -1
        claimed_ns = -1
        unsent = 0
        if note == NOTE_UNNUMBERED:
            seq = end["snd_nxt"]
        elif flow["odd_kind"] != 0:
            claimed_ns = end["missed_ns"]
            unsent = settle_claim(flow, end, side, row, seq)
        sign = signature(row)
        distinct = registers[SEGMENTS] + segments - 1 - registers[COPIES]
        copy = is_copy(flow, end, peer, row, sign, distinct, registers[COPIES])
        if note == NOTE_UNNUMBERED and peer["last_ns"] > end["last_ns"]:
            copy = 0  # without its number, a probe looks like the answer behind the peer's
        if telling > 0:
            told[i] = index * TOLD_FLOW + copy * TOLD_COPY + side
        mark = notable(flow, end, peer, row, seq, ack, copy)
        if mark == LIKE_KEEPALIVE and flow["last_seen"] >= 0:
            take_early(flow, end, peer, side, row, seq, seen[flow["last_seen"]])
        if note == NOTE_UNNUMBERED and mark == LIKE_KEEPALIVE and seq >= 0:
            seq -= 1
        provocation = 0
        provoked = 0
        if copy == 0:
            provoked = answers_syn(flow, end, peer, side, row, seq, ack)
            if provoked > 0:
                provocation = BY_SYN
            elif unsent > 0 and is_challenge(end, peer, row, seq, ack, claimed_ns):
                provoked = unsent
                provocation = BY_UNSENT_ACK
        if mark > 0 or provocation > 0:
            if telling > 0:
                told[i] += TOLD_KEPT
            at = seen[keep(seen, registers, flow, index)]
            remember(at, flow, end, peer, row, seq, ack)
            at["side"] = side
            at["is_copy"] = copy
            at["provocation"] = provocation
            at["provoked"] = provoked
            if flags & RST:
                widen(habits, end, row, at)
        if copy == 1:
            if flags & RST and flow["twin"] > 0 and flow["last_seen"] >= 0 and seen[flow["last_seen"]]["flags"] & RST:
                link_passing(flows, index, side, row, seen[flow["last_seen"]]["ttl"])
            flow["copies"] += 1
            registers[COPIES] += 1
            flow["last_ns"] = max(flow["last_ns"], ts_ns)
            flow["last_frame"] = row["frame"]
            continue
        sign_in(end, sign, ts_ns)
        if flow["trial_ns"] > 0 or ts_ns - flow["last_ns"] >= TRIAL_LEAST_NS:
            try_silence(flow, end, peer, side, row)
        if may_show_answer(flow, peer, side, ack):
            note_unseen_answer(flow, beats, beat_registers, side, end, peer, row, ack)
        is_data = mark != LIKE_KEEPALIVE and is_new_data(flow, end, peer, side, row, seq)
        if is_data and may_beat(flow, end, peer, side, row):
            watch_beats(flow, end, peer, side, row, beats, beat_registers)

        # an empty segment that acknowledges nothing new, while a probe waits, is its answer and not activity; whoever
        # draws a challenge ACK gets nothing of this connection
        alike = 1 if mark == LIKE_KEEPALIVE or provocation > 0 else 0
        reacts = mark != LIKE_KEEPALIVE and peer["pending_seq"] >= 0
        if reacts and lies_before(seq, row["payload_len"], end["snd_nxt"]):
            reacts = False  # its timer sent it again, and the answer is still to come
        if reacts and row["payload_len"] == 0 and not flags & (SYN | FIN | RST) and ack <= peer["pending_seq"] + 1:
            alike = 1
        if flow["stray"] > 0:
            take_back(flows, flow, side, row)
        if flags & RST:
            flow["reset_count"] += 1
            flow["reset_way"] = way_of(row)
            flow["after_reset"] = 0
            end["segments"] += 1
            learn_time(flow, end, row, alike)
            end["steady"] = steady(flow, end)
            peer["steady"] = steady(flow, peer)
            continue
        flow["after_reset"] += 1
        if brings_news(end, row):
            note_habit(habits, end, row)
        learn_numbers(flow, end, peer, side, row, seq, ack)
        if mark == LIKE_KEEPALIVE:
            await_another(end, row)
        learn_header(end, row, seq, ack)
        if reacts:
            await_less(peer, row, alike)
        # one octet into a closed window is a probe of it, and waits for an answer too
        if mark == LIKE_KEEPALIVE or (row["payload_len"] == 1 and peer["window"] == 0):
            end["pending_seq"] = seq if seq >= 0 else ANY_NUMBER
        elif row["payload_len"] > 0:
            end["pending_seq"] = -1
            end["overlapping"] = 0
        learn_time(flow, end, row, alike)
        note_provocation(flow, end, peer, side, row)
        end["steady"] = steady(flow, end)
        peer["steady"] = steady(flow, peer)
    registers[NOW_NS] = now_ns
    registers[SEGMENTS] += segments
    registers[WATCHING] = watching
    registers[NOTED] = noted
