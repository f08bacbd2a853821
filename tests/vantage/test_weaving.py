"""Points are woven together two by two: clocks by way of others, packets of all, the order of the points."""

from analyzer.vantage.weaving import weave

PACKETS = [(0, 0, 10, 20), (1, 1, 20, 11), (2, 0, 11, 21), (3, 1, 21, 12)]


def at(sightings, place, offset_ms, *, without=()):
    """Return what a point saw that is so many routers of 0.2 ms behind the first."""
    rows = [row for number, row in enumerate(PACKETS) if number not in without]
    moved = [(ms + offset_ms + 0.2 * place * (1 if side == 0 else -1), side, seq, ack) for ms, side, seq, ack in rows]
    return sightings(*moved, ttl=[60 - place if side == 0 else 50 + place for _, side, _, _ in rows])


def test_three_points_stand_in_order_whatever_the_order_of_their_names(sightings):
    """The way leads from ``a`` to ``b`` by hops, and clocks count against the first point."""
    woven = weave([at(sightings, 1, 0), at(sightings, 2, 7000), at(sightings, 0, -50)], lambda *_: True)

    assert ((2, 0, 1), "ttl") == (woven.flows[0].way, woven.flows[0].way_by)
    assert [0, 7000, -50] == [round(clock.first.offset_ns / 1e6) for clock in woven.clocks]
    assert [[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]] == woven.crossings.seen.tolist()


def test_what_two_points_share_only_with_a_third_is_one_packet(sightings):
    """A packet that the first point lacks is one row all the same, and a clock is found by way of another point."""
    first, last = at(sightings, 0, 0, without=(2, 3)), at(sightings, 2, 500, without=(0, 1))
    middle = at(sightings, 1, 90)

    woven = weave([first, last, middle], lambda *_: True)

    assert [0, 500, 90] == [round(clock.first.offset_ns / 1e6) for clock in woven.clocks]
    assert [[0, -1, 0], [1, -1, 1], [-1, 0, 2], [-1, 1, 3]] == woven.crossings.seen.tolist()
    assert 1 == len(woven.flows)


def test_clocks_that_contradict_each_other_are_told(sightings):
    """If two points say of each other what neither's clock against the first allows, that is a contradiction."""
    first, middle, last = at(sightings, 0, 0, without=(2, 3)), at(sightings, 1, 90), at(sightings, 2, 500)
    last["ts_ns"][2:] += 40_000_000

    woven = weave([first, middle, last], lambda *_: True)

    assert woven.contradiction_ns > 10_000_000


def test_two_points_of_one_place_are_tied_and_the_others_in_order(sightings):
    """Of neighbours at which everything has the same hops at the same time nothing tells which comes first."""
    first, one, other = at(sightings, 0, 0), at(sightings, 1, 90), at(sightings, 1, 500)

    (flow,) = weave([one, first, other], lambda *_: True).flows

    assert ((1, 0, 2), "ttl", ((0, 2),)) == (flow.way, flow.way_by, flow.tied)
    assert ((), ()) == ((alone := weave([one, other], lambda *_: True).flows[0]).way, alone.tied)
