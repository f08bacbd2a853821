"""The states of RFC 9293 3.3.2, derived; sections by state."""

import numpy as np
import pytest

from analyzer.judge.connection import EVENTS, STATES, TRANSITIONS, Event, Milestones, State, follow, step

S, E = State, Event


def followed(*marks):
    """Follow one flow's milestones: the changes as tuples of frame, time, side and state, and the final states."""
    frame, ts_ns, side = (np.array([[mark[part] for mark in marks]]) for part in range(3))
    changes = follow(Milestones(frame, ts_ns, side, np.array([[EVENTS.index(mark[3]) for mark in marks]])))
    columns = [changes.frame.tolist(), changes.ts_ns.tolist(), changes.side.tolist(), changes.state.tolist()]
    found = [(*where, STATES[state]) for *where, state in zip(*columns, strict=True)]
    return found, tuple(STATES[state] for state in changes.last[0])


def walk(*events):
    """Return the states that one endpoint goes through."""
    return [state for *_, state in followed(*((at, 1000 * at, 0, each) for at, each in enumerate(events, 1)))[0]]


def after(*events):
    """Return the state that one endpoint ends in."""
    return followed(*((at, at, 0, event) for at, event in enumerate(events, 1)))[1][0]


CONNECTED = (E.SENT_SYN, E.GOT_SYN_ACK, E.SENT_ACK)
ACCEPTED = (E.GOT_SYN, E.SENT_SYN_ACK, E.GOT_ACK)


# ── unknown: the capture begins in mid-stream ──


@pytest.mark.parametrize("event", [E.SENT_ACK, E.GOT_ACK])
def test_unknown_with_an_ack_is_established(event):
    """An endpoint first seen acknowledging, or acknowledged, is taken for established."""
    assert S.ESTABLISHED is after(event)


def test_unknown_with_a_fin():
    """A FIN first seen puts its sender in FIN-WAIT-1 and its receiver in CLOSE-WAIT."""
    assert (S.FIN_WAIT_1, S.CLOSE_WAIT) == (after(E.SENT_FIN), after(E.GOT_FIN))


def test_unknown_with_an_acknowledged_fin_stays_unknown():
    """An acknowledgement of a FIN that was not seen leads nowhere."""
    assert S.UNKNOWN is after(E.FIN_ACKED)


# ── LISTEN, SYN-SENT, SYN-RECEIVED ──


def test_active_open():
    """The initiator goes from SYN-SENT to ESTABLISHED with its ACK."""
    assert [S.SYN_SENT, S.ESTABLISHED] == walk(*CONNECTED)


def test_passive_open():
    """The responder goes over LISTEN and SYN-RECEIVED to ESTABLISHED with the initiator's ACK."""
    assert [S.LISTEN, S.SYN_RECEIVED, S.ESTABLISHED] == walk(*ACCEPTED)


def test_simultaneous_open():
    """RFC 9293 figure 7: both ends go from SYN-SENT over SYN-RECEIVED to ESTABLISHED."""
    assert [S.SYN_SENT, S.SYN_RECEIVED, S.ESTABLISHED] == walk(E.SENT_SYN, E.GOT_SYN, E.GOT_ACK)
    assert [S.LISTEN, S.SYN_RECEIVED, S.ESTABLISHED] == walk(E.GOT_SYN, E.SENT_SYN, E.GOT_ACK)


def test_only_the_syn_ack_was_captured():
    """A SYN,ACK alone puts its sender in SYN-RECEIVED and its receiver in SYN-SENT."""
    assert (S.SYN_RECEIVED, S.SYN_SENT) == (after(E.SENT_SYN_ACK), after(E.GOT_SYN_ACK))


def test_who_goes_on_after_its_syn_ack_is_established():
    """An end whose SYN,ACK is followed by segments of its own was acknowledged, though that was not captured."""
    assert S.ESTABLISHED == after(E.SENT_SYN_ACK, E.SENT_ACK)


def test_syn_received_with_a_fin():
    """Note 3 of the RFC's diagram: a FIN moves an endpoint in SYN-RECEIVED too."""
    assert (S.FIN_WAIT_1, S.CLOSE_WAIT) == tuple(
        after(E.GOT_SYN, E.SENT_SYN_ACK, fin) for fin in (E.SENT_FIN, E.GOT_FIN)
    )


# ── ESTABLISHED ──


@pytest.mark.parametrize("opening", [CONNECTED, ACCEPTED], ids=["initiator", "responder"])
def test_established_with_a_fin(opening):
    """Who sends the first FIN is in FIN-WAIT-1, who receives it in CLOSE-WAIT."""
    assert (S.FIN_WAIT_1, S.CLOSE_WAIT) == (after(*opening, E.SENT_FIN), after(*opening, E.GOT_FIN))


@pytest.mark.parametrize("event", [E.SENT_SYN, E.GOT_SYN, E.SENT_ACK, E.GOT_ACK, E.FIN_ACKED])
def test_established_stays(event):
    """SYNs and ACKs that come late do not move an established endpoint."""
    assert S.ESTABLISHED is after(*CONNECTED, event)


# ── FIN-WAIT-1, FIN-WAIT-2, CLOSING, TIME-WAIT ──


def test_half_closed():
    """An acknowledged FIN leaves its sender in FIN-WAIT-2 for as long as the peer does not close."""
    assert S.FIN_WAIT_2 is after(*CONNECTED, E.SENT_FIN, E.FIN_ACKED)


def test_active_close():
    """The end that closed first goes over FIN-WAIT-2 to TIME-WAIT."""
    assert S.TIME_WAIT is after(*CONNECTED, E.SENT_FIN, E.FIN_ACKED, E.GOT_FIN)


def test_simultaneous_close():
    """RFC 9293 figure 13: both ends go over CLOSING to TIME-WAIT."""
    assert [S.FIN_WAIT_1, S.CLOSING, S.TIME_WAIT] == walk(*CONNECTED, E.SENT_FIN, E.GOT_FIN, E.FIN_ACKED)[2:]


# ── CLOSE-WAIT, LAST-ACK ──


def test_passive_close():
    """The end that closes second goes over CLOSE-WAIT and LAST-ACK to CLOSED."""
    assert [S.CLOSE_WAIT, S.LAST_ACK, S.CLOSED] == walk(*ACCEPTED, E.GOT_FIN, E.SENT_FIN, E.FIN_ACKED)[3:]


def test_close_wait_stays_until_its_own_fin():
    """Nothing but its own FIN takes an endpoint out of CLOSE-WAIT, however long it is probed."""
    assert S.CLOSE_WAIT is after(*ACCEPTED, E.GOT_FIN, E.GOT_ACK, E.SENT_ACK, E.GOT_FIN)


# ── CLOSED ──


@pytest.mark.parametrize("state", State)
def test_a_reset_closes_from_every_state(state):
    """Notes 1 and 2 of the RFC's diagram: an accepted RST closes whatever the state."""
    assert S.CLOSED is step(state, E.RESET)


@pytest.mark.parametrize("event", [event for event in Event if event is not E.RESET])
def test_nothing_happens_to_a_closed_connection(event):
    """No event moves an endpoint out of CLOSED; a new SYN begins another flow."""
    assert S.CLOSED is step(S.CLOSED, event)


# ── the table ──


def test_states_are_spelled_as_in_the_rfc():
    """State names print as RFC 9293 spells them, in capitals with hyphens; only the bystander's own is small."""
    assert {"unknown"} == {state.value for state in State if state.value != state.name.replace("_", "-")}


@pytest.mark.parametrize("event", Event)
def test_every_event_moves_something(event):
    """Each event has at least one row in the table, but the SYN,ACK received, which only tells of a SYN missed."""
    assert any(key[1] is event for key in TRANSITIONS)


def test_every_state_can_be_reached():
    """Some row of the table leads to each state but the one everything begins in."""
    assert set(State) - {S.UNKNOWN} == set(TRANSITIONS.values())


def test_changes_name_frame_time_and_side():
    """A change says where and when it happened, and to whom; the other endpoint is left alone."""
    changes, states = followed((5, 60, 1, E.SENT_FIN), (4, 50, 1, E.SENT_FIN), (0, 0, 0, E.SENT_SYN))

    assert [(4, 50, 1, S.FIN_WAIT_1)] == changes
    assert (S.UNKNOWN, S.FIN_WAIT_1) == states
