"""What a record says of flows, of all flows of a batch at once: tables of columns, one for each class of ``record``.

The columns bear the names of the fields of those classes, so that a record (``recording``) and an export (``report``)
are made from the same definition, one flow at a time or many. A column holds int64: numbers, instants in nanoseconds,
or places in a list of words. What a record has as None is NONE here. Here are flows and their ends; probes and what
else happened are in ``probe_facts`` and ``event_facts``.

It must not judge: no verdict, no inference about timers, no words for a reader.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer.judge.connection import follow
from analyzer.judge.event_facts import EventFacts
from analyzer.judge.fact_rows import not_below_zero, not_zero
from analyzer.judge.milestones import milestones, until
from analyzer.judge.probe_facts import ProbeFacts
from analyzer.judge.table import WORDS, Table
from analyzer.segment import NONE
from analyzer.track.uncaptured import HOLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.judge.connection import Changes

    Column = NDArray[np.int64]


class Facts(ProbeFacts, EventFacts):
    """The facts of some flows, which may be of several batches: what numpy costs a batch is paid once for all."""

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
            return not_zero(plain(name))

        def instant(name: str) -> Column:
            return not_below_zero(plain(name))

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
            "fin_resent": plain("fin_resent"),
            "resent_frame": frame("resent_frame"),
            "resent_ns": instant("resent_ns"),
            "missed": plain("missed"),
            "missed_ns": instant("missed_ns"),
            "unseen_fin": self._lacks_one_octet(side).astype(np.int64),
            "awaited_bytes": self._awaited(side),
            "last_ns": instant("last_ns"),
            "active_frame": frame("active_frame"),
            "active_ns": instant("active_ns"),
            "window_shut_frame": frame("window_shut_frame"),
            "timestamps": (end["timestamps_on"] != 0).astype(np.int64),
            "short_headers": plain("short_header_frames"),
            "ttl_low": not_below_zero(low),
            "ttl_high": np.where(low >= 0, plain("ttl_high"), NONE),
            "id_zero_frame": frame("id_zero_frame"),
        }
        return Table(np.arange(len(self) + 1), WORDS["endpoint"], columns)

    def _levels(self) -> Column:
        """Return of flows with two tags how many VLANs each has, as bits, bit 3 for more or a tunnel; 0 of others."""
        tag, other = (self.flow[name].astype(np.int64) for name in ("tag", "other_tag"))
        deep = [
            1 << np.where(each >= 1 << 24, 3, (each > 0).astype(np.int64) + (each >= 1 << 12)) for each in (tag, other)
        ]
        levels: Column = np.where(other < 0, 0, deep[0] | deep[1])
        return levels

    def _lacks_one_octet(self, side: int) -> NDArray[np.bool_]:
        """Say of which flows the capture lacks one octet of an end, and nothing that the end sent behind it.

        Most likely that is a FIN. Oddities of a flow are known one at a time (``uncaptured.note_oddity``); of an end of
        which nothing was captured it is the last thing that its peer acknowledged.
        """
        end, flow = self.ends[side], self.flow
        known = (end["missed"] == 1) | ((end["segments"] == 0) & (end["missed"] > 0))
        lacks = known & (flow["odd_side"] == side) & (flow["odd_from"] >= 0)
        one: NDArray[np.bool_] = lacks & (end["snd_nxt"] == flow["odd_from"] + 1) & (end["fin_frame"] == 0)
        return one

    def _awaited(self, side: int) -> Column:
        """Return how many octets an end skipped at the number up to which its peer has acknowledged, 0 if none."""
        flow, end = self.flow, self.ends[side]
        skipped = (flow["odd_kind"] == HOLE) & (flow["odd_side"] == side) & (end["missed"] > 0)
        awaited = skipped & (end["snd_una"] == flow["odd_from"])
        octets: Column = np.where(awaited, flow["odd_to"] - flow["odd_from"], 0).astype(np.int64)
        return octets

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
            "tag": np.where(plain("other_tag") < 0, plain("tag"), 0),  # one that holds for all of it
            "levels": self._levels(),
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
            "silence_from": not_zero(plain("silence_from")),
            "silence_to": not_zero(plain("silence_to")),
            "survived_ns": plain("survived_ns"),
            "trial_ns": plain("trial_ns"),
            "trial_from": not_zero(plain("trial_from")),
            "trial_to": not_zero(plain("trial_to")),
            "backwards": plain("backwards"),
            "reused_ns": not_below_zero(plain("reused_ns")),
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
