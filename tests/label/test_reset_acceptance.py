"""Which RST a receiver takes: the table, for every state, and what a bystander makes of it."""

import pytest

from analyzer.label.reset_acceptance import (
    RECEPTIONS,
    Place,
    Receiver,
    Reception,
    reception,
    receptions,
    receptions_for,
)
from analyzer.label.rules import Kind
from tests.labelling import HANDSHAKE, batch_of

SYNCHRONIZED = [state for state in Receiver if state > Receiver.SYN_SENT]
AFTER_FIN = {Receiver.CLOSE_WAIT, Receiver.CLOSING, Receiver.LAST_ACK}
T, P, C, D = Reception.TAKEN, Reception.PERHAPS, Reception.CHALLENGED, Reception.DROPPED


@pytest.mark.parametrize("state", SYNCHRONIZED)
@pytest.mark.parametrize("acknowledges", [False, True])
def test_a_synchronized_receiver_asks_for_the_number(state, acknowledges):
    """RFC 9293 3.10.7.4, RFC 5961 3.2: only RCV.NXT itself; Linux one below after a FIN; ACK does not matter."""
    expected = {
        Place.UNKNOWN: P,
        Place.BELOW: D,
        Place.ONE_BELOW: T if state in AFTER_FIN else D,
        Place.EXACT: T,
        Place.BETWEEN: P,
        Place.ABOVE: C,
        Place.OUTSIDE: D,
    }

    assert expected == {place: reception(state, place, acknowledges_syn=acknowledges).reception for place in Place}


@pytest.mark.parametrize("place", list(Place))
def test_the_other_receivers_do_not(place):
    """RFC 9293 3.10.7.1 to 3.10.7.3: CLOSED and LISTEN drop every RST, SYN-SENT asks for its SYN's acknowledgement."""
    for acknowledges in (False, True):
        assert D is reception(Receiver.CLOSED, place, acknowledges_syn=acknowledges).reception
        assert D is reception(Receiver.LISTEN, place, acknowledges_syn=acknowledges).reception
        expected = T if acknowledges else D
        assert expected is reception(Receiver.SYN_SENT, place, acknowledges_syn=acknowledges).reception


def test_every_row_decides_something():
    """No row of the table is hidden by those before it, and the last one fits everything."""
    winners = {
        reception(state, place, acknowledges_syn=acknowledges).name
        for state in Receiver
        for place in Place
        for acknowledges in (False, True)
    }

    assert {rule.name for rule in RECEPTIONS} == winners
    assert (RECEPTIONS[-1].states, RECEPTIONS[-1].places, RECEPTIONS[-1].acknowledges_syn) == ((), (), None)


def test_loops_look_up_what_the_rows_say():
    """The array that compiled loops take is the list that plain ones take: an entry for each state, place and ACK."""
    assert len(Receiver) * len(Place) * 2 == len(receptions())
    assert receptions() == receptions_for(jit=True).tolist()


# ── on the wire ──

SYN = "+0 a > b S 0:0(0)\n"
SYN_ACK = "+.01 b > a S. 0:0(0) ack 1\n"
A_FIN = "+1 a > b F. 1:1(0) ack 1\n"
B_ACKS = "+.01 b > a . 1:1(0) ack 2\n"
B_FIN = "+1 b > a F. 1:1(0) ack 2\n"

# The receiver's state, what leads there, the number that it expects, and who sends the RST.
WAYS = {
    Receiver.SYN_RECEIVED: (SYN + SYN_ACK, 1, "a"),
    Receiver.ESTABLISHED: (HANDSHAKE, 1, "a"),
    Receiver.FIN_WAIT_1: (HANDSHAKE + A_FIN, 1, "b"),
    Receiver.FIN_WAIT_2: (HANDSHAKE + A_FIN + B_ACKS, 1, "b"),
    Receiver.CLOSE_WAIT: (HANDSHAKE + A_FIN + B_ACKS, 2, "a"),
    Receiver.LAST_ACK: (HANDSHAKE + A_FIN + B_ACKS + B_FIN, 2, "a"),
    Receiver.CLOSING: (
        HANDSHAKE + A_FIN + "+.001 b > a F. 1:1(0) ack 1\n+.01 a > b . 2:2(0) ack 2\n+.001 b > a . 2:2(0) ack 1\n",
        2,
        "b",
    ),
    Receiver.TIME_WAIT: (HANDSHAKE + A_FIN + B_ACKS + B_FIN + "+.01 a > b . 2:2(0) ack 2\n", 2, "b"),
}
ESTABLISHED_NUMBERS = [(-1, D), (0, D), (1, T), (2, C), (512, C), (513, D), (900_000, D)]


def reset_of(text):
    """Return the SEEN row of the last RST."""
    seen = batch_of(text, opening="").seen
    return seen[seen["kind"] == Kind.RESET][-1]


@pytest.mark.parametrize("flags", ["R", "R."])
@pytest.mark.parametrize(
    ("state", "offset"), [(state, offset) for state in WAYS for offset in (-2, -1, 0, 1, 500, 600)]
)
def test_every_state_and_number(state, offset, flags):
    """A RST comes to an endpoint in each state, at each number, with and without ACK, as the RFC answers it."""
    way, expects, sender = WAYS[state]
    receiver = "b" if sender == "a" else "a"
    number = expects + offset
    ack = f" ack {1 if state is not Receiver.TIME_WAIT else 2}" if flags == "R." else ""
    row = reset_of(way + f"+.5 {sender} > {receiver} {flags} {number}:{number}(0){ack} win 0\n")
    below = T if state in AFTER_FIN else D
    expected = {-2: D, -1: below, 0: T, 1: C, 500: C, 600: D}[offset]

    assert state == row["receiver_state"]
    assert expected == row["reception"]


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        ("R. 0:0(0) ack 1", T),
        ("R. 70000:70000(0) ack 1", T),
        ("R. 0:0(0) ack 0", D),
        ("R. 0:0(0) ack 2", D),
        ("R 0:0(0)", D),
        ("R 1:1(0)", D),
    ],
)
def test_a_reset_in_syn_sent(reset, expected):
    """RFC 9293 3.10.7.3: only a RST that acknowledges the SYN ends the attempt, whatever its own number."""
    row = reset_of(SYN + f"+.01 b > a {reset} win 0\n")

    assert (Receiver.SYN_SENT, expected) == (row["receiver_state"], row["reception"])


@pytest.mark.parametrize(("number", "expected"), [(1, P), (4, P), (6, P), (7, C), (0, D)])
def test_what_is_in_flight_may_have_arrived(number, expected):
    """Between what was acknowledged and what was sent RCV.NXT can be anywhere."""
    row = reset_of(HANDSHAKE + "+1 a > b P. 1:6(5) ack 1\n" + f"+.01 a > b R {number}:{number}(0) win 0\n")

    assert expected == row["reception"]


def test_nothing_is_known_of_a_receiver_that_was_never_heard():
    """In a one-sided capture every number may be the right one."""
    assert P == reset_of("+0 a > b P. 9:19(10) ack 1\n+1 a > b R 500:500(0) win 0\n")["reception"]


LIVES = "+5 b > a . 0:0(0) ack {}\n"
GOES_ON = "+2 a > b P. {}:{}(5) ack 1\n"


@pytest.mark.parametrize(
    ("reset", "after", "taken"),
    [
        ("R 0:0(0)", "", 0),
        ("R 1:1(0)", "", 1),
        ("R 1:1(0)", "+5 b > a . 0:0(0) ack 1\n", 1),
        ("R 1:1(0)", "+5 a > b . 1:1(0) ack 1\n", 1),
        ("R 1:1(0)", "+5 a > b P. 1:6(5) ack 1\n+.01 b > a . 1:1(0) ack 6\n", 0),
        ("R 1:1(0)", "+5 a > b P. 1:6(5) ack 1\n+.01 b > a R 1:1(0) win 0\n", 1),
        ("R 9:9(0)", "", 1),
        ("R 9:9(0)", "+.01 b > a . 1:1(0) ack 1\n", 0),
        ("R 9:9(0)", "+5 b > a . 0:0(0) ack 1\n", 0),
        ("R 9:9(0)", "+5 b > a R. 1:1(0) ack 1\n", 0),
    ],
    ids=[
        "below",
        "exact",
        "exact, but lost on the way: its sender is gone",
        "exact, and its sender goes on alone",
        "exact, and both go on",
        "exact, and the receiver knows no connection then",
        "in the window, and no challenge ACK comes",
        "in the window, challenged",
        "in the window, and the receiver probes",
        "in the window, and the receiver gives up by itself",
    ],
)
def test_who_goes_on_shows_what_became_of_it(reset, after, taken):
    """That the receiver goes on shows that it did not take the RST; that the sender does, that it sent none."""
    assert taken == batch_of(HANDSHAKE + f"+1 a > b {reset} win 0\n" + after, opening="").seen["taken"][0]


def test_a_syn_that_is_answered_after_all():
    """A refusal that a later SYN,ACK contradicts ended nothing."""
    text = SYN + "+.01 b > a R. 0:0(0) ack 1 win 0\n+.5 a > b S 0:0(0)\n" + SYN_ACK + "+.01 a > b . 1:1(0) ack 1\n"

    assert 0 == reset_of(text)["taken"]
