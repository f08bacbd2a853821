"""``TextReader``: pasted text as ``SegmentBatch`` after ``SegmentBatch``.

Puts the lines of each packet together, and its octets where the text has them: these are the packet, and the line is
only its time. Every line that is no packet's is counted and one is shown. Frames are numbered as the text's packets
come, or as a packet list numbers them.

This module must not know flows.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from analyzer.capture.decoder import BATCH_ROWS, FrameDecoder
from analyzer.capture.linktypes import link_name
from analyzer.capture.text import beside, packet_list, tcpdump
from analyzer.capture.text.hexdump import Dump, row_of
from analyzer.capture.text.lines import cleaned, encoding_of, excerpt, physical_lines, unbroken
from analyzer.capture.text.names import Names
from analyzer.capture.text.numbers import Numbers
from analyzer.capture.text.prefix import prefix_of
from analyzer.capture.text.times import TIME, Kind, Times
from analyzer.errors import NotACaptureError
from analyzer.loops.choice import jit_wanted
from analyzer.loops.loop import freeze
from analyzer.segment import ABSENT, NOTE_CUT, NOTE_UNNUMBERED, SEGMENT, WITNESS, SegmentBatch, leaps_in
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from numpy.typing import NDArray

    from analyzer.capture.source import Source
    from analyzer.capture.window import Window

LARGE: Final = 4 << 20
"""From this many octets on compiled loops pay behind the reader."""
LOOKED_AT: Final = 4096
"""Lines that are looked at before the first is read."""
MOST_PARTS: Final = 12
"""Lines of one packet."""
LONGEST: Final = 4096
"""Characters of one packet."""
NO_PACKET: Final = re.compile(
    r"```|~~~|\{(?:code|noformat)|\s*[$#%] |\S{1,64}@\S{1,64}[:~ ].*[$#%]"
    r"|.*\bpackets? (?:captured|received by|dropped by)|tcpdump:"
    r"|(?:listening on|reading from) |.*\blink-type\b|\^C|--\s*$|\[\.\.\.|\.\.\."
)
"""What stands between packets, and goes on none of them."""
DROPPED: Final = re.compile(r"\s*(\d{1,12}) packets? dropped by (?:kernel|interface)")
OFFSET: Final = re.compile(r"\s*(?:0x)?[0-9A-Fa-f]{4,8}:?\s")

NOBODY: Final = np.empty(0, dtype=WITNESS)
NOT_TCP: Final = 0
CUT: Final = 2
"""Positions in ``SegmentBatch.skipped``."""


@dataclass(slots=True)
class _Packet:
    """The lines of one packet."""

    line: int
    stamp: re.Match[str] | None = None
    parts: list[str] = field(default_factory=list)
    listed: re.Match[str] | None = None
    dump: Dump = field(default_factory=Dump)

    @property
    def may_be_ip(self) -> bool:
        """Whether its line, if it has one, says that it is an IP packet: octets of others are none to read."""
        return self.listed is not None or not self.parts or "IP" in self.parts[0] or "ARP" in self.parts[0]

    @property
    def unlike_dump(self) -> bool:
        """Whether the octets that are there are not the packet's, but of something that ``-v`` prints of it."""
        return bool(self.parts) and len(self.dump) > 0 and self.dump.packet() is None


class TextReader:
    """An open text: a context manager, and an iterable (once) of batches; what ``CaptureReader`` offers."""

    format = "text"

    def __init__(
        self, path: str, name: str, source: Source, window: Window, *, reader: str = "auto", jit: bool | None = None
    ) -> None:
        """Read up to the first packet.

        Raises:
            NotACaptureError: no line of it is a packet's.
        """
        self.path = path
        self.jit = False
        """Whether what follows should be compiled; a stream begins plain and changes when it grows."""
        self._forced = jit
        self.dropped = 0
        self.filters: list[str] = []
        """No text says which filter there was."""
        self.used_scapy = 0
        self._source = source
        self._frames = FrameDecoder(reader=reader, room=1)
        self._names = Names()
        self._numbers = Numbers()
        self._links: dict[str, None] = {}
        self._notes: dict[str, tuple[int, int, str]] = {}
        self._line = 0
        self._others: list[NDArray[np.void]] = []
        lines = unbroken(physical_lines(window, encoding_of(window.head(64)) or "utf-8"))
        first = list(itertools.islice(lines, LOOKED_AT))
        seen = [cleaned(line) for line in first]
        self._times = Times(())
        self._prefix = None if any(self._begin(line) for line in seen) else prefix_of(seen)
        seen = [self._bare(line) for line in seen]
        self._times = Times(stamp for line in seen if (stamp := self._stamp(line)) is not None)
        self._packets = self._assembled(itertools.chain(seen, (self._bare(cleaned(line)) for line in lines)))
        self._waiting = next(self._packets, None)
        if self._waiting is None:
            shown = next((line for line in seen if line.strip()), "")
            raise NotACaptureError(
                name,
                f"is text (it begins with {excerpt(shown)}), in which no line is a packet's; expected a pcap or pcapng "
                "file, or what tcpdump or tshark print",
            )
        self.start_ns: int | None = self._times.take(self._waiting.stamp)

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def __iter__(self) -> Iterator[SegmentBatch]:
        """Yield batches of the usual size."""
        return self.batches()

    @property
    def link_types(self) -> list[str]:
        """Names of the link types of what octets the text has."""
        return list(self._links)

    @property
    def bytes_read(self) -> int:
        """Octets of the file read so far."""
        return self._source.bytes_read

    @property
    def size(self) -> int | None:
        """Octets of the file; None for a stream."""
        return self._source.size

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def batches(self, batch_rows: int = BATCH_ROWS) -> Iterator[SegmentBatch]:
        """Yield batches of at most ``batch_rows`` packets."""
        frame = 0
        previous: tuple[int, int] | None = None
        while True:
            self.jit = jit_wanted(large=max(self._source.bytes_read, self.size or 0) >= LARGE, asked=self._forced)
            rows: list[dict[str, int]] = []
            times: list[int] = []
            numbers: list[int] = []
            skipped = [0, 0, 0]
            others: list[NDArray[np.void]] = []
            while len(times) < batch_rows and self._waiting is not None:
                packet, self._waiting = self._waiting, None
                ts_ns = self._times.take(packet.stamp) if times or previous else self.start_ns or 0
                frame = self._number(packet, frame)
                times.append(ts_ns)
                numbers.append(frame)
                made = len(rows)
                self._read(packet, rows, skipped)
                for row in rows[made:]:
                    row["frame"], row["ts_ns"] = frame, ts_ns
                    self._note_unnumbered(row)
                for witness in self._others:
                    witness["frame"], witness["ts_ns"] = frame, ts_ns
                others += self._others
                self._others = []
                self._waiting = next(self._packets, None)
            if not times:
                return
            before = previous or (times[0], numbers[0])
            leaps = leaps_in(np.array([before[0], *times]), np.array([before[1], *numbers]))
            previous = (times[-1], numbers[-1])
            counts = (skipped[0], skipped[1], skipped[2])
            beside = np.concatenate([NOBODY, *others])
            yield SegmentBatch(freeze(rows, SEGMENT), len(times), counts, times[-1], leaps, others=beside)

    @staticmethod
    def _number(packet: _Packet, before: int) -> int:
        """Return the frame's number: that of a packet list, as long as it counts upwards, else the next."""
        if packet.listed is not None and int(packet.listed["number"]) > before:
            return int(packet.listed["number"])
        return before + 1

    # ── packets of lines ───────────────────────────────────────────────────────────────────────────────────────────

    def _assembled(self, lines: Iterator[str]) -> Iterator[_Packet]:
        """Yield the packets that lines make."""
        packet: _Packet | None = None
        stamp: re.Match[str] | None = None
        for line in lines:
            self._line += 1
            if not line or line.isspace():
                continue
            row = row_of(line) if OFFSET.match(line) else None
            if row is not None:
                if row[0] == 0 and packet is not None and packet.unlike_dump:
                    packet.dump = Dump()
                elif row[0] == 0 and (packet is None or len(packet.dump)):
                    if packet is not None:
                        yield packet
                    packet, stamp = _Packet(self._line, stamp), None
                if packet is not None:
                    packet.dump.add(*row)
                    continue
            begun = self._begin(line)
            if begun is not None:
                if packet is not None:
                    yield packet
                packet, stamp = begun, None
            elif packet is not None and self._goes_on(packet, line):
                packet.parts.append(line)
            elif (
                packet is not None and packet.listed is not None and (more := packet_list.goes_on(packet.listed, line))
            ):
                packet.listed = more
            elif (alone := _alone(line)) is not None:
                stamp = alone
            else:
                self._skip(line, self._line)
        if packet is not None:
            yield packet

    def _bare(self, line: str) -> str:
        """Return a line without what a logger put before it."""
        found = self._prefix and self._prefix.match(line)
        return line[found.end() :] if found else line

    def _stamp(self, line: str) -> re.Match[str] | None:
        """Return the time of a packet that a line begins."""
        begun = self._begin(line)
        return _alone(line) if begun is None else begun.stamp

    def _begin(self, line: str) -> _Packet | None:
        """Return the packet that a line begins; None if it begins none."""
        stamp = TIME.match(line)
        if stamp is not None and tcpdump.STARTS.match(rest := line[stamp.end() :].lstrip()):
            return _Packet(self._line, stamp, [rest[:LONGEST]])
        if line[:1] == '"':
            line = packet_list.spread(line)
        if listed := packet_list.LINE.fullmatch(line):
            return _Packet(self._line, TIME.match(listed["time"]), listed=listed)
        counted = re.match(r"\s*\d{1,9}[:.)|]?\s+", line)
        if counted is not None:  # the line has a number before it
            line = line[counted.end() :]
            stamp = TIME.match(line)
            if stamp is not None and tcpdump.STARTS.match(rest := line[stamp.end() :].lstrip()):
                return _Packet(self._line, stamp, [rest[:LONGEST]])
        if self._times.kind is Kind.NONE and tcpdump.WITHOUT_TIME.match(line):
            return _Packet(self._line, None, [line[:LONGEST]])
        return None

    @staticmethod
    def _goes_on(packet: _Packet, line: str) -> bool:
        """Say whether a line that begins no packet may belong to the one before it."""
        if not packet.parts or len(packet.parts) >= MOST_PARTS or len(line) > LONGEST or NO_PACKET.match(line):
            return False
        if len(packet.dump) and not packet.unlike_dump:
            return False
        if sum(map(len, packet.parts)) + len(line) > LONGEST:
            return False
        # what -v prints of one is indented; another line is only the rest of one that was broken
        return line[0] in " \t" or not tcpdump.is_whole(" ".join(packet.parts))

    def _skip(self, line: str, number: int) -> None:
        """Count a line that is no packet's."""
        if found := DROPPED.match(line):
            self.dropped = max(self.dropped, int(found[1]))
        self._note("lines", "lines of the text that are not packets, or could not be read", number, excerpt(line))

    # ── rows of packets ────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, packet: _Packet, rows: list[dict[str, int]], skipped: list[int]) -> None:
        """Add the row of a packet, or count why there is none."""
        if len(packet.dump) and packet.may_be_ip and (octets := packet.dump.packet()) is not None:
            self._decode(octets, rows, skipped)
            return
        if packet.listed is not None:
            self._listed(packet, packet.listed, rows, skipped)
            return
        if not packet.parts:
            self._note("dumps", "packets of the text whose bytes are no IP packet's", packet.line)
            skipped[NOT_TCP] += 1
            return
        self._printed(packet, rows, skipped)

    def _decode(self, octets: tuple[bytes, int, int], rows: list[dict[str, int]], skipped: list[int]) -> None:
        """Decode a packet's octets."""
        frame, link_type, original = octets
        self._links[link_name(link_type)] = None
        self._frames.add(frame, 0, link_type, original=original)
        batch = self._frames.take()
        for reason, count in enumerate(batch.skipped):
            skipped[reason] += count
        rows += (dict(zip(SEGMENT.names or (), values, strict=True)) for values in batch.rows.tolist())
        self._others.append(batch.others)

    def _listed(self, packet: _Packet, listed: re.Match[str], rows: list[dict[str, int]], skipped: list[int]) -> None:
        """Add the row of a line of a packet list."""
        printed = packet_list.segment(listed, self._names)
        if printed is None:
            skipped[NOT_TCP] += 1
            self._see(beside.listed(listed, self._names))
            if packet_list.is_above_tcp(listed):
                self._note(
                    "above",
                    "packets whose numbers the list does not show, because a protocol above TCP is in their place "
                    "(tshark --disable-all-protocols --enable-protocol eth,ip,ipv6,tcp shows them)",
                    packet.line,
                )
            return
        if printed.row["note"] == NOTE_CUT:
            skipped[CUT] += 1
        else:
            self._numbers.tshark(printed.row, printed.sack)
        rows.append(printed.row)

    def _printed(self, packet: _Packet, rows: list[dict[str, int]], skipped: list[int]) -> None:
        """Add the row of what tcpdump printed."""
        text = " ".join(part.strip() for part in packet.parts)
        if (quoted := tcpdump.icmp_error(text, self._names)) is not None:
            if quoted.row["seq"] != ABSENT:
                self._numbers.tcpdump(quoted.row, None)
            rows.append(tcpdump.as_quoted(quoted.row))
            return
        if (alone := tcpdump.icmp_alone(text, self._names)) is not None and self._numbers.only_between(alone):
            self._note(
                "unquoted",
                "ICMP errors of which the text does not show what they are about, each taken to be about the only "
                "connection between the two hosts (tcpdump -v shows it)",
                packet.line,
            )
            rows.append(tcpdump.as_quoted(alone))
            return
        printed = tcpdump.segment(text, self._names)
        used = len(packet.parts)
        if printed is None and used > 1:
            printed = tcpdump.segment("".join(packet.parts), self._names)
        if printed is None and used > 1:
            printed, used = tcpdump.segment(packet.parts[0], self._names), 1
        for at in range(used, len(packet.parts)):
            self._skip(packet.parts[at], packet.line + at)
        if printed is None:
            if tcpdump.is_tcp(text):
                self._skip(text, packet.line)
            else:
                self._see(beside.printed(text, self._names))
            skipped[CUT if tcpdump.is_tcp(text) else NOT_TCP] += 1
            return
        if printed.row["note"] == NOTE_CUT:
            skipped[CUT] += 1
        else:
            self._numbers.tcpdump(printed.row, printed.sack)
        rows.append(printed.row)

    def _see(self, witness: dict[str, int] | None) -> None:
        """Add what a line shows of hosts."""
        if witness is not None:
            self._others.append(freeze([witness], WITNESS))

    # ── what is to be said ─────────────────────────────────────────────────────────────────────────────────────────

    def _note_unnumbered(self, row: dict[str, int]) -> None:
        if row["note"] == NOTE_UNNUMBERED:
            self._note("numbers", "", row["frame"])

    def _note(self, kind: str, what: str, where: int, shown: str = "") -> None:
        """Count something that may happen often, and keep where it happened first."""
        times, first, about = self._notes.get(kind, (0, where, f"{what}|{shown}"))
        self._notes[kind] = (times + 1, first, about)

    @property
    def warnings(self) -> list[str]:
        """Exact sentences about what the text has not, or has beside packets."""
        return [*self._sentences(), *self._names.sentences(), *self._frames.warnings]

    def _sentences(self) -> Iterator[str]:
        if self._times.kind is Kind.NONE:
            yield "the text has no times (tcpdump -t): nothing that depends on them is said, and that is nearly all"
        elif self._times.kind is Kind.CLOCK:
            yield "the text has times of day without a date (tcpdump -tttt prints both); they stand as of 1970-01-01"
        elif self._times.kind is not Kind.DATE:
            yield "the text has times since the first packet only (tcpdump -tttt prints dates); it stands as 1970-01-01"
        if self._times.odd:
            yield f"times of the text that are none, or past the year 2116: {self._times.odd:,}; they are not used"
        if "numbers" in self._notes:
            times, first, _ = self._notes["numbers"]
            yield (
                f"segments without data, whose numbers tcpdump prints only with -vv: {times:,}, the first is frame "
                f"{first}; a probe among them is known by its time and answer, never for certain (tcpdump -w keeps all)"
            )
        for kind in ("unquoted", "above", "dumps", "lines"):
            if kind in self._notes:
                times, first, about = self._notes[kind]
                what, _, shown = about.partition("|")
                yield f"{what}: {times:,}, the first is line {first}" + (f": {shown}" if shown else "")


def _alone(line: str) -> re.Match[str] | None:
    """Return the time of the octets that follow, where a line has nothing else but a direction (text2pcap's)."""
    found = TIME.match(line)
    return found if found is not None and not line[found.end() :].strip(" IO") else None
