"""What changed on the way between two points, in words: addresses, hops, fields, options, data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.points import letter
from analyzer.track.flow import SIDES
from analyzer.words.model import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.vantage.joint import Change

OPTIONS: Final = {
    2: "the maximum segment size",
    3: "window scaling",
    4: "SACK permitted",
    5: "SACK",
    8: "timestamps",
    30: "Multipath TCP",
    34: "TCP Fast Open",
}


def change_lines(t: JointTeller) -> Iterator[Line]:
    """Yield what is another behind a point than before it."""
    first = t.flow.parts[0]
    for part in t.flow.parts[1:]:
        for side in SIDES:
            before = first.judged.record.endpoint(first.side(side))
            behind = part.judged.record.endpoint(part.side(side))
            if before != behind:
                whose = "An address" if t.initiator is None else f"The address of {t.name(side)}"
                one, other = letter(first.point), letter(part.point)
                frames = f"[frame {one} {first.judged.record.first_frame}, {other} {part.judged.record.first_frame}]"
                yield Line(f"{whose} was translated: {before} at point {one} is {behind} at point {other}. {frames}")
    for change in t.flow.changes:
        yield Line(_change_words(t, change))


def _change_words(t: JointTeller, change: Change) -> str:
    one, other = (letter(point) for point in change.points)
    sender, many = t.name(change.sender), f"{change.count} {'packet' if change.count == 1 else 'packets'}"
    frames = f" [frame {one} {change.frames[0]}, {other} {change.frames[1]}]" if change.frames else ""
    where = f"from {sender} between {one} and {other}"
    if change.what == "ttl" and change.before is not None and change.behind is not None:
        hops = change.before - change.behind
        if hops > 0:
            return f"{hops} {'router' if hops == 1 else 'routers'} passed on {many} {where}.{frames}"
        return f"The TTL of {many} {where} was raised from {change.before} to {change.behind}.{frames}"
    if change.what == "option_stripped":
        return f"The option {_option(change.option)} was taken out of {many} {where}.{frames}"
    if change.what == "option_added":
        return f"The option {_option(change.option)} was added to {many} {where}.{frames}"
    if change.what == "payload":
        return f"The data of {many} {where} was altered.{frames}"
    if change.what == "ip_id":
        return f"The IP ID of {many} {where} was changed.{frames}"
    names = {
        "mss": "maximum segment size",
        "window": "window",
        "window_scale": "window scale",
        "timestamps": "timestamp",
    }
    verb = "clamped" if change.what == "mss" and (change.before or 0) > (change.behind or 0) else "changed"
    values = f" (first from {change.before} to {change.behind})"
    return f"The {names[change.what]} of {many} {where} was {verb}{values}.{frames}"


def _option(kind: int | None) -> str:
    return OPTIONS.get(kind or 0, f"of kind {kind}")
