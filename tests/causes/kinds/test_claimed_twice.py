"""An address that two stations claim at once."""

import pytest

from tests.causes.scenes import Shown, cause_of, dead
from tests.track.test_beside import IP_A, IP_B, MAC_A, MAC_B, MAC_C, RST

VIRTUAL = 0x00005E000107


def answers(made, at_s, *macs, apart_s=0.0004):
    """A question of a for b's address, and an answer from each of these stations."""
    made.arp(at_s, 1, mac=MAC_A, target=IP_B)
    for nth, mac in enumerate(macs, 1):
        made.arp(at_s + nth * apart_s, 2, sender=IP_B, target=IP_A, mac=mac)


def announces(made, at_s, mac):
    """A station announces b's address, unasked."""
    made.arp(at_s, 1, sender=IP_B, target=IP_B, mac=mac)


def test_two_answers_to_one_question_are_two_hosts_of_one_address():
    """Two stations that both answer for the address of a silent end are told as such, and nothing is said to move."""
    made = dead()
    answers(made, 16, MAC_B, MAC_C)

    assert cause_of(made)[:2] == ("address-claimed-twice", "likely")
    assert "address-moved" not in cause_of(made)
    assert made.headline().startswith("Two stations claim 10.0.0.2 at once, 02:00:00:00:00:02 and 02:00:00:00:00:03")
    assert "find the machine with 02:00:00:00:00:03" in made.section("Who must act")
    assert "That this is why no answer came is inferred" in made.section("Why")
    assert "moved" not in made.section("Evidence")


def test_who_comes_back_to_an_address_at_once_had_not_given_it_up():
    """A station that defends its address against one that announces it has it still: a RST from the other is proof."""
    made = Shown()
    made.opened(1)
    made.a(5, seq=0)
    made.b(5.001)
    for at_s, mac in ((7, MAC_C), (7.4, MAC_B), (9, MAC_C)):
        announces(made, at_s, mac)
    made.a(10, seq=0)
    made.mac_b = MAC_C
    made.b(10.001, RST, seq=1, ack=0)

    assert cause_of(made) == ("address-claimed-twice", "proven")
    assert "The RST came from 02:00:00:00:00:03" in made.section("Why")
    assert "middlebox" not in made.headline() + made.section("Why") + made.section("What to change")


def test_what_showed_before_a_flow_is_said_of_it():
    """Who opens a connection asks for the address just before it: that two answered then may be why it fell silent."""
    made = Shown()
    answers(made, 0.9, MAC_C, MAC_B)
    made.opened(1)
    made.in_vain(10, 12, 14)
    made.arp(16, 1, mac=MAC_A, target=IP_A)

    assert made.judged().witnesses[0].says == "both"
    assert "address-claimed-twice" in [cause.code for cause in made.judged().causes]
    assert made.judged().cause.certainty.value == "possible"


@pytest.mark.parametrize(
    "tell",
    [
        lambda made: announces(made, 13, MAC_C),
        lambda made: answers(made, 13, MAC_C),
        lambda made: (answers(made, 13, MAC_B), announces(made, 13.5, MAC_C)),
    ],
    ids=["announced elsewhere", "answers elsewhere", "moves right after an answer"],
)
def test_an_address_that_moves_is_not_claimed_twice(tell):
    """Where the old station says no more once the new one has spoken, the address moved."""
    made = dead()
    tell(made)

    assert cause_of(made)[:2] == ("address-moved", "likely")


def test_an_address_that_came_back_neither_moved_nor_is_claimed_twice():
    """Where the station that the connection's packets came from takes the address back, it has it, and it alone."""
    made = dead()
    announces(made, 13, MAC_C)
    announces(made, 43, MAC_B)

    assert not {"address-moved", "address-claimed-twice"} & set(cause_of(made) or ())
    assert "held the connection" not in made.headline()


def test_who_goes_on_answering_in_turn_has_not_given_it_up():
    """Two stations that answer in turn, however far apart, without a word of taking it, both have the address."""
    made = dead()
    for at_s, mac in ((16, MAC_C), (46, MAC_B), (76, MAC_C)):
        answers(made, at_s, mac)

    assert cause_of(made)[:2] == ("address-claimed-twice", "likely")


def test_virtual_routers_share_an_address_by_design():
    """The MAC address of a virtual router is nobody's own: beside another it does not show two hosts."""
    made = dead()
    answers(made, 16, MAC_B, VIRTUAL)

    assert "address-claimed-twice" not in cause_of(made)


def test_the_same_station_twice_is_one():
    """A station that answers twice, or answers and announces, is one."""
    made = dead()
    answers(made, 16, MAC_B, MAC_B)

    assert "address-claimed-twice" not in (cause_of(made) or ())
