"""What a record says of a flow, of all flows of a batch at once: tables of columns, one for each class of ``record``.

The columns bear the names of the fields of those classes, so that a record (``recording``) and an export (``report``)
are made from the same definition, one flow at a time or many. A column holds int64: numbers, instants in nanoseconds,
or places in a list of words. What a record has as None is NONE here.

It must not judge: no verdict, no inference about timers, no words for a reader.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.connection import follow
from analyzer.judge.milestones import milestones, until
from analyzer.judge.probe import NOT_PROBE_WORDS, PROBE_KINDS
from analyzer.judge.table import QUOTES, WORDS, Table
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind, opens_window, shuts_window
from analyzer.loops.loop import pick, thaw
from analyzer.segment import ABSENT, ACK, FIN, NONE, NOTE_TCP, NOTE_UNNUMBERED, RST, SYN, address_text
from analyzer.tolerances import WENT_ON_NS
from analyzer.track.beats import is_awaited
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.judge.connection import Changes
    from analyzer.judge.record import Row
    from analyzer.track.awake import Hole
    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign

    Column = NDArray[np.int64]
    Mask = NDArray[np.bool_]

MOST_LATE: Final = 64
"""This many segments behind an ending are told."""
CHALLENGE_ROWS: Final = 4
"""This many rows behind a RST are kept whatever they are (``seen.notable``)."""

Piece = tuple["FlowBatch", "NDArray[np.int64]"]
"""A batch, and the indices of those of its flows that are meant."""


class Facts:
    """The facts of some flows, which may be of several batches: what numpy costs a batch is paid once for all."""

    def __init__(self, *pieces: Piece) -> None:
        """Take flows of batches, in order."""
        self.flow, a, b, run_a, run_b, self.ending = (
            _joined([pick(getattr(batch, part), picked) for batch, picked in pieces])
            for part in ("flow", "a", "b", "run_a", "run_b", "ending")
        )
        self.ends, self.runs = (a, b), (run_a, run_b)
        self.seen = _joined([_rows_of(batch, picked) for batch, picked in pieces])
        counts = np.concatenate([np.diff(batch.start)[picked] for batch, picked in pieces])
        self.start: Column = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        """Where the SEEN rows of each flow begin."""
        self.owner: Column = np.repeat(np.arange(len(counts)), counts)
        """Which of the flows each SEEN row belongs to."""
        self.ends_ns: Column = np.concatenate([batch.ends_ns[picked] for batch, picked in pieces])
        self._beside = [(batch.beside, batch.flow["number"][picked]) for batch, picked in pieces]
        self._beating = [(*batch.trains_of(picked), len(picked)) for batch, picked in pieces]
        self._captured = [((batch.holes, batch.lost, batch.filters), len(picked)) for batch, picked in pieces]

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.flow)

    def captured(self) -> Iterator[tuple[tuple[Hole, ...], int, tuple[str, ...]]]:
        """Yield for each flow where the capture was not awake, how many packets it had lost, and its filters."""
        for known, count in self._captured:
            for _ in range(count):
                yield known

    def testimony(self) -> list[Row | None]:
        """Return for each flow what is known beside it (``track.testimony.TESTIMONY``), if that was noted."""
        found: list[Row | None] = []
        for beside, numbers in self._beside:
            at = np.searchsorted(beside["flow"], numbers)
            there = np.flatnonzero(at < len(beside))
            there = there[beside["flow"][at[there]] == numbers[there]]
            rows = thaw(beside[at[there]], jit=False)
            known: dict[int, Row] = dict(zip(there.tolist(), rows, strict=True))
            found += [known.get(index) for index in range(len(numbers))]
        return found

    # ── rows ──

    @cached_property
    def _kind(self) -> Column:
        return self.seen["kind"].astype(np.int64)

    def _at(self, *kinds: Kind) -> NDArray[np.int64]:
        """Return which rows are of these kinds."""
        return np.flatnonzero(np.isin(np.arange(len(Kind)), kinds)[self._kind])

    def _start(self, owner: Column) -> Column:
        """Return where the rows of each flow begin among some of which these are the owners, in order."""
        return np.searchsorted(owner, np.arange(len(self) + 1)).astype(np.int64)

    def _table(self, name: str, at: NDArray[np.int64], columns: dict[str, Column]) -> Table:
        """Return a table of some SEEN rows: frame, time and sender with other columns."""
        rows = self.seen
        basics = {"frame": rows["frame"][at], "ts_ns": rows["ts_ns"][at], "sender": rows["side"][at].astype(np.int64)}
        return Table(self._start(self.owner[at]), WORDS[name], basics | columns)

    def _column(self, name: str, at: NDArray[np.int64]) -> Column:
        return self.seen[name][at].astype(np.int64)

    def _frame_of(self, row: Column, at: NDArray[np.int64]) -> Column:
        """Return the frames of rows that rows at ``at`` name, counted within their flow; NONE where they name none."""
        return self._value_of(row, at, "frame")

    def _value_of(self, row: Column, at: NDArray[np.int64], name: str) -> Column:
        if not len(row):
            return row
        there = np.where(row >= 0, self.start[self.owner[at]] + row, 0)
        return np.where(row >= 0, self.seen[name][there], NONE)

    @cached_property
    def probes(self) -> Table:
        """``Probe``s."""
        at = self._at(*PROBE_KINDS)
        frame, ts_ns = self.seen["frame"][at], self.seen["ts_ns"][at]
        side, train, answer_row = (self._column(name, at) for name in ("side", "train", "answer_row"))
        answered_ns = self._value_of(answer_row, at, "ts_ns")
        own = 2 * self.owner[at] + side
        by_prober = np.argsort(own, kind="stable")
        first = np.ones(len(at), dtype=np.int64)
        if len(at) > 1:
            early, late = by_prober[:-1], by_prober[1:]
            first[late] = (own[early] != own[late]) | (train[early] != train[late])
        columns = {
            "frame": frame,
            "payload_len": self._column("payload_len", at),
            "certainty": self._column("certainty", at),
            "doubt": self._column("doubt", at),
            "gap_ns": _not_below_zero(self._column("gap_ns", at)),
            "idle_ns": _not_below_zero(self._column("idle_ns", at)),
            "idle_frame": _not_zero(self._column("idle_frame", at)),
            "unheard": (self.seen["ack"][at] < self.seen["peer_nxt"][at]).astype(np.int64),
            "train": train,
            "first_of_train": first,
            "after_fin": self._column("after_fin", at),
            "answer": self._column("answer", at),
            "answer_frame": self._frame_of(answer_row, at),
            "answer_ns": np.where(answered_ns == NONE, NONE, answered_ns - ts_ns),
            "header_len": self._column("header_len", at),
        }
        return self._table("probes", at, columns)

    @cached_property
    def zero_window_probes(self) -> Table:
        """``ZeroWindowProbe``s."""
        at = self._at(Kind.ZERO_WINDOW_PROBE)
        answer = self._frame_of(self._column("answer_row", at), at)
        return self._table(
            "zero_window_probes", at, {"payload_len": self._column("payload_len", at), "answer_frame": answer}
        )

    @cached_property
    def heartbeats(self) -> Table:
        """``Heartbeats``."""
        trains, owner = self._trains()
        order = np.lexsort((trains["first_frame"], owner))
        trains, owner = trains[order], owner[order]

        def plain(name: str) -> Column:
            column: Column = trains[name].astype(np.int64)
            return column

        due, silent = plain("due") != 0, plain("unanswered") > 0
        answered = due & (plain("answered") > 0)
        columns = {
            "sender": plain("side"),
            "protocol": plain("protocol"),
            "named_by": (plain("protocol") > 0).astype(np.int64),
            "payload_len": plain("length"),
            "period_ns": plain("sum_ns") // np.maximum(plain("gaps"), 1),
            "period_low_ns": plain("low_ns"),
            "period_high_ns": plain("high_ns"),
            "sent": plain("count"),
            "answered": np.where(due, plain("answered"), NONE),
            "missed": np.where(due, plain("missed") - self._still_awaited(trains, owner), NONE),
            "unanswered": np.where(due, plain("unanswered"), NONE),
            "acked": np.where(due, plain("acked"), 0),
            **{name: plain(name) for name in ("first_frame", "first_ns", "last_frame", "last_ns")},
            "answer_frame": np.where(answered, _not_zero(plain("answer_frame")), NONE),
            "answered_ns": np.where(answered, _not_below_zero(plain("answer_ns")), NONE),
            "silent_frame": np.where(due & silent, plain("silent_frame"), NONE),
            "silent_ns": np.where(due & silent, plain("silent_ns"), NONE),
            "slowest_ns": np.where(answered, plain("slowest_ns"), NONE),
            **{name: _not_below_zero(plain(name)) for name in ("limit_ns", "safe_ns", "fatal_ns")},
            "refused_frame": _not_zero(plain("refused_frame")),
            "refused_for": plain("refused_for"),
        }
        return Table(self._start(owner), WORDS["heartbeats"], columns)

    def _still_awaited(self, trains: NDArray[np.void], owner: Column) -> Column:
        """Return 1 for trains whose last heartbeat can have no answer yet when the capture ends, else 0."""
        until_ns = self.ends_ns[owner]
        awaited: Column = is_awaited(trains, until_ns).astype(np.int64)
        return awaited

    def _trains(self) -> tuple[NDArray[np.void], Column]:
        """Return the trains of heartbeats of these flows, and whose each is."""
        found, owners, before = [], [], 0
        for trains, owner, count in self._beating:
            found.append(trains)
            owners.append(before + owner)
            before += count
        return _joined(found), np.concatenate(owners)

    @cached_property
    def not_probes(self) -> Table:
        """``NotProbe``s."""
        at = self._at(*NOT_PROBE_WORDS)
        below = (self.seen["payload_len"][at] <= 1) & (self.seen["seq"][at] == self.seen["snd_nxt"][at] - 1)
        columns = {"is_": self._kind[at], "below_snd_nxt": below.astype(np.int64)}
        return self._table("not_probes", at, columns)

    @cached_property
    def resets(self) -> Table:
        """``Reset``s; ``own_ttl_low`` and ``own_ttl_high`` are what the class has in one."""
        at = self._at(Kind.RESET)
        kind, low = self._column("reset_kind", at), self._column("ttl_low", at)
        columns = {
            "kind": kind,
            "answers_probe": self._frame_of(self._column("answers_row", at), at),
            "strange": self._column("stranger", at),
            "has_ack": (self.seen["flags"][at] & ACK != 0).astype(np.int64),
            "window": self._column("window", at),
            "ttl": self._column("ttl", at),
            "own_ttl_low": _not_below_zero(low),
            "own_ttl_high": np.where(low >= 0, self._column("ttl_high", at), NONE),
            "ip_id": _not_below_zero(self._column("ip_id", at)),
            "has_options": (self.seen["header_len"][at] > 20).astype(np.int64),
            "lost_bytes": self._outstanding(at),
            "accepted_end": (at - self.start[self.owner[at]] == self.ending["reset_row"][self.owner[at]]).astype(
                np.int64
            ),
            "reception": self._column("reception", at),
            "receiver_state": self._column("receiver_state", at),
            "challenge_frame": np.where(kind == ResetKind.IGNORED, self._challenges(at), NONE),
        }
        return self._table("resets", at, columns)

    def _outstanding(self, at: NDArray[np.int64]) -> Column:
        """Return how many bytes of data the receiver of each RST had sent that were not acknowledged."""
        fin, acked = self._column("peer_fin_seq", at), self._column("rcv_nxt", at)
        beyond = np.where(fin >= 0, fin, self._column("peer_nxt", at))
        return np.where(acked < 0, 0, np.maximum(0, beyond - acked))

    def _challenges(self, at: NDArray[np.int64]) -> Column:
        """Return the frame of the challenge ACK to each RST: its receiver's next segment, empty, at SND.NXT."""
        found = np.full(len(at), NONE)
        rows, asking = self.seen, np.arange(len(at))
        for step in range(1, CHALLENGE_ROWS + 1):
            asking = asking[at[asking] + step < self.start[1:][self.owner[at[asking]]]]
            reset, row = at[asking], at[asking] + step
            passed_over = (rows["side"][row] == rows["side"][reset]) | (rows["note"][row] != 0)
            passed_over |= rows["is_copy"][row] != 0
            plain = (rows["payload_len"][row] == 0) & (rows["flags"][row] & (ACK | SYN | FIN | RST) == ACK)
            prompt = rows["ts_ns"][row] - rows["ts_ns"][reset] <= WENT_ON_NS
            answers = plain & prompt & (rows["answers_pending"][row] == 0) & (rows["seq"][row] == rows["snd_nxt"][row])
            won = ~passed_over & answers
            found[asking[won]] = rows["frame"][row[won]]
            asking = asking[passed_over]
        return found

    @cached_property
    def challenges(self) -> Table:
        """``Challenge``s."""
        at = self._at(Kind.CHALLENGE_ACK)
        columns = {"drawn_by": self._column("provocation", at), "drawn_frame": self._column("provoked", at)}
        return self._table("challenges", at, columns)

    @cached_property
    def late(self) -> Table:
        """``Late`` segments: behind the RST that ended the flow, or when both FINs had been acknowledged."""
        rows, (a, b) = self.seen, self.ends
        acked = np.stack([a["fin_acked_frame"], b["fin_acked_frame"]])
        closed = np.where(acked.min(axis=0) > 0, acked.max(axis=0), np.iinfo(np.int64).max)
        over = np.where(self.ending["reset_row"] >= 0, self.ending["reset_frame"], closed)[self.owner]
        told = (*PROBE_KINDS, Kind.ZERO_WINDOW_PROBE, Kind.DUPLICATE_COPY, Kind.CHALLENGE_ACK)
        left = (rows["frame"] > over) & ~np.isin(np.arange(len(Kind)), told)[self._kind]
        at = np.flatnonzero(left & np.isin(rows["note"], (NOTE_TCP, NOTE_UNNUMBERED)) & (rows["flags"] & RST == 0))
        before = self._start(self.owner[at])[self.owner[at]]
        at = at[np.arange(len(at)) - before < MOST_LATE]
        flags, length = rows["flags"][at], self._column("payload_len", at)
        is_ = np.select([flags & SYN != 0, flags & FIN != 0, length > 0], [0, 1, 2], 3)
        return self._table("late", at, {"is_": is_, "payload_len": length})

    @cached_property
    def icmp_errors(self) -> Table:
        """``IcmpError``s."""
        at = self._at(Kind.ICMP_ERROR)
        what, rows = self._column("icmp", at), self.seen
        probes = self._at(*PROBE_KINDS)
        # the latest probe of the quoted end before each error: in order of end, then of row
        size = len(rows) + 1
        ends = (2 * self.owner[probes] + rows["side"][probes]) * size + probes
        order = np.argsort(ends, kind="stable")
        asked = (2 * self.owner[at] + rows["side"][at]) * size + at
        before = np.searchsorted(ends[order], asked) - 1
        there = before >= 0
        probe = probes[order][np.where(there, before, 0)] if len(probes) else np.zeros(len(at), dtype=np.int64)
        if len(probes) and len(at):
            there &= (self.owner[probe] == self.owner[at]) & (rows["side"][probe] == rows["side"][at])
            there &= ((rows["seq"][probe] - rows["seq"][at]) % (1 << 32) == 0) & (rows["seq"][at] != ABSENT)
            quoted = np.where(there, rows["frame"][probe], NONE)
        else:
            quoted = np.full(len(at), NONE)
        columns = {
            "quotes": self._column("side", at),
            "version": np.where(what >> 16, 6, 4),
            "type": (what >> 8) & 0xFF,
            "code": what & 0xFF,
            "quotes_probe": quoted,
            "fits": self._quoted(at, quoted),
        }
        pairs, which = np.unique(rows[["sack_left", "sack_right"]][at], return_inverse=True)
        found = self._table("icmp_errors", at, columns | {"source": which.astype(np.int64).reshape(-1)})
        found.words = found.words | {"source": [address_text(int(hi), int(lo)) for hi, lo in pairs.tolist()]}
        return found

    def _quoted(self, at: NDArray[np.int64], probes: Column) -> Column:
        """Return what ICMP errors quote of what their receiver had sent, as places in QUOTES; NONE for nothing.

        What has no number (text does not always show it) may be anything that was on its way.
        """
        rows = self.seen
        seq, nxt, una = (rows[name][at] for name in ("seq", "snd_nxt", "snd_una"))
        data, length = rows["data_seq"][at], rows["data_len"][at]
        fits = np.where((np.where(una >= 0, una, nxt) - 1 <= seq) & (seq <= nxt), QUOTES.index("segment"), NONE)
        fits[(data >= 0) & (data <= seq) & (seq < data + length)] = QUOTES.index("data")
        resets = self._at(Kind.RESET)
        keys = [2 * self.owner[each] + rows["side"][each] for each in (resets, at)]
        fits[seq == ABSENT] = QUOTES.index("segment")
        for place, (key, number, row) in enumerate(zip(keys[1].tolist(), seq.tolist(), at.tolist(), strict=True)):
            if number == ABSENT:
                continue
            before = resets[: int(np.searchsorted(resets, row))]
            if len(before) and np.any((keys[0][: len(before)] == key) & (rows["seq"][before] == number)):
                fits[place] = QUOTES.index("reset")
        return np.where(probes != NONE, QUOTES.index("probe"), fits)

    @cached_property
    def resent(self) -> Table:
        """``Resent`` segments."""
        at = self._at(Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION)
        return self._table("resent", at, {"payload_len": self._column("payload_len", at)})

    @cached_property
    def windows(self) -> Table:
        """``WindowChange``s."""
        at = np.flatnonzero(moves_window(self.seen))
        shut = (self.seen["window"][at] == 0).astype(np.int64)
        return self._table("windows", at, {"shut": shut, "first_seen": (self.seen["own_wnd"][at] < 0).astype(np.int64)})

    @cached_property
    def repeated_fins(self) -> Table:
        """Segments with FIN that are rows: such as were sent again although they had been acknowledged here."""
        at = np.flatnonzero(((self.seen["flags"] & (FIN | RST)) == FIN) & (self.seen["note"] == NOTE_TCP))
        return self._table("repeated_fins", at, {})

    # ── ends ──

    @cached_property
    def set_back(self) -> tuple[dict[str, Column], dict[str, Column]]:
        """What was heard last of both ends, before the RST where one ended the flow."""
        names = ("last_ns", "active_ns", "active_frame")
        both = tuple({name: end[name].astype(np.int64) for name in names} for end in self.ends)
        ended = np.flatnonzero(self.ending["reset_row"] >= 0)
        if len(ended):
            at = self.start[ended] + self.ending["reset_row"][ended]
            columns = ("frame", "side", *(f"{end}_{name}" for end in ("own", "peer") for name in names))
            reset = {name: self.seen[name][at] for name in columns}
            then = until(reset, ({n: c[ended] for n, c in both[0].items()}, {n: c[ended] for n, c in both[1].items()}))
            for end, known in zip(both, then, strict=True):
                for name, column in known.items():
                    end[name][ended] = column
        return both[0], both[1]

    @cached_property
    def endpoints(self) -> tuple[Table, Table]:
        """``EndpointFacts`` of a and of b; ``ttl_low`` and ``ttl_high`` are what the class has in one."""
        return self._endpoint(0), self._endpoint(1)

    def _endpoint(self, side: int) -> Table:
        end, known = self.ends[side], self.set_back[side]

        def plain(name: str) -> Column:
            column: Column = known[name] if name in known else end[name].astype(np.int64)
            return column

        def frame(name: str) -> Column:
            return _not_zero(plain(name))

        def instant(name: str) -> Column:
            return _not_below_zero(plain(name))

        outstanding = end["unacked_ns"] >= 0
        low = plain("ttl_low")
        columns = {
            "segments": plain("segments"),
            "payload_bytes": plain("payload"),
            "syn_frame": frame("syn_frame"),
            "syn_ns": instant("syn_ns"),
            "syn_count": plain("syn_count"),
            "ack_frame": frame("ack_frame"),
            "ack_ns": instant("ack_ns"),
            "first_data_frame": frame("first_data_frame"),
            "first_data_ns": instant("first_data_ns"),
            "last_data_frame": frame("data_frame"),
            "last_data_ns": instant("data_ns"),
            "unacked_frame": np.where(outstanding, plain("unacked_frame"), NONE),
            "unacked_ns": np.where(outstanding, plain("unacked_ns"), NONE),
            "resent": plain("resent"),
            "resent_total": plain("resent_total"),
            "resent_frame": frame("resent_frame"),
            "resent_ns": instant("resent_ns"),
            "missed": plain("missed"),
            "last_ns": instant("last_ns"),
            "answering_ns": _not_below_zero(self.runs[1 - side]["heard_ns"].astype(np.int64)),
            "active_frame": frame("active_frame"),
            "active_ns": instant("active_ns"),
            "window_shut_frame": frame("window_shut_frame"),
            "timestamps": (end["timestamps_on"] != 0).astype(np.int64),
            "short_headers": plain("short_header_frames"),
            "ttl_low": _not_below_zero(low),
            "ttl_high": np.where(low >= 0, plain("ttl_high"), NONE),
            "id_zero_frame": frame("id_zero_frame"),
        }
        return Table(np.arange(len(self) + 1), WORDS["endpoint"], columns)

    @cached_property
    def fins(self) -> Table:
        """``Fin``s without ``again``: the first of each end, in order."""
        every = np.arange(len(self))
        names = ("fin_frame", "fin_ns", "fin_acked_frame", "fin_acked_ns")
        frame, ts_ns, acked_frame, acked_ns = (np.concatenate([end[name] for end in self.ends]) for name in names)
        owner, side = np.concatenate([every, every]), np.repeat(np.arange(2), len(self))
        order = np.lexsort((side, frame, owner))
        order = order[frame[order] > 0]
        acked = acked_frame[order] > 0
        columns = {
            "frame": frame[order],
            "ts_ns": ts_ns[order],
            "sender": side[order],
            "acked_frame": np.where(acked, acked_frame[order], NONE),
            "acked_ns": np.where(acked, acked_ns[order], NONE),
        }
        return Table(self._start(owner[order]), WORDS["fins"], columns)

    @cached_property
    def initiator(self) -> Column:
        """Who sent the SYN: of two (simultaneous open) the first; if only a SYN,ACK was seen, its peer; or NONE."""
        a, b = self.ends
        syn_a, syn_b = a["syn_frame"], b["syn_frame"]
        opened_a, opened_b = (syn_a > 0) & (a["syn_had_ack"] == 0), (syn_b > 0) & (b["syn_had_ack"] == 0)
        first = np.where(opened_a & (~opened_b | (syn_a <= syn_b)), 0, np.where(opened_b, 1, NONE))
        answered = np.where(syn_a > 0, 1, np.where(syn_b > 0, 0, NONE))
        return np.where(opened_a | opened_b, first, answered)

    @cached_property
    def flows(self) -> Table:
        """What a ``FlowRecord`` has of the flow itself; ``state_a`` and ``state_b`` are what it has in one."""
        flow, (a, b) = self.flow, self.ends

        def plain(name: str) -> Column:
            column: Column = flow[name].astype(np.int64)
            return column

        columns = {
            "number": plain("number"),
            "tag": plain("tag"),
            "initiator": self.initiator,
            "starts_with": ((a["syn_frame"] > 0) | (b["syn_frame"] > 0)).astype(np.int64),
            "first_frame": plain("first_frame"),
            "first_ns": plain("first_ns"),
            "last_frame": plain("last_frame"),
            "last_ns": plain("last_ns"),
            "end_ns": self.ends_ns,
            "copies": plain("copies"),
            "cut": plain("cut"),
            "silence_ns": plain("silence_ns"),
            "silence_from": _not_zero(plain("silence_from")),
            "silence_to": _not_zero(plain("silence_to")),
            "survived_ns": plain("survived_ns"),
            "trial_ns": plain("trial_ns"),
            "trial_from": _not_zero(plain("trial_from")),
            "trial_to": _not_zero(plain("trial_to")),
            "backwards": plain("backwards"),
            "state_a": self._states.last[:, 0],
            "state_b": self._states.last[:, 1],
        }
        return Table(np.arange(len(self) + 1), WORDS["flow"], columns)

    @cached_property
    def changes(self) -> Table:
        """``StateChange``s."""
        found = self._states
        columns = {"frame": found.frame, "ts_ns": found.ts_ns, "side": found.side, "state": found.state}
        return Table(self._start(found.flow), WORDS["changes"], columns)

    @cached_property
    def _states(self) -> Changes:
        return follow(milestones(self.ends, self.ending))


def _not_below_zero(column: Column) -> Column:
    return np.where(column >= 0, column, NONE)


def _not_zero(column: Column) -> Column:
    return np.where(column != 0, column, NONE)


def _rows_of(batch: FlowBatch, picked: NDArray[np.int64]) -> NDArray[np.void]:
    """Return the SEEN rows of some flows of a batch, flow by flow."""
    seen: Any = batch.seen
    if not isinstance(seen, np.ndarray):
        return _joined([np.ascontiguousarray(batch.rows(int(at))) for at in picked] or [np.empty(0, dtype=SEEN)])
    counts = np.diff(batch.start)[picked]
    starts = batch.start[:-1][picked]
    of_these = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    rows: NDArray[np.void] = pick(seen, of_these)
    return rows


def _joined(parts: list[NDArray[np.void]]) -> NDArray[np.void]:
    """Return records one behind the other, as bytes: numpy compares all fields of records that it joins."""
    if len(parts) == 1:
        return parts[0]
    dtype = parts[0].dtype
    joined: NDArray[np.void] = np.concatenate([part.view(np.dtype((np.void, dtype.itemsize))) for part in parts])
    return joined.view(dtype)


def moves_window(rows: Foreign) -> Foreign:
    """Say which segments, whatever kind they are for other properties, close or open their sender's window.

    Or show it closed, if nothing of the sender was captured before. ``rows`` are SEEN records, or columns by name.
    """
    is_segment = (rows["note"] == NOTE_TCP) | (rows["note"] == NOTE_UNNUMBERED)
    of_the_sender = is_segment & (rows["is_copy"] == 0) & (rows["flags"] & RST == 0)
    shows_shut = (rows["window"] == 0) & (rows["own_wnd"] < 0)
    return of_the_sender & (shuts_window(rows) | opens_window(rows) | shows_shut)
