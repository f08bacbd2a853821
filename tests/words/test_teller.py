"""The teller names endpoints and says numbers."""

import pytest

from analyzer.explain import frames_text
from analyzer.words.teller import Teller, capital, count, setting, spacing, times
from tests.judging import captured, scenario


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((14,), "14"),
        ((3, 1, 2), "1-3"),
        ((1, 2, 3, 5), "1-3, 5"),
        ((6, 8, 10, 12), "6, 8, 10, 12"),
        (tuple(range(16, 40, 2)), "12 of 16-38"),
        ((), ""),
    ],
)
def test_frames_are_said_in_short(frames, expected):
    """Neighbours become ranges, many scattered frames are counted."""
    assert expected == frames_text(frames)


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([], ""),
        ([5_120_000_000], "5.120 s apart"),
        ([5_120_000_000, 5_119_900_000], "every 5.120 s"),
        ([1_024_000_000, 3_072_000_000], "1.024 s to 3.072 s apart"),
    ],
)
def test_even_gaps_are_one_rhythm(gaps, expected):
    """Gaps that differ by no more than a timer's jitter are said as one."""
    assert expected == spacing(gaps)


def test_numbers_take_the_right_form():
    """One probe is singular, once is a word, a setting has no zeros behind the point."""
    assert ("1 probe", "12 probes", "2 octets sent") == (
        count(1, "probe"),
        count(12, "probe"),
        count(2, "octet sent", "octets sent"),
    )
    assert ("once", "twice", "1,000 times") == (times(1), times(2), times(1000))
    assert ("5 s", "2 h") == (setting(5_000_000_000), setting(7_200_000_000_000))
    assert "The Go client" == capital("the Go client")
    assert "fd00::1 rejects it" == capital("fd00::1 rejects it")


def test_who_opened_is_the_client():
    """With the SYN captured the ends are client and server."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    t = Teller(judged, start_ns)

    assert ("the client", "The server", "+20.018") == (t.the("a"), t.start("b"), t.at(t.fin("a").ts_ns))
    assert "a" == t.first_closer


def test_without_a_syn_the_ends_are_a_and_b():
    """Who opened the connection is not guessed."""
    (judged,) = scenario("midstream_live")
    t = Teller(judged, judged.record.first_ns)

    assert ("endpoint a", "Endpoint b") == (t.the("a"), t.start("b"))


def test_states_that_hold_after_frames_are_told():
    """Derived states are named with their endpoint, or once for both."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    t = Teller(judged, start_ns)

    assert "client FIN-WAIT-2, server CLOSE-WAIT" == t.states_text([14, 15])
    assert "both ESTABLISHED" == t.states_text([1, 2, 3])
    assert "" == t.states_text([4])


def test_answers_are_counted_in_words():
    """All, none, or so many probes are answered."""
    (judged,), start_ns = captured("dead_peer_silence.pcap")
    t, probes = Teller(judged, start_ns), judged.record.probes

    assert "2 answered" == t.answered_text(probes)
    assert "all answered" == t.answered_text(probes[:2])
    assert "none answered" == t.answered_text(probes[2:])
    assert ("answered", "not answered") == (t.answered_text(probes[:1]), t.answered_text(probes[-1:]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one_sided_even_spacing_is_suspected", "answers not visible here"),
        ("answers_on_another_way", "no answer captured"),
    ],
)
def test_where_answers_passed_elsewhere_none_is_called_unanswered(name, expected):
    """Probes are not counted as unanswered where the capture cannot have the answers, or evidently lacks them."""
    judged = scenario(name)[0]

    assert expected == Teller(judged, 0).answered_text(judged.record.probes)
