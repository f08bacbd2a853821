"""What trials say about a limit of idle time, in a sentence with numbers.

It must not decide whether there is a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.units import NS_PER_S
from analyzer.words.teller import capital, count

if TYPE_CHECKING:
    from analyzer.survey.limits import IdleLimit, Trial


def limit_name(limit: IdleLimit) -> str:
    """Return what a limit holds for."""
    hosts = limit.hosts or ("", "")
    what = f"connections to {limit.service}" if limit.service else f"connections between {hosts[0]} and {hosts[1]}"
    return f"half-closed {what}" if limit.half_closed else what


def limit_sentence(limit: IdleLimit) -> str:
    """Return what trials say: the bounds, the trials, which known boxes fit, what to do; or that no limit shows."""
    assert limit.longest is not None
    if not limit.is_hard:
        return _no_limit(limit, limit.longest)
    longer, shorter = (f"{ns / NS_PER_S:,.3f} s" for ns in (limit.shortest.ns, limit.longest.ns))
    went_on, failed = (count(trial.count, "flow") for trial in (limit.longest, limit.shortest))
    if limit.overlaps:
        text = (
            f"{capital(limit_name(limit))} do not survive more than {shorter} of silence, and do survive less than"
            f" {longer}: {went_on} went on, {failed} failed. Between these two some failed and some went on, as where"
            " a box forgets by a timer that runs in steps, and is late by up to an eighth."
        )
    else:
        text = (
            f"{capital(limit_name(limit))} do not survive {longer} of silence, and do survive {shorter}:"
            f" {went_on} went on after shorter silences, {failed} failed after longer ones."
        )
    if limit.failed_later:
        text += (
            " All that failed ended after all that went on, so a host or a way that failed meanwhile would look the"
            " same: a connection that goes on later would tell."
        )
    if limit.fits:
        boxes = ", ".join(f"{box.name} ({box.idle_s:,} s)" for box in limit.fits)
        text += f" {'A limit there would fit' if limit.failed_later else 'That fits'} {boxes}."
    if limit.advised_s is not None:
        if_so = "If it is a limit, probe" if limit.failed_later else "Probe"
        text += f" {if_so} every {limit.advised_s:,} s or more often, or raise the limit."
    return text


def _no_limit(limit: IdleLimit, longest: Trial) -> str:
    """Return why trials show no limit: one that some flows survive is none."""
    short, long = (f"{ns / NS_PER_S:,.3f} s" for ns in (limit.shortest.ns, longest.ns))
    return (
        f"No limit of idle time shows on {limit_name(limit)}: {count(limit.shortest.count, 'flow')} failed, one after"
        f" {short} of silence, but others went on after up to {long}."
    )
