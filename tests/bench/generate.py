"""Makes the capture of a busy host, as large as wanted, and says what is in it.

    python tests/bench/generate.py --segments 10_000_000 --flows 150_000 --seed 1 --out /tmp/10m.pcap

Flows open with a handshake, carry requests and responses with timestamps and delayed ACKs, and close with FIN both
ways, a few with RST; a share of them (``--probing``) carries keepalive. They overlap so that about ``--live`` are
alive at any time: a longer capture takes longer, and has no more flows at once. Short flows: ``--flows 5_000_000
--segments 60_000_000 --probing 0.01``. The same arguments give the same bytes.

How: blocks of flows as numpy columns, one row a segment in the order of each flow; the numbers of TCP are sums over
those rows. Rendered rows that lie beyond the start of the next block wait for it, so memory is bounded by live flows.
The truth (flows, probes and verdicts by kind) is counted from the same rows, and printed as JSON. Checksums are 0.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Column = NDArray[Any]

SECOND: Final = 1_000_000_000
START_NS: Final = 1_700_000_000 * SECOND
SNAPLEN: Final = 96
BLOCK_FLOWS: Final = 4096
BLOCK_SEGMENTS: Final = 300_000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

# what a flow is ────────────────────────────────────────────────────────────────────────────────────────────────────

PLAIN: Final = {"plain": 0.93, "aborted": 0.035, "refused": 0.025, "unanswered_syn": 0.01}
PROBING: Final = {
    "answered": 0.30,
    "close_wait": 0.20,
    "forgotten": 0.15,
    "dead": 0.15,
    "zero_window": 0.12,
    "octet": 0.08,
}
COHORT: Final = ("pool", "pool_midstream", "still_half_closed", "still_silent")
"""Flows that the capture's end finds unfinished: a fixed number of each, however long it is."""
KINDS: Final = (*PLAIN, *PROBING, *COHORT)
CODE: Final = {kind: code for code, kind in enumerate(KINDS)}
VERDICT: Final = {
    "plain": "closed",
    "aborted": "aborted",
    "refused": "unestablished",
    "unanswered_syn": "unestablished",
    "answered": "closed",
    "close_wait": "reset_on_probe",
    "forgotten": "reset_on_probe",
    "dead": "timed_out",
    "zero_window": "closed",
    "octet": "closed",
    "pool": "open",
    "pool_midstream": "open",
    "still_half_closed": "half_closed",
    "still_silent": "silent",
}
SETTINGS: Final = np.array([(5, 5, 3), (5, 5, 9), (10, 3, 5), (15, 15, 3), (2, 1, 3)], dtype=np.int64)
"""Idle time and interval in seconds, and count."""
LEAST_DURATION_S: Final = 120

# columns ───────────────────────────────────────────────────────────────────────────────────────────────────────────

STEP: Final = np.dtype(
    [
        ("side", "u1"),  # who sends: 0 the initiator, 1 the responder
        ("flags", "u1"),
        ("form", "u1"),
        ("label", "u1"),
        ("window", "u2"),
        ("length", "u2"),
        ("advance", "u2"),  # by how much it moves SND.NXT
        ("back", "u2"),  # how far below SND.NXT it starts
        ("gap", "i8"),  # ns since the flow's previous segment; 0: as the network has it
    ]
)
BARE, USUAL, HANDSHAKE, DSACK = range(4)
PLAIN_SEGMENT, PROBE, PROBE_AFTER_FIN, ANSWER, WINDOW_PROBE, MINI, REFUSAL = range(7)
"""What truth counts. MINI: sent by no full socket (TIME-WAIT or none), so its IP ID is 0."""
WINDOW: Final = 502
MSS: Final = 1448

RECORD: Final = np.dtype(
    {
        "names": [
            *("ts_s", "ts_fraction", "captured", "on_wire", "dst_mac", "src_mac", "ip_len", "ip_id", "ttl", "src"),
            *("dst", "src_port", "dst_port", "seq", "ack", "offset", "flags", "window", "w0", "w1", "w2", "w3", "w4"),
        ],
        "formats": [
            *("<u4", "<u4", "<u4", "<u4", ">u2", ">u2", ">u2", ">u2", "u1", ">u4"),
            *(">u4", ">u2", ">u2", ">u4", ">u4", "u1", "u1", ">u2", ">u4", ">u4", ">u4", ">u4", ">u4"),
        ],
        "offsets": [0, 4, 8, 12, 20, 26, 32, 34, 38, 42, 46, 50, 52, 54, 58, 62, 63, 64, 70, 74, 78, 82, 86],
        "itemsize": 16 + SNAPLEN,
    }
)
"""A record of a pcap file with an Ethernet frame that holds IPv4 and TCP; w0 to w4 are words of options."""
OPAQUE: Final = np.dtype(f"V{RECORD.itemsize}")
"""The same while it is moved about: numpy would repack fields that it joins."""
HEADERS: Final = bytes.fromhex("020000000000 020000000000 0800 4500 0000 0000 4000 0006")
FILLER: Final = b"the middle of something longer: 42 octets "
TEMPLATE: Final = (b"\0" * 16 + HEADERS).ljust(16 + 54, b"\0") + FILLER
CAPTURED: Final = SNAPLEN - 66
"""Octets of payload that are captured behind a header with timestamps."""
SERVICES: Final = {
    443: (b"\x17\x03\x03\x01\x04" + bytes(range(160, 185)), b"\x17\x03\x03\x10\x11" + bytes(range(90, 115))),
    5432: (b"Q\0\0\0\x2fselect id, name from a", b"T\0\0\0\x32\0\x02id\0\0\0\x40\0\0\x01\0\0\0\x17\0\x04"),
    6379: (b"*3\r\n$3\r\nSET\r\n$9\r\nkey:12345\r", b"$4096\r\n" + FILLER),
    8080: (b"GET /a/file/of/ours HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\nContent-Type:"),
    50051: (b"\0\0\x40\x01\x24\0\0\0\x03\x83\x86\x45\x98\x60", b"\0\x04\0\0\0\0\0\0\x03\0\0\0\x03\xfb\x0a\x10"),
}
"""Ports, and how requests and responses begin there: a dissector has work to do."""
PORTS: Final = np.array(list(SERVICES), dtype=np.uint16)
PAYLOADS: Final = np.array(
    [list((text + FILLER)[:CAPTURED]) for texts in SERVICES.values() for text in texts], dtype=np.uint8
)


@dataclass(frozen=True)
class Plan:
    """What to make; the same plan gives the same bytes."""

    segments: int = 10_000_000
    flows: int = 150_000
    probing: float = 0.1
    live: int = 3000
    seed: int = 1
    nanoseconds: bool = False


@dataclass
class Truth:
    """What was made."""

    segments: int = 0
    octets: int = 0
    flows: int = 0
    live_at_once: int = 0
    last_ns: int = START_NS
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, kinds: Column, labels: Column, flow: Column) -> None:
        """Add a block: the kind of each flow, and of each segment its label and flow."""
        self.flows += len(kinds)
        kind_of_row = kinds[flow]
        table = np.bincount(kind_of_row.astype(np.int64) * 8 + labels, minlength=8 * len(KINDS)).reshape(-1, 8)
        flows = np.bincount(kinds, minlength=len(KINDS))
        for code in np.flatnonzero(flows):
            row = table[code]
            self.by_kind.setdefault(KINDS[code], Counter()).update(
                flows=int(flows[code]),
                segments=int(row.sum()),
                probes=int(row[PROBE] + row[PROBE_AFTER_FIN]),
                probes_after_fin=int(row[PROBE_AFTER_FIN]),
                zero_window_probes=int(row[WINDOW_PROBE]),
            )

    def summary(self) -> dict[str, Any]:
        """Return it as JSON has it; the sums are named as in the report's."""
        verdicts: Counter[str] = Counter()
        for kind, counts in self.by_kind.items():
            verdicts[VERDICT[kind]] += counts["flows"]
        names = ("probes", "probes_after_fin", "zero_window_probes")
        return {
            "segments": self.segments,
            "octets": self.octets,
            "duration_s": round((self.last_ns - START_NS) / SECOND, 3),
            "live_at_once": self.live_at_once,
            "flows": self.flows,
            "flows_with_probes": sum(c["flows"] for c in self.by_kind.values() if c["probes"]),
            **{name: sum(counts[name] for counts in self.by_kind.values()) for name in names},
            "verdicts": dict(sorted(verdicts.items())),
            "by_kind": {kind: dict(self.by_kind[kind]) for kind in KINDS if kind in self.by_kind},
        }


# flows as columns ──────────────────────────────────────────────────────────────────────────────────────────────────


def steps(count: int | tuple[int, ...], **columns: object) -> Column:
    """Return rows of STEP, plain ACKs but for what is given."""
    rows = np.zeros(count, dtype=STEP)
    rows["flags"], rows["form"], rows["window"] = ACK, USUAL, WINDOW
    for name, values in columns.items():
        rows[name] = values
    return rows


def within(counts: Column) -> Column:
    """Number the rows of each flow from 0, given how many it has."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


class Block:
    """Some flows, written section by section: opening, rounds, what makes their kind, closing."""

    def __init__(self, kinds: Column, start_ns: Column, numbers: Column, rng: np.random.Generator) -> None:
        """Draw what is constant for each flow."""
        flows = len(kinds)
        self.kinds, self.start_ns, self.numbers, self.rng = kinds, start_ns, numbers, rng
        self.local = (rng.random(flows) < 0.3).astype(np.uint8) ^ 1  # the end that is our host
        self.rtt_ns = (np.exp(rng.uniform(np.log(2e5), np.log(6e7), flows))).astype(np.int64)
        self.prober = rng.integers(0, 2, flows, dtype=np.uint8)
        self.settings = SETTINGS[rng.integers(0, len(SETTINGS), flows)]
        self.timestamps = (rng.random(flows) < 0.9) & ~self.is_("octet")
        self.counts = np.zeros(flows, dtype=np.int64)
        self._sections: list[tuple[Column, Column | None, Column]] = []

    def is_(self, *kinds: str) -> Column:
        """Return which flows are of one of these kinds."""
        return np.isin(self.kinds, [CODE[kind] for kind in kinds])

    def delay_ns(self, side: Column | int, which: Column) -> Column:
        """Return how long an end takes to answer, as our host sees it."""
        return np.where(side == self.local[which], 30_000, self.rtt_ns[which])

    def add(self, which: Column, rows: Column, counts: Column | None = None) -> None:
        """Append rows to the flows ``which`` (indices): a table of one row a flow, or ``counts`` of them each."""
        self.counts[which] += rows.shape[1] if counts is None else counts
        self._sections.append((which, counts, rows.ravel()))

    def one(self, which: Column, side: Column | int, **columns: object) -> None:
        """Append one segment to each of the flows."""
        rows = steps(len(which), side=side, **columns)
        rows["advance"] += rows["length"]
        self.add(which, rows[:, None])

    def joined(self) -> tuple[Column, Column]:
        """Return every row in the order of the flows, and the flow of each."""
        rows = np.empty(self.counts.sum(), dtype=STEP)
        free = np.cumsum(self.counts) - self.counts
        for which, counts, section in self._sections:
            each = np.full(len(which), len(section) // max(len(which), 1)) if counts is None else counts
            rows[np.repeat(free[which], each) + within(each)] = section
            free[which] += each
        return rows, np.repeat(np.arange(len(self.counts)), self.counts)

    # sections ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def opening(self) -> None:
        """Shake hands, unless nobody is there or the capture starts later."""
        tried = np.flatnonzero(~self.is_("unanswered_syn", "pool_midstream"))
        self.one(tried, 0, flags=SYN, form=HANDSHAKE, window=64240, advance=1)
        refused = np.flatnonzero(self.is_("refused"))
        self.one(refused, 1, flags=RST | ACK, form=BARE, window=0, label=REFUSAL)
        ignored = np.flatnonzero(self.is_("unanswered_syn"))
        for gap_s in (0, 1, 2):  # at 0, 1 and 3 s
            self.one(ignored, 0, flags=SYN, form=HANDSHAKE, window=64240, gap=gap_s * SECOND)
        agreed = np.flatnonzero(~self.is_("unanswered_syn", "pool_midstream", "refused"))
        self.one(agreed, 1, flags=SYN | ACK, form=HANDSHAKE, window=65160, advance=1, label=MINI)
        self.one(agreed, 0)

    def rounds(self, mean: float) -> None:
        """Append requests and responses: data of one to six segments, an ACK for every two, now and then one lost."""
        talking = np.flatnonzero(~self.is_("refused", "unanswered_syn", "pool_midstream"))
        many = np.minimum(self.rng.geometric(1 / (1 + mean), len(talking)) - 1, int(50 * mean) + 1)
        busy_s = self.rng.exponential(12, len(talking)).clip(0.05, 60)
        busy_s[~self.is_("plain", "aborted")[talking]] = 4.0
        flow = np.repeat(talking, many)
        pause = np.repeat(busy_s / np.maximum(many, 1), many) * self.rng.exponential(1, len(flow)).clip(0.01, 5)
        shy = ~self.is_("plain", "aborted")[flow]
        pause[shy] = pause[shy].clip(0, 0.9)  # or their keepalive would set in

        segments = self.rng.integers(1, 7, len(flow))
        resent = self.rng.random(len(flow)) < 0.005
        size = 1 + segments + (segments + 1) // 2 + resent
        of_round, at = np.repeat(np.arange(len(flow)), size), within(size)
        last = at == size[of_round] - 1
        again = resent[of_round] & (at == size[of_round] - 2)
        data = (at > 0) & ~last & ~again & (at % 3 != 0)
        final = at == (size - 2 - resent)[of_round]
        tail = self.rng.integers(20, MSS, len(flow))
        length = np.where(data, np.where(final, tail[of_round], MSS), 0)
        length = np.where(at == 0, self.rng.integers(40, 600, len(flow))[of_round], length)
        rows = steps(len(at), side=data | again, length=length, advance=length)
        rows["flags"] = np.where((at == 0) | final | again, PSH | ACK, ACK)
        rows["gap"] = np.where(at == 0, (pause * SECOND).astype(np.int64)[of_round], 0)
        rows["length"][again] = rows["back"][again] = tail[of_round][again]
        rows["gap"][again] = 210_000_000
        per_flow = np.bincount(flow, weights=size, minlength=len(self.counts)).astype(np.int64)
        self.add(talking, rows, per_flow[talking])

    def period_ns(self, which: Column, column: int) -> Column:
        """Return a setting as a Linux timer of 250 ticks a second keeps it: late by up to an eighth, never early."""
        wanted = (self.settings[which, 0] if column == 0 else self.settings[which, :2].max(axis=1)) * SECOND
        wanted = self.settings[which, 1] * SECOND if column == 1 else wanted
        granule = np.select([wanted < 2 * SECOND, wanted < 16 * SECOND], [32_000_000, 256_000_000], 2_048_000_000)
        return -(-wanted // granule) * granule

    def answered_train(self, kinds: tuple[str, ...], probes: Column, *, after_fin: bool = False) -> None:
        """Append so many probes to the flows of these kinds, each with its answer."""
        which = np.flatnonzero(self.is_(*kinds))
        label = PROBE_AFTER_FIN if after_fin else PROBE
        probes = probes[which]
        flow, at = np.repeat(which, 2 * probes), within(2 * probes)
        answers = at % 2 == 1
        octet = self.is_("octet")[flow]
        rows = steps(len(flow), side=self.prober[flow] ^ answers)
        rows["label"] = np.where(answers, MINI if after_fin else ANSWER, label)
        rows["back"] = ~answers
        rows["length"] = ~answers & octet
        rows["form"] = np.where(answers & octet, DSACK, USUAL)
        latency = self.delay_ns(self.prober[flow] ^ 1, flow)
        wait = np.where(at == 0, self.period_ns(flow, 0), self.period_ns(flow, 2) - latency)
        rows["gap"] = np.where(answers, latency, wait)
        self.add(which, rows, 2 * probes)

    def unanswered_train(self, kinds: tuple[str, ...], probes: Column, already: Column) -> None:
        """Append so many probes without an answer; ``already`` says whether answered ones went before."""
        which = np.flatnonzero(self.is_(*kinds))
        probes = probes[which]
        flow, at = np.repeat(which, probes), within(probes)
        first = self.period_ns(flow, 0) * (already[flow] == 0) + self.period_ns(flow, 2) * (already[flow] > 0)
        gap = np.where(at == 0, first, self.period_ns(flow, 1))
        self.add(which, steps(len(flow), side=self.prober[flow], back=1, label=PROBE, gap=gap), probes)

    def keepalive(self, end_ns: int) -> None:
        """Append what makes each probing kind."""
        flows = len(self.kinds)
        some = self.rng.integers(0, 6, flows)
        self.answered_train(("answered", "octet"), some + 1)
        self.answered_train(("forgotten", "dead"), some)
        # the peer closes, our end does not; its FIN-WAIT-2 lasts for so long
        closed = np.flatnonzero(self.is_("close_wait", "still_half_closed"))
        self.one(closed, self.prober[closed] ^ 1, flags=FIN | ACK, advance=1, gap=50_000_000)
        self.one(closed, self.prober[closed])
        lasting = self.rng.choice([10, 30, 60], flows) * SECOND
        everyone = np.arange(flows)
        self.answered_train(("close_wait",), lasting // self.period_ns(everyone, 2), after_fin=True)
        # those that the end of the capture finds unfinished
        left = (np.maximum(end_ns - self.start_ns, 0) - 6 * SECOND) // self.period_ns(everyone, 2)
        self.answered_train(("still_half_closed",), np.maximum(left, 1), after_fin=True)
        self.answered_train(("pool", "pool_midstream"), np.maximum(left, 1))
        self.unanswered_train(("still_silent",), np.full(flows, 2), np.zeros(flows))
        # the ends: a host that no longer knows the flow, and one that is gone
        forgotten = np.flatnonzero(self.is_("close_wait", "forgotten"))
        gap = self.period_ns(forgotten, 2)
        after = np.where(self.is_("close_wait")[forgotten], PROBE_AFTER_FIN, PROBE)
        self.one(forgotten, self.prober[forgotten], back=1, label=after, gap=gap)
        self.one(forgotten, self.prober[forgotten] ^ 1, flags=RST, form=BARE, window=0, label=MINI)
        dead = np.flatnonzero(self.is_("dead"))
        self.unanswered_train(("dead",), self.settings[:, 2], some)
        self.one(dead, self.prober[dead], flags=RST | ACK, gap=self.period_ns(dead, 1))
        self.zero_window()

    def zero_window(self) -> None:
        """Append a window that closes with data pending, the probes of it, and its opening."""
        shut = np.flatnonzero(self.is_("zero_window"))
        sender, receiver = self.prober[shut], self.prober[shut] ^ 1
        for _ in range(2):
            self.one(shut, sender, length=MSS)
        self.one(shut, receiver, window=0)
        for attempt in range(5):
            gap = (208_000_000 << attempt) - (self.delay_ns(receiver, shut) if attempt not in {0, 2} else 0)
            self.one(shut, sender, back=1, label=WINDOW_PROBE, gap=gap)
            if attempt != 1:  # a host answers no more than twice a second
                self.one(shut, receiver, window=0)
        self.one(shut, receiver, gap=1_500_000_000)
        self.one(shut, sender, length=MSS)
        self.one(shut, sender, length=600, flags=PSH | ACK)
        self.one(shut, receiver)

    def closing(self) -> None:
        """Close with FIN both ways, or abort."""
        first = self.rng.integers(0, 2, len(self.kinds), dtype=np.uint8)
        aborted = np.flatnonzero(self.is_("aborted"))
        self.one(aborted, first[aborted], flags=RST | ACK, gap=20_000_000)
        closing = np.flatnonzero(self.is_("plain", "answered", "zero_window", "octet"))
        self.one(closing, first[closing], flags=FIN | ACK, advance=1, gap=1_000_000)
        slow = closing[self.rng.random(len(closing)) < 0.3]
        self.one(slow, first[slow] ^ 1)
        self.one(closing, first[closing] ^ 1, flags=FIN | ACK, advance=1)
        self.one(closing, first[closing])


# columns as packets ────────────────────────────────────────────────────────────────────────────────────────────────


def before(values: Column, first: Column) -> Column:
    """Return for each row the sum of the flow's earlier ones; ``first`` is the first row of each row's flow."""
    running = np.cumsum(values) - values
    return running - running[first]


def write_options(out: Column, rows: Column, first: Column, stamped: Column, clock: Column, acked: Column) -> Column:
    """Write the TCP options of every segment, and return their lengths."""
    side, at = rows["side"], np.arange(len(rows))
    recent = [
        np.maximum.accumulate(np.where((side != end) & (rows["back"] != 1), at, -1)) for end in (0, 1)
    ]  # a probe is dropped before its timestamp would be remembered
    heard = np.where(side == 0, recent[0], recent[1])
    echo = np.where(heard >= first, clock[heard], np.where(rows["flags"] == SYN, 0, clock ^ 0x5A5A0000))
    form = rows["form"]
    hello, usual_form, dsack = form == HANDSHAKE, (form == USUAL) & stamped, form == DSACK
    words = {
        "w0": [(hello, 0x020405B4), (usual_form, 0x0101080A), (dsack, 0x0101050A)],
        "w1": [(hello & stamped, 0x0402080A), (hello & ~stamped, 0x01030308), (usual_form, clock), (dsack, acked - 1)],
        "w2": [(hello & stamped, clock), (hello & ~stamped, 0x01010402), (usual_form, echo), (dsack, acked)],
        "w3": [(hello & stamped, echo)],
        "w4": [(hello & stamped, 0x01030307)],
    }
    for name, cases in words.items():
        for mask, value in cases:
            out[name][mask] = (value[mask] if isinstance(value, np.ndarray) else value) & 0xFFFFFFFF
    return np.select([hello & stamped, hello | usual_form | dsack], [20, 12], 0)


def render(block: Block, rows: Column, flow: Column, *, nanoseconds: bool) -> tuple[Column, Column]:
    """Return the records of the file, flow by flow, and their instants."""
    rng, side = block.rng, rows["side"]
    offsets = np.cumsum(block.counts) - block.counts
    first = offsets[flow]
    is_first = np.arange(len(rows)) == first
    turned = np.empty(len(rows), dtype=bool)
    turned[0], turned[1:] = True, side[1:] != side[:-1]
    usual = np.where(turned, block.delay_ns(side, flow), 0) + rng.integers(2_000, 20_000, len(rows))
    gap = np.where(rows["gap"] > 0, rows["gap"] + rng.integers(0, 30_000, len(rows)), usual)
    gap[is_first] = 0
    elapsed = np.cumsum(gap)
    ts_ns = START_NS + block.start_ns[flow] + elapsed - elapsed[first]
    if not nanoseconds:
        ts_ns = ts_ns // 1000 * 1000

    out = np.frombuffer(bytearray(TEMPLATE) * len(rows), dtype=RECORD)
    # sequence numbers
    isn = rng.integers(0, 1 << 32, (2, len(block.counts)))
    snd = [before(np.where(side == end, rows["advance"], 0).astype(np.int64), first) + isn[end][flow] for end in (0, 1)]
    seq = np.where(side == 0, snd[0], snd[1]) - rows["back"]
    refusal = rows["label"] == REFUSAL
    out["seq"] = np.where(refusal, 0, seq & 0xFFFFFFFF)
    acked = np.where(side == 0, snd[1], snd[0])
    out["ack"] = np.where(rows["flags"] & ACK, acked & 0xFFFFFFFF, 0)
    clock = ts_ns // 1_000_000 + (rng.integers(0, 1 << 32, (2, len(block.counts))))[side, flow]
    header = 20 + write_options(out, rows, first, block.timestamps[flow], clock, acked)
    out["offset"], out["flags"], out["window"] = header << 2, rows["flags"], rows["window"]
    # addresses: the remote end is its own for every flow
    number = block.numbers[flow]
    remote_ip, remote_port = 0xC6120000 + number * 40_503 % 65_536, 32_768 + number // 65_536 % 28_000
    kind_of_service = (block.numbers % len(PORTS))[flow]
    service = PORTS[kind_of_service]
    ours = side == block.local[flow]
    host = 0x0A000001
    out["src"], out["dst"] = np.where(ours, host, remote_ip), np.where(ours, remote_ip, host)
    ports = np.where(side == 0, remote_port, service), np.where(side == 0, service, remote_port)
    out["src_port"], out["dst_port"] = ports
    out["src_mac"], out["dst_mac"] = np.where(ours, 1, 254), np.where(ours, 254, 1)
    out["ttl"] = np.where(ours, 64, (64 - rng.integers(1, 20, len(block.counts)))[flow])
    sent = [before((side == end).astype(np.int64), first) for end in (0, 1)]
    identity = np.where(side == 0, sent[0], sent[1]) + rng.integers(1, 60_000, (2, len(block.counts)))[side, flow]
    out["ip_id"] = np.where((rows["label"] == MINI) | refusal, 0, identity & 0xFFFF)
    # lengths and times
    out["ip_len"] = 20 + header + rows["length"]
    length = 34 + header + rows["length"]
    length = np.where(ours, length, np.maximum(length, 60))  # what came over the cable is padded
    octets = out.view(np.uint8).reshape(len(out), -1)
    octets[(rows["length"] <= 1) & (length == 60), 16 + 54 :] = 0
    begins = turned & (rows["length"] > 1)
    for size in (20, 32):
        which = np.flatnonzero(begins & (header == size))
        octets[which, 50 + size : 50 + size + CAPTURED] = PAYLOADS[2 * kind_of_service[which] + side[which]]
    out["on_wire"], out["captured"] = length, np.minimum(length, SNAPLEN)
    out["ts_s"] = ts_ns // SECOND
    out["ts_fraction"] = ts_ns % SECOND // (1 if nanoseconds else 1000)
    return out.view(OPAQUE), ts_ns


def packed(records: Column) -> bytes:
    """Return records as the file holds them, each as long as was captured."""
    octets = records.view(np.uint8).reshape(len(records), -1)
    return octets[np.arange(octets.shape[1]) < 16 + records.view(RECORD)["captured"][:, None]].tobytes()


def live(records: Column) -> int:
    """Count the flows that have segments among these; a flow is its remote end's address and port."""
    seen = records.view(RECORD)
    addresses = seen["src"].astype(np.int64) ^ seen["dst"]
    return len(np.unique(addresses << 16 | seen["src_port"] ^ seen["dst_port"]))


# the whole capture ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Pace:
    """What follows from a plan: how much each flow says, and how fast they start."""

    rounds: float
    cohort: int
    span_ns: int

    @classmethod
    def of(cls, plan: Plan) -> Pace:
        """Try out some flows: how many segments they take besides their rounds, and how long they live."""
        cohort = max(min(plan.live // 100, plan.flows // 200), 1) if plan.probing and plan.flows >= 20 else 0
        usual = plan.flows - len(COHORT) * cohort
        if usual < 1:
            raise ValueError(f"{plan.flows} flows are too few")
        kinds = draw_kinds(plan, 4000, np.random.default_rng((plan.seed, 1, 0)))
        rng = np.random.default_rng((plan.seed, 2, 0))
        least, _ = write_flows(kinds, np.zeros(4000, np.int64), np.arange(4000), 0.0, 0, rng)
        talking = float((~least.is_("refused", "unanswered_syn")).mean())
        rounds = (plan.segments / usual - least.counts.mean()) / (talking * (1 + 3.5 + 2))
        if rounds < 0:
            least_segments = int(np.ceil(least.counts.mean() * usual))
            raise ValueError(f"{plan.flows} flows take {least_segments} segments at least")
        rng = np.random.default_rng((plan.seed, 3, 0))
        block, rows = write_flows(kinds, np.zeros(4000, np.int64), np.arange(4000), rounds, 0, rng)
        flow = np.repeat(np.arange(4000), block.counts)
        _, ts_ns = render(block, rows, flow, nanoseconds=True)
        life_ns = float((ts_ns[np.cumsum(block.counts) - 1] - START_NS).mean())
        return cls(rounds, cohort, int(usual * life_ns / plan.live))


def draw_kinds(plan: Plan, flows: int, rng: np.random.Generator) -> Column:
    """Return the kinds of some flows."""
    shares = [(1 - plan.probing) * share for share in PLAIN.values()]
    shares += [plan.probing * share for share in PROBING.values()]
    return rng.choice(len(shares), flows, p=np.array(shares) / sum(shares)).astype(np.uint8)


def write_flows(
    kinds: Column, start_ns: Column, numbers: Column, rounds: float, end_ns: int, rng: np.random.Generator
) -> tuple[Block, Column]:
    """Return flows of the given kinds, and their rows."""
    block = Block(kinds, start_ns, numbers, rng)
    block.opening()
    block.rounds(rounds)
    block.keepalive(end_ns)
    block.closing()
    return block, block.joined()[0]


def records(plan: Plan, truth: Truth) -> Iterator[Column]:
    """Yield the records of the file in the order of time, some hundred thousand at once."""
    pace = Pace.of(plan)
    end_ns = max(pace.span_ns, LEAST_DURATION_S * SECOND)
    rng = np.random.default_rng((plan.seed, 4, 0))
    kinds = np.repeat(np.array([CODE[kind] for kind in COHORT], dtype=np.uint8), pace.cohort)
    start_ns = rng.integers(0, 5 * SECOND, len(kinds))
    start_ns[np.isin(kinds, [CODE["still_half_closed"], CODE["still_silent"]])] += end_ns - 90 * SECOND
    waiting = rendered(plan, truth, write_flows(kinds, start_ns, np.arange(len(kinds)), 2.0, end_ns, rng))

    usual = plan.flows - len(kinds)
    size = int(min(BLOCK_FLOWS, max(BLOCK_SEGMENTS * plan.flows // plan.segments, 16)))
    for first in range(0, usual, size):
        many = min(size, usual - first)
        rng = np.random.default_rng((plan.seed, 5, first))
        # starts in order, spread over this block's share of the time
        begin_ns, until_ns = (int(pace.span_ns * (flow / usual)) for flow in (first, first + many))
        start_ns = begin_ns + np.sort(rng.integers(0, max(until_ns - begin_ns, 1), many))
        numbers = len(kinds) + first + np.arange(many)
        written = write_flows(draw_kinds(plan, many, rng), start_ns, numbers, pace.rounds, end_ns, rng)
        ready, ts_ns = (np.concatenate(pair) for pair in zip(waiting, rendered(plan, truth, written), strict=True))
        order = np.argsort(ts_ns, kind="stable")
        due = order[: np.searchsorted(ts_ns[order], START_NS + until_ns)]
        rest = np.setdiff1d(order, due, assume_unique=True)  # sorted by flow again, so that order stays stable
        waiting = ready[rest], ts_ns[rest]
        truth.live_at_once = max(truth.live_at_once, live(waiting[0]))
        yield ready[due]
    order = np.argsort(waiting[1], kind="stable")
    truth.last_ns = int(waiting[1][order[-1]])
    yield waiting[0][order]


def rendered(plan: Plan, truth: Truth, written: tuple[Block, Column]) -> tuple[Column, Column]:
    """Render flows, and count them."""
    block, rows = written
    flow = np.repeat(np.arange(len(block.counts)), block.counts)
    truth.count(block.kinds, rows["label"], flow)
    return render(block, rows, flow, nanoseconds=plan.nanoseconds)


def generate(plan: Plan, out: BinaryIO, *, progress: bool = False) -> dict[str, Any]:
    """Write the capture and return the truth about it."""
    truth = Truth()
    magic = 0xA1B23C4D if plan.nanoseconds else 0xA1B2C3D4
    truth.octets = out.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, SNAPLEN, 1))
    began = time.monotonic()
    for batch in records(plan, truth):
        truth.octets += out.write(packed(batch))
        truth.segments += len(batch)
        if progress:
            rate = truth.segments / (time.monotonic() - began) / 1e6
            print(f"\r{truth.segments:,} segments, {rate:.1f} million a second", end="", file=sys.stderr)
    if progress:
        print(file=sys.stderr)
    return truth.summary()


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Plan()
    parser.add_argument("--segments", type=int, default=usual.segments, help="about so many")
    parser.add_argument("--flows", type=int, default=usual.flows, help="exactly so many")
    parser.add_argument("--probing", type=float, default=usual.probing, help="share of the flows with keepalive")
    parser.add_argument("--live", type=int, default=usual.live, help="flows alive at any time, about")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--nanoseconds", action="store_true", help="resolution of the times; else microseconds")
    parser.add_argument("--out", required=True, help="file to write, - for stdout (the truth then goes to stderr)")
    given = parser.parse_args()
    plan = Plan(given.segments, given.flows, given.probing, given.live, given.seed, given.nanoseconds)
    try:
        if given.out == "-":
            print(json.dumps(generate(plan, sys.stdout.buffer), indent=1), file=sys.stderr)
        else:
            with open(given.out, "wb") as out:  # noqa: PTH123  # /dev/stdout and the like, too
                print(json.dumps(generate(plan, out, progress=sys.stderr.isatty()), indent=1))
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
