"""ICMP errors by name."""

import pytest

from analyzer.words.icmp import icmp_text, one_kind
from tests.judging import captured


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ((4, 3, 1), "host unreachable"),
        ((6, 1, 3), "address unreachable"),
        ((4, 3, 99), "ICMP type 3 code 99"),
        ((6, 9, 9), "ICMPv6 type 9 code 9"),
    ],
)
def test_errors_have_names(error, expected):
    """A known error is named, another is given by its numbers."""
    assert expected == icmp_text(*error)


def test_errors_of_one_kind_have_it_in_common():
    """Errors that agree in version, type and code have a kind in common, and none have none."""
    (judged,), _ = captured("lab/icmp_host_unreachable.pcap")

    assert (4, 3, 1) == one_kind(judged.record.icmp_errors)
    assert None is one_kind(())
