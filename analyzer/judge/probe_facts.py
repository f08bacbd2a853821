"""What a record says of probes, of all flows of a batch at once: keepalive, window probes, heartbeats, lookalikes.

The columns are the fields of the classes in ``probe``. It must not know of other segments, or judge.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer.judge.fact_rows import FactRows, joined, not_below_zero, not_zero
from analyzer.judge.probe import NOT_PROBE_WORDS, PROBE_KINDS
from analyzer.judge.table import WORDS, Table
from analyzer.label.rules import Kind
from analyzer.segment import BACK_NS, NONE
from analyzer.track.beats import is_awaited

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.int64]


def comes_behind(ts_ns: Column, peer_last_ns: Column, heard_ns: Column) -> NDArray[np.bool_]:
    """Say which rows come behind all that might have answered a probe, as ``label.trains.add_probe`` counts them.

    Their times, when their senders had last heard their peers by then, and when these last sent what might answer, all
    in nanoseconds. Where the capture's clock was set back, the peer was heard before, though at a later time.
    """
    set_back = (peer_last_ns == heard_ns) & (peer_last_ns - ts_ns >= BACK_NS)
    behind: NDArray[np.bool_] = (ts_ns > heard_ns) | set_back
    return behind


class ProbeFacts(FactRows):
    """Probes of some flows, and what only looks like one."""

    @cached_property
    def probes(self) -> Table:
        """``Probe``s."""
        at = self._at(*PROBE_KINDS)
        frame, ts_ns = self.seen["frame"][at], self.seen["ts_ns"][at]
        side, train, answer_row = (self._column(name, at) for name in ("side", "train", "answer_row"))
        answered_ns = self._value_of(answer_row, at, "ts_ns")
        own = 2 * self.owner[at] + side
        by_prober = np.argsort(own, kind="stable")
        first, echoes = np.ones(len(at), dtype=np.int64), np.zeros(len(at), dtype=np.int64)
        if len(at) > 1:
            early, late = by_prober[:-1], by_prober[1:]
            first[late] = (own[early] != own[late]) | (train[early] != train[late])
            echoes[late] = (own[early] == own[late]) & self._echoed(at[late], at[early], answer_row[early])
        columns = {
            "frame": frame,
            "payload_len": self._column("payload_len", at),
            "certainty": self._column("certainty", at),
            "doubt": self._column("doubt", at),
            "gap_ns": not_below_zero(self._column("gap_ns", at)),
            "idle_ns": not_below_zero(self._column("idle_ns", at)),
            "idle_frame": not_zero(self._column("idle_frame", at)),
            "unheard": (self.seen["ack"][at] < self.seen["peer_nxt"][at]).astype(np.int64),
            "train": train,
            "first_of_train": first,
            "after_fin": self._column("after_fin", at),
            "answer": self._column("answer", at),
            "answer_frame": self._frame_of(answer_row, at),
            "answer_ns": np.where(answered_ns == NONE, NONE, answered_ns - ts_ns),
            "header_len": self._column("header_len", at),
            "echoes": echoes,
            "answer_window": self._window_of(answer_row, at, side),
            "is_last_word": self._behind_all(at, side).astype(np.int64),
        }
        return self._table("probes", at, columns)

    def _behind_all(self, at: NDArray[np.int64], side: Column) -> NDArray[np.bool_]:
        """Say which rows come behind all that might have answered a probe of their sender."""
        heard = [run["heard_ns"] for run in self.runs]
        heard_ns = np.where(side == 0, heard[0][self.owner[at]], heard[1][self.owner[at]])
        return comes_behind(self.seen["ts_ns"][at], self.seen["peer_last_ns"][at], heard_ns)

    def _window_of(self, answer_row: Column, at: NDArray[np.int64], side: Column) -> Column:
        """Return the window in bytes that each row's answer offers; NONE without one, or where the scale is not known.

        Both ends must have offered a scale in the SYN for one to be in force (RFC 7323 2.2).
        """
        window, owner = self._value_of(answer_row, at, "window"), self.owner[at]
        scales = [np.where(end["syn_frame"] > 0, end["window_scale"], NONE) for end in self.ends]
        known = (self.ends[0]["syn_frame"] > 0) & (self.ends[1]["syn_frame"] > 0)
        scaled = (scales[0] >= 0) & (scales[1] >= 0)
        scale = np.where(side == 0, scales[1][owner], scales[0][owner]) * scaled[owner]
        found: Column = np.where((window == NONE) | ~known[owner], NONE, window << np.maximum(scale, 0))
        return found

    def _echoed(self, at: NDArray[np.int64], before: NDArray[np.int64], answer_row: Column) -> NDArray[np.bool_]:
        """Say which rows echo the timestamp of what answered the row before, if none of its sender's had it sooner."""
        stamp, earlier = (self._value_of(answer_row, before, name) for name in ("tsval", "own_tsval"))
        echoed: NDArray[np.bool_] = (stamp > 0) & (stamp > earlier) & (self.seen["tsecr"][at] == stamp)
        return echoed

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
        there = trains["count"] > 0
        trains, owner = trains[there], owner[there]
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
            "answer_frame": np.where(answered, not_zero(plain("answer_frame")), NONE),
            "answered_ns": np.where(answered, not_below_zero(plain("answer_ns")), NONE),
            "answer_len": np.where(answered, not_zero(plain("answer_len")), NONE),
            "silent_frame": np.where(due & silent, plain("silent_frame"), NONE),
            "silent_ns": np.where(due & silent, plain("silent_ns"), NONE),
            "slowest_ns": np.where(answered, plain("slowest_ns"), NONE),
            **{name: not_below_zero(plain(name)) for name in ("limit_ns", "safe_ns", "fatal_ns")},
            "refused_frame": not_zero(plain("refused_frame")),
            "refused_for": plain("refused_for"),
            **{name: not_zero(plain(name)) for name in ("lapse_frame", "lapse_last_frame", "slow_frame")},
        }
        return Table(self._start(owner), WORDS["heartbeats"], columns)

    @cached_property
    def farewells(self) -> Table:
        """``Farewell``s: each train of a flow has the same, and where there is none a record without heartbeats."""
        trains, owner = self._trains()
        at = np.flatnonzero(trains["said"] > 0)
        owner, first = np.unique(owner[at], return_index=True)
        names = {"sender": "said_side", "said": "said", "frame": "said_frame"}
        columns = {name: trains[column][at[first]].astype(np.int64) for name, column in names.items()}
        return Table(self._start(owner), WORDS["farewells"], columns)

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
        return joined(found), np.concatenate(owners)

    @cached_property
    def not_probes(self) -> Table:
        """``NotProbe``s."""
        at = self._at(*NOT_PROBE_WORDS)
        below = (self.seen["payload_len"][at] <= 1) & (self.seen["seq"][at] == self.seen["snd_nxt"][at] - 1)
        columns = {"is_": self._kind[at], "below_snd_nxt": below.astype(np.int64)}
        return self._table("not_probes", at, columns)
