"""Which protocol the heartbeats of a connection are of, as tshark reads them, and what the ends agreed on.

One run of tshark over a small capture in which candidates were cut out, with columns of numbers and names that tshark
itself defines; nothing of a packet's contents is passed on. Ports say little, so that what the data begins with decides
which dissector is tried.

It must not know how candidates are found, or what follows from a name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.values import dataclass
from analyzer.wireshark.beat_signs import (
    ANSWERS,
    ASKING,
    DECIPHERED,
    FIELDS,
    HELLO,
    HEX,
    MIDSTREAM,
    OF_PINGS,
    PROTOCOLS,
    READ,
    REFUSED,
    REFUSED_FOR,
    REPLIES,
    SIGNS,
    TRIED_IN_TLS,
    clear,
    guess,
    how_many,
    shows,
)
from analyzer.wireshark.bounded import MOST_S, printed
from analyzer.wireshark.farewell_signs import said_in, signs_of
from analyzer.wireshark.tshark import TsharkFailedError, columns

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.wireshark.beat_signs import Fields, Sign

NONSENSE: Final = "tshark printed what cannot be read"
KEPT_OCTETS: Final = 256
"""How much of a segment's data is looked at."""
BEGINNING: Final = 4
"""A greeting is among so many segments with data at the beginning."""
LEAST: Final = 2
"""How many heartbeats of a train have to be read as such, and half of those that were cut out."""


class Piece(NamedTuple):
    """A segment with data of a candidate, in the cut."""

    number: int
    """Of its frame in the cut."""
    frame: int
    """... and in the capture."""
    side: int
    """Who sent it: 0 a, 1 b."""
    length: int
    """Bytes of data."""
    data: bytes
    """The first of them."""
    ts_ns: int = 0
    is_new: bool = True
    """Whether it brings bytes that its sender had not sent before."""


@dataclass(slots=True)
class Candidate:
    """A connection with trains of heartbeats."""

    port: int
    """The one that its service has, as far as that is known."""
    pieces: list[Piece] = field(default_factory=list)
    ports: tuple[int, int] | None = None
    """Those of a and of b, where no handshake tells which of them is the service's."""

    @property
    def service_port(self) -> int:
        """The port of who is asked what only clients ask; else that which it is taken for."""
        if self.ports is None:
            return self.port
        asked = Counter(1 - piece.side for piece in self.pieces if ASKING.match(piece.data))
        return self.ports[asked.most_common(1)[0][0]] if asked else self.port


class Named(NamedTuple):
    """What was read of a train."""

    protocol: str
    limit_ns: int
    """What the ends agreed on, 0 if it is that neither waits for heartbeats, -1 if that is not known."""
    refused_frame: int
    """Where the other end asked to calm down, 0 nowhere."""
    refused_for: int = 0
    """1 if it said that there are too many pings, 2 if it named something else, 0 if it did not say."""


def dissect(path: str, candidates: Iterable[Candidate], keylog: str | None = None) -> dict[int, Fields]:
    """Return what tshark reads of the frames of a cut, by their numbers there.

    Raises:
        WiresharkError: tshark is missing, too old, or ended otherwise than it should; or what it prints is no table.
    """
    some = list(candidates)
    arguments = ["-r", path, "-Y", "tcp.len > 0", *columns("%m", *(f"%Cus:{name}:0:U" for name in FIELDS))]
    arguments += [word for port, dissector in tried(some).items() for word in ("-d", f"tcp.port=={port},{dissector}")]
    if keylog is not None:
        arguments += ["-o", f"tls.keylog_file:{keylog}"]
    read = dict(map(_row, printed(arguments, most_s=MOST_S)))
    if keylog is None:
        return read
    guesses = tried(_deciphered(some, read)).items()
    if inside := {port: dissector for port, dissector in guesses if dissector in TRIED_IN_TLS}:
        arguments += [word for port, dissector in inside.items() for word in ("-d", f"tls.port=={port},{dissector}")]
        read = dict(map(_row, printed(arguments, most_s=MOST_S)))
    return read


def _deciphered(candidates: Iterable[Candidate], read: dict[int, Fields]) -> Iterator[Candidate]:
    """Yield candidates with what tshark deciphered of their data and gave to no dissector, which ports do not tell."""
    for each in candidates:
        pieces = []
        for piece in each.pieces:
            fields = read.get(piece.number, {})
            if DECIPHERED in fields:
                pieces.append(piece._replace(data=clear(fields, b"")[:KEPT_OCTETS]))
        yield replace(each, pieces=pieces)


def tried(candidates: Iterable[Candidate]) -> dict[int, str]:
    """Return by port which dissector tshark is told to try: of several that may fit, what most data looks like."""
    looks: dict[int, Counter[str]] = {}
    for each in candidates:
        guesses = Counter(found for piece in each.pieces if (found := guess(piece.data)))
        # a handshake tells more than any number of heartbeats
        begun = any(HELLO.match(piece.data) for piece in each.pieces[:BEGINNING])
        if not begun:
            guesses = Counter({MIDSTREAM.get(found, found): count for found, count in guesses.items()})
        looks.setdefault(each.service_port, Counter()).update(guesses)
    return {port: found.most_common(1)[0][0] for port, found in looks.items() if found}


def _row(line: bytes) -> tuple[int, Fields]:
    """Return the number of a frame and its fields, of a line of columns."""
    number, *values = line.decode("utf-8", "replace").split("\t")
    if len(values) < len(FIELDS) or not number.strip().isdecimal():
        raise TsharkFailedError((NONSENSE,))
    fields = {name: text.split(",") for name, text in zip(FIELDS, values, strict=False) if text}
    if PROTOCOLS in fields:
        fields[PROTOCOLS] = [layer for stack in fields[PROTOCOLS] for layer in stack.split(":")]
    return int(number), fields


def name(
    candidate: Candidate, read: dict[int, Fields], beats: Sequence[Piece], side: int, first_frame: int
) -> Named | None:
    """Return what a train is, whose heartbeats are among these pieces; None if that cannot be told."""
    signs = _agreeing(SIGNS, candidate, read)
    found: Counter[str] = Counter()
    for piece in beats:
        fields = read.get(piece.number, {})
        if (sign := next((each for each in signs if shows(each, fields, piece.data)), None)) is not None:
            found[sign.protocol] += 1
    if not found:
        return None
    protocol, count = found.most_common(1)[0]
    if count < LEAST or 2 * count < len(beats):
        return None
    return Named(protocol, _limit_ns(protocol, candidate, read), *_refused(candidate, read, side, first_frame))


def replies_to(read: dict[int, Fields], beats: Sequence[Piece]) -> str | None:
    """Return which requests these pieces answer, if that is what they are: then they are no heartbeats."""
    for sign in REPLIES:
        count = sum(shows(sign, read.get(piece.number, {}), piece.data) for piece in beats)
        if count >= LEAST and 2 * count >= len(beats):
            return sign.protocol
    return None


def is_read_as(protocol: str, read: dict[int, Fields], piece: Piece) -> bool:
    """Say whether a segment is read as a heartbeat, or request, of a protocol."""
    return any(sign.protocol == protocol and shows(sign, read.get(piece.number, {}), piece.data) for sign in SIGNS)


class Farewell(NamedTuple):
    """Why an end ended a connection, as it said itself."""

    side: int
    place: int
    """In ``judge.farewells``."""
    frame: int


def farewell_of(
    candidate: Candidate, read: dict[int, Fields], protocols: frozenset[str], first_frame: int
) -> Farewell | None:
    """Return the first reason that an end of a connection of these protocols gave, from that frame on."""
    signs = signs_of(protocols)
    for piece in candidate.pieces if signs else ():
        if piece.frame > first_frame and piece.is_new:
            fields = read.get(piece.number, {})
            if place := said_in(fields, clear(fields, piece.data), signs):
                return Farewell(piece.side, place, piece.frame)
    return None


def beats_of(protocol: str, candidate: Candidate, read: dict[int, Fields], side: int) -> list[Piece]:
    """Return every segment of an end that is read as a heartbeat of this protocol, each once.

    Where a protocol has several kinds they are those that the end sends most of.
    """
    signs = _agreeing([sign for sign in SIGNS if sign.protocol == protocol], candidate, read)
    mine = [piece for piece in candidate.pieces if piece.side == side and piece.is_new]
    each = [[piece for piece in mine if shows(sign, read.get(piece.number, {}), piece.data)] for sign in signs]
    return max(each, key=len, default=[])


def answers_of(protocol: str, candidate: Candidate, read: dict[int, Fields], side: int) -> list[Piece] | None:
    """Return every segment of an end that is read as the answer to a heartbeat, as often as it has answers.

    None if tshark does not tell answers of this protocol from heartbeats.
    """
    signs = [sign for sign in ANSWERS if sign.protocol == protocol]
    return _each(signs, candidate, read, side) if signs else None


def asked_in(protocol: str, candidate: Candidate, read: dict[int, Fields], side: int) -> list[Piece]:
    """Return every segment of an end that is read as a heartbeat of a protocol, as often as it has heartbeats."""
    return _each([sign for sign in SIGNS if sign.protocol == protocol], candidate, read, side)


def _each(signs: Sequence[Sign], candidate: Candidate, read: dict[int, Fields], side: int) -> list[Piece]:
    return [
        piece
        for piece in candidate.pieces
        if piece.side == side and piece.is_new
        for sign in signs
        if shows(sign, fields := read.get(piece.number, {}), piece.data)
        for _ in range(how_many(sign, fields))
    ]


def _agreeing(signs: Sequence[Sign], candidate: Candidate, read: dict[int, Fields]) -> list[Sign]:
    """Return the signs for which something else of a connection speaks, where that is needed."""
    wanted = {sign.among for sign in signs if sign.among is not None}
    there: set[re.Pattern[bytes]] = set()
    for piece in candidate.pieces:
        data = clear(read.get(piece.number, {}), piece.data)
        there |= {among for among in wanted - there if among.match(data)}
    return [sign for sign in signs if sign.among is None or sign.among in there]


def _limit_ns(protocol: str, candidate: Candidate, read: dict[int, Fields]) -> int:
    for of, column, unit_ns, follows in READ:
        texts = [text for piece in candidate.pieces for text in read.get(piece.number, {}).get(column, ())]
        values = [int(text) for text in texts if text.isdecimal() and len(text) <= len("4294967295")]
        if of == protocol and values and (value := follows(values)) >= 0:
            return value * unit_ns
    return -1


def _refused(candidate: Candidate, read: dict[int, Fields], side: int, first_frame: int) -> tuple[int, int]:
    column, value = REFUSED
    for piece in candidate.pieces:
        fields = read.get(piece.number, {})
        if piece.side != side and piece.frame > first_frame and value in fields.get(column, ()):
            said = b"".join(bytes.fromhex(text) for text in fields.get(REFUSED_FOR, ()) if HEX.fullmatch(text))
            return piece.frame, (1 if OF_PINGS.search(said) else 2) if said else 0
    return 0, 0
