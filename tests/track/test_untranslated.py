"""Which RSTs are linked with a connection under another address."""

import pytest

from analyzer.segment import address_halves
from analyzer.track.untranslated import DATA, EMPTY, FINISH, INSIDE, LONE, OUTSIDE, PROBE, is_private
from tests.notation import follow, parse

BEGIN = """# A connection.
+0 {0} > {1} S 0:0(0) id 7
+.01 {1} > {0} S. 0:0(0) ack 1
+.01 {0} > {1} . 1:1(0) ack 1
+.1 {0} > {1} P. 1:6(5) ack 1
+.01 {1} > {0} . 1:1(0) ack 6
"""
NAT_HOST = """# Both sides.
+0 g > h S 0:0(0) id 7
+.00001 e > f S 0:0(0) id 7 ttl 63
+.01 f > e S. 0:0(0) ack 1 id 1 ttl 50
+.00001 h > g S. 0:0(0) ack 1 id 1 ttl 49
+.01 g > h . 1:1(0) ack 1 id 8
+.00001 e > f . 1:1(0) ack 1 id 8 ttl 63
"""


def strays(text):
    """Return of each flow: the number of the other flow or -1, the end, and what it is to the RST."""
    flows = [row for batch in follow([parse(text).batch()]) for row in batch.flow]
    return [
        (int(row["stray"]) - 1, int(row["stray_side"]), int(row["stray_role"]))
        for row in sorted(flows, key=lambda row: row["number"])
    ]


def linked(text):
    """Whether any flow is linked with another."""
    return any(number >= 0 for number, _, _ in strays(text))


@pytest.mark.parametrize("first", ["ef", "ab"], ids=["same port", "port changed"])
@pytest.mark.parametrize("reset", ["R 5:5(0)", "R 6:6(0)", "R 7:7(0)", "R. 6:6(0) ack 1"])
def test_a_lone_reset_that_fits_is_linked(first, reset):
    """SND.NXT, or one beside it, from a private address to the same peer: both flows know each other."""
    assert [(1, 0, OUTSIDE), (0, 0, LONE)] == strays(BEGIN.format(*first) + f"+60 g > h {reset}\n")


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("segment", "what"),
    [
        ("F. 6:6(0) ack 1", FINISH),
        ("P. 6:9(3) ack 1", DATA),
        (". 6:6(0) ack 1", EMPTY),
        (". 5:5(0) ack 1", PROBE),
    ],
    ids=["FIN", "data", "ACK", "probe"],
)
@pytest.mark.parametrize("first", ["ef", "ab"], ids=["same port", "port changed"])
def test_other_segments_are_linked_where_both_numbers_fit(first, segment, what, jit):
    """A FIN, data or an ACK that a NAT takes for invalid is the connection's, also when that is over."""
    if jit:
        pytest.importorskip("numba")
    text = BEGIN.format(*first)
    over = text + "+1 {1} > {0} R. 1:1(0) ack 6\n".format(*first)
    for captured in (text, over):
        flows = [
            row for batch in follow([parse(captured + f"+60 g > h {segment}\n").batch()], jit=jit) for row in batch.flow
        ]
        assert [what, what] == [row["stray_what"] for row in flows]
        assert {OUTSIDE, LONE} == {int(row["stray_role"]) for row in flows}


@pytest.mark.parametrize(
    "then",
    [
        "+60 g > h R 8:8(0)\n",
        "+60 g > h R 4:4(0)\n",
        "+60 g > h R. 6:6(0) ack 500\n",
        "+60 g > h . 6:6(0) ack 2\n",
        "+60 g > h . 6:6(0) ack 0\n",
        "+60 g > h . 7:7(0) ack 1\n",
        "+60 g > h . 4:4(0) ack 1\n",
        "+60 g > h S 6:6(0)\n",
        "+60 g > h F. 6:6(0) ack 1\n+.001 e > f F. 6:6(0) ack 1\n",
        "+60 g > h R 6:6(0) vlan 5\n",
        "+60 a > b R 6:6(0)\n",
        "+60 e > f R 6:6(0)\n+1 g > h R 6:6(0)\n",
        "+60 e > f F. 6:6(0) ack 1\n+.1 f > e F. 1:1(0) ack 7\n+.1 g > h R 7:7(0)\n",
        "+60 g > h R 6:6(0)\n+.1 e > f R 6:6(0)\n",
    ],
    ids=[
        "number above", "number below", "acknowledges what was never sent",
        "heard what was not sent", "has not heard all", "beyond", "far below", "SYN", "translated moments later",
        "another VLAN", "public address",
        "reset before", "closed before", "translated after all",
    ],
)  # fmt: skip
def test_what_is_no_untranslated_reset(then):
    """Other numbers, a public address, a connection that is over, or a RST that came translated too."""
    assert not linked(BEGIN.format("e", "f") + then)


def test_a_scan_is_not_linked():
    """RSTs of a scan find no connection that both ends have spoken on."""
    assert not linked("# A scan.\n+0 e > f S 0:0(0)\n+.1 g > h R 1:1(0)\n+.1 f > e R. 0:0(0) ack 1\n")


def test_on_a_nat_host_the_reset_is_seen_to_pass():
    """Behind the router under the inside address, and not translated: inside and outside know each other."""
    went = "+60 g > h R. 1:1(0) ack 1 id 9\n+.00001 g > h R. 1:1(0) ack 1 id 9 ttl {}\n"

    assert [(1, 0, INSIDE), (0, 0, OUTSIDE)] == strays(NAT_HOST + went.format(63))
    assert not linked(NAT_HOST + went.format(64))
    assert not linked(NAT_HOST + went.format(63) + "+.00001 e > f R. 1:1(0) ack 1 id 9 ttl 62\n")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.255.0.1", True),
        ("172.16.0.1", True),
        ("172.31.255.255", True),
        ("172.32.0.1", False),
        ("192.168.9.9", True),
        ("192.169.0.1", False),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("fd00::1", True),
        ("fc00::1", True),
        ("fe80::1", False),
        ("2001:db8::1", False),
    ],
)
def test_which_addresses_are_private(address, expected):
    """RFC 1918, RFC 6598 and RFC 4193."""
    assert expected == is_private(*address_halves(address))
