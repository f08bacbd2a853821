"""The endings of many flows are one readable picture: a row a service, the worst first, alike ones together."""

from analyzer.judge.verdict import Verdict
from analyzer.report.plot import Ended, endings_figure, inline_svg
from analyzer.report.plot.endings import COLUMNS, MOST_ROWS


def many(services, flows=4, verdict=Verdict.CLOSED):
    """Endings of so many services, a minute apart."""
    return [
        Ended(f"10.0.0.{number}:443", at * 60_000_000_000, verdict) for number in range(services) for at in range(flows)
    ]


def names(figure):
    """What stands beside the rows."""
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_services_with_deaths_come_first():
    """A service whose flows died stands above one that leaks, and that above a healthy one, whatever their numbers."""
    ended = [
        *many(1, 50),
        Ended("10.0.0.8:443", 0, Verdict.HALF_CLOSED),
        Ended("10.0.0.9:443", 0, Verdict.SILENT),
    ]

    assert ["10.0.0.9:443  (1)", "10.0.0.8:443  (1)", "10.0.0.0:443  (50)"] == names(endings_figure(ended))


def test_of_many_services_the_rest_share_a_row():
    """More services than there is room for are one row, with how many they are."""
    shown = names(endings_figure(many(MOST_ROWS + 30)))

    assert MOST_ROWS + 1 == len(shown)
    assert "30 other services  (120)" == shown[-1]


def test_the_number_of_marks_is_bounded():
    """Endings that are near in time are one mark, so that ten thousand flows draw no more than a screen shows."""
    ended = [Ended("10.0.0.1:443", number * 1_000_000, Verdict.SILENT) for number in range(10_000)]
    figure = endings_figure(ended)
    marks = sum(len(collection.get_offsets()) for collection in figure.axes[0].collections)

    assert COLUMNS <= marks <= COLUMNS + 1
    assert "silent (10,000)" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_names_are_drawn_as_they_are():
    """What stands in a service's name is no formula and no markup, and a long one keeps its ends."""
    name = "$x$<b>" + "0" * 60 + ":443"
    svg = inline_svg(endings_figure([Ended(name, 0, Verdict.CLOSED)]), "t-")

    assert "$x$&lt;b&gt;" in svg
    assert ":443  (1)" in svg
