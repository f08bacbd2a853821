"""How far a packet has come, by its TTL: what packets begin with, and over how many routers one passed.

It must not know whose packet it is, or what follows from that.
"""

from __future__ import annotations

from typing import Final

from analyzer.loops.loop import loop

INITIAL_TTLS: Final = (32, 64, 128, 255)
"""What packets begin with, 32 only those of old systems. One that still has such a TTL has passed no router."""
FULL_TTLS: Final = frozenset(INITIAL_TTLS[1:])
"""The same but for old systems: 32 may as well be 64 behind many routers."""


@loop
def hops(ttl: int) -> int:
    """Return over how many routers a packet came: initial TTLs are 64, 128 and 255 (RFC 1700, RFC 9293 3.9.2.1)."""
    if ttl <= 64:
        return 64 - ttl
    return 128 - ttl if ttl <= 128 else 255 - ttl
