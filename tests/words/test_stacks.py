"""What a family of TCP is called, and what differs for its programs."""

from analyzer import explain
from analyzer.explain.settings import settings_lines
from analyzer.judge.signatures import Stack
from analyzer.words import stacks
from analyzer.words.teller import Teller
from tests.judging import captured, opened, scenario, texts, told


def test_every_family_has_its_words():
    """Of each family it is said how it was told."""
    assert {stack.value for stack in Stack} == set(stacks.TOLD_BY)


def test_windows_words_fit_windows():
    """Nothing of Linux' or macOS' is said of a prober whose probes carry an octet."""
    story = told(scenario("octet_probe_gives_up")[0])
    text = " ".join(line.text for section in story.sections for line in section.lines)

    assert "Windows (or illumos)" in text
    assert "WSAENETRESET" in text
    assert "TCP_USER_TIMEOUT" not in text
    assert "(Linux and macOS)" not in text
    assert "Linux timers" not in text


def test_one_lost_packet_was_enough():
    """Where one unanswered probe ended it, nobody is told to lower the count."""
    judged = opened(
        "+5 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n+5 b > a . 0:0(0) ack 6\n+5 b > a R. 1:1(0) ack 6\n"
    )
    story = told(judged)

    assert "a single lost packet" in texts(story, "Why")
    assert "raise the count" in texts(story, "What to change")
    assert "lower" not in texts(story, "What to change")


def test_macos_is_told_in_words():
    """The bare header of a prober on a connection with timestamps is named, also where no timer is known."""
    judged = opened(
        "+1 a > b P. 6:9(3) ack 1 <ts 1 1>\n+.01 b > a . 1:1(0) ack 9 <ts 1 1>\n+7 b > a . 0:0(0) ack 9\n"
        "+.01 a > b . 9:9(0) ack 1 <ts 2 1>\n"
    )
    lines = settings_lines(Teller(judged, judged.record.first_ns))

    assert any("macOS, from the form" in line.text and line.frames for line in lines)


def test_bounds_of_the_period_are_told():
    """Where only bounds of the spacing are known, they are told."""
    judged = opened("".join("+13.777 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n" for _ in range(3)))
    (line, *_) = settings_lines(Teller(judged, judged.record.first_ns))

    assert "between" in line.text


def test_a_founding_prober_is_linux_by_its_rhythm():
    """Linux is told by what its timer does, as inference."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")

    assert "probably Linux: after an answered probe" in explain_text(judged, start_ns)


def explain_text(judged, start_ns):
    """Return all words of a story."""
    story = explain.story(judged, start_ns)
    return " ".join(line.text for section in story.sections for line in section.lines)
