"""What is worked out of rows before their turn."""

from analyzer.loops.loop import records
from analyzer.track import ahead
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW, hash_of, insert, keys_of, new_flow
from tests.notation import parse, plain

KEYS = list(keys_of(5))
TEXT = """# Two flows, one of which is known.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
"""


def guesses(known):
    """Return the hashes and guesses of both rows of one flow, which is entered at index 3 if it is known."""
    rows = [plain(row) for row in parse(TEXT).rows]
    slots, flows, digests, hints = [0] * 16, records(FLOW, 4, jit=False), [0] * ahead.RING, [0] * ahead.RING
    if known:
        digest = hash_of(rows[0], *KEYS)
        new_flow(flows[3], rows[0], digest, 0)
        insert(slots, digest, 3)
    for i in range(2):
        ahead.hash_ahead(rows, i, slots, digests, *KEYS)
        ahead.find_ahead(i, slots, flows, digests, hints)
        ahead.fetch_ends(rows, i, flows, records(ENDPOINT, 8, jit=False), hints)
    return digests[:2], hints[:2]


def test_the_flow_of_a_row_is_guessed_by_its_hash():
    """Rows of both directions lead to the flow that is in the table, and to none where it is not."""
    (one, other), found = guesses(known=True)

    assert one == other
    assert [3, 3] == found
    assert all(index < 0 for index in guesses(known=False)[1])


def test_the_ring_holds_what_waits():
    """Nothing that is still wanted is written over: the ring has room for all rows between two steps."""
    assert 0 == ahead.RING & (ahead.RING - 1)
    assert 2 * ahead.AHEAD < ahead.RING
    assert ahead.NEAR < ahead.AHEAD
