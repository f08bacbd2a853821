"""RFC 9293 3.3.2: the states of both ends of a connection, derived from what passed by.

The file's law: everything that moves a state stands in TRANSITIONS. A transition is looked up by the state of an
endpoint and what was *seen*; the bystander assumes that what was captured arrived, so every state is derived, never
observed. What is not in the table leaves the state alone: a capture may start late or miss segments. RFC 9293's own
diagram is a summary; what its notes 1 to 3 add is covered by the rows for RST and FIN in every state.

It must not know keepalive, verdicts or words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(Enum):
    """A connection state of RFC 9293 3.3.2, spelled as there; UNKNOWN is the bystander's."""

    __hash__ = object.__hash__  # its own hash is Python code, and millions are asked for

    UNKNOWN = "unknown"
    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Event(Enum):
    """What an endpoint did, or what reached it."""

    __hash__ = object.__hash__  # its own hash is Python code, and millions are asked for

    SENT_SYN = "sent SYN"
    SENT_SYN_ACK = "sent SYN,ACK"
    GOT_SYN = "got SYN"
    GOT_SYN_ACK = "got SYN,ACK"
    SENT_ACK = "sent its first ACK"
    GOT_ACK = "got the first ACK"
    SENT_FIN = "sent FIN"
    GOT_FIN = "got FIN"
    FIN_ACKED = "its FIN was acknowledged"
    RESET = "RST either way"


_OPEN = (State.UNKNOWN, State.SYN_SENT, State.SYN_RECEIVED, State.LISTEN)

TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.UNKNOWN, Event.SENT_SYN): State.SYN_SENT,
    (State.UNKNOWN, Event.GOT_SYN): State.LISTEN,
    (State.UNKNOWN, Event.SENT_SYN_ACK): State.SYN_RECEIVED,
    (State.UNKNOWN, Event.GOT_SYN_ACK): State.SYN_SENT,
    (State.UNKNOWN, Event.SENT_ACK): State.ESTABLISHED,
    (State.UNKNOWN, Event.GOT_ACK): State.ESTABLISHED,
    (State.LISTEN, Event.SENT_SYN): State.SYN_RECEIVED,
    (State.LISTEN, Event.SENT_SYN_ACK): State.SYN_RECEIVED,
    (State.SYN_SENT, Event.GOT_SYN): State.SYN_RECEIVED,  # simultaneous open, RFC 9293 3.5 figure 7
    (State.SYN_SENT, Event.SENT_ACK): State.ESTABLISHED,
    (State.SYN_RECEIVED, Event.GOT_ACK): State.ESTABLISHED,
    **{(state, Event.SENT_FIN): State.FIN_WAIT_1 for state in (*_OPEN, State.ESTABLISHED)},
    **{(state, Event.GOT_FIN): State.CLOSE_WAIT for state in (*_OPEN, State.ESTABLISHED)},
    (State.FIN_WAIT_1, Event.FIN_ACKED): State.FIN_WAIT_2,
    (State.FIN_WAIT_1, Event.GOT_FIN): State.CLOSING,
    (State.FIN_WAIT_2, Event.GOT_FIN): State.TIME_WAIT,
    (State.CLOSING, Event.FIN_ACKED): State.TIME_WAIT,
    (State.CLOSE_WAIT, Event.SENT_FIN): State.LAST_ACK,
    (State.LAST_ACK, Event.FIN_ACKED): State.CLOSED,
    **{(state, Event.RESET): State.CLOSED for state in State},
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something that may move a state: what happened to which endpoint (0 is a, 1 is b), and when."""

    frame: int
    ts_ns: int
    side: int
    event: Event


@dataclass(frozen=True, slots=True)
class StateChange:
    """An endpoint's derived state from this frame on."""

    frame: int
    ts_ns: int
    side: int
    state: State


def step(state: State, event: Event) -> State:
    """Return the state after an event; unchanged where the table has no row."""
    return TRANSITIONS.get((state, event), state)


def follow(milestones: Iterable[Milestone]) -> tuple[tuple[StateChange, ...], tuple[State, State]]:
    """Return the changes that milestones (in order) make, and the final states of endpoints a and b."""
    states = [State.UNKNOWN, State.UNKNOWN]
    changes = []
    for mark in milestones:
        after = step(states[mark.side], mark.event)
        if after is not states[mark.side]:
            states[mark.side] = after
            changes.append(StateChange(mark.frame, mark.ts_ns, mark.side, after))
    return tuple(changes), (states[0], states[1])
