"""How FLOW and SEEN records are taken."""

import pytest

from analyzer.loops.loop import records
from analyzer.track import tally
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW
from analyzer.track.seen import SEEN
from tests.notation import parse, plain


@pytest.fixture
def chain():
    """Return an empty chain of SEEN rows: a flow, the rows, the registers."""
    registers = [0] * tally.REGISTERS
    registers[tally.SEEN_FREE] = -1
    flow = records(FLOW, 1, jit=False)[0] | {"first_seen": -1, "last_seen": -1}
    return flow, records(SEEN, 4, jit=False), registers


def test_keep_takes_fresh_rows_in_turn(chain):
    """Without a free row the next unused one is taken and chained behind the flow's last."""
    flow, seen, registers = chain
    taken = [tally.keep(seen, registers, flow, 7) for _ in range(3)]

    assert [0, 1, 2] == taken
    assert (0, 2, 3) == (flow["first_seen"], flow["last_seen"], flow["seen_count"])
    assert [1, 2] == [seen[at]["next"] for at in (0, 1)]
    assert [7, 7, 7] == [seen[at]["flow"] for at in taken]


def test_keep_takes_rows_that_were_given_back(chain):
    """A row that was given back is used again before a fresh one."""
    flow, seen, registers = chain
    registers[tally.SEEN_USED] = 3
    registers[tally.SEEN_FREE] = 1
    seen[1]["next"] = -1

    assert [1, 3] == [tally.keep(seen, registers, flow, 0) for _ in range(2)]
    assert -1 == registers[tally.SEEN_FREE]


def test_a_flow_is_taken_with_both_its_ends():
    """A flow that begins has the next number, and ends of which nothing is known, also where an older one was."""
    flows, ends = records(FLOW, 2, jit=False), records(ENDPOINT, 4, jit=False)
    row = plain(parse("# A flow.\n+0      a > b  S   0:0(0)\n").rows[0])
    known = [0] * tally.REGISTERS
    known[tally.FLOW_FREE] = -1

    first = tally.begin(flows, ends, known, row, 5)
    second = tally.begin(flows, ends, known, row, 5)
    flows[first]["number"] = known[tally.FLOW_FREE]
    known[tally.FLOW_FREE] = first
    ends[2 * first]["segments"] = 3
    third = tally.begin(flows, ends, known, row, 5)

    assert (0, 1, 0) == (first, second, third)
    assert (2, 0) == (flows[third]["number"], ends[2 * third]["segments"])
    assert (3, -1, 2) == (known[tally.LIVE], known[tally.FLOW_FREE], known[tally.FLOWS_USED])


def test_a_flow_that_leaves_is_listed():
    """It is alive no more, and when its addresses were last its own is known."""
    flows, leaving, known = records(FLOW, 1, jit=False), [-1], [0] * tally.REGISTERS
    flows[0].update(alive=1, reused_ns=-1, last_ns=9)
    known[tally.LIVE] = 1

    tally.let_go(flows, leaving, known, 0)

    assert ([0], 0, 1) == (leaving, known[tally.LIVE], known[tally.LEAVING])
    assert (0, 9) == (flows[0]["alive"], flows[0]["reused_ns"])
