"""Filters to copy."""

from dataclasses import dataclass

import pytest

from analyzer.flow import Endpoint
from analyzer.report import filters


@dataclass
class Record:
    """As much of a flow as filters need."""

    a: Endpoint
    b: Endpoint
    first_frame: int = 3
    last_frame: int = 9


@pytest.mark.parametrize(
    ("addresses", "wireshark", "tcpdump"),
    [
        (
            ("192.0.2.1", "192.0.2.2"),
            "ip.addr == 192.0.2.1 && ip.addr == 192.0.2.2 && tcp.port == 40000 && tcp.port == 443",
            "tcp and host 192.0.2.1 and host 192.0.2.2 and port 40000 and port 443",
        ),
        (
            ("2001:db8::1", "::1"),
            "ipv6.addr == 2001:db8::1 && ipv6.addr == ::1 && tcp.port == 40000 && tcp.port == 443",
            "tcp and host 2001:db8::1 and host ::1 and port 40000 and port 443",
        ),
    ],
)
def test_filters_name_both_endpoints(addresses, wireshark, tcpdump):
    """The display filter of Wireshark names the frames too, the capture filter of tcpdump cannot."""
    record = Record(Endpoint(addresses[0], 40000), Endpoint(addresses[1], 443))

    assert f"{wireshark} && frame.number >= 3 && frame.number <= 9" == filters.wireshark(record)
    assert tcpdump == filters.tcpdump(record)
