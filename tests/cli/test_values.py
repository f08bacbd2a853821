"""What the text of an option's value means."""

import argparse

import pytest

from analyzer.cli import values
from analyzer.survey.selection import FlowOf


def test_addresses_are_networks_in_the_end():
    """An address, a network and a range may stand in one list, brackets or not."""
    assert ["::1", "10.0.0.0/8", "192.0.2.1/32", "192.0.2.2/31"] == values.hosts("[::1],10.0.0.0/8,192.0.2.1-192.0.2.3")


def test_ports_are_numbers_in_the_end():
    """Ports and ranges of ports may stand in one list."""
    assert [80, 8000, 8001, 65535] == values.ports("80, 8000-8001,65535")


def test_a_flow_may_be_one_of_a_capture():
    """A flow is a number, or stands behind the number of its capture and a colon."""
    assert [3, FlowOf(8, 0)] == values.flows("3,8:0")


def test_numbers_stand_in_a_list():
    """Numbers are separated by commas."""
    assert [0, 12] == values.numbers("0,12")


@pytest.mark.parametrize(
    ("meaning", "text", "sentence"),
    [
        (values.ports, "80,", "nothing is not a port number"),
        (values.ports, "90-80", "90-80 is not a range of ports: it ends before it begins"),
        (values.ports, "80-", "80- is not a range of ports: write both ends, as in 8000-8099"),
        (values.ports, "80-65536", "65536 is not a port number"),
        (values.port, "²", "² is not a port number"),
        (values.hosts, "10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1 is not a range of addresses: it ends before it begins"),
        (values.hosts, "10.0.0.1-::1", "10.0.0.1-::1 is not an address, a network or a range"),
        (values.hosts, "", "nothing is not an address, a network or a range"),
        (values.flows, "1:", "nothing is not a number from 0 on"),
        (values.count, "-1", "-1 is not a number from 0 on"),
        (values.out, "", "the name is empty; is a variable not set?"),
    ],
)
def test_what_is_no_value_is_refused_with_the_reason(meaning, text, sentence):
    """A list with a hole, a range that ends before it begins and what is no number are refused by name."""
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        meaning(text)

    assert str(refused.value).startswith(sentence)
