"""How long a prober takes to notice that nothing answers, by the settings seen, and what would change it.

It must not say what the silence means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.tolerances import WHEEL_PERCENT
from analyzer.words import stacks
from analyzer.words.model import Line
from analyzer.words.teller import duration, number, setting

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding


def detection(f: Finding) -> Line | None:
    """Return how long noticing takes by the settings seen, or None if they are not known."""
    wait, interval, unanswered = (number(f, key) for key in ("wait_ns", "interval_ns", "unanswered"))
    if not (wait and interval):
        return None
    total = setting(wait + unanswered * interval)
    measured = f"; measured {duration(number(f, 'detection_ns'))}" if "detection_ns" in f.data else ""
    held = (
        " After an answered probe Linux waits for the longer of idle time and interval."
        if number(f, "idle_ns") not in {0, wait}
        else ""
    )
    expected_ns, detection_ns = wait + unanswered * interval, number(f, "detection_ns")
    early = 0 < detection_ns < expected_ns
    late = "" if early and stack_of(f) != stacks.ONE_OCTET else f" {stacks.lateness(stack_of(f))}"
    if detection_ns * 100 > expected_ns * WHEEL_PERCENT and stack_of(f) != stacks.ILLUMOS:
        late = (
            " That is later than late timers explain: a probe may be missing in this capture, or keepalive was set anew"
            " meanwhile."
        )
    text = (
        f"Expected from the inferred settings: {setting(wait)} to the first of these probes, then {unanswered} x"
        f" {setting(interval)}, which is {total}{measured}.{late}{held}"
    )
    return Line(text, f.frames)


def lost_once(f: Finding) -> Line | None:
    """Say that one lost packet was enough, where it was."""
    if number(f, "unanswered") != 1:
        return None
    text = "One unanswered probe was enough: a single lost packet (the probe, or its answer) ends the connection."
    return Line(text, f.frames)


def stack_of(f: Finding) -> str | None:
    """Return the family of the prober's TCP, or None."""
    return str(f.data["stack"]) if "stack" in f.data else None


def sooner(f: Finding) -> str | None:
    """Return advice that fits the prober's system, and the number of probes that it allowed."""
    stack = stack_of(f)
    if number(f, "peer_probes"):
        where = "each way" if "both" in f.data else "in one direction"
        return (
            f"Find out where packets are lost {where} (a filter, a route, a full queue): a capture at each end"
            " shows it. Keepalive settings only change how soon the loss is noticed."
        )
    if "belated_ns" in f.data:
        return (
            f"Give answers more time than {duration(number(f, 'belated_ns'))}, by a longer interval or a higher count,"
            " and find what holds packets back so long (a full queue, a radio link, a box on the way)."
        )
    if number(f, "unanswered") == 1:
        bound = " and, if it is set, TCP_USER_TIMEOUT" if stacks.has_user_timeout(stack) else ""
        return f"Raise the count (TCP_KEEPCNT){bound}, so that one lost packet does not end the connection."
    if stack == stacks.LINUX and number(f, "idle_ns") not in {0, number(f, "wait_ns")}:
        return (
            "If that was too slow, lower keepalive's interval or count. Here the interval is longer than the idle time,"
            " so the time to notice is interval + count x interval."
        )
    if stack == stacks.ONE_OCTET:
        return (
            "If it took too long, lower the idle time or the interval on the probing side (SIO_KEEPALIVE_VALS; newer"
            " Windows also TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT). Time to notice is idle + count x interval."
        )
    if stack == stacks.ILLUMOS:
        return (
            "If it took too long, lower the idle time (TCP_KEEPALIVE_THRESHOLD) or the time after which it gives up"
            " (TCP_KEEPALIVE_ABORT_THRESHOLD, 8 min by default) on the probing side. Time to notice is their sum."
        )
    return None
