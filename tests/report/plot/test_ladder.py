"""The ladder: a line for each point, arrows between, crosses where packets were lost."""

from analyzer.joining import join
from analyzer.report.plot import ladder_figure, rendered
from analyzer.report.plot.ladder import MOST_ROWS, rungs_of
from tests.judging import CAPTURES
from tests.vantages import ACK, PSH, World, keepalive

LAB = CAPTURES / "lab"


def drawn(joined, **options):
    """Return the Axes of the first connection's ladder."""
    figure = ladder_figure(joined.flows[0], joined.points, joined.points[0].first_ns, **options)
    return figure, figure.axes[0]


def texts(axes):
    """Return what is written in a picture."""
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_losses_are_crosses_and_what_was_made_is_marked():
    """A lost probe ends at a cross, and a RST from between begins at a diamond."""
    _, axes = drawn(join(LAB / "fw_reject_rst.pcap", LAB / "fw_reject_rst.peer.pcap"))

    assert ["D", "x"] == sorted(line.get_marker() for line in axes.lines if line.get_marker() != "None")
    assert 4 == texts(axes).count("probe")
    assert 1 == texts(axes).count("RST")
    assert {"A  fw_reject_rst.pcap", "B  fw_reject_rst.peer.pcap", "20", "21"} <= set(texts(axes))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert ["probe", "RST", "lost on the way", "made on the way"] == legend


def test_legs_of_one_capture_are_named():
    """Two points of one capture have names of their own, those that the text has."""
    _, axes = drawn(join(LAB / "any_router_sll.pcap"))

    assert {"A  any_router_sll.pcap, leg 1", "B  any_router_sll.pcap, leg 2"} <= set(texts(axes))


def test_so_many_packets_are_drawn_and_the_others_counted(tmp_path):
    """Probes and what has a fate of its own come first; how many are left out stands below."""
    made = World()
    keepalive(made, probes=40, lost=(3, 30))
    joined = join(*made.write(tmp_path))
    rungs, left_out = rungs_of(joined.flows[0])
    figure, axes = drawn(joined, theme="dark", title=False)

    assert MOST_ROWS == len(rungs)
    assert len(made.truth) - MOST_ROWS == left_out
    assert axes.get_xlabel().startswith(f"{left_out} more packets")
    assert 2 == sum(line.get_marker() == "x" for line in axes.lines)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    legend, below = (each.get_window_extent(renderer) for each in (axes.get_legend(), axes.xaxis.label))
    assert not legend.overlaps(below)
    assert rendered([figure], "svg") == rendered([drawn(joined, theme="dark", title=False)[0]], "svg")


def arrows(axes):
    """Return where each arrow begins and ends, from left to right, in order of rows."""
    return [(round(each.xyann[0], 2), round(each.xy[0], 2)) for each in axes.texts if hasattr(each, "xyann")]


def test_what_a_point_did_not_record_is_drawn_where_it_passed(tmp_path):
    """A packet that passed a point unrecorded goes from there or to there, on its way, whichever point lacks it."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(6.0, "a", ACK, a + 30, b + 1, missed="A")
    made.send(6.001, "b", ACK, b + 1, a + 31, missed="B")
    made.send(8.0, "a", ACK, a + 30, b + 1, missed="B")
    made.send(8.001, "b", ACK, b + 1, a + 31)
    made.send(9.0, "b", ACK | PSH, b + 1, a + 31, b"later", missed="A")
    made.send(9.5, "a", ACK, a + 31, b + 6)

    _, axes = drawn(join(*made.write(tmp_path)))

    assert [(0.0, 1.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0)] == arrows(axes)[-6:]


def test_what_nobody_saw_arrive_ends_before_the_next_point(tmp_path):
    """Towards a point whose capture had ended an arrow goes a little, and from one of which nothing tells, too."""
    made = World()
    a, b = keepalive(made, probes=3)
    upto = len(made.frames["B"])
    made.send(9.0, "a", ACK, a + 30, b + 1)
    made.send(9.5, "b", ACK | PSH, b + 1, a + 31, b"later")

    _, axes = drawn(join(*made.write(tmp_path, parts=(None, slice(0, upto)))))

    assert (0.0, 0.25) in arrows(axes)


def test_what_one_point_alone_has_twice_ends_at_that_point(tmp_path):
    """An arrow of a packet that only the last point of its way has comes from before it, and stays on the ladder."""
    made = World(ids=False, timestamps=False)
    a, b = keepalive(made, probes=2)
    made.frames["A"].append((made.frames["A"][-1][0] + 5000, made.frames["A"][-1][1]))
    made.send(9.0, "a", ACK | PSH, a + 31, b + 1, b"more")
    joined = join(*made.write(tmp_path))
    figure = ladder_figure(joined.flows[0], joined.points, joined.points[0].first_ns)

    assert "captured_twice" in {each.why.value for each in joined.flows[0].notable}
    arrows = [note for note in figure.axes[0].texts if getattr(note, "arrow_patch", None) is not None]
    assert all(0 <= x <= 1 for note in arrows for x in (note.xy[0], note.xyann[0]))
