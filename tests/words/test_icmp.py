"""ICMP errors by name."""

import pytest

from analyzer.judge.events import IcmpError
from analyzer.words.icmp import gave_up_with, icmp_text, one_kind
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


def quoting(what, *, version=4, type_=3, code=1, frame=9):
    """An ICMP error that quotes something of b's."""
    return IcmpError(frame, 0, "b", version, type_, code, None, "192.0.2.9", what)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([quoting("data")], ("EHOSTUNREACH", 9)),
        ([quoting("data", code=13)], ("EHOSTUNREACH", 9)),
        ([quoting("data", code=3)], ("ECONNREFUSED", 9)),
        ([quoting("data", version=6, type_=1, code=1)], ("EACCES", 9)),
        ([quoting("data"), quoting("data", code=0, frame=12)], ("ENETUNREACH", 12)),
        ([quoting("probe")], None),
        ([quoting(None)], None),
        ([quoting("data", code=4)], None),
        ([quoting("data", type_=4, code=0)], None),
        ([quoting("data"), quoting("data", type_=5, frame=12)], ("EHOSTUNREACH", 9)),
        ([], None),
    ],
)
def test_the_last_icmp_error_for_data_is_what_a_program_gets(errors, expected):
    """Linux keeps the error of a message that quotes data on its way; of one that quotes a probe it keeps nothing."""
    assert gave_up_with(errors, "b") == expected
    assert gave_up_with(errors, "a") is None


def test_every_code_of_an_unreachable_destination_has_a_name():
    """All codes that RFC 792, RFC 1122, RFC 1812 and RFC 4443 give to unreachable destinations are named."""
    texts = [icmp_text(4, 3, code) for code in range(16)] + [icmp_text(6, 1, code) for code in range(7)]

    assert not [text for text in texts if text.startswith("ICMP")]
    assert icmp_text(4, 4, 0) == "source quench"
