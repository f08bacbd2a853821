"""ICMP errors."""

from tests.judging import captured, opened


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_icmp_errors_of_one_kind_are_named():
    """Errors of one kind carry their type and code, and how many quote a probe."""
    data = finding("lab/icmp_host_unreachable.pcap", "icmp-errors-end-nothing").data

    assert (5, 4, 4, 3, 1) == tuple(data[key] for key in ("errors", "quote_probes", "version", "type", "code"))


def test_errors_of_several_kinds_are_counted_without_a_name():
    """Errors that differ are counted, and no kind is given to all of them."""
    judged = opened("""
+5   a > b  .   5:5(0) ack 1
+.01 b > a  icmp 3/1 5:5(0)
+5   a > b  .   5:5(0) ack 1
+.01 b > a  icmp 11/0 5:5(0)
end: +1
""")
    found = judged.finding("icmp-errors-end-nothing")

    assert (2, False) == (found.data["errors"], "type" in found.data)
