"""Blocks of pcapng: exact times, and bounds that no octets lead out of."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.frame import DAMAGED, FULL, GROWN, INTERFACE, MAX_TS_NS, MORE, NOTES, SECTION, empty_frames
from analyzer.capture.pcapng_blocks import LINK_TYPES, UNITS, index_blocks, ticks_to_ns
from analyzer.loops.loop import records
from tests.capture.craft import block, enhanced, ethernet, ipv4, obsolete, simple, tcp

FRAME = ethernet(ipv4(tcp(b"abc")))


@given(high=st.integers(0, 0xFFFFFFFF), low=st.integers(0, 0xFFFFFFFF), power=st.integers(0, 127))
def test_powers_of_two_are_exact(high, low, power):
    """A unit of a power of two gives the nanosecond that exact arithmetic gives, or the last one that is told."""
    exact = ((high << 32 | low) * 1_000_000_000) >> power
    found = ticks_to_ns(high, low, 1, 0, power)

    if high >= 1 << 31 or exact >= MAX_TS_NS - 1_000_000_000:
        assert found >= MAX_TS_NS - 1_000_000_000
    else:
        assert found in {exact, exact - 1}


@given(high=st.integers(0, 0xFFFFFFFF), low=st.integers(0, 0xFFFFFFFF), power=st.integers(0, 27))
def test_powers_of_ten_are_exact(high, low, power):
    """A unit of a power of ten gives the nanosecond that exact arithmetic gives, or the last one that is told."""
    exact = (high << 32 | low) * 10 ** max(9 - power, 0) // 10 ** max(power - 9, 0)
    found = ticks_to_ns(high, low, 10 ** max(9 - power, 0), 10 ** max(power - 9, 0), 0)

    assert found == (exact if exact < MAX_TS_NS and high < 1 << 31 else MAX_TS_NS) or exact >= MAX_TS_NS - 10**9


@given(octets=st.binary(max_size=300), big=st.booleans(), known=st.integers(0, 2))
def test_any_octets_stay_within_bounds(octets, big, known):
    """Whatever the octets are, the loop ends, moves on, and reads and points to nothing outside."""
    check(octets, big, known)


@given(data=st.data(), big=st.booleans())
def test_damaged_blocks_stay_within_bounds(data, big):
    """Whatever is put into blocks, the loop ends, moves on, and reads and points to nothing outside."""
    order = ">" if big else "<"
    whole = (
        enhanced(FRAME, 1, order=order) + simple(FRAME, order) + obsolete(FRAME, 2, order=order) + block(9, b"", order)
    )
    octets = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(octets[: data.draw(st.integers(0, len(octets)))]), big, 1)


def check(octets, big, known):
    """Run the loop over octets and check what it says."""
    frames, notes = empty_frames(20, jit=False), records(NOTES, 1, jit=False)[0]
    unit = dict(zip(UNITS.names, (1, 30, 1000, 1, 0, 0, 0, 0, 0, 0), strict=True))
    interfaces, named, state = (
        [unit] * known,
        [0] * LINK_TYPES,
        {"big": int(big), "known": known, "stop": 0, "undated": 0},
    )
    row, at, stopped = index_blocks({"octet": octets}, 0, len(octets), state, interfaces, named, frames, 0, 20, notes)

    assert stopped in {FULL, MORE, DAMAGED, SECTION, INTERFACE, GROWN}
    assert row == notes["frames"]
    assert 0 <= at <= len(octets)
    for frame in frames[:row]:
        assert 8 <= frame["at"] <= frame["at"] + frame["captured"] <= at
        assert frame["captured"] <= frame["original"] < 1 << 31
        assert 0 <= frame["ts_ns"] <= MAX_TS_NS
