"""The picture of silences by service."""

import pytest
from matplotlib.collections import LineCollection

from analyzer.report.plot import Silences, idle_limits_figure
from analyzer.report.plot.histogram import LIMIT
from analyzer.report.plot.limits import BETWEEN, DIED, ORDER, SURVIVED
from analyzer.survey.limits import Trial
from tests import drawing
from tests.words.test_idle_limits import S, limit

HARD = Silences(limit(shortest=Trial(130 * S, 4, 5, 6, 7)), [5 * S, 60 * S, 100 * S], [130 * S, 700 * S])
NONE = Silences(limit(shortest=Trial(50 * S, 4, 5, 6, 7)), [5 * S, 100 * S], [50 * S])


def ticks(axes):
    """How many ticks of each meaning there are, and where they begin and end."""
    lines = [each for each in axes.collections if isinstance(each, LineCollection)]
    return {each.get_label(): [segment.tolist() for segment in each.get_segments()] for each in lines}


def test_silences_are_ticks_above_and_below():
    """Each flow is a tick at its silence: above the line of its service if it was survived, else below."""
    (axes,) = idle_limits_figure([HARD]).axes
    found = ticks(axes)

    assert [5, 60, 100] == [segment[0][0] for segment in found[SURVIVED]]
    assert [130, 700] == [segment[0][0] for segment in found[DIED]]
    assert all(end < start for (_, start), (_, end) in found[SURVIVED])
    assert all(end > start for (_, start), (_, end) in found[DIED])


@pytest.mark.parametrize("theme", ["light", "dark", "transparent"])
def test_bounds_and_known_limits_are_marked(theme):
    """The legend explains ticks, bounds and known limits, each once; the limit that fits is named."""
    figure = idle_limits_figure([HARD, NONE], theme=theme)
    (axes,) = figure.axes
    meanings = [meaning for meaning in axes.get_legend_handles_labels()[1] if meaning in ORDER]
    said = drawing.said(figure)

    assert sorted(meanings) == sorted([SURVIVED, DIED, BETWEEN, LIMIT])
    assert any("do not survive 130.000\N{NO-BREAK SPACE}s" in words for words in said)
    assert "10.0.0.2:80" in said
    assert "1 min" in said


def test_a_limit_that_fits_is_named():
    """A known limit between the bounds is named in full over the rows."""
    half = limit(half_closed=True)
    said = drawing.said(idle_limits_figure([Silences(half, [100 * S], [130 * S])]))

    assert any(words.startswith("fits 2 min: Linux conntrack, FIN seen") for words in said)


def test_where_no_limit_shows_the_title_says_so():
    """Without a hard limit nothing is shaded, and the title claims none."""
    figure = idle_limits_figure([NONE])

    assert "No limit of idle time shows" in drawing.said(figure)
    assert BETWEEN not in figure.axes[0].get_legend_handles_labels()[1]
