"""Frames become blocks: in order, with their time and length, as long as there is room and everything has a name."""

import importlib.util

import numpy as np
import pytest

from analyzer.capture.frame import FRAME
from analyzer.capture.scrub import frames as module
from analyzer.capture.scrub.layers import COUNTER_COUNT, OF_INTERFACE, OF_IP
from analyzer.capture.scrub.table import Names
from analyzer.loops.loop import thaw
from analyzer.segment import MAPPED_IPV4
from tests.capture import craft


def run(octets, *, room, link_type=101, names=None):
    """Scrub two frames that are the same; returns what the loop does."""
    table = np.zeros(2, dtype=FRAME)
    table["captured"] = table["original"] = len(octets)
    table["link_type"], table["ts_ns"] = link_type, (1 << 33, 5)
    names = names or Names(COUNTER_COUNT, jit=False)
    out = bytearray(room)
    done = module.scrub.plain(
        {"octet": octets}, thaw(table, jit=False), 0, 2, 7, out, room, names.rows, list(range(65536)), names.state
    )
    return done, out, names


def test_what_has_no_name_stops_the_loop():
    """The loop stops at what it misses, and goes on when that has a name."""
    frame = craft.ipv4(craft.tcp())
    done, _, names = run(frame, room=1000)
    assert ((0, 0, module.MISSED), OF_INTERFACE) == (done, names.missed[0])
    names.give(0, 3)
    for _ in range(2):
        done, _, _ = run(frame, room=1000, names=names)
        assert (0, 0, module.MISSED) == done
        names.give(0, 1)
    done, out, _ = run(frame, room=1000, names=names)

    assert (2, 2 * (module.BLOCK + 40), module.DONE) == done
    assert "06000000480000000300000002000000070000002800000028000000" == out[:28].hex()


def test_no_room():
    """A block that might not fit is not begun."""
    frame = craft.ipv4(craft.tcp())

    assert (0, 0, module.FULL) == run(frame, room=module.BLOCK + len(frame) + module.MORE - 1)[0]


def test_what_only_scapy_takes_apart():
    """Frames of other link types are left to who asks scapy."""
    assert (0, 0, module.DEFERRED) == run(bytes(40), room=1000, link_type=127)[0]


@pytest.mark.skipif(not importlib.util.find_spec("numba"), reason="numba is not installed")
def test_compiled_loops_write_the_same():
    """Plain and compiled loops write the same file."""
    from tests.capture.scrub.scrubbing import scrub_file
    from tests.fuzz import seeds

    for octets in seeds.captures() + seeds.pcap_files() + seeds.pcapng_files():
        plain, compiled = (scrub_file(octets, jit=jit) for jit in (False, True))
        assert plain == compiled


def test_addresses_without_a_name_are_listed_ahead():
    """Of IPv4 packets that ``scrub`` would stop at, both addresses; not those with a name, nor of what is no packet."""
    packets = [craft.ipv4(craft.tcp()), craft.ipv4(craft.tcp(), src=bytes((10, 9, 8, 7))), b"\x45", b"\x60" + bytes(39)]
    table = np.zeros(len(packets), dtype=FRAME)
    table["at"] = np.cumsum([0, *map(len, packets[:-1])])
    table["captured"] = table["original"] = [len(packet) for packet in packets]
    table["link_type"] = 101
    names = Names(COUNTER_COUNT, jit=False)
    ends = [int.from_bytes(packets[0][at : at + 4], "big") for at in (12, 16)]
    other = int.from_bytes(packets[1][12:16], "big")

    def listed():
        found = [0] * (2 * len(packets))
        rows = thaw(table, jit=False)
        data = {"octet": b"".join(packets)}
        return found[: module.unnamed.plain(data, rows, len(packets), names.rows, names.state, found)]

    assert [*ends, other, ends[1]] == listed()
    names.give_all(OF_IP, MAPPED_IPV4 + np.array(ends), np.array([1, 2]))
    assert [other] == listed()
