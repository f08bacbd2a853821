"""Which flows leave the table."""

import pytest

from tests.notation import START_NS
from tests.track.tracking import S, fed


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("+0 a > b S 0:0(0)\n", True),
        ("+0 a > b S 0:0(0)\n+1 a > b S 0:0(0)\n", True),
        ("+0 a > b S 0:0(0)\n+0 b > a R. 0:0(0) ack 1\n", True),
        ("+0 a > b P. 1:6(5) ack 1\n", False),
        ("+0 a > b P. 1:6(5) ack 1\n+0 b > a R 1:1(0)\n", True),
        ("+0 a > b P. 1:6(5) ack 1\n+0 b > a R 1:1(0)\n+0 b > a . 1:1(0) ack 6\n", False),
        ("+0 a > b F. 1:1(0) ack 1\n", False),
    ],
    ids=["a SYN", "SYNs of one end", "a SYN refused", "data", "a RST", "a RST and more", "one FIN"],
)
def test_which_flows_leave(text, leaves):
    """Flows leave that closed, were reset for good, or never got beyond SYNs of one end."""
    tracker = fed("# A flow.\n" + text)
    tracker.advance(START_NS + 1000 * S)

    assert leaves == (tracker.live == 0)
