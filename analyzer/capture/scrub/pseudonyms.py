"""``Pseudonyms``: another address for each address, by key, so that two with a common prefix still have one.

The method is that of Crypto-PAn: Xu, Fan, Ammar, Moon, *Prefix-Preserving IP Address Anonymization*, ICNP 2002, with
AES as its pseudorandom function, over IPv4, IPv6 and MAC addresses alike. Bit *i* of an address is turned over, or not,
as the first bit of AES says of the *i* bits before it. With one key an address has the same pseudonym in every file;
without it nobody can go back, but who knows some pairs knows the prefixes that they share with others (which is what
makes it useful, and its known weakness).

It is written here, on the AES of the package cryptography, because no package on the index fits: those that are
Crypto-PAn are from 2012 and unmaintained, and newer ones have methods of their own, leave loopback and multicast
addresses as they are, or send public addresses into private ranges. Two things depart from the authors' program:

* How bits are filled up to a block of AES. The program fills up with bits of a secret pad, so that the blocks of *i*
  and *i + 1* bits are often equal, and with them what is turned over: of addresses in 10.0.0.0/8 one in a thousand
  stays itself. Here a 1 stands before the bits (as in ipcrypt-pfx of draft-denis-ipcrypt), so that no two are equal.
* The ranges that mean something (RFC 6890: private, loopback, link-local, multicast ...) stay ranges. The bits that
  lead to one of them are not turned over, neither of its addresses nor of others that share them; so a public address
  stays public, and shows as many of its first bits as it shares with such a range, eight at most for nearly all.

This module must not know packets.
"""

from __future__ import annotations

import functools
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

KEY_OCTETS: Final = 32
HALVES: Final = 1 << 14
"""This many first halves of addresses are remembered."""

KEPT: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "255.255.255.255/32", "::/96", "::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "2001:db8::/32", "2002::/16",
    "fc00::/7", "fe80::/64", "fe80::/10", "ff00::/8", "ff02::/120", "ff02::1:ff00:0/104",
)  # fmt: skip
"""Ranges that stay ranges (RFC 6890, RFC 6052, RFC 4291 2.7)."""

MAC_BITS: Final = 48
MAC_KEPT: Final = ((0, 48), (0xFFFFFFFFFFFF, 48), (0x01005E000000, 25), (0x333300000000, 16), (0x0180C2000000, 44))
"""No address, broadcast, and groups that IP and bridges use: value and bits."""
MAC_MARKS: Final = 0x030000000000
"""Bits of a MAC address that stay: whether it is a group's, and whether it was made locally (IEEE 802 8.2)."""

_NETWORKS: Final = [ip_network(text) for text in KEPT]
_RANGES: Final = {
    32: [(int(net.network_address), net.prefixlen) for net in _NETWORKS if net.version == 4],
    128: [(int(net.network_address), net.prefixlen) for net in _NETWORKS if net.version == 6],
    MAC_BITS: MAC_KEPT,
}


class Pseudonyms:
    """Addresses for addresses, by one key."""

    def __init__(self, key: bytes) -> None:
        """Prepare; ``key`` has KEY_OCTETS octets.

        Raises:
            ValueError: it has not.
        """
        if len(key) != KEY_OCTETS:
            raise ValueError(f"the key has {len(key)} bytes; expected {KEY_OCTETS}")
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        # one for all: in this mode no block knows of those before it, and this is a pseudorandom function, no cipher
        self._encrypted = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor().update  # noqa: S305
        pads = self._encrypted(b"".join(bytes([*key[16:31], key[31] ^ bits]) for bits in _RANGES))
        self._pads = {bits: int.from_bytes(pads[16 * at : 16 * at + 16], "big") for at, bits in enumerate(_RANGES)}
        self._kept = {bits: _paths(ranges, bits) for bits, ranges in _RANGES.items()}
        # of many addresses the first halves are the same
        self._turned = functools.lru_cache(maxsize=HALVES)(self._bits_turned)

    def ipv4(self, address: int) -> int:
        """Return the pseudonym of an IPv4 address as a number."""
        return self._other(address, 32, self._kept[32])

    def ipv4_all(self, addresses: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the pseudonyms of many IPv4 addresses: what ``ipv4`` returns of each."""
        before = np.arange(32, dtype=np.uint64)
        first = addresses.astype(np.uint64)[:, None] >> (np.uint64(32) - before)
        blocks = np.empty((*first.shape, 2), dtype=">u8")
        blocks[..., 0] = self._pads[32] >> 64
        blocks[..., 1] = (first | (np.uint64(1) << before)) ^ np.uint64(self._pads[32] & 0xFFFFFFFFFFFFFFFF)
        drawn = np.frombuffer(self._encrypted(blocks.tobytes()), dtype=np.uint8).reshape(*first.shape, 16)
        turned = (drawn[..., 0] >> 7).astype(np.int64)
        for value, count in self._kept[32]:
            turned[first[:, count] == value, count] = 0
        turned_over: NDArray[np.int64] = (turned << np.arange(31, -1, -1)).sum(axis=1)
        return addresses ^ turned_over

    def ipv6(self, address: int) -> int:
        """Return the pseudonym of an IPv6 address as a number; that of a mapped IPv4 address is mapped."""
        if address >> 32 == 0xFFFF:
            return 0xFFFF << 32 | self.ipv4(address & 0xFFFFFFFF)
        return self._other(address, 128, self._kept[128])

    def mac(self, address: int) -> int:
        """Return the pseudonym of a MAC address as a number; a group's is a group's."""
        other = self._other(address, MAC_BITS, self._kept[MAC_BITS])
        return other ^ ((other ^ address) & MAC_MARKS)

    def ports(self) -> NDArray[np.int64]:
        """Return another number for each of 65,536 ports: below 1024, below 49152, and above, each among themselves."""
        blocks = np.zeros((65536, 16), dtype=np.uint8)
        blocks[:, 0] = 0x70  # apart from what addresses ask: of these the pad decides all later bits
        blocks[:, 14], blocks[:, 15] = np.arange(65536) >> 8, np.arange(65536) & 0xFF
        drawn = np.frombuffer(self._encrypted(blocks.tobytes()), dtype=np.uint64)[::2]
        others = np.arange(65536, dtype=np.int64)
        for low, high in ((1, 1024), (1024, 49152), (49152, 65536)):
            others[low:high] = low + np.argsort(drawn[low:high], kind="stable")
        return others

    def seconds(self, most: int) -> int:
        """Return a number of seconds below ``most``, the same for each file with this key."""
        return int.from_bytes(self._encrypted(b"\x71" + bytes(15))[:8], "big") % most

    def _other(self, address: int, bits: int, kept: frozenset[tuple[int, int]]) -> int:
        """Turn over the bits of an address as AES says of those before each."""
        half = bits // 2
        high = self._turned(address >> (bits - half) << (bits - half), 0, half, bits, kept)
        return address ^ high ^ self._bits_turned(address, half, bits, bits, kept)

    def _bits_turned(self, address: int, first: int, last: int, bits: int, kept: frozenset[tuple[int, int]]) -> int:
        """Return which bits of an address are turned over, of those from ``first`` to ``last``."""
        pad = self._pads[bits]
        drawn = self._encrypted(
            b"".join([(pad ^ (1 << count | address >> (bits - count))).to_bytes(16) for count in range(first, last)])
        )
        turned = 0
        for count, octet in zip(range(first, last), drawn[::16], strict=True):
            if octet >> 7 and (address >> (bits - count), count) not in kept:
                turned |= 1 << (bits - 1 - count)
        return turned


def _paths(ranges: Iterable[tuple[int, int]], bits: int) -> frozenset[tuple[int, int]]:
    """Return the beginnings, as (value, bits), behind which the next bit leads into one of these ranges or past it."""
    return frozenset((value >> (bits - count), count) for value, length in ranges for count in range(length))
