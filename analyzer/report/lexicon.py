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

TERMS: Final[dict[str, str]] = {
    "frame": "one packet of the capture file, numbered from 1 as in Wireshark",
    "segment": "a TCP packet: what one frame carries for one flow",
    "copy": "a packet that was captured twice; the first copy counts",
    "flow": "one TCP connection as it was captured; its number counts from 0 within its capture",
    "endpoint": "one end of a flow; a sent the first segment that was captured, b is the other",
    "initiator": "the endpoint that sent the SYN, called the client; told only where the handshake shows it",
    "responder": "the endpoint that was called, which is the server",
    "client": "the endpoint that sent the SYN; told only where the handshake shows it",
    "server": "the endpoint that the SYN was sent to; told only where the handshake shows it",
    "service": "a server's address and port, over all flows to it",
    "handshake": "SYN, SYN,ACK, ACK: how a connection begins; a flow that starts_with it was captured from there on",
    "mid-connection": "the capture has no SYN of this flow: the connection was open before the capture began",
    "probe": "a keepalive probe: an empty segment (or one old byte) to which a live peer must reply",
    "window probe": "asks whether a closed receive window has opened; it is not keepalive",
    "prober": "the endpoint that sends a probe",
    "peer": "the other endpoint",
    "answer": "the first segment of the peer that reacts to a probe: ACK, data or RST",
    "answered": "of a probe: the peer replied with an ACK or with data, so that its kernel still has the connection",
    "unanswered": "of a probe: the capture shows no reply",
    "after FIN": "of probes: they were sent after one end had closed its direction (FIN)",
    "train": "probes of one end with nothing but keepalive between them; or heartbeats of one length at even intervals",
    "heartbeat": "a small message by which a program, not a kernel, asks or says that it is alive",
    "form": "named_by form: nothing but lengths and times says that these are heartbeats",
    "dissector": "named_by dissector: tshark has read of which protocol these heartbeats are",
    "idle": "how long a prober had heard nothing but keepalive; also the option TCP_KEEPIDLE",
    "idle time": "the option TCP_KEEPIDLE: how long a connection has to be silent before the first probe",
    "interval": "the option TCP_KEEPINTVL: how long a prober waits for a reply before it sends the next probe",
    "count": "the option TCP_KEEPCNT: after so many unanswered probes the prober gives up",
    "period": "how far apart answered probes are: on Linux the longer of idle time and interval, else the idle time",
    "gap": "the time between a probe and the one before; before the first of a train, how long it had been idle",
    "silence": "a stretch of time in which a flow had nothing but keepalive",
    "give up": "a prober ends the connection after its last probe stayed unanswered, and sends a RST",
    "half-close": "one end has sent FIN, the other has not: it may still send",
    "half-open": "one end has lost the connection, and the other does not know it",
    "idle limit": "how long a firewall, NAT or load balancer keeps a silent connection, by what survived there",
    "challenge ACK": "the reply to a segment that may be forged (RFC 5961): a RST or SYN that did not fit",
    "hole": "a stretch of time of which the capture has no packet of any host: it did not run, or lost everything",
    "RST": "ends a connection at once: no such connection exists, a prober gave up, or a program aborted",
    "FIN": "closes one direction: its sender will send nothing more",
    "witness": "something outside a flow's own segments that bears on how it ended",
    "cause": "why a flow ended so, and how sure that is: proven, likely or possible",
    "verdict": "the word for how a flow ended",
    "finding": "something about a flow that somebody should know, with the frames that show it",
    "settings": "what is inferred of an end's keepalive options from the spacing of its probes",
    "point": "of keepalive join: where packets were captured, as a file or a side of a router; called A, B, C",
    "offset": "of keepalive join: how far a point's clock is ahead of that of point A",
    "drift": "of keepalive join: how much faster a point's clock runs than that of point A",
    "both": "of keepalive join: the packet was captured at all its points; of after_fin: after both FINs",
    "lost": "of keepalive join: the packet passed one point and never reached the next",
    "made": "of keepalive join: something between two points made the packet, and not the end that it names",
    "changed": "of keepalive join: something between two points altered the packet",
    "not_captured": "of keepalive join: the packet passed a point whose capture does not have it",
    "unproven": "of keepalive join: the packet is missing at a point, and whether it passed there is not known",
    "ndp": "a witness: IPv6 neighbour discovery (who has this address, and at which MAC address)",
    "icmp": "a witness: an error by which a router or host rejects packets of the flow",
    "arp": "a witness: who has this address, and at which MAC address",
    "dhcp": "a witness: an address that was given, renewed or given back",
    "lldp": "a witness: what a switch announces of its port",
    "stp": "a witness: spanning tree, by which switches open and close ports",
    "link": "a witness: the captured interface itself went down or up",
    "neighbour": "a witness: what this host's kernel says of the next hop's MAC address",
    "route": "a witness: what this host's kernel says of the way to the peer",
    "life_sign": "a witness: another packet shows that a host was alive",
    "fate_shared": "a witness: other flows of the same host fell silent with this one, or went on",
    "reconnect": "a witness: a later connection to the same service, and what became of it",
    "clock_restarted": "a witness: the peer's timestamps or IP IDs began anew: its host was restarted",
    "same_hop": "a witness: how a RST compares with the other packets of the host that it names",
    "path": "a witness: what changed on the way between the ends",
    "capture": "a witness: what this capture lacks, or its filter kept out",
}
"""Other words of texts, tables and JSON, as somebody would ask for them; the glossary in docs has more."""


def words() -> dict[str, str]:
    """Return every word, as it is printed, with what it means; states in capitals, all others in lower case."""
    found = {state.value: meaning for state, meaning in STATES.items()}
    for table in (KINDS, CERTAINTIES, DOUBTS, RESETS, RECEPTIONS):
        for member, meaning in table.items():
            found.setdefault(member.name.lower(), meaning)
    return {**found, **MORE, **{term: meaning for term, meaning in TERMS.items() if term not in found}}
