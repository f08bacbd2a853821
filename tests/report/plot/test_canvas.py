"""What every picture shares."""

import io
import re

import pytest
from matplotlib.figure import Figure

from analyzer.report.plot import flow_figure, inline_svg, rendered
from analyzer.report.plot.canvas import (
    DOTS_PER_INCH,
    FORMATS,
    add_legend,
    add_title,
    axes_or_new,
    crowding,
    dress,
    put_marks,
)
from analyzer.report.plot.colours import THEMES, house_style
from analyzer.report.plot.symbols import HOLLOW, Mark
from tests import drawing
from tests.judging import captured

LIGHT = THEMES["light"]


def founding(**options):
    """The figure of the founding flow."""
    flows, start_ns = captured("founding_go_fin60.pcap")
    return flow_figure(flows[0], start_ns, **options)


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_same_flow_gives_the_same_bytes(fmt):
    """A picture made twice is the same file, so that one in a repository does not change by itself."""
    assert rendered([founding()], fmt) == rendered([founding()], fmt)


@pytest.mark.parametrize("fmt", ["png", "svg"])
def test_a_picture_is_what_matplotlib_saves(fmt):
    """To draw a figure once instead of twice changes no byte, and leaves the figure to be drawn in any other way."""
    figure, once = founding(), founding()
    content = rendered([once], fmt)
    saved = [io.BytesIO(), io.BytesIO()]
    with house_style():
        for each, stream in zip((figure, once), saved, strict=True):
            each.savefig(stream, format=fmt, dpi=DOTS_PER_INCH, metadata={"Date" if fmt == "svg" else "Software": None})

    assert [content, content] == [stream.getvalue() for stream in saved]


@pytest.mark.parametrize(("fmt", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_each_format_is_what_it_says(fmt, magic):
    """The bytes begin as files of that format do, and bear no date."""
    content = rendered([founding()], fmt)

    assert content.startswith(magic)
    assert not re.search(rb"CreationDate|dc:date", content)


def test_several_figures_are_pages():
    """A PDF has a page for each figure."""
    assert 3 == len(re.findall(rb"/Type /Page\b", rendered([founding()] * 3, "pdf")))


def test_words_in_an_svg_are_text():
    """An SVG can be searched and read aloud."""
    markup = rendered([founding()], "svg").decode()

    for word in ("CLOSE-WAIT", "FIN-WAIT-2", "RST 61.5 s after the FIN", "127.0.0.1:4001"):
        assert re.search(rf"<text[^>]*>{re.escape(word)}", markup)


def test_an_inline_svg_keeps_to_itself():
    """Every id in it and every reference to one bear the prefix, and nothing comes from elsewhere."""
    markup = inline_svg(founding(), "f0-")
    ids = re.findall(r'\bid="([^"]*)"', markup)
    references = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', markup)

    assert markup.startswith("<svg")
    assert ids
    assert all(name.startswith("f0-") for name in ids)
    assert references
    assert {one or other for one, other in references} <= set(ids)
    assert "<!DOCTYPE" not in markup


def test_a_figure_of_its_own_has_the_page_of_its_theme():
    """Without an Axes a figure is made, in the theme's colours."""
    axes = axes_or_new(None, (4, 3), THEMES["dark"])

    assert (4.0, 3.0) == tuple(axes.figure.get_size_inches())
    assert THEMES["dark"].page == "#{:02x}{:02x}{:02x}".format(
        *(round(255 * x) for x in axes.figure.get_facecolor()[:3])
    )


def test_only_spines_that_measure_are_drawn():
    """The frame is left and below."""
    axes = Figure().add_subplot()
    dress(axes, LIGHT)

    assert {"left", "bottom"} == {side for side, spine in axes.spines.items() if spine.get_visible()}


def test_crowded_marks_are_smaller():
    """The more marks stand side by side, the smaller they are, down to what can be seen."""
    axes = axes_or_new(None, (9.6, 3), LIGHT)
    scales = [crowding(axes, count) for count in (0, 10, 100, 1000, 10**6)]

    assert 1 == scales[0] == scales[1]
    assert scales == sorted(scales, reverse=True)
    assert scales[3] == scales[4] > 0.3


def test_a_hollow_mark_shows_the_page():
    """The face of a hollow mark is that of the page, or none."""
    for theme, opaque in (("light", True), ("transparent", False)):
        axes = Figure().add_subplot()
        put_marks(axes, {Mark("m", "o", 5.0, HOLLOW, "black"): [(0, 0)]}, THEMES[theme])

        assert opaque == (len(axes.collections[0].get_facecolor()) == 1)


def test_very_many_marks_become_pixels():
    """Thousands of marks would make an SVG that no viewer opens."""
    axes = Figure().add_subplot()
    put_marks(axes, {Mark("m", "o", 5.0, "black", "black"): [(n, 0) for n in range(6000)]}, LIGHT)

    assert axes.collections[0].get_rasterized()


@pytest.mark.parametrize("width", [9.6, 6.4, 4])
def test_a_legend_has_as_many_columns_as_fit(width):
    """The narrower the picture, the more rows, and nothing runs over the edge."""
    figure = Figure(figsize=(width, 3), layout="constrained")
    axes = figure.add_subplot()
    for number in range(9):
        axes.plot([0, 1], [0, 1], label=f"meaning number {number}")
    legend = add_legend(figure, [axes], [], LIGHT)

    assert 9 == len(legend.get_texts())
    assert [] == drawing.misplaced(figure)


def test_a_legend_is_in_order_and_without_repetition():
    """What two Axes share is explained once, in the given order."""
    figure = Figure()
    for axes in figure.subplots(2):
        axes.plot([0], [0], label="b")
        axes.plot([0], [0], label="a")
        axes.plot([0], [0], label="_hidden")

    assert ["a", "b"] == [text.get_text() for text in add_legend(figure, figure.axes, ["a", "b"], LIGHT).get_texts()]


def test_nothing_to_explain_no_legend():
    """An empty Axes has no legend."""
    axes = Figure().add_subplot()

    assert None is add_legend(axes, [axes], [], LIGHT)


def test_a_title_is_broken_into_lines_between_words():
    """A long headline takes several lines, and a number stays with its unit."""
    figure = Figure(figsize=(4, 3), layout="constrained")
    figure.add_subplot()
    add_title(figure, "The last drew a RST, 61.463 s after the FIN, " * 3, LIGHT)
    lines = figure.get_suptitle().split("\n")

    assert len(lines) > 1
    assert not any(line.startswith("s ") for line in lines)
    assert max(map(len, lines)) < 1.7 * min(map(len, lines))
    assert [] == drawing.misplaced(figure)
