"""Another station claims the address of the end that gets no answer."""

from tests.causes.scenes import Shown, cause_of, dead
from tests.track.test_beside import IP_A, MAC_A, MAC_C


def announces(made, at_s, mac):
    """A station announces the prober's own address, unasked."""
    made.arp(at_s, 1, sender=IP_A, target=IP_A, mac=mac)


def test_another_station_takes_the_probers_address():
    """Where another station announces the address of a prober that goes on, answers most likely go there."""
    made = dead()
    announces(made, 8, MAC_C)

    assert cause_of(made)[:2] == ("own-address-claimed", "likely")
    assert made.headline().startswith("Another station, 02:00:00:00:00:03, claims 10.0.0.1, the own address of the")
    assert "which is the client's own address" in made.section("Evidence")
    assert "find the machine with 02:00:00:00:00:03" in made.section("Who must act")
    assert "is inferred" in made.section("Why")


def test_a_prober_that_defends_its_address():
    """Where the prober says at once that it has the address, two stations claim it, and the other one is named."""
    made = dead()
    announces(made, 8, MAC_C)
    announces(made, 8.2, MAC_A)

    assert cause_of(made)[:2] == ("own-address-claimed", "likely")
    assert "claims 10.0.0.1" in made.headline()
    assert "02:00:00:00:00:03" in made.headline()


def test_a_prober_that_announces_its_own_address():
    """Its own announcement says nothing of another station."""
    made = dead()
    announces(made, 8, MAC_A)

    assert "own-address-claimed" not in (cause_of(made) or ())


def test_a_claim_that_answers_outlived():
    """Where answers came after the claim, it is at most possible that it is why later ones do not."""
    made = dead()
    announces(made, 0.5, MAC_C)
    announces(made, 0.7, MAC_A)

    assert ("own-address-claimed", "likely") != (cause_of(made) or ("", ""))[:2]


def test_another_interface_that_answers_for_the_prober():
    """Who asks for the prober may get an answer from another interface of its host: that alone is no second host."""
    made = Shown()
    made.opened(1)
    made.in_vain(10, 12, 14)
    made.arp(8, 2, sender=IP_A, target=made.ip_b, mac=MAC_C)

    assert "own-address-claimed" not in (cause_of(made) or ())
