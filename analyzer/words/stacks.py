"""What a family of TCP implementations is called, how it was told, and what differs for its programs.

Words only: which family it is, ``judge.timers.stack`` infers. Where it is not known, the words fit every family.
"""

from __future__ import annotations

from typing import Final

from analyzer.judge.signatures import Stack

LINUX: Final = Stack.LINUX.value
XNU: Final = Stack.XNU.value
ONE_OCTET: Final = Stack.ONE_OCTET.value
ILLUMOS: Final = Stack.ILLUMOS.value

TOLD_BY: Final = {
    LINUX: "probably Linux: after an answered probe it waits for the longer of idle time and interval, or its peer's"
    " probes do not restart its timer",
    XNU: "macOS, from the form of its probes: a bare header of 20 bytes on a connection with timestamps",
    ONE_OCTET: "Windows (or illumos), from the form of its probes: one byte that was acknowledged before",
    ILLUMOS: "illumos or Solaris, from the form and rhythm of its probes: one byte that was acknowledged before, sent"
    " again after twice the time, as a retransmission is",
}
"""What a prober's family is and how that was told from its probes."""


def has_user_timeout(stack: str | None) -> bool:
    """Say whether TCP_USER_TIMEOUT may be what ended it: only Linux lets it replace the count (field guide 2.4)."""
    return stack in {None, LINUX}


def lateness(stack: str | None) -> str:
    """Return how late its timers run, as a sentence."""
    if stack == XNU:
        return "macOS gathers timers, which makes them up to half a second late."
    if stack == ONE_OCTET:
        return "Windows' timers run some milliseconds early or late."
    if stack == ILLUMOS:
        return "illumos waits twice as long each time."
    return "Linux timers run late by up to an eighth."


def count_doubt(stack: str | None, seen: int) -> str | None:
    """Return why the number of unanswered probes may not be the count that was set, or None if it is."""
    if has_user_timeout(stack):
        return (
            f"Whether {seen} is really the count that was set (TCP_KEEPCNT): on Linux a TCP_USER_TIMEOUT overrides it."
        )
    if stack == ONE_OCTET:
        return (
            f"Whether {seen} was set: Windows before version 10 always allows 10 probes, newer ones have TCP_KEEPCNT."
        )
    if stack == ILLUMOS:
        return "Whether a time was set: illumos counts no probes, and gives up after 8 min unless told otherwise."
    return None


def gives_up_at(stack: str | None) -> str:
    """Return after how many unanswered probes a kernel gives up by default."""
    if stack == ILLUMOS:
        return "illumos gives up after 8 min, unless set"
    known = {LINUX: "Linux gives up at 9, unless set", XNU: "macOS gives up at 8, unless set"}
    return known.get(stack or "", "a kernel gives up at 9 on Linux, at 8 on macOS, unless set")


def gave_up_error(stack: str | None) -> str:
    """Return what read and write return once this end has given up, behind its name."""
    if stack == ONE_OCTET:
        return ", read or write after it gave up: an error, not end of file (WSAENETRESET, by Windows' documents)."
    if stack == ILLUMOS:
        return ", read or write after it gave up: ETIMEDOUT, not end of file (by illumos' source)."
    return (
        ", read or write after it gave up: ETIMEDOUT once, not end of file (Linux and macOS). Then read returns end of"
        " file, and write fails with EPIPE."
    )
