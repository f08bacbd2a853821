"""What a record says of RSTs, challenges, ICMP errors, retransmissions and windows, of all flows of a batch at once.

The columns are the fields of the classes in ``events``. It must not judge, or know what an end was seen to do in all.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.clocks import standing
from analyzer.judge.events import REDIRECT_KINDS
from analyzer.judge.fact_rows import FactRows, not_below_zero
from analyzer.judge.probe import PROBE_KINDS
from analyzer.judge.table import QUOTES, Table
from analyzer.judge.ways import turned
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind, opens_window, shuts_window
from analyzer.segment import ABSENT, ACK, FIN, LINK_LOCAL, NONE, NOTE_TCP, NOTE_UNNUMBERED, RST, SYN, address_text
from analyzer.tolerances import WENT_ON_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Foreign

    Column = NDArray[np.int64]

MOST_LATE: Final = 64
"""This many segments behind an ending are told."""
CHALLENGE_ROWS: Final = 4
"""This many rows behind a RST are kept whatever they are (``seen.notable``)."""


class EventFacts(FactRows):
    """What happened in some flows besides probes."""

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
            "own_ttl_low": not_below_zero(low),
            "own_ttl_high": np.where(low >= 0, self._column("ttl_high", at), NONE),
            "ip_id": not_below_zero(self._column("ip_id", at)),
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
        named = rows["tsecr"][at]
        redirects = np.isin(what >> 8, REDIRECT_KINDS)
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
            "ttl": self._column("ttl", at),
            "mtu": np.where((named > 0) & ~redirects, named, NONE),
        }
        # of IPv4 the low half is all of it; ICMPv6 names routers by their link-local addresses
        high = np.where(what >> 16, LINK_LOCAL, 0)
        routers, router = _addresses(np.where(redirects, high, 0), np.where(redirects, named, 0))
        columns["router"] = np.where(redirects & (named != ABSENT), router, NONE)
        sources, source = _addresses(rows["sack_left"][at], rows["sack_right"][at])
        found = self._table("icmp_errors", at, columns | {"source": source})
        found.words = found.words | {"source": sources, "router": routers}
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
    def standstills(self) -> Table:
        """``Standstill``s."""
        found = standing(self.seen.__getitem__, self.owner)
        columns = {
            "from_frame": self.seen["frame"][found.before],
            "passed_ns": found.passed_ns,
            "counted_ns": found.counted_ns,
        }
        return self._table("standstills", found.at, columns)

    @cached_property
    def turns(self) -> Table:
        """``Turn``s."""
        at = turned(self.seen.__getitem__, self.owner)
        columns = {
            "ttl": self._column("ttl", at),
            "own_ttl": self._column("ttl_high", at),
            "other_mac": (self.seen["src_mac"][at] != self.seen["own_mac"][at]).astype(np.int64),
        }
        return self._table("turns", at, columns)

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


def _addresses(high: Column, low: Column) -> tuple[list[str], Column]:
    """Return the different ones of some addresses as text, and for each its place among them."""
    pairs, which = np.unique(np.stack([high, low]), axis=1, return_inverse=True)
    return [address_text(int(hi), int(lo)) for hi, lo in pairs.T.tolist()], which.astype(np.int64).reshape(-1)


def moves_window(rows: Foreign) -> Foreign:
    """Say which segments, whatever kind they are for other properties, close or open their sender's window.

    Or show it closed, if nothing of the sender was captured before. ``rows`` are SEEN records, or columns by name.
    """
    is_segment = (rows["note"] == NOTE_TCP) | (rows["note"] == NOTE_UNNUMBERED)
    of_the_sender = is_segment & (rows["is_copy"] == 0) & (rows["flags"] & RST == 0)
    shows_shut = (rows["window"] == 0) & (rows["own_wnd"] < 0)
    return of_the_sender & (shuts_window(rows) | opens_window(rows) | shows_shut)
