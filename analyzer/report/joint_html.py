"""``keepalive join --html``: points, stories and ladders as one HTML file that needs nothing else.

What comes from packets and file names reaches the page only through jinja2's autoescape. The page runs no script and
loads nothing (Content-Security-Policy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.explain.halves import halves_story, proxy_words
from analyzer.explain.joined import joint_story
from analyzer.explain.points import letter, lone_words
from analyzer.report.html import environment, source
from analyzer.report.joint_text import alone, point_words, quiet_words
from analyzer.report.screen import printable
from analyzer.report.story_text import when_text
from analyzer.units import format_instant
from analyzer.words.teller import count

if TYPE_CHECKING:
    from analyzer.vantage.joint import Joined

TOLD: Final = 30
"""Maximum number of connections that are told with a picture."""
LONE: Final = 100


def page(joined: Joined, *, limit: int | None = None, flows: tuple[int, ...] = ()) -> str:
    """Return the page; ``limit`` is how many connections are told, ``flows`` which alone."""
    from markupsafe import Markup

    from analyzer.report.plot import inline_svg, ladder_figure

    start_ns = joined.zero
    eventful = sorted(set(flows)) or joined.eventful
    told = eventful[: len(eventful) if limit == 0 else limit or TOLD]
    shown: list[dict[str, Any]] = []
    for flow in joined.each(told):
        figure = ladder_figure(flow, joined.points, start_ns, theme="transparent", title=False)
        picture = Markup(inline_svg(figure, f"c{flow.number}-"))  # noqa: S704 - matplotlib escapes what it writes
        told_of = joint_story(flow, joined.points, start_ns)
        shown.append(
            {"number": flow.number, "story": told_of, "picture": picture, "more": proxy_words(joined, flow.number)}
        )
    rest = []
    unlisted = 0 if flows else joined.more
    if more := len(eventful) + unlisted - len(told):
        rest.append(f"{count(more, 'more connection')} {'has' if more == 1 else 'have'} something to tell.")
    if quiet := 0 if flows else len(joined.flows) - len(eventful) - unlisted:
        rest.append(quiet_words(quiet))
    if not flows:
        lone = alone(joined)
        rest += [f"{printable(lone_words(each))}." for each in lone[:LONE]]
        if len(lone) > LONE:
            rest.append(f"{len(lone) - LONE} more flows were seen at one point only.")
    points = [point_words(joined.points, number) for number in range(len(joined.points))]
    if when := when_text(start_ns, letter(0)):
        points.append(when)
    return (
        environment()
        .get_template("join.html")
        .render(
            title="TCP keepalive: "
            + ", ".join(printable(path) for path in list(dict.fromkeys(point.path for point in joined.points))[:3]),
            style=source("style.css"),
            points=points,
            notes=[printable(note) for note in joined.notes],
            flows=shown,
            halves=[
                halves_story(joined, pair)
                for pair in joined.halves
                if not flows or {pair.front.joint, pair.back.joint} & set(flows)
            ],
            rest=rest,
            said=lambda at_ns: format_instant(start_ns + at_ns, start_ns),
        )
    )
