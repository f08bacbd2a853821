"""The ground plan of a timeline."""

from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from analyzer.report.plot import lanes, symbols
from analyzer.report.plot.colours import THEMES
from tests.drawing import marks as drawn_marks
from tests.drawing import said
from tests.judging import captured


def drawing():
    """An empty drawing of the founding flow."""
    flows, start_ns = captured("founding_go_fin60.pcap")
    record = flows[0].record
    return lanes.Drawing(record, THEMES["light"], start_ns, record.last_ns, 1.0)


def put(sheet):
    """An Axes with everything of a drawing in it."""
    axes = Figure().add_subplot()
    axes.set(xlim=(0, 100), ylim=(-2, 9))
    sheet.put(axes)
    return axes


def rungs(axes):
    """The ends of the lines between the lanes."""
    return [
        tuple(round(float(y), 2) for _, y in line)
        for collection in axes.collections
        if isinstance(collection, LineCollection)
        for line in collection.get_segments()
    ]


def test_time_counts_in_seconds_from_the_start():
    """An instant is drawn at its distance from the capture's first frame."""
    sheet = drawing()

    assert 2.5 == sheet.x(sheet.start_ns + 2_500_000_000)


def test_a_line_goes_from_the_sender_to_the_other():
    """A segment starts at its sender's lane."""
    sheet = drawing()
    sheet.rung(sheet.start_ns, "a", lanes.Stroke("black", 1.0))
    sheet.rung(sheet.start_ns, "b", lanes.Stroke("black", 1.0))

    assert [(3.7, 1.0), (1.0, 3.7)] == rungs(put(sheet))


def test_what_nothing_answered_stops_half_way():
    """An unanswered segment is crossed out in the middle, one of neither end starts there."""
    sheet = drawing()
    sheet.unanswered(sheet.start_ns, "b", lanes.Stroke("black", 1.0))
    sheet.rung(sheet.start_ns, "b", lanes.Stroke("red", 1.0), "second")
    axes = put(sheet)

    assert [(1.0, 2.35), (2.35, 3.7)] == rungs(axes)
    assert {symbols.NO_ANSWER: 1} == drawn_marks(axes)


def test_words_stand_beside_their_lane():
    """What is said about an endpoint stands outside its lane."""
    sheet = drawing()
    sheet.say(sheet.start_ns + 50 * 10**9, "a", ("FIN",), 1, "black")
    sheet.say(sheet.start_ns + 50 * 10**9, "b", ("data",), 1)
    axes = put(sheet)

    assert {"FIN", "data"} <= set(said(axes))
    assert lanes.WORDS["b"] < lanes.LOW["b"] < lanes.LOW["a"] + 1 < lanes.WORDS["a"]
    assert [lanes.WORDS["a"], lanes.WORDS["b"]] == [label.y for label in sheet.labels]
