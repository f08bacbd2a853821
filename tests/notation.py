"""A capture written by hand: lines like packetdrill's, seen from a tap, become a ``SegmentBatch``.

A line is a segment: time, direction, flags, ``seq:end(len)``, then words in any order, then what is expected of it:

    # The peer answers a probe.                        the first comment is the behaviour, in one sentence
    +0      a > b  S   0:0(0)                          seconds after the line before; ``@12.5`` counts from the start
    +.01    b > a  S.  0:0(0) ack 1 win 512 <ws 7>     numbers count from the initial one of their sender
    +.01    a > b  .   1:1(0) ack 1                    options: <ts VAL ECR, sack L-R, ws N>
    +5      a > b  .   0:0(0) ack 1    #= keepalive_probe certain row keepalive
    +.01    b > a  .   1:1(0) ack 1    #= answer to 4
    +.00002 copy ttl 63                #= duplicate_copy     the line before again; ``copy 4`` frame 4
    +1      a > b  icmp 3/1 0:0(0)     #= icmp_error         an error that quotes a segment of a to b
    +1      a > b  cut                                       only the ports were captured
    end: +30                                                 the capture goes on that long after the last frame
    dropped: 7                                               so many packets were dropped while capturing
    dropped: 7 from 4 to 9                                   ... between these frames; to the end without the last
    verdict: open

Flags are ``S F R P . U E W``; ``!7`` is a number as on the wire. Words: ``ack N``, ``win N``, ``ttl N``, ``id N`` (IP
ID), ``mac N``, ``vlan N``, ``octet XX`` (first octet of data, hex), ``hl N`` (TCP header octets), ``optcut`` (the snap
length cut the options), ``if N`` (capture interface), ``unnumbered`` (the text does not show SEG.SEQ), ``mtu N`` (that
an ICMP error names), ``router ADDRESS`` (that a redirect names).

Expected (``#= KIND``): certainty, ``doubt WORD``, the kind of a RST, ``strange WORD[,WORD]``, ``to FRAME`` (the probe
that is answered), ``row NAME`` (the row of RULES that won). A line without ``#=`` is nothing in particular.

Other lines: ``isn: a N b N`` and ``ip: 6`` (from here on); ``verdict [FLOW]: WORD [by WHO] [row NAME]`` for every flow,
in order from 1; ``probes [FLOW]: a N b N``, ``states [FLOW]: a STATE b STATE``, ``initiator [FLOW]: WHO``;
``finds [FLOW]: CODE [a|b], ...``, findings that the flow has, each with the endpoint it is about;
``reads: a|b PROTOCOL [refused FRAME | agreed SECONDS | said FRAME REASON]``, what a dissector reads of the heartbeats
of an end, or of why it ends the connection. Endpoints
``c`` and ``d`` are another pair, ``e`` and ``f`` are ``a`` and ``b`` behind a translation of a's address, ``g`` and
``h`` are ``e`` and ``f`` where e's address is a private one. Unknown words are refused with their line number.
"""

import itertools
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from analyzer.findings import CODES
from analyzer.judge import farewells
from analyzer.judge.table import PROTOCOL_NAMES
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.outcome import Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.rules import RULES, Kind
from analyzer.label.unlike_sender import Stranger
from analyzer.loops.loop import freeze, thaw
from analyzer.segment import (
    ABSENT,
    LOSS,
    NOTE_CUT,
    NOTE_ICMP_ERROR,
    NOTE_UNNUMBERED,
    SEGMENT,
    SegmentBatch,
    address_halves,
    empty_rows,
    leaps_in,
)
from analyzer.track.tracker import Tracker

SCENARIOS = Path(__file__).parent / "scenarios"

START_NS = 1_560_371_239_000_000_000
"""Where the hand-written captures begin."""
SPACE = 1 << 32
ISN = {"a": SPACE - 4, "b": SPACE - 2, "c": SPACE - 20, "d": SPACE - 30}
ISN |= {"e": SPACE - 4, "f": SPACE - 2, "g": SPACE - 4, "h": SPACE - 2}
"""Just below the wrap, so that every mistake of comparison shows."""

FLAGS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, ".": 0x10, "U": 0x20, "E": 0x40, "W": 0x80}
PEER = {"a": "b", "b": "a", "c": "d", "d": "c", "e": "f", "f": "e", "g": "h", "h": "g"}
ADDRESS = {
    4: {
        "a": "192.0.2.1",
        "b": "198.51.100.2",
        "c": "192.0.2.1",
        "d": "198.51.100.2",
        "e": "203.0.113.9",
        "f": "198.51.100.2",
        "g": "10.0.0.9",
        "h": "198.51.100.2",
    },
    6: {
        "a": "2001:db8::1",
        "b": "2001:db8:ffff:ffff:ffff::2",
        "c": "fe80::1",
        "d": "fe80::2",
        "e": "2001:db8:9::9",
        "f": "2001:db8:ffff:ffff:ffff::2",
        "g": "fd00::9",
        "h": "2001:db8:ffff:ffff:ffff::2",
    },
}
ROUTER = {4: "203.0.113.1", 6: "2001:db8:9::1"}
"""Who sends ICMP errors."""
PORT = {"a": 40001, "b": 80, "c": 40002, "d": 80, "e": 50001, "f": 80, "g": 50001, "h": 80}
NUMBERS = {"ack", "win", "ttl", "id", "mac", "vlan", "hl", "if"}

NAMES = {
    "certainty": {c.name.lower() for c in Certainty} - {"none"},
    "doubt": {d.name.lower() for d in Doubt},
    "reset": {r.name.lower() for r in ResetKind} - {"none"},
    "strange": {s.name.lower() for s in Stranger} | {"none"},
    "kind": {k.name.lower() for k in Kind},
    "verdict": {v.value for v in Verdict},
    "finding": set(CODES),
}


class NotationError(ValueError):
    """A line that the notation does not know, with its number."""

    def __init__(self, line, reason):
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass
class Expected:
    """What a line says of its frame; None where it says nothing."""

    kind: str
    certainty: str | None = None
    doubt: str | None = None
    reset: str | None = None
    strange: tuple | None = None
    to: int | None = None
    row: str | None = None


@dataclass
class FlowExpected:
    """What the lines at the end say of a flow."""

    verdict: str
    by: str | None = None
    row: str | None = None
    probes: tuple | None = None
    states: tuple | None = None
    initiator: str | None = None


@dataclass(frozen=True)
class Lossy(SegmentBatch):
    """A batch of a capture that is known to have dropped packets; ``follow`` tells the tracker."""

    lost: int = 0


@dataclass
class Scenario:
    """A hand-written capture and what is expected of it."""

    behaviour: str
    rows: np.ndarray
    end_ns: int
    expected: dict = field(default_factory=dict)
    """Frame number to Expected."""
    flows: list = field(default_factory=list)
    """FlowExpected of each flow in order."""
    finds: list = field(default_factory=list)
    """Findings, as (flow, code, endpoint or None)."""
    lost: int = 0
    """Packets dropped while capturing."""
    losses: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=LOSS))
    """Where, if that is known."""
    reads: list = field(default_factory=list)
    """What a dissector reads: (endpoint, protocol, where its heartbeats were refused, how many seconds were agreed on,
    why it ends the connection, where it says so); 0 nowhere, and nothing."""

    def dissected(self, batches):
        """Return batches of its flows in which heartbeats are named as it says."""
        for batch, (side, protocol, refused, agreed_s, said, frame) in itertools.product(batches, self.reads):
            mine = batch.trains["side"] == "ab".index(side)
            batch.trains["protocol"][mine] = PROTOCOL_NAMES.index(protocol)
            batch.trains["refused_frame"][mine] = refused
            if agreed_s:
                batch.trains["limit_ns"][mine] = agreed_s * 10**9
            if said:
                batch.trains["said"], batch.trains["said_frame"] = said, frame
                batch.trains["said_side"] = "ab".index(side)
        return batches

    def batch(self):
        """Everything as one batch."""
        known = {"leaps": self.leaps(), "losses": self.losses, "lost": self.lost}
        return Lossy(self.rows, len(self.rows), last_ts_ns=self.end_ns, **known)

    def leaps(self):
        """Where the time of the rows leaps."""
        return leaps_in(self.rows["ts_ns"], self.rows["frame"])

    def batches(self, *cuts):
        """Everything in batches that begin at these rows; the last one brings the end of the capture."""
        edges = [0, *sorted(cuts), len(self.rows)]
        parts = [self.rows[low:high] for low, high in itertools.pairwise(edges)]
        leaps = self.leaps()
        return [
            Lossy(
                part,
                len(part),
                last_ts_ns=self.end_ns if at == len(parts) - 1 else ABSENT,
                leaps=leaps[np.isin(leaps["to_frame"], part["frame"])],
                losses=self.losses[self._ending(part, last=at == len(parts) - 1)],
                lost=self.lost,
            )
            for at, part in enumerate(parts)
        ]

    def _ending(self, part, *, last):
        """Say which stretches with drops end at a frame of this part, or behind the last one."""
        return np.isin(self.losses["to_frame"], part["frame"]) | (last & (self.losses["to_frame"] > len(self.rows)))


def load(path):
    """Read one scenario file."""
    return parse(Path(path).read_text(encoding="utf-8"))


def parse(text):
    """Read a hand-written capture."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        reader.number = number
        reader.take(line.strip())
    reader.number += 1
    return reader.finish()


def follow(batches, *, jit=False, seed=0x1234567):
    """Pass batches through a tracker and return the FlowBatches that came out of it."""
    tracker = Tracker(jit=jit, seed=seed)
    out = []
    for batch in batches:
        tracker.lost = getattr(batch, "lost", 0)
        out.append(tracker.feed(batch))
    return [batch for batch in [*out, *tracker.close()] if batch is not None and len(batch)]


def plain(row):
    """Return one SEGMENT record as a dict of Python ints, the form in which plain loops take it."""
    return thaw(np.atleast_1d(row), jit=False)[0]


def table(records, dtype):
    """Return dicts as a structured array, absent fields as 0."""
    return freeze([{name: record.get(name, 0) for name in dtype.names} for record in records], dtype)


class _Reader:
    def __init__(self):
        self.number = 0
        self.behaviour = ""
        self.now_ns = START_NS
        self.after_ns = 0
        self.lost = 0
        self.losses = []
        self.isn = dict(ISN)
        self.ip = 4
        self.side = "a"
        self.sides = []
        self.ip_id = {"a": 100, "b": 30000, "c": 500, "d": 40000, "e": 600, "f": 50000, "g": 700, "h": 60000}
        self.made = []
        self.expected = {}
        self.flows = {}
        self.finds = []
        self.reads = []

    def refuse(self, reason):
        raise NotationError(self.number, reason)

    def take(self, line):
        """Read one line."""
        if line.startswith("#") and not line.startswith("#="):
            self.behaviour = self.behaviour or line[1:].strip()
            return
        body, _, tail = line.partition("#")
        body, wanted = body.strip(), tail[1:].partition("#")[0].split() if tail.startswith("=") else None
        if not body:
            if wanted is not None:
                self.refuse("an expectation without a segment")
            return
        if body[0] in "+@":
            self.segment(body)
            if wanted is not None:
                self.expected[len(self.made)] = self.expectation(wanted)
        elif wanted is None and body.startswith("reads: "):
            self.reading(body.split()[1:])
        elif wanted is None and ":" in body:
            self.setting(body)
        else:
            self.refuse(f"neither a segment nor a setting: {body}")

    def finish(self):
        """Put everything together."""
        if not self.behaviour:
            self.refuse("no comment says what the scenario is about")
        if list(self.flows) != list(range(1, len(self.flows) + 1)):
            self.refuse("verdicts are not in the order of the flows")
        rows = empty_rows(len(self.made))
        for row, values in zip(rows, self.made, strict=True):
            for name, value in values.items():
                row[name] = value
        last_ns = int(rows["ts_ns"].max()) if len(rows) else START_NS
        end_ns, flows = last_ns + self.after_ns, list(self.flows.values())
        losses = self.stretches(rows)
        lost = self.lost + int(losses["packets"].sum())
        return Scenario(self.behaviour, rows, end_ns, self.expected, flows, self.finds, lost, losses, self.reads)

    def stretches(self, rows):
        """Return where packets were dropped, as LOSS records."""
        losses = np.zeros(len(self.losses), dtype=LOSS)
        for loss, (packets, first, *last) in zip(losses, self.losses, strict=True):
            to = last[0] if last else len(rows) + 1
            if not 1 <= first < to <= len(rows) + 1:
                self.refuse("no such frames")
            loss["packets"], loss["from_frame"], loss["to_frame"], loss["to_end"] = packets, first, to, not last
            loss["from_ns"], loss["to_ns"] = rows["ts_ns"][first - 1], rows["ts_ns"][min(to, len(rows)) - 1]
        return losses

    # ── segments ──

    def segment(self, body):
        when, _, rest = body.partition(" ")
        self.now_ns = (self.now_ns if when[0] == "+" else START_NS) + self.duration(when[1:])
        options = re.findall(r"<([^>]*)>", rest)
        words = re.sub(r"<[^>]*>", " ", rest).split()
        if words[:1] == ["copy"]:
            values, words = self.copy(words[1:])
        else:
            values, words = self.begin(words)
        values |= {"ts_ns": self.now_ns, "frame": len(self.made) + 1}
        self.words(values, words)
        for option in ",".join(options).split(",") if options else ():
            self.option(values, option.split())
        self.made.append(values)
        self.sides.append(self.side)

    def copy(self, words):
        at = len(self.made)
        if words and words[0].isdigit():
            at, words = int(words[0]), words[1:]
        if not 1 <= at <= len(self.made):
            self.refuse("nothing to copy")
        self.side = self.sides[at - 1]
        return dict(self.made[at - 1]), words

    def begin(self, words):
        if len(words) < 4 or words[1] != ">" or PEER.get(words[0]) != words[2]:
            self.refuse("a segment begins with: a > b FLAGS seq:end(len)")
        side, peer = words[0], words[2]
        self.side = side
        self.ip_id[side] = (self.ip_id[side] + 1) & 0xFFFF
        values = dict.fromkeys(SEGMENT.names, ABSENT) | {
            "tag": 0,
            "interface": 0,
            "options_cut": 0,
            "note": 0,
            "payload_len": 0,
            "flags": 0,
            "seq": 0,
            "ack": 0,
            "window": 512,
            "ttl": 64,
            "header_len": 20,
            "ip_id": self.ip_id[side] if self.ip == 4 else ABSENT,
            "src_mac": 0x020000000000 + ord(side),
            "ip_version": self.ip,
            "src_port": PORT[side],
            "dst_port": PORT[peer],
        }
        for end, name in (("src", side), ("dst", peer)):
            values[f"{end}_hi"], values[f"{end}_lo"] = address_halves(ADDRESS[self.ip][name])
        if words[3] == "cut":
            return values | {"note": NOTE_CUT, "window": 0}, words[4:]
        if words[3] == "icmp":
            values |= {"note": NOTE_ICMP_ERROR, "icmp": self.icmp(words[4:5]), "window": 0, "ip_id": ABSENT}
            values["sack_left"], values["sack_right"] = address_halves(ROUTER[self.ip])
            self.numbers(values, side, words[5:6])
            return values, words[6:]
        values["flags"] = self.flags(words[3])
        self.numbers(values, side, words[4:5])
        if bool(values["flags"] & FLAGS["."]) != ("ack" in words):
            self.refuse("'.' and 'ack N' go together")
        return values, words[5:]

    def flags(self, word):
        if set(word) - set(FLAGS) or len(set(word)) != len(word):
            self.refuse(f"unknown flags: {word}")
        return sum(FLAGS[letter] for letter in word)

    def icmp(self, words):
        match = re.fullmatch(r"(6:)?(\d+)/(\d+)", words[0] if words else "")
        if not match:
            self.refuse("an ICMP error is: a > b icmp TYPE/CODE seq:end(len), ICMPv6: 6:TYPE/CODE")
        return int(match[2]) << 8 | int(match[3]) | (1 << 16 if match[1] else 0)

    def numbers(self, values, side, words):
        match = re.fullmatch(r"(!?-?\d+):(!?-?\d+)\((\d+)\)", words[0] if words else "")
        if not match:
            self.refuse("the numbers of a segment are: seq:end(len)")
        values["seq"], end = self.absolute(match[1], side), self.absolute(match[2], side)
        values["payload_len"] = int(match[3])
        if (values["seq"] + values["payload_len"] - end) % SPACE:
            self.refuse(f"{words[0]} does not add up")

    def absolute(self, word, side):
        return int(word[1:]) % SPACE if word[0] == "!" else (self.isn[side] + int(word)) % SPACE

    def words(self, values, words):
        """Read the words behind the numbers."""
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "optcut":
                values["options_cut"] = 1
                continue
            if word == "unnumbered":
                values |= {"note": NOTE_UNNUMBERED, "seq": ABSENT}
                continue
            value = queue.pop(0) if queue else self.refuse(f"{word} needs a value")
            if word == "mtu" and value.isdigit():
                values["tsecr"] = int(value)
            elif word == "router":
                values["tsecr"] = address_halves(value)[1]
            elif word == "octet" and re.fullmatch("[0-9a-f]{2}", value):
                values["first_octet"] = int(value, 16)
            elif word == "ack" and re.fullmatch(r"!?-?\d+", value):
                values["ack"] = self.absolute(value, PEER[self.side])
            elif word in NUMBERS and value.isdigit():
                names = {"win": "window", "id": "ip_id", "mac": "src_mac", "vlan": "tag", "hl": "header_len"}
                values[{"if": "interface"}.get(word) or names.get(word, word)] = int(value)
            else:
                self.refuse(f"unknown: {word} {value}")

    def option(self, values, words):
        match words:
            case ["ts", value, echo] if value.isdigit() and echo.isdigit():
                values |= {"tsval": int(value) % SPACE, "tsecr": int(echo) % SPACE}
                values["header_len"] += 12
            case ["sack", block] if re.fullmatch(r"-?\d+-\d+", block):
                left, right = re.fullmatch(r"(-?\d+)-(\d+)", block).groups()
                peer = PEER[self.side]
                values["sack_left"], values["sack_right"] = self.absolute(left, peer), self.absolute(right, peer)
                values["header_len"] += 12
            case ["ws", shift] if shift.isdigit():
                values["window_scale"] = int(shift)
                values["header_len"] += 4
            case _:
                self.refuse(f"unknown option: {' '.join(words)}")

    def duration(self, word):
        try:
            return int(Decimal(word) * 1_000_000_000)
        except InvalidOperation:
            return self.refuse(f"not a time: {word}")

    # ── expectations and settings ──

    def expectation(self, words):
        """Read what follows ``#=``."""
        queue = list(words)
        expected = Expected(self.known("kind", queue.pop(0) if queue else ""))
        while queue:
            word = queue.pop(0)
            if word in NAMES["certainty"]:
                expected.certainty = word
            elif word in NAMES["reset"]:
                expected.reset = word
            elif not queue:
                self.refuse(f"unknown expectation: {word}")
            elif word == "doubt":
                expected.doubt = self.known("doubt", queue.pop(0))
            elif word == "strange":
                names = tuple(self.known("strange", name) for name in queue.pop(0).split(","))
                expected.strange = () if names == ("none",) else names
            elif word == "to":
                expected.to = self.count(queue.pop(0))
            elif word == "row":
                expected.row = self.rule(queue.pop(0), RULES)
            else:
                self.refuse(f"unknown expectation: {word}")
        return expected

    def reading(self, words):
        """Read what a dissector reads."""
        said = words[2:3] == ["said"] and len(words) > 4
        known = len(words) == 2 or (len(words) == 4 and words[2] in {"refused", "agreed"}) or said
        if not known or words[0] not in {"a", "b"}:
            self.refuse(f"unknown: {' '.join(words)}")
        if words[1] not in PROTOCOL_NAMES:
            self.refuse(f"unknown protocol: {words[1]}")
        reason = " ".join([words[1], *words[4:]]) if said else None
        if reason not in farewells.NAMES:
            self.refuse(f"unknown reason: {reason}")
        number = self.count(words[3]) if words[3:] else 0
        refused, agreed_s, frame = (number if words[2:3] == [word] else 0 for word in ("refused", "agreed", "said"))
        self.reads.append((words[0], words[1], refused, agreed_s, farewells.NAMES.index(reason), frame))

    def setting(self, body):
        """Read a line that is no segment."""
        head, _, rest = body.partition(":")
        name, *which = head.split()
        words = rest.split()
        if len(which) > 1 or (which and not which[0].isdigit()):
            self.refuse(f"unknown: {head}")
        flow = int(which[0]) if which else 1
        match name:
            case "isn" if not which and len(words) % 2 == 0:
                for side, value in zip(words[::2], words[1::2], strict=True):
                    if side not in PEER:
                        self.refuse(f"unknown endpoint: {side}")
                    self.isn[side] = self.count(value) % SPACE
            case "ip" if not which and words in (["4"], ["6"]):
                self.ip = int(words[0])
            case "end" if not which and len(words) == 1 and words[0].startswith("+"):
                self.after_ns = self.duration(words[0][1:])
            case "dropped" if not which and len(words) == 1:
                self.lost = self.count(words[0])
            case "dropped" if not which and [*words[1::2]] in (["from"], ["from", "to"]):
                self.losses.append(tuple(map(self.count, words[::2])))
            case "verdict":
                self.verdict(flow, words)
            case "probes" if len(words) == 4 and words[::2] == ["a", "b"]:
                self.flow(flow).probes = (self.count(words[1]), self.count(words[3]))
            case "states" if len(words) == 4 and words[::2] == ["a", "b"]:
                self.flow(flow).states = (words[1], words[3])
            case "initiator" if words in (["a"], ["b"], ["-"]):
                self.flow(flow).initiator = words[0]
            case "finds":
                self.flow(flow)
                self.finds += [(flow, *self.finding(part.split())) for part in rest.split(",")]
            case _:
                self.refuse(f"unknown: {body}")

    def finding(self, words):
        code, about, *more = [*words, None, None][: max(2, len(words))]
        if more or about not in {None, "a", "b"}:
            self.refuse(f"unknown: {' '.join(words)}")
        return self.known("finding", code or ""), about

    def verdict(self, flow, words):
        if flow in self.flows:
            self.refuse(f"a second verdict of flow {flow}")
        expected = self.flows[flow] = FlowExpected(self.known("verdict", words[0] if words else ""))
        queue = words[1:]
        while queue:
            match queue:
                case ["by", ("a" | "b" | "between" | "-") as who, *queue]:
                    expected.by = None if who == "-" else who
                case ["row", name, *queue]:
                    expected.row = self.rule(name, VERDICTS)
                case _:
                    self.refuse(f"unknown: {' '.join(queue)}")

    def flow(self, number):
        if number not in self.flows:
            self.refuse(f"the verdict of flow {number} comes first")
        return self.flows[number]

    def known(self, what, word):
        if word not in NAMES[what]:
            self.refuse(f"unknown {what}: {word or 'nothing'}")
        return word

    def rule(self, name, rules):
        if name not in {rule.name for rule in rules}:
            self.refuse(f"no such row: {name}")
        return name

    def count(self, word):
        if not word.isdigit():
            self.refuse(f"not a number: {word}")
        return int(word)
