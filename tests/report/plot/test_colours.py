"""Themes and settings."""

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb

from analyzer.judge.connection import State
from analyzer.judge.verdict import SEVERITIES, Severity, Verdict
from analyzer.report.plot import colours, endings


def luminance(color):
    """Relative luminance, as WCAG 2 defines it."""
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one, other):
    """Contrast ratio of two colours, as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("theme", "page", "least"),
    [("light", "white", 7), ("dark", "#0d1117", 7), ("transparent", "white", 4), ("transparent", "#0d1117", 4)],
)
def test_words_can_be_read_on_the_page(theme, page, least):
    """The ink of a theme stands out from the pages it is meant for."""
    assert contrast(colours.THEMES[theme].ink, page) > least


def test_every_ending_has_its_own_shape():
    """No two verdicts share a marker: colour alone tells nothing."""
    assert set(Verdict) == set(colours.ENDINGS)
    assert len(colours.ENDINGS) == len({shape for _, shape in colours.ENDINGS.values()})


def test_bands_are_those_of_states():
    """Half-closed states are filled most strongly."""
    strongest = max(weight for _, weight in colours.BANDS.values())

    assert {State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT} == {
        state for state, (_, weight) in colours.BANDS.items() if weight == strongest
    }


@pytest.mark.parametrize("verdict", colours.ENDINGS)
def test_an_ending_stands_out_on_a_dark_page(verdict):
    """Every ending's mark, as faint as it is drawn, has a contrast of 3 to 1 with the dark page (WCAG 2 1.4.11)."""
    page = to_rgb(colours.THEMES["dark"].page)
    opacity = endings.HEALTHY if SEVERITIES[verdict] is Severity.GOOD else 1.0
    drawn = [opacity * c + (1 - opacity) * p for c, p in zip(to_rgb(colours.ENDINGS[verdict][0]), page, strict=True)]

    assert (luminance(drawn) + 0.05) / (luminance(page) + 0.05) >= 3


def test_settings_are_put_back():
    """The house style holds for a while and leaves the caller's settings as they were."""
    before = dict(mpl.rcParams)

    with colours.house_style():
        assert "none" == mpl.rcParams["svg.fonttype"]

    assert before == dict(mpl.rcParams)


def test_an_unknown_theme_is_refused_with_those_there_are():
    """A theme that does not exist is an error that names the others."""
    with pytest.raises(ValueError, match="no theme 'sepia'; there are light, dark, transparent"):
        colours.themed("sepia")
