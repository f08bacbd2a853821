"""What the words mean that the output uses and that have no long text of their own: kinds, doubts, states and the like.

Verdicts, findings and causes have theirs (``explain.long_text``). It must not decide anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.connection import State
from analyzer.label.outcome import Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.reset_acceptance import Reception
from analyzer.label.rules import Kind

if TYPE_CHECKING:
    from enum import Enum

Meanings = dict["Enum", str]

KINDS: Final[Meanings] = {
    Kind.OTHER: "a segment that bears on nothing here",
    Kind.ICMP_ERROR: "an ICMP error that quotes a segment of the flow",
    Kind.DUPLICATE_COPY: "a second capture of a packet that was captured before",
    Kind.RESET: "a RST",
    Kind.STALE_ACK: "an empty segment that is older than what was captured before it",
    Kind.ZERO_WINDOW_PROBE: "a probe of a closed window, which is not keepalive",
    Kind.AT_ZERO_WINDOW: "a probe under a closed window: of the window or of the peer, which only spacing may tell",
    Kind.NOT_IDLE: "has the form of a keepalive probe, but the connection was active less than a second before",
    Kind.KEEPALIVE_PROBE: "a keepalive probe without data",
    Kind.KEEPALIVE_OCTET: "a keepalive probe with one byte, which the peer has already acknowledged",
    Kind.OCTET_RETRANSMISSION: "a single byte that is retransmitted",
    Kind.UNANCHORED: "an empty or one-byte segment that cannot be judged alone, as what precedes it was not captured",
    Kind.RETRANSMISSION: "data that is retransmitted",
    Kind.WINDOW_SHUT: "its sender closes its receive window",
    Kind.WINDOW_OPENED: "its sender opens its receive window again",
    Kind.CHALLENGE_ACK: "answers a SYN on an established connection, or an ACK of data never sent (RFC 5961)",
    Kind.ANSWER: "answers a probe",
}
"""What a segment is; the words are printed in lower case."""
CERTAINTIES: Final[Meanings] = {
    Certainty.SUSPECTED: "only even spacing says that this is a keepalive probe",
    Certainty.PROBABLE: "what followed says that this is a keepalive probe; the capture lacks what would prove it",
    Certainty.CERTAIN: "its number says that this is a keepalive probe: SEG.SEQ = SND.UNA-1",
}
DOUBTS: Final[Meanings] = {
    Doubt.MIDSTREAM: "the capture began in the middle of the connection; what followed speaks for the probe",
    Doubt.ONE_SIDED: "nothing of the peer was captured; only even spacing speaks for the probe",
    Doubt.ZERO_WINDOW: "sent while the window was closed; only even spacing tells it from a probe of the window",
    Doubt.MISSED: "the capture missed segments before it; the answer speaks for the probe",
    Doubt.UNNUMBERED: "pasted text that does not show its number; its time and its answer speak for the probe",
}
"""Why a probe is not certain."""
RESETS: Final[Meanings] = {
    ResetKind.NO_SOCKET: "a RST from an address that knows no such connection (RFC 9293 3.10.7.1)",
    ResetKind.GAVE_UP: "the prober's own RST, an interval after its last unanswered probe",
    ResetKind.ABORT: "any other RST: a close with unread data, SO_LINGER 0, a crash",
    ResetKind.IGNORED: "a RST that its receiver did not take",
}
"""What a RST says."""
RECEPTIONS: Final[Meanings] = {
    Reception.TAKEN: "the receiver takes the RST: the connection is over",
    Reception.PERHAPS: "the receiver takes the RST or challenges it; the numbers in the capture do not tell which",
    Reception.CHALLENGED: "the receiver ignores the RST and answers with a challenge ACK (RFC 5961 3.2)",
    Reception.DROPPED: "the receiver ignores the RST and says nothing",
}
"""What a receiver does with a RST."""
STATES: Final[Meanings] = {
    State.UNKNOWN: "what passed does not show the state of this end",
    State.CLOSED: "this end holds no such connection (any more)",
    State.LISTEN: "this end waits for somebody to connect",
    State.SYN_SENT: "this end asked for a connection, and waits for the answer",
    State.SYN_RECEIVED: "this end was asked for a connection and agreed; the last packet of the handshake is missing",
    State.ESTABLISHED: "open in both directions",
    State.FIN_WAIT_1: "this end closed; its FIN is not acknowledged",
    State.FIN_WAIT_2: "this end closed and its FIN is acknowledged; the other end has not closed",
    State.CLOSE_WAIT: "the other end closed; this end's own program has not closed yet, and only it can",
    State.CLOSING: "both ends closed at once; this end waits for its FIN to be acknowledged",
    State.LAST_ACK: "both ends closed, this one second; it waits for its FIN to be acknowledged",
    State.TIME_WAIT: "both ends closed; this end remembers the connection for a while, so that late segments fit",
}
"""The states of RFC 9293 3.3.2, as the program derives them."""
MORE: Final[dict[str, str]] = {
    "keepalive_answer": "answers a keepalive probe",
    "zero_window_answer": "answers a probe of a closed window",
    "between": "who ended it: neither end, as the RST does not look like the packets of the end it names",
    "proven": "how sure a cause is: the capture shows it",
    "likely": "how sure a cause is: it fits what the capture shows better than anything else known",
    "possible": "how sure a cause is: it fits, and so do others",
}


def words() -> dict[str, str]:
    """Return every word, as it is printed, with what it means; states in capitals, all others in lower case."""
    found = {state.value: meaning for state, meaning in STATES.items()}
    for table in (KINDS, CERTAINTIES, DOUBTS, RESETS, RECEPTIONS):
        for member, meaning in table.items():
            found.setdefault(member.name.lower(), meaning)
    return {**found, **MORE}
