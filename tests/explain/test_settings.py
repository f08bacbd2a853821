"""Inferred settings in words."""

from analyzer.explain.settings import count_text, settings_lines, timer_text
from analyzer.judge.timers.count import Count
from analyzer.judge.timers.timer import Timer
from analyzer.words.teller import Teller
from tests.judging import captured, opened, scenario, texts, told

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

    assert "families of programs, not proof" in text


def test_bounds_are_given_where_no_value_is_known():
    """Without a value both bounds are said, or one: where they are alike, or no option takes less than the lower."""
    assert "between 3 s and 5.120 s" == timer_text(Timer(None, 3 * SECOND, 5_120_000_000, 1, (1,)))
    assert "at most 5.120 s" == timer_text(Timer(None, SECOND, 5_120_000_000, 1, (1,)))
    assert "about 1 s" == timer_text(Timer(None, SECOND, SECOND, 1, (1,)))
    assert "5 s" == timer_text(Timer(5 * SECOND, 4 * SECOND, 6 * SECOND, 1, (1,)))


def test_what_is_most_likely_stands_before_bounds():
    """One gap alone bounds the idle time; what is most likely is said first, then what would speak against it."""
    text = settings_lines(Teller(opened("+7.03 a > b . 5:5(0) ack 1\n" * 2 + "+7 a > b . 5:5(0) ack 1\n"), 0))[0].text

    assert "idle time 7 s, most likely: the first probe came 7.030 s after the server's last packet (less only" in text
    assert "only if keepalive was set up after that packet; proven is at most 7.530 s)" in text


def test_a_count_is_evidence():
    """Without a value the user timeout is named beside the count."""
    nine = Count(9, 9, 9, 1, (1,), 9)
    assert "count most likely 9 (gave up after 9 probes; a TCP_USER_TIMEOUT can do the same)" == count_text(nine)
    assert "count 9 (gave up after 9 probes)" == count_text(nine, "xnu")
    assert "gave up after 3 probes: its count, or its TCP_USER_TIMEOUT" == count_text(Count(None, 1, None, 1, (1,), 3))


def test_a_flow_without_probes_has_no_settings():
    """Nothing is said of settings where nothing was probed."""
    (judged,), start_ns = captured("lab/telnet_lost_byte.pcap")

    assert [] == settings_lines(Teller(judged, start_ns))


def both_probing():
    """Return the flow of a client that begins after 5 s and goes on every 75 s, and a server that does every 21 s."""
    own = [(5.02 + 75.02 * at, "a > b . 5:5(0) ack 1", "b > a . 1:1(0) ack 6") for at in range(9)]
    peers = [(23 + 21.02 * at, "b > a . 0:0(0) ack 6", "a > b . 6:6(0) ack 1") for at in range(30)]
    lines = [f"@{at:.3f} {probe}\n+.02 {answer}" for at, probe, answer in sorted([*own, *peers])]
    return opened("\n".join(lines) + "\n")


def test_a_spacing_that_is_not_the_idle_time_is_told_beside_it():
    """Where both ends probe, and the stack stays unknown, what is known of the spacing is said all the same."""
    text = settings_lines(Teller(both_probing(), 0))[0].text

    assert (
        "idle time 5 s; answered probes every 75 s (on Linux the longer of idle time and interval: here the interval)"
        in text
    )


def test_answered_probes_never_come_sooner_than_the_idle_time():
    """A rounder spacing is not claimed where it is shorter than the idle time that is."""
    settings = both_probing().settings("b")

    assert settings.period.value_ns >= settings.idle.value_ns


def test_why_an_interval_is_not_visible_between_unanswered_probes_is_said():
    """Where the peer's packets may have restarted the timer, the interval is bounded on Linux alone."""
    (judged, *_) = scenario("both_ends_probe_and_neither_is_answered")
    line = next(line.text for line in settings_lines(Teller(judged, 0)) if line.text.startswith("The server"))

    assert "interval at most 5 s on Linux, else not visible (packets from the client came between these probes)" in line


def test_software_that_only_opens_connections_is_not_named_at_a_server():
    """A browser's timers at the end that was called are no browser's; at the client they may be."""
    train = "+10.03 {0} > {1} . {2}\n+1.003 {0} > {1} . {2}\n+1.003 {0} > {1} . {2}\n+.2 {1} > {0} P. {3}\n"
    client = train.format("a", "b", "5:5(0) ack 1", "1:2(1) ack 6") + train.format(
        "a", "b", "5:5(0) ack 2", "2:3(1) ack 6"
    )
    server = train.format("b", "a", "0:0(0) ack 6", "6:7(1) ack 1") + train.format(
        "b", "a", "0:0(0) ack 7", "7:8(1) ack 1"
    )
    told = [" ".join(line.text for line in settings_lines(Teller(opened(text), 0))) for text in (client, server)]

    assert "The client's settings are consistent with, among others:" in told[0]
    assert "Firefox in its first minute" in told[0]
    assert "Firefox" not in told[1]


def test_a_probe_after_unanswered_ones_shows_a_larger_count():
    """Where the timer ran out once more and the prober probed, its count had not been reached."""
    lost = "+7.03 a > b . 5:5(0) ack 1\n+4.096 a > b . 5:5(0) ack 1\n"
    text = settings_lines(Teller(opened(lost + "+4.096 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"), 0))[0].text

    assert "count 3 or more (did not give up after 2 unanswered probes)" in text


def test_a_sleep_is_no_interval():
    """Where a prober's host slept, the long wait is neither told as lost probes nor taken for its interval."""
    story = told(scenario("prober_slept_far_from_here")[0])

    assert "Most likely the path lost" not in texts(story, "What happened")
    assert "interval 1 h" not in texts(story, "Keepalive settings, inferred")
    assert "most likely" not in texts(story, "Keepalive settings, inferred")
