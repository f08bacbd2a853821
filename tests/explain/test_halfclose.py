"""Half-closed to the capture's end."""

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told

FIN = """
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
"""


def test_a_capture_that_stops_early_says_what_would_end_it():
    """Probed to the capture's end, the story says what is still to come."""
    (judged,), start_ns = captured("capture_stops_early.pcap")
    story = explain.story(judged, start_ns)

    assert "until the capture ended: its program had not closed." in texts(story, "What happened")
    assert "60 s on Linux" in texts(story, "Why")
    assert "The capture stopped before that." in texts(story, "Why")


def test_nobody_probing_means_nothing_ends_it():
    """Without probes CLOSE-WAIT lasts until the program closes."""
    story = told(opened(FIN + "end: +90"))

    assert story.headline.endswith("Neither end probes.")
    assert "Nothing on the wire ends CLOSE-WAIT." in texts(story, "Why")


def test_a_fin_sender_that_probes_has_not_closed_in_full():
    """Probes from the end that sent FIN speak for shutdown(), on Linux."""
    story = told(scenario("probe_after_own_fin")[0])

    assert "The client itself sent 2 probes after its FIN, all answered." in story.headline
    assert "used shutdown() and not close()" in texts(story, "Why")


def test_a_half_close_in_use_is_no_leak():
    """Data taken after the FIN is told as a half-close in use, with nothing to change."""
    story = told(
        opened(
            FIN
            + """
+1   b > a  P.  1:101(100) ack 7
+.01 a > b  .   7:7(0) ack 101
+5   b > a  .   100:100(0) ack 7
+.01 a > b  .   7:7(0) ack 101
end: +1
"""
        )
    )

    assert "a half-close in use" in story.headline
    assert "A half-closed connection is legal and can last" in texts(story, "Why")
    assert texts(story, "What to change").startswith("Nothing. But some middleboxes")


PROBED = "+60 b > a . 0:0(0) ack 7\n+.01 a > b . 7:7(0) ack 1\n"


def test_an_end_that_answers_long_after_its_fin_has_no_kernel_that_drops_it_soon():
    """What Linux would have dropped by then is held by a program, or by a stack that waits for longer: inference."""
    why = texts(told(opened(FIN + 20 * PROBED)), "Why")

    assert "The client still answered 20 min" in why
    assert "So most likely the client's program used shutdown()" in why
    assert "or its kernel waits for longer (FreeBSD, where each probe prolongs it)" in why
    assert "The capture stopped before that." not in why


def test_a_stack_that_may_still_wait_is_named_among_those_that_wait_for_longer():
    """Two minutes are more than Linux waits, and not more than an older macOS."""
    assert "waits for longer (macOS 11 and earlier in up to 600 s; FreeBSD" in texts(
        told(opened(FIN + 3 * PROBED)), "Why"
    )


def test_who_only_acknowledged_since_the_capture_began_may_have_closed_before():
    """Where no SYN was captured, an end without data, probes or FIN is not said to have left its program open."""
    story = told(scenario("midstream_last_fin_of_a_close_begun_before")[0])

    assert "endpoint b sent none in the 40.010 s until the capture ended, and may have closed before it began" in (
        story.headline
    )
    happened = texts(story, "What happened")
    assert "had not closed" not in happened
    assert "Whether it had before the capture began is not known" in happened
    assert "Unless endpoint b had closed before the capture began" in texts(story, "Why")
    assert "look whether it still holds the connection" in texts(story, "What to change")
