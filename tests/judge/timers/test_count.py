"""After how many probes a prober gave up, from hand-made trains."""

from analyzer.judge.timers import inference
from tests.trains import Story


def test_is_not_claimed():
    """A user timeout explains any number of probes, so the number is told but not claimed as the count."""
    count = Story().silence(2.016, 1.024, 1.024).gives_up(1.024).settings().count

    assert (None, 1, None, 3) == (count.value, count.low, count.high, count.gave_up_after)
    assert len(count.frames) == 4


def test_families_of_another_count():
    """A prober that gave up after fewer probes than a program allows is not taken for that program."""
    node = "Node.js setKeepAlive(true, ms)"
    early = Story().silence(2.016, 1.024, 1.024).gives_up(1.024).settings()
    open_end = Story().silence(2.016, 1.024, 1.024).settings()

    assert (3, True) == (early.count.allowed, early.count.is_whole)
    assert node not in early.families
    assert node in open_end.families


def test_families_of_a_run_with_a_hole():
    """An uneven run may miss probes, and so leaves the families alone."""
    settings = Story().silence(2.016, 1.024, 2.048, 1.024).gives_up(1.024).settings()

    assert (None, False) == (settings.count.allowed, settings.count.is_whole)
    assert "Node.js setKeepAlive(true, ms)" in settings.families


def test_default_is_claimed():
    """The default number shows the default, which is in force with a user timeout as without."""
    count = Story().silence(5.1, *[5.12] * 8).gives_up(5.12).settings().count

    assert count.value == 9


def test_lost_probe_spoils_the_default():
    """Nine seen probes with a hole between them were ten."""
    count = Story().silence(5.1, *[5.12] * 4, 10.24, *[5.12] * 3).gives_up(5.12).settings().count

    assert count.value is None


def test_midstream_run_may_have_begun_before():
    """Nine unanswered probes from the first frame on may be more."""
    story = Story(midstream=True).data(0).silence(0.95, *[5.12] * 8).gives_up(5.12)
    flow, ending = story.flow()

    assert inference.infer(flow._replace(starts_with="midstream"), ending, "b").count.value is None


def test_xnu_has_no_user_timeout():
    """On XNU the number of unanswered probes is the count."""
    count = Story(timestamps=True).silence(5.1, 5.1, 5.1, 5.1).gives_up(5.1).settings().count

    assert (4, 4, 4) == (count.value, count.low, count.high)
