"""What capture filters let pass."""

import pytest

from analyzer.judge.filtered import passes


@pytest.mark.parametrize(
    ("expression", "arp", "icmp", "others"),
    [
        ("tcp port 4802", False, False, False),
        ("port 443", False, False, False),
        ("tcp", False, False, False),
        ("host 10.0.0.1 and port 80", False, False, False),
        ("(tcp and (port 80)) or arp or icmp or icmp6", True, True, False),
        ("port 80 or arp", True, False, False),
        ("port 80 || icmp", False, True, False),
        ("arp and port 80", None, False, False),
        ("host 10.0.0.1", True, True, True),
        ("host 10.0.0.1 or port 80", None, None, None),
        ("not port 22", None, None, None),
        ("!(port 22)", None, None, None),
        ("ip", False, True, None),
        ("icmp", False, True, False),
        ("tcp port 80 or broadcast", None, None, None),
        ("tcp[13] & 4 != 0", None, None, None),
        ("a filter that is not written out", None, None, None),
        ("inbound", None, None, None),
    ],
)
def test_what_one_filter_lets_pass(expression, arp, icmp, others):
    """ARP, ICMP errors and other traffic of the hosts pass, or do not, or nobody knows."""
    assert (arp, icmp, others) == tuple(passes([expression], kind) for kind in ("arp", "icmp", "others"))


def test_several_interfaces_and_none():
    """What passes on one interface is in the capture; without a filter everything is."""
    assert passes([], "arp") is True
    assert passes(["tcp port 80", "arp"], "arp") is True
    assert passes(["tcp port 80", "not port 22"], "arp") is None
    assert passes(["tcp port 80", "udp port 53"], "arp") is False
