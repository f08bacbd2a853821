"""Inferred settings in words."""

from analyzer.explain.settings import count_text, settings_lines, timer_text
from analyzer.judge.timers.count import Count
from analyzer.judge.timers.timer import Timer
from analyzer.words.teller import Teller
from tests.judging import captured

SECOND = 1_000_000_000


def test_the_settings_of_each_prober_are_one_line():
    """Idle time, interval and count of an end stand together, with the frames that show them."""
    (judged,), start_ns = captured("dead_peer_silence.pcap")
    line = settings_lines(Teller(judged, start_ns))[0]

    assert line.text.startswith("The server: idle time 5 s; interval 5 s;")
    assert "9 probes" in line.text
    assert 19 in line.frames


def test_programs_that_fit_are_called_a_family():
    """Names of software are never given as a fact."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    text = " ".join(line.text for line in settings_lines(Teller(judged, start_ns)))

    assert "A family of programs, not a fact." in text


def test_bounds_are_given_where_no_value_is_known():
    """Without a value both bounds are said, or one where they are alike."""
    assert "between 1 s and 5.120 s" == timer_text(Timer(None, SECOND, 5_120_000_000, 1, (1,)))
    assert "about 1 s" == timer_text(Timer(None, SECOND, SECOND, 1, (1,)))
    assert "5 s" == timer_text(Timer(5 * SECOND, 4 * SECOND, 6 * SECOND, 1, (1,)))


def test_a_count_is_evidence():
    """Without a value the user timeout is named beside the count."""
    assert "count 9 (gave up after 9 probes)" == count_text(Count(9, 9, 9, 1, (1,), 9))
    assert "gave up after 3 probes: its count, or its TCP_USER_TIMEOUT" == count_text(Count(None, 1, None, 1, (1,), 3))


def test_a_flow_without_probes_has_no_settings():
    """Nothing is said of settings where nothing was probed."""
    (judged,), start_ns = captured("lab/telnet_lost_byte.pcap")

    assert [] == settings_lines(Teller(judged, start_ns))
