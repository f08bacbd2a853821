"""What the wire shows of a scenario's flows, by sequence numbers alone, and what tshark says beside it.

tshark reads the files, because it knows every container and link layer and is no part of what is tested; its labels
are kept for comparison, and not believed. With the scenario at hand, who probes and which probes are window probes need
no inference. Shares no code with the analyzer.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from captures.recipes.lab.flow import PEER, Side

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABELS: Final = (
    *("keep_alive", "keep_alive_ack", "retransmission", "fast_retransmission", "spurious_retransmission"),
    *("out_of_order", "zero_window", "zero_window_probe", "zero_window_probe_ack", "duplicate_ack", "lost_segment"),
    *("ack_lost_segment", "window_full", "window_update", "reused_ports"),
)
_FIELDS = (
    *("frame.number", "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport"),
    *("tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.flags", "tcp.window_size"),
)
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_MODULUS = 1 << 32
_COPY_WITHIN_S = 0.002

Truth = dict[str, Any]


@dataclass(slots=True)
class Segment:
    """A segment as tshark reads it."""

    frame: int
    time: float
    source: str
    target: str
    seq: int
    ack: int
    length: int
    flags: int
    window: int
    labels: frozenset[str]
    is_copy: bool = False

    @property
    def end(self) -> int:
        """SEG.SEQ + SEG.LEN; SYN and FIN count."""
        return (self.seq + self.length + bool(self.flags & _SYN) + bool(self.flags & _FIN)) % _MODULUS

    @property
    def is_plain(self) -> bool:
        """Whether it is an ACK without SYN, FIN or RST."""
        return bool(self.flags & _ACK) and not self.flags & (_SYN | _FIN | _RST)


def tshark(file: Path) -> list[Segment]:
    """Return the segments of a capture whose TCP header could be read."""
    columns = (*_FIELDS, *(f"tcp.analysis.{label}" for label in LABELS))
    asked = [word for column in columns for word in ("-e", column)]
    how = ("-Y", "tcp && !icmp && !icmpv6", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f")
    done = subprocess.run(("tshark", "-n", "-r", str(file), *how, *asked), check=True, capture_output=True, text=True)
    segments = []
    for line in done.stdout.splitlines():
        value = dict(zip(columns, line.split("|"), strict=True))
        if not value["tcp.seq_raw"] or not value["tcp.flags"]:
            continue
        ends = (
            _endpoint(value["ip.src"] or value["ipv6.src"], value["tcp.srcport"]),
            _endpoint(value["ip.dst"] or value["ipv6.dst"], value["tcp.dstport"]),
        )
        numbers = (int(value[column] or 0) for column in ("tcp.seq_raw", "tcp.ack_raw", "tcp.len"))
        segments.append(
            Segment(
                int(value["frame.number"]),
                float(value["frame.time_epoch"]),
                *ends,
                *numbers,
                int(value["tcp.flags"], 16),
                int(value["tcp.window_size"] or 0),
                frozenset(label for label in LABELS if value[f"tcp.analysis.{label}"]),
            )
        )
    return segments


def _endpoint(address: str, port: str) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def of_flow(flow: Truth, began: tuple[float, float]) -> Callable[[Segment], Side | None]:
    """Return what says which side of a flow sent a segment, None if of another; ``began`` are times it lies in."""
    seen_elsewhere = (flow["address_seen_elsewhere"] or {}).get("c_seen_by_s")
    clients, server = {flow["client"], seen_elsewhere} - {None}, flow["server"]

    def side(segment: Segment) -> Side | None:
        if not began[0] <= segment.time < began[1]:
            return None
        if segment.source in clients and segment.target == server:
            return "client"
        return "server" if segment.source == server and segment.target in clients else None

    return side


@dataclass
class Reading:
    """One pass over the segments of a flow."""

    flow: Truth
    next_number: dict[Side, int] = field(default_factory=dict)
    window: dict[Side, int] = field(default_factory=dict)
    probes: list[Truth] = field(default_factory=list)
    fins: list[list[Any]] = field(default_factory=list)
    resets: list[list[Any]] = field(default_factory=list)
    _recent: dict[tuple[Any, ...], float] = field(default_factory=dict)

    def read(self, sent: list[tuple[Side, Segment]], *, with_copies: bool) -> None:
        """Read the segments in their order; of copies only the first counts."""
        self._begin(sent)
        for who, segment in sent:
            if with_copies and self._seen_before(who, segment):
                segment.is_copy = True
                continue
            if self._is_probe(who, segment):
                self._note_probe(who, segment)
            else:
                self._note_answer(who, segment)
                if segment.flags & _RST:
                    self.resets.append([who, round(segment.time, 6)])
                elif segment.flags & _FIN:
                    self.fins.append([who, round(segment.time, 6)])
            ahead = (segment.end - self.next_number.get(who, segment.end)) % _MODULUS
            if segment.flags & _SYN or who not in self.next_number or ahead < _MODULUS // 2:
                self.next_number[who] = segment.end
            if not segment.flags & _RST:
                self.window[who] = segment.window

    def _begin(self, sent: list[tuple[Side, Segment]]) -> None:
        """Where the handshake is not there, take each side's next number from the other's first acknowledgement."""
        if sent and sent[0][1].flags & _SYN:
            return
        for who, segment in sent:
            if segment.flags & _ACK and not segment.flags & _SYN:
                self.next_number.setdefault(PEER[who], segment.ack)

    def _seen_before(self, who: Side, segment: Segment) -> bool:
        key = (who, segment.seq, segment.ack, segment.length, segment.flags, segment.window)
        before = self._recent.get(key)
        self._recent[key] = segment.time if before is None or segment.time - before >= _COPY_WITHIN_S else before
        return before is not None and segment.time - before < _COPY_WITHIN_S

    def _is_probe(self, who: Side, segment: Segment) -> bool:
        octets = 1 if self.flow["synthetic"] else 0
        if not segment.is_plain or segment.length != octets:
            return False
        if who not in self.next_number:  # nothing of the other side yet: the scenario says who probes
            if self.flow["prober_side"] not in {who, "both"}:
                return False
            self.next_number[who] = (segment.seq + 1) % _MODULUS
        return segment.seq == (self.next_number[who] - 1) % _MODULUS

    def _note_probe(self, who: Side, segment: Segment) -> None:
        window = self.window.get(PEER[who])
        asks = self.flow["zero_window_probes_expected"] and window == 0
        probe = {"n": segment.frame, "t": segment.time, "from": who, "window_of_peer": window}
        self.probes.append({**probe, "kind": "zero_window_probe" if asks else "keepalive", "answer": None})

    def _note_answer(self, who: Side, segment: Segment) -> None:
        """Take a segment as the answer to the other side's last probe, if that has none yet."""
        last = next((probe for probe in reversed(self.probes) if probe["from"] == PEER[who]), None)
        if last is not None and last["answer"] is None:
            last["answer"] = "rst" if segment.flags & _RST else "ack"
            last["after"] = round(segment.time - last["t"], 6)
            last["answer_n"] = segment.frame

    def result(self, frames: int) -> Truth:
        """Return what the JSON says."""
        kept = [probe for probe in self.probes if probe["kind"] == "keepalive"]
        return {
            "id": self.flow["id"],
            "frames": frames,
            "probes": len(kept),
            "zero_window_probes": len(self.probes) - len(kept),
            "probes_from": dict(Counter(probe["from"] for probe in kept)),
            "answers": dict(Counter(str(probe["answer"]) for probe in self.probes)),
            "fins": self.fins,
            "rsts": self.resets,
            "probe_list": [
                {key: value for key, value in probe.items() if value is not None or key == "answer"}
                for probe in self.probes
            ],
        }


def add(file: Path, truth_file: Path) -> Truth:
    """Add what the wire shows to the truth beside a capture, and return it."""
    truth: Truth = json.loads(truth_file.read_text(encoding="utf-8"))
    segments = tshark(file)
    with_copies = truth["capture"]["device"] == "any" or "two interfaces" in truth["capture"]["vantage"]
    readings = []
    for flow, began in zip(truth["flows"], _times(truth["flows"]), strict=True):
        side = of_flow(flow, began)
        sent = [(who, segment) for segment in segments if (who := side(segment)) is not None]
        reading = Reading(flow)
        reading.read(sent, with_copies=with_copies)
        readings.append(reading.result(len(sent)))
    truth["wire"] = readings
    truth["tshark_vs_truth"] = _beside_tshark(segments, readings)
    truth["kernel_says_probes_sent"] = {
        host: counted.get("TcpExtTCPKeepAlive", 0) for host, counted in truth["kernel_counters"].items()
    }
    truth["checks"] = _checks(truth)
    truth_file.write_text(json.dumps(truth, indent=1), encoding="utf-8")
    return truth


def _times(flows: list[Truth]) -> list[tuple[float, float]]:
    """Return when each flow may have segments: flows on the same addresses follow one another."""
    began = [min((action["t"] for action in flow["actions"]), default=0.0) - 0.05 for flow in flows]
    same: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, flow in enumerate(flows):
        same[flow["client"], flow["server"]].append(index)
    times = []
    for index, flow in enumerate(flows):
        group = same[flow["client"], flow["server"]]
        at = group.index(index)
        times.append((began[index] if at else 0.0, began[group[at + 1]] if at + 1 < len(group) else float("inf")))
    return times


def _beside_tshark(segments: list[Segment], readings: list[Truth]) -> Truth:
    """Return how tshark's labels compare with the probes and answers that there are."""
    probes = [probe for reading in readings for probe in reading["probe_list"] if probe["kind"] == "keepalive"]
    frames = {probe["n"] for probe in probes}
    answers = {probe["answer_n"] for probe in probes if probe["answer"] == "ack"}
    labelled = {label: {s.frame for s in segments if label in s.labels and not s.is_copy} for label in LABELS}
    return {
        "keepalive_probes_on_wire": len(frames),
        "tshark_keep_alive": len(labelled["keep_alive"]),
        "probes_tshark_misses": sorted(frames - labelled["keep_alive"]),
        "tshark_calls_keepalive_but_is_not": sorted(labelled["keep_alive"] - frames),
        "answers_on_wire": len(answers),
        "tshark_keep_alive_ack": len(labelled["keep_alive_ack"]),
        "answers_tshark_misses": sorted(answers - labelled["keep_alive_ack"]),
        "false_answers": sorted(labelled["keep_alive_ack"] - answers),
        "duplicate_frames_ignored": sum(segment.is_copy for segment in segments),
    }


def _checks(truth: Truth) -> list[str]:
    """Return where the wire does not show what the scenario or the kernel says."""
    complaints = []
    for flow, reading in zip(truth["flows"], truth["wire"], strict=True):
        expected = flow["expected"]
        fins, resets = {who for who, _ in reading["fins"]}, [who for who, _ in reading["rsts"]]
        ended_by_reset = resets[:1] == [expected["rst_from_side"]]
        fits = {
            "fin_both": len(fins) == 2 and not resets,
            "half_closed_still_probed": len(fins) == 1 and not resets,
            "rst_by_peer_answering_probe": ended_by_reset,
            "rst_by_prober_after_unanswered": ended_by_reset,
            "rst_abort": ended_by_reset,
            "silent_at_capture_end": not resets,
            "open_at_capture_end": not resets and not fins,
        }
        if not fits.get(expected["ending"], True):
            what = f"{expected['ending']} by {expected['rst_from_side']}"
            complaints.append(f"{flow['id']}: expected {what}, the wire has FINs {sorted(fins)}, RSTs {resets}")
    if truth["capture"]["vantage"] in {"prober", "both (lo)"} and not any(flow["synthetic"] for flow in truth["flows"]):
        counted = sum(truth["kernel_says_probes_sent"].values())
        shown = sum(reading["probes"] for reading in truth["wire"])
        if counted != shown:
            complaints.append(f"the kernels count {counted} keepalive probes, the wire has {shown}")
    return complaints
