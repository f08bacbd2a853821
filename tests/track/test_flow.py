"""Endpoints, the flow's identity, and the table that finds it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.loops.loop import loop, records, thaw
from analyzer.segment import address_halves, empty_rows
from analyzer.track import flow as flows_module
from analyzer.track.flow import (
    FLOW,
    FREE,
    GONE,
    NO_FLOW,
    Endpoint,
    endpoints_of,
    find,
    hash_of,
    insert,
    keys_of,
    likely,
    new_flow,
    refill,
    remove,
    side_of,
)
from tests.notation import parse, plain

A_TO_B, B_TO_A, C_TO_D = (
    plain(row) for row in parse("# Three segments.\n+0 a > b S 0:0(0)\n+0 b > a S 0:0(0)\n+0 c > d S 0:0(0)\n").rows
)


def started(row, number=0, digest=1):
    """Return the FLOW record that a segment starts."""
    flow = records(FLOW, 1, jit=False)[0]
    new_flow(flow, row, digest, number)
    return flow


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [(Endpoint("127.0.0.1", 4001), "127.0.0.1:4001"), (Endpoint("::1", 4001), "[::1]:4001")],
)
def test_endpoints_print_as_everybody_writes_them(endpoint, expected):
    """An IPv6 address stands in brackets before the port."""
    assert expected == str(endpoint)


def test_endpoints_are_ordered_by_address_and_port():
    """Endpoints can be sorted."""
    one, two, three = Endpoint("10.0.0.1", 9), Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 1)

    assert [one, two, three] == sorted([three, two, one])


def test_the_first_sender_is_endpoint_a():
    """The sender of the first segment is a, its target b."""
    a, b = endpoints_of(started(B_TO_A))

    assert ("198.51.100.2:80", "192.0.2.1:40001") == (str(a), str(b))


def test_mapped_addresses_of_ipv6_stay_ipv6():
    """An IPv4-mapped address that came in an IPv6 packet is written as one."""
    high, low = address_halves("192.0.2.1")
    flow = started(A_TO_B | {"ip_version": 6, "src_hi": high, "src_lo": low})

    assert "::ffff:192.0.2.1" == endpoints_of(flow)[0].address


def test_sides_of_a_flow():
    """A segment belongs to the flow in either direction, and not if anything of its identity differs."""
    flow = started(A_TO_B)

    assert (0, 1, NO_FLOW) == (side_of(flow, A_TO_B), side_of(flow, B_TO_A), side_of(flow, C_TO_D))


@pytest.mark.parametrize("name", ["src_hi", "src_lo", "src_port", "dst_hi", "dst_lo", "dst_port", "tag"])
@pytest.mark.parametrize("row", [A_TO_B, B_TO_A], ids=["forth", "back"])
def test_every_part_of_the_identity_counts(row, name):
    """A segment that differs in one part of the identity belongs to another flow."""
    assert NO_FLOW == side_of(started(A_TO_B), row | {name: row[name] + 1})


@given(
    st.integers(0, 0x7FFFFFFF), st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**16 - 1), st.integers(1, 2**16 - 1)
)
def test_hash_is_the_same_both_ways(seed, address, one, two):
    """Both directions of a flow have the same hash, of 31 bits, never zero."""
    forth = A_TO_B | {"src_lo": address, "src_port": one, "dst_port": two}
    back = forth | {"dst_lo": address, "src_lo": forth["dst_lo"], "src_port": two, "dst_port": one}
    digest = hash_of(forth, *keys_of(seed))

    assert digest == hash_of(back, *keys_of(seed))
    assert 0 < digest <= 0x7FFFFFFF


@loop
def hashes(rows, low, low_top, high, high_top, port, found):
    """Hash every row."""
    for i in range(len(rows)):
        found[i] = hash_of(rows[i], low, low_top, high, high_top, port)


def test_python_and_machine_code_hash_alike():
    """Products of any size wrap in both, so that a stream may change from plain to compiled loops."""
    rows = empty_rows(200)
    draw = np.random.default_rng(7)
    for name in ("src_hi", "src_lo", "dst_hi", "dst_lo", "tag"):
        rows[name] = draw.integers(-(2**63), 2**63 - 1, len(rows))
    rows["src_port"], rows["dst_port"] = draw.integers(0, 65536, (2, len(rows)))
    found = {jit: np.zeros(len(rows), dtype=np.int64) for jit in (False, True)}
    for jit, column in found.items():
        hashes.choose(jit=jit)(thaw(rows, jit=jit), *keys_of(0x7654321), column)

    assert found[False].tolist() == found[True].tolist()
    assert len(set(found[True].tolist())) == len(rows)


def test_nobody_can_choose_addresses_that_collide_under_every_seed():
    """Addresses chosen to share a slot under one seed are spread under any other."""
    draw = np.random.default_rng(3)
    rows = [A_TO_B | {"src_lo": lo} for lo in draw.integers(-(2**63), 2**63 - 1, 20_000).tolist()]
    chosen = [row for row in rows if hash_of(row, *keys_of(99)) & 0xFF == 0x80]

    assert len(chosen) > 50
    for seed in (100, 2 * 99):
        assert len({hash_of(row, *keys_of(seed)) & 0xFF for row in chosen}) > 0.6 * len(chosen)


BITS = {
    "low half": [1 << bit for bit in range(13)],
    "top of the low half": [1 << bit for bit in range(19, 32)],
    "top": [1 << bit for bit in range(51, 64)],
    "both halves alike": [(1 << bit) | (1 << bit - 32) for bit in range(51, 64)],
    "apart": [1 << bit for bit in range(0, 64, 5)],
}


@pytest.mark.parametrize("bits", BITS.values(), ids=BITS.keys())
@pytest.mark.parametrize(
    "names", [("src_lo",), ("src_hi",), ("dst_lo",), ("tag",), ("src_lo", "src_hi"), ("src_hi", "dst_lo")]
)
def test_looking_for_a_flow_takes_as_long_wherever_addresses_differ(bits, names):
    """Of flows that differ in a few bits of a field, none has to pass more slots than a handful to be found."""
    passed = []
    for count in (2048, 4096):
        slots, flows, keys = Counting([0] * 4 * count), [], keys_of(4711)
        for number in range(count):
            word = sum(bit for at, bit in enumerate(bits) if number >> at & 1)
            row = A_TO_B | dict.fromkeys(names, word - (1 << 64) if word >> 63 else word)
            digest = hash_of(row, *keys)
            assert NO_FLOW == find(slots, flows, row, digest)
            flows.append({})
            new_flow(flows[-1], row, digest, number)
            insert(slots, digest, number)
            assert number == find(slots, flows, row, digest)
        passed.append(slots.looked_at / count)

    assert passed[1] < 1.3 * passed[0]
    assert max(passed) < 8


class Counting(list):
    """A list that counts how often one looks at its entries."""

    looked_at = 0

    def __getitem__(self, at):
        """Return an entry."""
        self.looked_at += 1
        return super().__getitem__(at)


def test_hashes_spread():
    """Neighbouring ports and addresses do not share slots more than chance would have it."""
    rows = [
        A_TO_B | {"src_port": 1024 + port, "src_lo": A_TO_B["src_lo"] + net} for port in range(64) for net in range(64)
    ]
    slots = {hash_of(row, *keys_of(12345)) & 0x1FFF for row in rows}

    assert len(slots) > 0.37 * 8192  # as many as so many stones reach among 8192 holes: 1 - exp(-1/2), 39 %


def test_seeds_stir_the_table():
    """Another seed gives another hash, so that nobody can choose colliding addresses beforehand."""
    assert len({hash_of(A_TO_B, *keys_of(seed)) for seed in range(50)}) > 40


def row_number(number):
    """Return a segment of the flow with this number."""
    return A_TO_B | {"src_port": 1000 + number}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60), st.integers(1, 3))
def test_the_table_finds_what_a_dict_finds(moves, spread):
    """However flows come and go, and collide, the table finds each live one and no other."""
    slots = [0] * 32
    flows = [started(row_number(number), number) for number in range(10)]
    live = {}
    for number, enter in moves:
        digest = number % spread + 1
        if enter and number not in live:
            insert(slots, digest, number)
            live[number] = digest
        elif not enter and number in live:
            remove(slots, live.pop(number), number)
        if slots.count(FREE) < 2:
            flows = [flow | {"alive": int(at in live), "hash": at % spread + 1} for at, flow in enumerate(flows)]
            slots = [0] * 32
            refill(slots, flows, 10)

        expected = [each if each in live else NO_FLOW for each in range(10)]
        assert expected == [find(slots, flows, row_number(each), each % spread + 1) for each in range(10)]


def test_slots_of_departed_flows_are_used_again():
    """A fresh slot counts as used, one that a flow left does not count again."""
    slots = np.zeros(8, dtype=np.int64)

    assert 1 == insert(slots, 3, 0)
    remove(slots, 3, 0)
    assert GONE == slots[3]
    assert 0 == insert(slots, 3, 1)


def test_colliding_flows_are_told_apart_by_identity():
    """Two flows with one hash are found by their addresses, behind each other at the table's end."""
    slots = [0] * 4
    flows = [started(row_number(0)), started(row_number(1))]
    for index in range(2):
        insert(slots, 3, index)

    assert [0, 1, NO_FLOW] == [find(slots, flows, row_number(number), 3) for number in range(3)]


def test_a_guess_is_the_first_flow_with_the_hash():
    """The guess does not look at addresses, passes by what departed, and admits when there is none."""
    slots = [0] * 8
    for index, digest in enumerate((3, 3, 4)):
        insert(slots, digest, index)

    assert [0, 2, NO_FLOW] == [likely(slots, digest) for digest in (3, 4, 5)]
    remove(slots, 3, 0)
    assert 1 == likely(slots, 3)


def test_a_new_flow_has_no_past():
    """Nothing of the record's former flow is left."""
    used = dict.fromkeys(FLOW.names, 12345)
    new_flow(used, A_TO_B, 7, 3)

    assert started(A_TO_B, 3, 7) == used
    assert {12345} & set(used.values()) == set()


def test_sides_have_names():
    """Endpoint a is side 0, endpoint b side 1."""
    assert ("a", "b") == flows_module.SIDES
