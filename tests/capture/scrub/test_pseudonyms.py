"""Pseudonyms are Crypto-PAn's, but that ranges which mean something stay ranges."""

from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.scrub.pseudonyms import KEPT, Pseudonyms

MADE = Pseudonyms(bytes(range(32)))


def of(text, names=MADE):
    """The pseudonym of an address, as text."""
    address = ip_address(text)
    return str(type(address)((names.ipv4 if address.version == 4 else names.ipv6)(int(address))))


def by_the_paper(address, bits, key):
    """Crypto-PAn's definition, a bit at a time: each is turned over as AES says of those before it, behind a 1."""
    cipher = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor()
    pad = int.from_bytes(cipher.update(bytes([*key[16:31], key[31] ^ bits])), "big")
    made = ""
    for count, bit in enumerate(f"{address:0{bits}b}"):
        before = "1" + f"{address:0{bits}b}"[:count]
        drawn = cipher.update((int(before, 2) ^ pad).to_bytes(16, "big"))
        made += str(int(bit) ^ drawn[0] >> 7)
    return int(made, 2)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40))
def test_many_at_once_are_those_of_each(drawn):
    """Of many IPv4 addresses each has the pseudonym that it has alone, in and beside the ranges that are kept."""
    edges = [int(ip_network(text)[at]) for text in KEPT if ":" not in text for at in (0, -1)]
    addresses = np.array([*drawn, *edges, *(max(edge - 1, 0) for edge in edges)], dtype=np.int64)

    assert [MADE.ipv4(int(address)) for address in addresses] == MADE.ipv4_all(addresses).tolist()


@given(st.sampled_from([32, 48, 128]), st.data())
def test_the_definition(bits, data):
    """Where no range is kept, a pseudonym is what the definition says."""
    address = data.draw(st.integers(0, 2**bits - 1))
    names = Pseudonyms(bytes(range(32)))
    kept = frozenset()

    assert by_the_paper(address, bits, bytes(range(32))) == names._other(address, bits, kept)


def test_no_host_stays_itself():
    """Of many hosts of one network none has itself for a pseudonym, whatever the key."""
    keys = [bytes([at]) * 32 for at in range(50)]
    hosts = [10 << 24 | at * 2654435761 % (1 << 24) for at in range(100)]

    assert [] == [
        (key, host) for key in keys for name in (Pseudonyms(key),) for host in hosts if name.ipv4(host) == host
    ]


def common(one, other, bits):
    """How many leading bits two numbers share."""
    return bits - (one ^ other).bit_length()


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_ipv4_prefixes_stay(one, other):
    """Two addresses have pseudonyms with as many common first bits as they have."""
    assert common(one, other, 32) == common(MADE.ipv4(one), MADE.ipv4(other), 32)


@given(st.integers(0, 2**128 - 1), st.integers(0, 127))
def test_ipv6_prefixes_stay(one, bit):
    """So have two of IPv6."""
    other = one ^ 1 << bit

    assert 127 - bit == common(MADE.ipv6(one), MADE.ipv6(other), 128) or one >> 32 == 0xFFFF or other >> 32 == 0xFFFF


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1))
def test_mac_prefixes_and_marks_stay(one, other):
    """So have two MAC addresses, and a group's or locally made one stays such."""
    assert common(one, other, 48) == common(MADE.mac(one), MADE.mac(other), 48)
    assert (one >> 40) & 3 == (MADE.mac(one) >> 40) & 3


@pytest.mark.parametrize("text", KEPT)
def test_ranges_that_mean_something_stay(text):
    """The pseudonym of an address of a kept range is in it, and of one beside it is not."""
    net = ip_network(text)
    inside = [int(net.network_address), int(net.broadcast_address)]
    beside = int(net.network_address) ^ 1 << (net.max_prefixlen - max(net.prefixlen, 1))
    pseudonym = MADE.ipv4 if net.version == 4 else MADE.ipv6

    assert all(type(net.network_address)(pseudonym(address)) in net for address in inside)
    assert type(net.network_address)(pseudonym(beside)) not in net


def test_addresses_that_are_nobodys():
    """Loopback of IPv6, no address, and broadcast are themselves."""
    assert ["::1", "::", "255.255.255.255"] == [of(text) for text in ("::1", "::", "255.255.255.255")]
    assert [0, 2**48 - 1] == [MADE.mac(address) for address in (0, 2**48 - 1)]


def test_mapped_addresses_agree_with_their_own():
    """An IPv4 address in IPv6 has the pseudonym that it has in IPv4."""
    address = int(ip_address("8.8.8.8"))

    assert 0xFFFF << 32 | MADE.ipv4(address) == MADE.ipv6(0xFFFF << 32 | address)


def test_a_key_decides():
    """One key gives the same pseudonyms again, another one others."""
    again, other = Pseudonyms(bytes(range(32))), Pseudonyms(bytes(range(1, 33)))
    addresses = [f"10.{n}.{n * 7 % 256}.{n * 13 % 256}" for n in range(32)]

    assert [of(each) for each in addresses] == [of(each, again) for each in addresses]
    assert [of(each) for each in addresses] != [of(each, other) for each in addresses]


def test_a_key_has_a_length():
    """A key of another length is refused."""
    with pytest.raises(ValueError, match="the key has 3 bytes; expected 32"):
        Pseudonyms(b"abc")


def test_ports_stay_of_their_kind():
    """Every port gets another number once, below 1024, below 49152 or above as before; 0 stays."""
    ports = MADE.ports().tolist()

    assert list(range(65536)) == sorted(ports)
    assert 0 == ports[0]
    assert list(range(1, 1024)) == sorted(ports[1:1024])
    assert list(range(49152, 65536)) == sorted(ports[49152:])


def test_seconds_are_the_keys():
    """A shift is below its limit, and the same for a key."""
    assert 0 <= MADE.seconds(1000) < 1000
    assert MADE.seconds(10**9) == Pseudonyms(bytes(range(32))).seconds(10**9)
