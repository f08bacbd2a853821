"""Causes that ARP shows."""

from tests.capture.craft import ethernet
from tests.capture.test_announced import dhcp
from tests.causes.scenes import Shown, cause_of, dead
from tests.track.test_beside import IP_B, IP_C, IP_R, MAC_A, MAC_B


def asked(made, *times, target=IP_B):
    """Let a ask for an address at these times."""
    for at_s in times:
        made.arp(at_s, 1, target=target, mac=MAC_A)
    return made


def test_a_host_off_the_link():
    """Three questions in vain, and nothing of the host at all, prove that it does not answer on the link."""
    made = asked(dead(), 11, 12.5, 13.5)

    assert cause_of(made) == ("peer-off-link", "proven")
    assert made.headline().startswith("10.0.0.2 is off the link: asked for 3 times")
    assert "the host 10.0.0.2" in made.section("Who must act")


def test_two_questions_only_make_it_likely():
    """Two questions in vain are a hint."""
    assert cause_of(asked(dead(), 11, 13.5))[:2] == ("peer-off-link", "likely")


def test_a_question_that_was_answered_shows_no_such_thing():
    """A host that answers ARP is on the link: then its address is alive and a filter drops the connection."""
    made = asked(dead(), 11)
    made.arp(11.001, 2, sender=IP_B, target=bytes([10, 0, 0, 1]), mac=made.mac_b)

    assert cause_of(made)[:2] == ("filter-drops", "likely")


def test_a_next_hop_off_the_link():
    """Questions in vain for the router that brought the packets show that it is gone."""
    made = asked(dead(router=True, host_b=IP_C), 11, 12.5, 13.5, target=IP_R)

    assert cause_of(made) == ("gateway-off-link", "proven")
    assert "10.0.0.254" in made.headline()


def test_a_host_without_its_address():
    """A station that is alive, but silent in the name of its address, may have lost that."""
    from tests.capture.craft import ethernet

    made = dead()
    made.put(11, ethernet(b"", 0x88CC, src=made.mac_b))

    assert "address-gone" in cause_of(made)
    assert "host-silent" not in cause_of(made)


def test_a_filter_that_may_keep_answers_out_proves_nothing():
    """ARP that asks in vain proves nothing where the capture's filter may have kept the answers out, and it is told."""
    made = dead()
    for at_s in (15, 16, 17):
        made.arp(at_s, 1, mac=MAC_A)
    made.filter = "tcp port 80 or broadcast"

    assert cause_of(made)[:2] == ("peer-off-link", "likely")
    assert "filtered to 'tcp port 80 or broadcast': it may not contain ARP" in made.section("Evidence")


def test_a_filter_that_keeps_arp_out_is_told():
    """What the filter cannot let pass is no witness by its absence, and what to capture instead is said."""
    made = Shown()
    made.opened(1)
    made.in_vain(10, 12, 14)
    made.filter = "tcp port 80"

    evidence, remains = made.section("Evidence"), made.section("What it may be, and how to find out")

    assert "it cannot contain ARP, neighbour discovery, ICMP errors or other" in evidence
    assert "no frame that the capture's filter lets pass came from it" in evidence
    assert "keeps ARP or ICMP out" in remains


def test_a_station_that_is_heard_while_its_address_does_not_answer():
    """A host whose station goes on sending, while questions for its address stay unanswered, has lost the address."""
    made = asked(dead(), 11, 12.5, 13.5)
    made.put(13, ethernet(b"", 0x88CC, src=MAC_B))

    assert cause_of(made) == ("address-gone", "likely")
    assert "is it set to answer no ARP" in made.section("Who must act")


def probing():
    """A connection on a link whose addresses are known, with two answered probes, at 4 and 7 s."""
    made = Shown()
    made.arp(0, 1, mac=MAC_A)
    made.arp(0, 2, sender=made.ip_b, target=bytes([10, 0, 0, 1]), mac=made.mac_b)
    made.opened(1)
    for at_s in (4, 7):
        made.a(at_s, seq=0)
        made.b(at_s + 0.001)
    return made


def test_a_prober_that_asks_on_is_alive():
    """Where probes stop and their sender asks for its peer on the link, nobody is told to check the prober."""
    made = probing()
    asked(made, *range(10, 30))

    assert cause_of(made) == ("peer-off-link", "proven")
    assert "it is the one that asks" in made.section("Why")
    assert "Check the prober" not in made.section("What to change")
    assert "ETIMEDOUT" in made.section("What the programs see (expected, not captured)")


def test_a_prober_whose_rst_cannot_leave_gave_up_then_or_later():
    """Probes in vain that cease while their host asks on the link are not all: the count may be higher."""
    made = probing()
    for at_s in (10, 12, 14):
        made.a(at_s, seq=0)
    asked(made, *range(15, 40))

    assert "it gave up at about +16.000, after 3 probes, or later" in made.section("What happened")
    assert "client ESTABLISHED until about +16.000; since then or later CLOSED" in made.section("Timeline")
    assert "count 3 or more (later probes could not leave its host)" in made.section("Keepalive settings, inferred")


def test_an_address_that_was_given_back():
    """A host that gives its address back by DHCP, and is silent from then on, explains the silence."""
    made = dead()
    made.put(8, dhcp(7, client=IP_B, mac=MAC_B))

    assert cause_of(made)[:2] == ("lease-ended", "likely")
    assert "gave its address back" in made.headline()
    assert "(DHCP RELEASE) at +8.000" in made.section("Evidence")


def test_an_address_that_was_given_back_later():
    """What a host gives back when the flow is over explains nothing."""
    made = dead()
    made.a(16, flags=0x14)
    made.put(20, dhcp(7, client=IP_B, mac=MAC_B))

    assert "lease-ended" not in cause_of(made)


def test_a_host_that_got_another_address():
    """The new address is named."""
    made = dead()
    made.put(8, dhcp(5, given=bytes([10, 0, 0, 77]), mac=MAC_B, op=2))

    assert cause_of(made)[:2] == ("lease-ended", "likely")
    assert "10.0.0.77" in made.headline()


def renamed(ttl):
    """A host whose station announces another address once it is silent; its packets came with this TTL."""
    made = Shown()
    made.a(1, 0x02, 0, 0)
    made.b(1.001, 0x12, 0, 1, ttl=ttl)
    made.a(1.002)
    made.put(8, dhcp(5, given=bytes([10, 0, 0, 77]), mac=MAC_B, op=2))
    made.arp(8.1, 1, sender=bytes([10, 0, 0, 77]), target=bytes([10, 0, 0, 77]), mac=MAC_B)
    made.in_vain(10, 12, 14)
    return made


def test_a_host_that_announces_its_new_address_is_no_router():
    """Where no router took from the TTL, another address at the station since then is the host's own, a new one."""
    made = renamed(64)

    assert cause_of(made)[:2] == ("lease-ended", "likely")
    assert "10.0.0.77" in made.headline()
    assert "next hop" not in made.section("Evidence")


def test_a_station_that_brings_routed_packets_is_a_router():
    """Where a router took from the TTL, another address at the station is the next hop's, whenever it is said."""
    assert "The next hop 10.0.0.77 was heard by ARP" in renamed(63).section("Evidence")
