"""A program that read late, told by the windows of answers."""

from tests.judging import texts, told, written

OPENING = """
+0   a > b  S   0:0(0) <ws 7>
+.01 b > a  S.  0:0(0) ack 1 <ws 7>
+.01 a > b  .   1:1(0) ack 1
+.01 a > b  P.  1:6001(6000) ack 1
+.01 b > a  .   1:1(0) ack 6001 win 400
+.1  b > a  P.  1:2(1) ack 6001 win 400
+.01 a > b  .   6001:6001(0) ack 2
"""
PROBE = "+7 a > b . 6000:6000(0) ack 2\n+.01 b > a . 2:2(0) ack 6001 win {}\n"


def story(*windows, more=""):
    """Return the story of a flow of which each answer to a probe offers one of these windows."""
    return told(written(OPENING + "".join(map(PROBE.format, windows)) + more))


def test_a_window_that_grows_without_data_shows_that_its_program_read():
    """By how much, between which answers, and how long nothing had come; and the end is named under what to change."""
    read = story(400, 400, 446, 446)

    assert "the server's program most likely read 14.1" in read.headline
    assert "grew by 5,888 bytes between +14.1" in texts(read, "What happened")
    assert "The server: if its program should have read sooner" in texts(read, "What to change")


def test_windows_that_stay_or_grow_soon_show_nothing():
    """Nor does one that shrinks; and a read within seconds is none that is late."""
    for windows in ((446, 446, 446), (446, 446, 400), (400, 446, 446)):
        assert "grew by" not in texts(story(*windows), "What happened")


def test_data_makes_a_new_beginning():
    """What came after data says nothing of what waited before it."""
    data = "+5 a > b P. 6001:6002(1) ack 2\n+.01 b > a . 2:2(0) ack 6002 win 446\n"

    assert "grew by" not in texts(story(400, 400, more=data), "What happened")
