"""An address that ARP or DHCP shows at another machine than before."""

import pytest

from tests.capture.test_announced import dhcp
from tests.causes.scenes import Shown, cause_of, dead
from tests.track.test_beside import IP_B, IP_C, IP_R, MAC_B, MAC_C, RST


def test_an_address_that_moved():
    """An address that is said to be at another station since has moved."""
    made = dead()
    made.arp(1.5, 1, sender=IP_B, target=IP_B, mac=MAC_C)

    assert cause_of(made)[:2] == ("address-moved", "likely")
    assert made.headline().startswith("10.0.0.2 most likely moved to another machine: it is at 02:00:00:00:00:03")
    assert "3 unanswered probes were sent, the last at +14.000, after that." in made.section("Why")
    assert "ETIMEDOUT if nothing answers" in made.section("What the programs see (expected, not captured)")


def test_who_is_heard_at_a_moved_address_is_another_machine():
    """A life sign from who took the address is none of who had it, and probes are told by when it was announced."""
    made = dead()
    made.arp(13, 1, sender=IP_B, target=IP_B, mac=MAC_C)
    made.arp(13.5, 2, sender=IP_B, target=bytes([10, 0, 0, 1]), mac=MAC_C)

    assert cause_of(made) == ("address-moved", "likely")
    assert "alive on this link" not in made.section("Evidence")
    assert "when another machine had that address" in made.section("Evidence")
    assert "2 unanswered probes were sent, the last at +12.000, before the new machine said" in made.section("Why")
    assert "1 unanswered probe was sent at +14.000, after that." in made.section("Why")


def test_a_prober_that_lost_its_address_probes_no_more():
    """Where probes cease and the prober's address is announced elsewhere, that is most likely why, and told first."""
    made = Shown()
    made.arp(0, 2, sender=IP_B, target=bytes([10, 0, 0, 1]), mac=made.mac_b)
    made.opened(1)
    for at_s in (5, 8, 11):
        made.b(at_s, seq=0, ack=1)
        made.a(at_s + 0.001, seq=1, ack=1)
    made.arp(12, 1, sender=IP_B, target=IP_B, mac=MAC_C)
    made.arp(30, 1, sender=IP_B, target=IP_B, mac=MAC_C)

    assert cause_of(made) == ("address-moved", "likely")
    assert "nothing more for the connection, neither probes" in made.section("Why")
    assert "Check the prober" not in made.section("What to change")


def test_an_address_that_moved_behind_the_last_packet_is_no_well_being():
    """Where nothing passed on an open connection since, it is not called well: headline and advice name the move."""
    made = Shown()
    made.arp(0, 2, sender=IP_B, target=bytes([10, 0, 0, 1]), mac=made.mac_b)
    made.opened(1)
    for at_s in (5, 9):
        made.a(at_s, seq=0)
        made.b(at_s + 0.001)
    made.arp(12.2, 1, sender=IP_B, target=IP_B, mac=MAC_C)

    assert "then 10.0.0.2 moved to another machine" in made.headline()
    assert "have clients connect anew" in made.section("What to change")
    assert "all is well" not in made.section("What to change")


def taken_over(*, announced=True, reset_from=MAC_C, router=False, named=False, said=MAC_C):
    """A host that answers a probe; then its address is said to be elsewhere, and the next probe draws a RST."""
    made = Shown(router=router, host_b=IP_C if router else IP_B)
    if named:
        made.arp(0, 2, sender=IP_R if router else IP_B, target=bytes([10, 0, 0, 1]), mac=made.mac_b)
    made.opened(1)
    made.a(5, seq=0)
    made.b(5.001)
    if announced:
        made.arp(7, 1, sender=made.ip_b, target=made.ip_b, mac=said)
    made.a(10, seq=0)
    made.mac_b = reset_from
    made.b(10.001, RST, seq=1, ack=0)
    return made


@pytest.mark.parametrize("named", [False, True], ids=["only segments show where it was", "ARP said so before"])
def test_an_address_that_moved_is_one_story(named):
    """Where an address is announced elsewhere and the RST comes from there, nothing is said of a middlebox."""
    made = taken_over(named=named)

    assert cause_of(made) == ("address-moved", "proven")
    assert made.judged().ending.by == "b"
    assert not {"reset-from-between"} & {finding.code for finding in made.judged().findings}
    told = "".join(
        made.section(each) for each in ("What happened", "Why", "What to change", "What this capture cannot show")
    )
    assert "middlebox" not in made.headline() + told
    assert "firewall" not in told
    assert "Whoever has the server's address now has no such connection" in made.section("Why")
    assert "server unknown since" in made.section("Timeline")


def test_a_reset_from_a_third_station_does_not_prove_that_the_address_moved():
    """The RST must come from where the address is said to be."""
    assert cause_of(taken_over(named=True, reset_from=9))[:2] == ("address-moved", "likely")


def test_what_a_router_brings_does_not_move_by_proxy_arp():
    """Who says on this link that it has the address of a host behind a router answers in its name."""
    made = taken_over(router=True, named=True, said=MAC_B, reset_from=MAC_C)

    assert cause_of(made) is None or cause_of(made)[0] != "address-moved"


def test_an_answer_from_another_interface_is_no_move():
    """A host that answers ARP from another interface, and is silent otherwise, need not have lost its address."""
    made = dead()
    made.frames = made.frames[2:]  # less the ARP that said before where it is
    made.arp(12, 2, sender=IP_B, target=bytes([10, 0, 0, 1]), mac=MAC_C)

    assert "address-moved" not in (cause_of(made) or ())


def test_an_address_that_dhcp_gave_to_another():
    """An address that DHCP gives to another station has moved."""
    made = dead()
    made.put(1.1, dhcp(5, given=IP_B, mac=MAC_B, op=2))
    made.put(8, dhcp(5, given=IP_B, mac=MAC_C, op=2))

    assert cause_of(made)[:2] == ("address-moved", "likely")
    assert "02:00:00:00:00:03" in made.headline()
