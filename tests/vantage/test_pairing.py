"""Flows of two points are one connection if they share whole numbers."""

from analyzer.segment import SYN
from analyzer.vantage.pairing import Groups, Partner, same_flows


def flows_of(there, here, *, may_be_one=True):
    """Return which flows are one."""
    return same_flows(there, here, Groups(there["key"], here["key"]), lambda *_: may_be_one)


def test_the_flow_that_shares_most_keys_is_the_same(sightings):
    """A flow belongs to the one of the other point with which it shares most, and to no other."""
    there = sightings((0, 0, 1, 9), (1, 0, 2, 9), (2, 0, 3, 9), flow=[5, 5, 6])
    here = sightings((0, 0, 1, 9), (1, 0, 2, 9), (2, 0, 3, 9), flow=[8, 8, 8])

    assert [(5, 8, False)] == flows_of(there, here)


def test_ends_that_are_named_the_other_way_round_are_told(sightings):
    """If ``a`` of one is ``b`` of the other, the pair is flipped."""
    assert [(0, 0, True)] == flows_of(sightings((0, 0, 1, 9)), sightings((0, 1, 1, 9)))


def test_half_a_number_alone_is_not_enough(sightings):
    """The number of a SYN may be the same by chance: something else must be the same too."""
    syns = [sightings((0, 0, 77, 0), flags=SYN) for _ in range(2)]

    assert [] == flows_of(*syns, may_be_one=False)
    assert [(0, 0, False)] == flows_of(*syns)


def test_leftovers_with_the_numbers_of_another_flow_are_one(sightings):
    """A flow whose packets all repeat numbers of an earlier one is paired by when it was."""
    rows = [(0, 0, 1, 9), (1, 1, 9, 2), (5000, 1, 9, 2), (9000, 1, 9, 2)]
    later = [(at + 70_000, *rest) for at, *rest in rows]

    found = flows_of(sightings(*rows, flow=[5, 5, 6, 7]), sightings(*later[:2], *later[3:], flow=[2, 2, 3]))

    assert [(5, 2, False), (7, 3, False)] == found


def test_a_partner_is_found_from_both_sides(sightings):
    """Flows are looked up by their number at either point; an unknown one has none."""
    partner = Partner([(7, 3, False), (2, 9, True)])

    assert [1, 0, -1] == partner.index_there(sightings(*[(0, 0, 0, 0)] * 3, flow=[7, 2, 5])["flow"]).tolist()
    assert [1, 0, -1] == partner.index_here(sightings(*[(0, 0, 0, 0)] * 3, flow=[3, 9, 7])["flow"]).tolist()
    one, other = sightings((0, 0, 0, 0), flow=[2]), sightings((0, 1, 0, 0), flow=[9])
    assert partner.fits(one, other).all()
    assert not partner.fits(one, sightings((0, 0, 0, 0), flow=[9])).any()
