"""RFC 9293 section 3.4: arithmetic on sequence numbers modulo 2**32, and unwrapping to 64 bits.

The tracker unwraps each sequence and acknowledgement number once, next to the last known one of the same
direction; after that everything compares and subtracts plainly.
"""

from __future__ import annotations

from typing import Final

from analyzer.loops.loop import loop

SPACE: Final = 1 << 32
HALF: Final = 1 << 31
UNKNOWN: Final = -1
"""An unwrapped number that nothing is known of; unwrapped numbers are never negative."""


@loop
def unwrap(value: int, near: int) -> int:
    """Return the 64-bit number congruent to ``value`` (mod 2**32) closest to ``near``.

    With ``near`` unknown the number is placed one turn up, so that going back a little stays positive.
    """
    if near < 0:
        return value + 4294967296
    step = (value - near) & 0xFFFFFFFF
    if step >= 0x80000000:
        step -= 0x100000000
    return near + step


def before(left: int, right: int) -> bool:
    """Say whether ``left`` precedes ``right`` modulo 2**32."""
    return left != right and (right - left) % SPACE < HALF


def after(left: int, right: int) -> bool:
    """Say whether ``left`` follows ``right`` modulo 2**32."""
    return before(right, left)
