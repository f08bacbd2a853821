"""How even the spacing of a timer is, and what is too soon for a keepalive timer: numbers only.

It must not decide anything.
"""

from __future__ import annotations

from typing import Final

IDLE_NS: Final = 900_000_000
"""No keepalive timer is shorter (``rules.IDLE_LEAST_NS``)."""
EVEN: Final = 0.13
"""A timer wheel makes equal timers differ by up to an eighth (field guide 2.3), and then some SLACK_NS."""
SLACK_NS: Final = 50_000_000
