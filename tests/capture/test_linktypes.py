import pytest

from analyzer.capture.link import FAST_LINK_TYPES
from analyzer.capture.linktypes import NAMES, link_name


@pytest.mark.parametrize(
    ("link_type", "name"),
    [(0, "NULL"), (1, "EN10MB"), (12, "RAW"), (101, "RAW"), (108, "LOOP"), (113, "LINUX_SLL"), (276, "LINUX_SLL2")],
)
def test_names_are_those_of_tcpdump(link_type, name):
    """Link types are named as tcpdump prints them."""
    assert name == link_name(link_type)


def test_a_number_without_a_name():
    """A link type without a name keeps its number."""
    assert "LINKTYPE_147" == link_name(147)


def test_what_is_decoded_has_a_name():
    """Every link type that is decoded here has a name."""
    assert set() == FAST_LINK_TYPES - set(NAMES)
