"""What the text of an option's value means: addresses, ports, flows, numbers, names of files.

Each function is a ``type`` of argparse: it takes the text, and raises ArgumentTypeError with what is wrong about it.
They must not know which verb has the option.
"""

from __future__ import annotations

import argparse
import re
from ipaddress import ip_address, ip_network, summarize_address_range
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.survey.selection import FlowOf

LARGEST_PORT: Final = 65535
THEMES: Final = ("light", "dark", "transparent")
"""What pages a picture may be for."""
PICTURES: Final = (".png", ".svg", ".pdf")
"""How the name of a file with pictures may end."""


def out(text: str) -> str:
    """Return the name of a file to be written.

    Raises:
        ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; is a variable not set?")
    return text


ADDRESS_RANGE: Final = re.compile(r"([0-9A-Fa-f.:]+)-([0-9A-Fa-f.:]+)")


def hosts(text: str) -> list[str]:
    """Return the networks that --host names: a list of addresses, networks and ranges."""
    return [network for part in text.split(",") for network in _networks(part.strip().strip("[]"))]


def _networks(text: str) -> list[str]:
    try:
        if between := ADDRESS_RANGE.fullmatch(text):
            first, last = map(ip_address, between.groups())
            if first.version == last.version and int(last) < int(first):
                raise argparse.ArgumentTypeError(f"{text} is not a range of addresses: it ends before it begins")
            return [str(each) for each in summarize_address_range(first, last)]
        ip_network(text, strict=False)
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text or 'nothing'} is not an address, a network or a range (names are not looked up)"
        ) from None
    return [text]


def ports(text: str) -> list[int]:
    """Return the port numbers of a list of numbers and ranges."""
    return [each for part in text.split(",") for each in _port_range(part.strip())]


def _port_range(text: str) -> range:
    first, dash, last = text.partition("-")
    if not dash:
        return range(port(first), port(first) + 1)
    if not (first and last):
        raise argparse.ArgumentTypeError(f"{text} is not a range of ports: write both ends, as in 8000-8099")
    if port(last) < port(first):
        raise argparse.ArgumentTypeError(f"{text} is not a range of ports: it ends before it begins")
    return range(port(first), port(last) + 1)


def port(text: str) -> int:
    """Return a port number."""
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_PORT):
        raise argparse.ArgumentTypeError(f"{text or 'nothing'} is not a port number")
    return int(text)


def count(text: str) -> int:
    """Return a number that was written as an option.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text or 'nothing'} is not a number from 0 on")
    return int(text)


def numbers(text: str) -> list[int]:
    """Return the numbers of a list with commas."""
    return [count(part) for part in text.split(",")]


def flows(text: str) -> list[int | FlowOf]:
    """Return the flows of a list with commas: numbers, some behind that of a capture and a colon.

    Raises:
        ArgumentTypeError: one is neither.
    """
    return [_flow(part) for part in text.split(",")]


def _flow(text: str) -> int | FlowOf:
    from analyzer.survey.selection import FlowOf

    capture, colon, number = text.partition(":")
    return FlowOf(count(capture), count(number)) if colon else count(text)
