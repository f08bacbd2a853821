"""``ComparedFrame``: a frame of which Wireshark and we say different things, with what either knew of it.

Our word for a frame, and what of Wireshark's labels agrees with it, are defined here; who is right is not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from analyzer.judge.probe import NOT_PROBE_WORDS
from analyzer.label.rules import Kind
from analyzer.values import dataclass
from analyzer.wireshark.frame_labels import FAMILY, NONE, SENT_AGAIN, Label

if TYPE_CHECKING:
    from typing import Any

    from analyzer.judge.events import Resent
    from analyzer.judge.probe import NotProbe, Probe, ZeroWindowProbe
    from analyzer.judge.record import FlowRecord, Row
    from analyzer.track.flow import Side

    Fact = Probe | ZeroWindowProbe | NotProbe | Resent

NUMBERS: Final = 0xFFFFFFFF
"""Sequence numbers as on the wire."""


class Word(StrEnum):
    """What we call a frame; the words of ``not_probes`` in the JSON report, and these."""

    PROBE = "keepalive_probe"
    ANSWER = "keepalive_answer"
    WINDOW_PROBE = "zero_window_probe"
    WINDOW_ANSWER = "zero_window_answer"
    COPY = NOT_PROBE_WORDS[Kind.DUPLICATE_COPY]
    STALE = NOT_PROBE_WORDS[Kind.STALE_ACK]
    SENT_AGAIN = NOT_PROBE_WORDS[Kind.OCTET_RETRANSMISSION]
    NOT_IDLE = NOT_PROBE_WORDS[Kind.NOT_IDLE]
    UNDECIDED = NOT_PROBE_WORDS[Kind.AT_ZERO_WINDOW]


EXPECTED: Final = {
    Word.PROBE: Label.KEEP_ALIVE,
    Word.ANSWER: Label.KEEP_ALIVE_ACK,
    Word.WINDOW_PROBE: Label.ZERO_WINDOW_PROBE,
    Word.WINDOW_ANSWER: Label.ZERO_WINDOW_PROBE_ACK,
}
"""The one label about keepalive or window probes that says the same as our word; for all others: none."""


def agree(word: Word | None, labels: Label) -> bool:
    """Say whether Wireshark's labels and our word mean the same.

    A segment that we call sent again has to be called so. Where we have no word, retransmissions, duplicate ACKs and
    windows are Wireshark's business: we do not follow ordinary loss.
    """
    about = labels & FAMILY
    if word is Word.SENT_AGAIN:
        return not about and bool(labels & SENT_AGAIN)
    return about == (EXPECTED.get(word, NONE) if word else NONE)


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame as one flow shows it."""

    frame: int
    sender: Side
    word: Word | None
    labels: Label
    row: Row | None = None
    """Its SEEN row, with what was known before it, if it was notable."""
    segment: Any = None
    """Its SEGMENT row, if Wireshark says that it is about keepalive."""
    fact: Fact | None = None
    """What the record has under our word; for an answer, of the probe that it answers."""


@dataclass(frozen=True, slots=True)
class ComparedFrame:
    """A frame on which we differ."""

    this: Seen
    record: FlowRecord | None
    """None if the frame is of no flow that we know."""
    probe: Seen | None = None
    """What it answers by our account."""
    marked: Seen | None = None
    """What it answers by Wireshark's: the last frame of the other end labelled as keep-alive or window probe."""
    answer: Seen | None = None
    """The sender's last frame that we call an answer."""
    iss: int | None = None
    """The sender's initial sequence number, 32 bits, if its SYN was captured."""
    even_clock: bool = False
    """Whether the capture's segments come as evenly as no network sends them: its times were rewritten."""
    twin: bool = False
    """Whether another flow has the same addresses and ports on another VLAN or tunnel."""
