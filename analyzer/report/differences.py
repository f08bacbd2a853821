"""What Wireshark says beside what we say: as text, and as JSON.

The table lists single frames, the paragraphs below say why, class by class.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from analyzer.report.screen import columns, printable
from analyzer.words.teller import frames_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.report.screen import Screen
    from analyzer.wireshark.comparison import Comparison, Difference

Object = dict[str, Any]

NOTHING: Final = "-"
FLOWS_NAMED: Final = 6
"""Of so many flows the frames are named below a class."""
ASIDE: Final = ("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order", "duplicate_ack")
STYLES: Final = {"ours": "good", "wireshark": "bad", "undecided": "warning"}


def text(comparison: Comparison, name: str, screen: Screen, *, limit: int) -> Iterator[str]:
    """Yield the lines: counts, differences (at most ``limit``, 0 for all), and why."""
    version = ".".join(map(str, comparison.labels.version))
    yield screen.paint(f"{printable(name)}: keepalive beside Wireshark {version}", "heading")
    yield ""
    yield from _counts(comparison, screen)
    if comparison.differences:
        yield from _table(comparison.differences, screen, limit)
        yield from _classes(comparison, screen)
    yield from _sums(comparison, screen)


def write_json(comparison: Comparison, write: Callable[[str], object]) -> None:
    """Write one object, difference by difference."""
    write('{"differences": [')
    separator = "\n  "
    for each in comparison.differences:
        write(separator + json.dumps(difference_object(each)))
        separator = ",\n  "
    rest = {
        "classes": {
            row.name: {
                "frames": len(found),
                "right": row.right.value,
                "reason": row.reason,
                "known": row.known,
            }
            for row, found in comparison.classes()
        },
        "unclassified": comparison.unclassified,
        "beside": [
            {"ours": ours, "wireshark": theirs, "frames": count}
            for (ours, theirs), count in comparison.beside.most_common()
        ],
        "labels": comparison.labels.counts(),
        "tshark": ".".join(map(str, comparison.labels.version)),
    }
    write("],\n" + json.dumps(rest)[1:] + "\n")


def difference_object(each: Difference) -> Object:
    """Return one difference."""
    return {
        "frame": each.frame,
        "flow": each.flow,
        "ours": each.ours,
        "wireshark": each.wireshark,
        "class": each.row.name if each.row else None,
        "right": each.right.value,
        "why": each.why,
    }


def _counts(comparison: Comparison, screen: Screen) -> Iterator[str]:
    """Yield how many frames had which of our words and which of Wireshark's labels."""
    rows = [(ours or NOTHING, theirs or NOTHING, count) for (ours, theirs), count in comparison.beside.most_common()]
    if not rows:
        yield from screen.wrap(
            "Neither sees a keepalive, a window probe, or anything that looks like one.", indent="  "
        )
        yield ""
        return
    widths = [max(len(str(row[at])) for row in (("OURS", "WIRESHARK", "FRAMES"), *rows)) for at in range(3)]
    yield "  " + screen.paint(
        columns((("OURS", widths[0]), ("WIRESHARK", widths[1]), ("FRAMES", -widths[2]))), "heading"
    )
    for ours, theirs, count in rows:
        yield "  " + columns(((ours, widths[0]), (theirs, widths[1]), (f"{count:,}", -widths[2])))
    yield ""


def _table(differences: list[Difference], screen: Screen, limit: int) -> Iterator[str]:
    shown = differences[:limit] if limit else differences
    cells = [
        (
            NOTHING if each.flow is None else str(each.flow),
            str(each.frame),
            each.ours or NOTHING,
            each.wireshark or NOTHING,
            each.right.value,
            each.row.name if each.row else "UNCLASSIFIED",
        )
        for each in shown
    ]
    heads = ("FLOW", "FRAME", "OURS", "WIRESHARK", "RIGHT", "CLASS")
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    sides = (-1, -1, 1, 1, 1, 1)
    yield "  " + screen.paint(
        columns((head, side * width) for head, side, width in zip(heads, sides, widths, strict=True)), "heading"
    )
    for row in cells:
        painted = [screen.paint(cell.ljust(width), None) for cell, width in zip(row, widths, strict=True)]
        painted[0], painted[1] = row[0].rjust(widths[0]), row[1].rjust(widths[1])
        painted[4] = screen.paint(row[4].ljust(widths[4]), STYLES[row[4]])
        yield ("  " + "  ".join(painted)).rstrip()
    if len(differences) > len(shown):
        more = len(differences) - len(shown)
        yield from screen.wrap(
            f"{more:,} more; --limit 0 lists all, --flow N those of a flow.", indent="  ", style="dim"
        )
    yield ""


def _classes(comparison: Comparison, screen: Screen) -> Iterator[str]:
    """Yield why, class by class, with the frames."""
    for row, found in comparison.classes():
        head = f"{row.name}: {len(found):,} {'frame' if len(found) == 1 else 'frames'}, right: "
        yield screen.paint(head, "heading") + screen.paint(row.right.value, STYLES[row.right.value])
        yield from screen.wrap(row.reason, indent="  ")
        yield from screen.wrap(f"How we know: {row.known}", indent="  ")
        flows: dict[int | None, list[int]] = {}
        for each in found:
            flows.setdefault(each.flow, []).append(each.frame)
        named = [
            f"{'no flow' if flow is None else f'flow {flow}'}: {frames_text(frames)}"
            for flow, frames in list(flows.items())[:FLOWS_NAMED]
        ]
        more = len(flows) - FLOWS_NAMED
        rest = f"; and {more:,} more {'flow' if more == 1 else 'flows'}" if more > 0 else ""
        yield from screen.wrap(f"Frames of {'; '.join(named)}{rest}.", indent="  ", style="dim")
        yield ""


def _sums(comparison: Comparison, screen: Screen) -> Iterator[str]:
    compared = sum(comparison.beside.values())
    differences = len(comparison.differences)
    right = {word: sum(each.right.value == word for each in comparison.differences) for word in STYLES}
    said = f"{compared:,} frames compared, {compared - differences:,} the same, {differences:,} different"
    if differences:
        said += (
            f": ours right in {right['ours']:,}, Wireshark in {right['wireshark']:,}, undecided {right['undecided']:,}"
        )
    yield from screen.wrap(f"{said}; unclassified: {comparison.unclassified:,}.")
    aside = ", ".join(f"{name} {count:,}" for name, count in comparison.labels.counts().items() if name in ASIDE)
    if aside:
        yield from screen.wrap(f"Wireshark's labels of ordinary loss, all frames: {aside}.", style="dim")
