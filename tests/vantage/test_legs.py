"""Flows, and copies, of one capture that are the same packets at two places are legs."""

from analyzer.vantage.legs import legs_of

PACKETS = [(0, 0, 10, 20), (1, 1, 20, 11), (2, 0, 11, 21), (3, 1, 21, 12)]


def test_a_flow_with_the_same_numbers_is_the_second_leg(sightings):
    """Of two flows that share whole numbers the later one is another leg, whatever its addresses."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]

    assert [0, 1] * 4 == legs_of(sightings(*rows, flow=[0, 1] * 4)).tolist()


def test_flows_of_their_own_are_one_leg(sightings):
    """Flows that share no number stay where they are."""
    rows = [(0, 0, 10, 20), (1, 0, 30, 40)]

    assert [0, 0] == legs_of(sightings(*rows, flow=[0, 1])).tolist()


def test_what_a_router_passed_on_is_told_by_its_hops(sightings):
    """Of copies with one hop less, what came in and what went out are two places, by direction."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]
    ttl, copy = [64, 63, 64, 63] * 2, [0, 1] * 4

    assert [0, 1, 1, 0] * 2 == legs_of(sightings(*rows, ttl=ttl, copy=copy)).tolist()


def test_copies_with_as_many_hops_are_no_second_place(sightings):
    """A copy that no router made stands for nothing."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]

    assert [0, -1] * 4 == legs_of(sightings(*rows, copy=[0, 1] * 4)).tolist()


def test_a_reset_is_where_its_link_says(sightings):
    """A RST that the router made has as many hops left as one that came in, but left on the link of what went out."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]
    ttl, copy, link = [64, 63, 64, 63] * 2, [0, 1] * 4, [1, 2, 3, 4] * 2
    reset = (4, 1, 21, 0)

    def legs(by):
        fields = {"ttl": [*ttl, 64], "copy": [*copy, 0], "flags": [16] * 8 + [4], "link": [*link, by]}
        return legs_of(sightings(*rows, reset, **fields)).tolist()

    assert [0, 1, 1, 0] * 2 + [0] == legs(4)
    assert [0, 1, 1, 0] * 2 + [1] == legs(3)
    assert [0, 1, 1, 0] * 2 + [1] == legs(9)


def test_a_reset_of_the_router_hides_no_second_place(sightings):
    """Farther from the server, a RST that the router made has more hops left than any packet of the server's here."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]
    ttl, copy, link = [64, 63, 63, 62] * 2, [0, 1] * 4, [1, 2, 3, 4] * 2
    fields = {"ttl": [*ttl, 64], "copy": [*copy, 0], "flags": [16] * 8 + [4], "link": [*link, 4]}

    assert [0, 1, 1, 0] * 2 + [0] == legs_of(sightings(*rows, (4, 1, 21, 0), **fields)).tolist()


def test_what_a_nat_translated_anew_is_on_the_leg_behind_it(sightings):
    """A flow that has nothing but what a flow before the NAT has is behind it, under another port."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]
    later = [(9, 0, 12, 21), (9.1, 0, 12, 21), (9.2, 1, 21, 0), (9.3, 1, 21, 0)]
    flags = {"flags": [16] * 8 + [16, 16, 4, 4]}

    assert [0, 1] * 4 + [0, 1, 1, 0] == legs_of(
        sightings(*rows, *later, flow=[0, 1] * 4 + [0, 2, 2, 0], **flags)
    ).tolist()


def test_a_flow_with_packets_of_its_own_is_no_part_of_another(sightings):
    """A flow that has one packet of another by chance, and others of its own, stays where it is."""
    rows = [each for packet in PACKETS for each in (packet, (packet[0] + 0.1, *packet[1:]))]
    later = [(9, 0, 12, 21), (9.1, 0, 12, 21), (9.2, 1, 700, 800)]

    assert [0, 1] * 4 + [0, 0, 0] == legs_of(sightings(*rows, *later, flow=[0, 1] * 4 + [0, 2, 2])).tolist()
