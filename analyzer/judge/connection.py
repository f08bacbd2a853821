"""RFC 9293 3.3.2: the states of both ends of a connection, derived from what passed by.

The file's law: everything that moves a state stands in TRANSITIONS. A transition is looked up by the state of an
endpoint and what was *seen*; the bystander assumes that what was captured arrived, so every state is derived, never
observed. What is not in the table leaves the state alone: a capture may start late or miss segments. RFC 9293's own
diagram is a summary; what its notes 1 to 3 add is covered by the rows for RST and FIN in every state.

It must not know keepalive, verdicts or words.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    (
        State.SYN_RECEIVED,
        Event.SENT_ACK,
    ): State.ESTABLISHED,  # the ACK of its SYN was not captured: else it sends no more
    (State.LISTEN, Event.GOT_ACK): State.ESTABLISHED,  # its SYN,ACK was not captured: nobody acknowledges none
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


class StateChange(NamedTuple):
    """An endpoint's derived state from this frame on."""

    frame: int
    ts_ns: int
    side: int
    state: State


def step(state: State, event: Event) -> State:
    """Return the state after an event; unchanged where the table has no row."""
    return TRANSITIONS.get((state, event), state)


STATES: Final = tuple(State)
EVENTS: Final = tuple(Event)
_STEPS: Final = np.array([[STATES.index(step(state, event)) for event in EVENTS] for state in STATES])
"""``step`` as a table of places in STATES, by those of a state and of an event."""


@dataclass(frozen=True, slots=True)
class Milestones:
    """What may move states, many flows' at once: a row a flow, each with as many places, in no order."""

    frame: NDArray[np.int64]
    """0 where a place holds nothing. Of one frame, what an end received comes after what it sent."""
    ts_ns: NDArray[np.int64]
    side: NDArray[np.int64]
    """The endpoint that it happened to: 0 is a, 1 is b."""
    event: NDArray[np.int64]
    """Place in EVENTS."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The states that endpoints came to, flow by flow and in order; and their last."""

    flow: NDArray[np.int64]
    frame: NDArray[np.int64]
    ts_ns: NDArray[np.int64]
    side: NDArray[np.int64]
    state: NDArray[np.int64]
    """Place in STATES."""
    last: NDArray[np.int64]
    """The final states of the endpoints: a row a flow, a then b."""


def follow(marks: Milestones) -> Changes:
    """Return the changes that the milestones of each flow make."""
    flows, places = marks.frame.shape
    late = marks.event == EVENTS.index(Event.GOT_FIN)
    key = np.where(marks.frame > 0, 2 * marks.frame + late, np.iinfo(np.int64).max)
    order = np.argsort(key, axis=1, kind="stable")
    frame, ts_ns, side, event = (
        np.take_along_axis(part, order, axis=1) for part in (marks.frame, marks.ts_ns, marks.side, marks.event)
    )
    last = np.full((flows, 2), STATES.index(State.UNKNOWN))
    after = np.zeros((flows, places), dtype=np.int64)
    moved = np.zeros((flows, places), dtype=np.bool_)
    every = np.arange(flows)
    for at in range(places):
        before = last[every, side[:, at]]
        after[:, at] = _STEPS[before, event[:, at]]
        moved[:, at] = (frame[:, at] > 0) & (after[:, at] != before)
        last[every, side[:, at]] = np.where(moved[:, at], after[:, at], before)
    flow, place = np.nonzero(moved)
    frame, ts_ns, side, after = (part[flow, place] for part in (frame, ts_ns, side, after))
    return Changes(flow, frame, ts_ns, side, after, last)
