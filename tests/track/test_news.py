"""What was announced, as it is kept, and what bears on a silent end."""

import pytest

from tests.capture.craft import IP_B, ethernet
from tests.capture.test_announced import bpdu, dhcp, lldp
from tests.track.test_beside import MAC_B, MAC_C, START_NS, S, dead

IP_NEW = bytes([10, 0, 0, 77])


def at(about, name):
    """Time in seconds and frame of something in a record."""
    return (about[f"{name}_ns"] - START_NS) / S, about[f"{name}_frame"]


@pytest.mark.parametrize("jit", [False, True])
def test_an_address_that_is_given_back_and_another_that_is_given(tmp_path, jit):
    """A RELEASE after the last word is known, and which address the station got then; what is before it is not."""
    made = dead()
    made.put(0.5, dhcp(7, client=IP_B, mac=MAC_B))
    made.put(0.6, dhcp(5, given=IP_B, mac=MAC_B, op=2))
    made.put(8, dhcp(7, client=IP_B, mac=MAC_B))
    made.put(8.1, dhcp(7, client=IP_B, mac=MAC_B))
    made.put(9, dhcp(1, mac=MAC_B))
    made.put(9.1, dhcp(5, given=IP_NEW, mac=MAC_B, op=2))

    (about,) = made.testimony(tmp_path, jit=jit)

    assert [(8.1, 9), (9, 10), (9.1, 11)] == [at(about, name) for name in ("back", "anew", "got")]
    assert about["got"] & 0xFF == 77
    assert about["leased_frame"] == 0


def test_an_address_that_another_station_gets(tmp_path):
    """An address that was one station's, and is given to another while the flow lives."""
    made = dead()
    made.put(0.5, dhcp(5, given=IP_B, mac=MAC_B, op=2))
    made.put(9, dhcp(5, given=IP_B, mac=MAC_C, op=2))

    (about,) = made.testimony(tmp_path)

    assert (9, 7) == at(about, "leased")
    assert (MAC_C, MAC_B) == (about["leased_to"], about["leased_from"])


def test_renewals_are_no_news(tmp_path):
    """An address that is given to the same station again and again changes nothing."""
    made = dead()
    for at_s in (0.5, 6, 12):
        made.put(at_s, dhcp(5, given=IP_B, mac=MAC_B, op=2))

    (about,) = made.testimony(tmp_path)

    assert [0, 0, 0, 0] == [about[f"{name}_frame"] for name in ("back", "leased", "got", "anew")]


def test_bridges_and_ports(tmp_path):
    """Of a change of topology the first and the last frame since are known; of ports that one says it goes down."""
    made = dead()
    made.put(0.2, ethernet(lldp(b"switch", b"1", 120), 0x88CC, src=MAC_C))
    for at_s in (6, 8, 13):
        made.put(at_s, ethernet(bpdu(0, 1), 38, src=MAC_C))
    made.put(6.5, ethernet(lldp(b"switch", b"1", 0), 0x88CC, src=MAC_C))
    made.put(12.5, ethernet(lldp(b"switch", b"2", 120), 0x88CC, src=MAC_C))

    (about,) = made.testimony(tmp_path)

    assert [(6, 7), (13, 13), (6.5, 8), (12.5, 12)] == [
        at(about, name) for name in ("changed", "changed_last", "shut", "port")
    ]
    assert about["shut_own"] == 0


def test_two_switches_that_alternate_are_no_move(tmp_path):
    """Where LLDP of several ports is captured, none of them is new."""
    made = dead()
    for at_s, name in ((0.2, b"1"), (0.3, b"2"), (9, b"1"), (9.1, b"2")):
        made.put(at_s, ethernet(lldp(b"switch", name, 120), 0x88CC, src=MAC_C))

    (about,) = made.testimony(tmp_path)

    assert about["port_frame"] == 0
