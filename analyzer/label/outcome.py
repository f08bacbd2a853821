"""What settling may write into a SEEN row: answer, certainty, doubt; and the names that loops have for them.

Loops take plain ints, so every member of an enumeration that a loop compares with has a name of its own here.

It must not decide anything.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from analyzer.label.rules import Kind


class Answer(IntEnum):
    """What answered a probe."""

    NONE = 0
    ACK = 1
    RST = 2
    DATA = 3


class Certainty(IntEnum):
    """How sure it is that a probe is one."""

    NONE = 0
    SUSPECTED = 1
    PROBABLE = 2
    CERTAIN = 3


class Doubt(IntEnum):
    """Why a probe is not certain."""

    NONE = 0
    MIDSTREAM = 1
    """The capture began in mid-flow; what followed proves the probe."""
    ONE_SIDED = 2
    """Nothing of the peer was captured; only the even spacing speaks for it."""
    ZERO_WINDOW = 3
    """Under a closed window; only the even spacing tells it from a window probe."""
    MISSED = 4
    """The capture missed segments; the answer proves the probe."""
    UNNUMBERED = 5
    """The text of tcpdump does not show its number; time and answer speak for it."""


PROBE: Final = int(Kind.KEEPALIVE_PROBE)
OCTET: Final = int(Kind.KEEPALIVE_OCTET)
WINDOW_PROBE: Final = int(Kind.ZERO_WINDOW_PROBE)
AT_ZERO: Final = int(Kind.AT_ZERO_WINDOW)
UNANCHORED: Final = int(Kind.UNANCHORED)
RESET: Final = int(Kind.RESET)
COPY: Final = int(Kind.DUPLICATE_COPY)
ICMP: Final = int(Kind.ICMP_ERROR)
OTHER: Final = int(Kind.OTHER)
ANSWERED: Final = int(Kind.ANSWER)
CHALLENGE: Final = int(Kind.CHALLENGE_ACK)
SHUT: Final = int(Kind.WINDOW_SHUT)
OPENED: Final = int(Kind.WINDOW_OPENED)

NO_ANSWER: Final = int(Answer.NONE)
ANSWER_ACK: Final = int(Answer.ACK)
ANSWER_RST: Final = int(Answer.RST)
ANSWER_DATA: Final = int(Answer.DATA)

UNJUDGED: Final = int(Certainty.NONE)
SUSPECTED: Final = int(Certainty.SUSPECTED)
PROBABLE: Final = int(Certainty.PROBABLE)
CERTAIN: Final = int(Certainty.CERTAIN)

NO_DOUBT: Final = int(Doubt.NONE)
MIDSTREAM: Final = int(Doubt.MIDSTREAM)
ONE_SIDED: Final = int(Doubt.ONE_SIDED)
ZERO_WINDOW: Final = int(Doubt.ZERO_WINDOW)
MISSED: Final = int(Doubt.MISSED)
UNNUMBERED: Final = int(Doubt.UNNUMBERED)
