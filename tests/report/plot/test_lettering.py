"""Words that find their place."""

import pytest
from matplotlib.figure import Figure

from analyzer.report.plot.lettering import ANYWHERE_PT, MOST, Label, Labels
from tests.drawing import misplaced, placed


def drawn(labels, width_in=6, **more):
    """An Axes from 0 to 10 both ways with these labels, drawn."""
    figure = Figure(figsize=(width_in, 3))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 10), ylim=(0, 10), xticks=[], yticks=[])
    Labels(axes, labels, **more)
    return axes


def words(axes):
    """What is to be read."""
    return [text.get_text() for text, _ in placed(axes)]


def test_a_label_stands_at_its_place():
    """Where there is room a label stands where it would like to, in its longest wording."""
    axes = drawn([Label(5, 5, ("ESTABLISHED", "EST"))])

    assert ["ESTABLISHED"] == words(axes)
    assert (5, 5) == pytest.approx(axes.texts[0].get_position(), abs=0.01)


def test_a_label_without_room_is_shorter():
    """Between the ends of its span the longest wording that fits is taken."""
    assert ["EST"] == words(drawn([Label(5, 5, ("ESTABLISHED", "EST"), span=(4.6, 5.4))]))


def test_a_label_without_any_room_is_left_out():
    """A label that would overflow its span, or its height, is not drawn, however often the picture is."""
    axes = drawn([Label(5, 5, ("ESTABLISHED",), span=(4.9, 5.1)), Label(2, 2, ("high",), height=0.1)])

    assert [] == words(axes)
    assert [] == words(axes)


def test_the_most_important_label_comes_first():
    """Of two labels that want the same place the one of lower rank gets it, whatever their order."""
    assert ["RST"] == words(drawn([Label(5, 5, ("FIN",), rank=2), Label(5, 5, ("RST",), rank=1)]))


def test_a_label_gives_way():
    """A label whose place is taken stands beside it, as far off as it may."""
    axes = drawn(
        [
            Label(5, 5, ("RST",), rank=1),
            Label(5, 5, ("FIN",), slide_pt=40, rank=2),
            Label(5, 5, ("too far",), slide_pt=10, rank=3),
        ]
    )
    boxes = {text.get_text(): box for text, box in placed(axes)}

    assert {"RST", "FIN"} == set(boxes)
    assert boxes["FIN"].x1 < boxes["RST"].x0


def test_a_label_stands_at_a_side_of_its_place():
    """A text that is to stand at the right of its place begins there, whatever font its reader has."""
    axes = drawn([Label(5, 5, ("idle 5 s",), aligns=("left",))])
    ((text, box),) = placed(axes)

    assert "left" == text.get_horizontalalignment()
    assert axes.transData.transform((5, 5))[0] < box.x0


@pytest.mark.parametrize("x", [0, 10])
def test_a_label_at_the_edge_slides_inside(x):
    """A label that may slide does not run over the edge of the Axes."""
    axes = drawn([Label(x, 5, ("a gives up after 9 unanswered probes",), slide_pt=ANYWHERE_PT)])

    assert 1 == len(words(axes))
    assert [] == misplaced(axes.figure)


def test_a_label_keeps_clear_of_marks_and_lines():
    """A label is lifted over a mark, and moved away from a line."""
    axes = drawn(
        [Label(5, 5, ("idle 5 s",), lifts_pt=(0, 20), slide_pt=ANYWHERE_PT)], obstacles=[(5, 5, 30)], walls=[5, 5.5]
    )
    ((_, box),) = placed(axes)
    line = axes.transData.transform((5, 5))[0], axes.transData.transform((5.5, 5))[0]

    assert box.x1 < line[0] or box.x0 > line[1]


def test_a_label_is_said_only_in_view():
    """What belongs to a place out of view is not said; a band that is partly in view is named in that part."""
    axes = drawn([Label(20, 5, ("FIN",), slide_pt=ANYWHERE_PT), Label(20, 2, ("CLOSE-WAIT",), span=(6, 34))])

    assert ["CLOSE-WAIT"] == words(axes)
    assert [] == misplaced(axes.figure)


def test_words_are_never_markup():
    """A dollar is a dollar, not the start of mathematics."""
    assert ["$x^2$ and $"] == words(drawn([Label(5, 5, ("$x^2$ and $",))]))


def test_labels_take_no_part_in_the_layout():
    """A label never pushes the Axes aside."""
    axes = drawn([Label(5, 5, ("FIN",))])
    (labels,) = (artist for artist in axes.artists if isinstance(artist, Labels))

    assert not labels.get_in_layout()
    assert 0 >= labels.get_window_extent().width


def test_of_very_many_labels_some_all_along_the_picture_are_tried():
    """As many as fit are chosen before any is placed: those that matter most, and of the others some."""
    labels = [Label(at / 1000, 5, ("RST",), rank=at > 0) for at in range(10_000)]
    axes = drawn(labels)

    assert MOST == len(axes.texts)
    assert "RST" in words(axes)
    assert max(label.x for label in axes.artists[0].labels) > 9.9
    assert labels[0] is axes.artists[0].labels[0]
