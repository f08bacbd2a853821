"""Witnesses of a flow's end."""

import pytest

from analyzer.judge.witness import mac_text
from tests.capture.craft import ethernet
from tests.capture.test_announced import bpdu, dhcp, lldp
from tests.causes.kinds.test_told_by_icmp import error, told
from tests.causes.scenes import Shown, dead
from tests.judging import captured, scenario
from tests.track.test_beside import IP_B, MAC_A, MAC_B, MAC_C


def kinds(made):
    """What the witnesses of a made flow say."""
    return [(witness.kind, witness.says) for witness in made.judged().witnesses]


def test_questions_answers_and_moves():
    """ARP testifies to questions in vain, to an address that moved, and to an answer from where it is now."""
    made = dead()
    for at_s in (11, 12):
        made.arp(at_s, 1, mac=MAC_A)
    made.arp(13, 2, sender=IP_B, target=IP_B, mac=MAC_C)

    assert {("arp", "unanswered"), ("arp", "elsewhere"), ("arp", "moved")} <= set(kinds(made))


def test_errors_of_many_senders_are_counted():
    """Whoever sends ICMP errors in a thousand names makes no story a thousand lines long, and hides no true one."""
    made = dead()
    for number in range(40):
        error(made, 14.1 + number / 100, 3, 13, seq=9_000_000, sender=bytes([192, 0, 2, number]))
    error(made, 14.9, 3, 1)
    witnesses = [witness for witness in made.judged().witnesses if witness.kind == "icmp"]

    assert "10.0.0.254" in {witness.data.get("sender") for witness in witnesses}
    assert [25] == [witness.data["count"] for witness in witnesses if witness.says == "more"]
    assert "25 more ICMP errors of 25 senders" in made.section("Evidence")


def test_errors_are_grouped():
    """ICMP errors of one sender and kind are one witness, with all frames."""
    (witness,) = [each for each in told(3, 13).judged().witnesses if each.kind == "icmp"]

    assert (witness.data["sender"], witness.data["count"], witness.frames) == ("10.0.0.254", 1, (9,))


def test_fates_that_are_shared():
    """Flows that fall silent together testify for each other."""
    made = Shown()
    for port in (40000, 40001):
        made.opened(1, port=port)
    made.in_vain(10, 12, 14)
    made.in_vain(10.5, 12.5, 14.5, port=40001)

    assert ("fate_shared", "same_host") in kinds(made)


def test_they_come_in_order_of_time():
    """Witnesses are sorted by when they begin."""
    times = [witness.ts_ns for witness in told(3, 13).judged().witnesses]

    assert times == sorted(times)


def test_a_flow_without_a_question_has_none():
    """Nothing testifies about a flow that went well."""
    assert scenario("half_close_in_use")[0].witnesses == ()


@pytest.mark.parametrize(("mac", "text"), [(0x020000000001, "02:00:00:00:00:01"), (-1, "")])
def test_addresses_of_stations(mac, text):
    """An Ethernet address is written with colons; none is nothing."""
    assert mac_text(mac) == text


def test_a_host_that_talks_to_itself_is_no_witness_of_its_own_silence():
    """Where both ends have one address, the asker's own probes are no sign of life of the other end."""
    flows, _ = captured("founding_go_fin60.pcap")

    assert [] == [witness for witness in flows[0].witnesses if witness.kind == "life_sign"]


def test_what_bridges_and_hosts_announce():
    """A change of topology in a silence, a port that goes down and a host that starts are witnesses."""
    made = dead()
    made.put(8, ethernet(bpdu(0, 1), 38, src=MAC_C))
    made.put(9, ethernet(lldp(b"switch", b"1", 0), 0x88CC, src=MAC_C))
    made.put(11, dhcp(1, mac=MAC_B))

    assert {("stp", "changed"), ("lldp", "shut"), ("dhcp", "asked_anew")} <= set(kinds(made))
    assert "Spanning tree told of a change of topology at +8.000" in made.section("Evidence")
