"""What this machine's kernel does now, against what the analysis makes of the packets; no stored file is needed."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from captures.recipes.sockets import Keepalive
from tests.live.stage import (
    BOTH,
    PORTS,
    Options,
    Scenario,
    cable,
    closes,
    fills_to_the_brim,
    forgets,
    overfills,
    play,
    reads_all,
    says,
    sets,
    stops_sending,
    until_gone,
    wait,
    why_not,
    writes,
)

analyzing = pytest.importorskip("analyzer.analyzing", exc_type=ImportError)

SECONDS = 1_000_000_000
LETTERS = {"ack": "a", "data": "d", "rst": "r", None: "-"}


def probing(idle_s, interval_s, count, **more):
    """Keepalive with these settings."""
    return Options(keepalive=Keepalive(idle_s, interval_s, count), **more)


SCENARIOS = [
    Scenario(
        "established_idle",
        (says("client"), wait(7), closes("client"), wait(0.1), closes("server"), wait(0.3)),
        verdict="closed",
        by="client",
        answers="a{3,}",
        server=probing(2, 1, 3),
        claims=("idle",),
    ),
    Scenario(
        "dead_peer",
        (says("client"), wait(3), cable("client", "down"), until_gone("server")),
        verdict="timed_out",
        by="server",
        answers="a+-{3}",
        server=probing(2, 1, 3),
        claims=("idle", "interval"),
        reads="ETIMEDOUT",
    ),
    Scenario(
        "half_close",
        (says("client"), wait(1.5), closes("client"), until_gone("server")),
        verdict="reset_on_probe",
        by="client",
        answers="a{2,}r",
        after_fin="received",
        server=probing(1, 1, 9),
        client_sysctl=(("net.ipv4.tcp_fin_timeout", 3),),
        reads="end of file",
    ),
    Scenario(
        "still_half_closed",
        (says("client"), closes("client"), wait(4.5)),
        verdict="half_closed",
        by="client",
        answers="a{3,}",
        after_fin="received",
        server=probing(1, 1, 9),
        reads="end of file",
    ),
    Scenario(
        "reboot",
        (says("client"), wait(2.5), forgets("client"), until_gone("server")),
        verdict="reset_on_probe",
        by="client",
        answers="a+r",
        server=probing(1, 1, 9),
        reads="ECONNRESET",
    ),
    Scenario(
        "probes_lost_and_recovered",
        (says("client"), wait(1.5), cable("client", "down"), wait(2), cable("client", "up"), wait(3)),
        verdict="open",
        answers="a+-+a{2,}",
        server=probing(1, 1, 9),
        reads="EAGAIN",
    ),
    Scenario(
        "still_unanswered",
        (says("client"), cable("client", "down"), wait(6.5)),
        verdict="silent",
        answers="-{2,}",
        server=probing(1, 4, 9),
        reads="EAGAIN",
    ),
    Scenario(
        "data_pending_at_dead_peer",
        (says("client"), wait(1.5), cable("client", "down"), writes("server"), wait(6)),
        verdict="silent",
        answers="a+",
        server=probing(1, 1, 2),
        reads="EAGAIN",
    ),
    Scenario(
        "zero_window_pending",
        (overfills("server"), wait(7), reads_all("client"), closes("server"), reads_all("client"), closes("client")),
        verdict="closed",
        by="server",
        answers="a*",
        server=probing(1, 1, 3),
        client=Options(receive_buffer=4096),
    ),
    Scenario(
        "zero_window_nothing_pending",
        (
            fills_to_the_brim("server"),
            wait(6),
            reads_all("client"),
            closes("server"),
            wait(0.3),  # its FIN waits for the window that the read opened
            closes("client"),
            wait(0.3),
        ),
        verdict="closed",
        by="server",
        answers="a{4,}",
        server=probing(1, 1, 3),
        client=Options(receive_buffer=4096),
    ),
    Scenario(
        "user_timeout",
        (says("client"), wait(1.5), cable("client", "down"), until_gone("server")),
        verdict="timed_out",
        by="server",
        answers="a+-{2,}",
        server=probing(1, 1, 9, user_timeout_ms=3500),
        claims=("interval",),
        reads="ETIMEDOUT",
    ),
    Scenario(
        "both_ends_probe",
        (says("client"), says("server"), wait(6.6)),
        verdict="open",
        answers="a{5,}",
        client_answers="a{3,}",
        server=probing(1, 1, 9),
        client=probing(2, 2, 9),
        vantage="switch",
        claims=("idle",),
    ),
    # here keepalive is switched on once the capture is: no probe that it could miss is counted
    Scenario(
        "capture_starts_in_mid_stream",
        (sets("server", probing(1, 1, 9)), wait(5.5)),
        verdict="open",
        answers="a{4,}",
        server=probing(1, 1, 9, late=True),
        unseen=(says("client"), wait(0.5)),
    ),
    Scenario(
        "capture_starts_in_mid_stream_and_peer_dies",
        (sets("server", probing(2, 1, 3)), wait(3), cable("client", "down"), until_gone("server")),
        verdict="timed_out",
        by="server",
        answers="a+-{3}",
        server=probing(2, 1, 3, late=True),
        unseen=(says("client"), wait(0.5)),
        claims=("interval",),
        reads="ETIMEDOUT",
    ),
    Scenario(
        "capture_never_sees_the_peer",  # which might have answered by another way: no verdict
        (cable("client", "down"), sets("server", probing(2, 1, 3)), until_gone("server")),
        verdict="undetermined",
        answers="-{3}",
        server=probing(2, 1, 3, late=True),
        unseen=(says("client"), wait(0.5)),
        reads="ETIMEDOUT",
    ),
    Scenario(
        "half_close_on_purpose",
        (says("client"), stops_sending("client"), wait(3.5), says("server"), closes("server"), wait(0.5)),
        verdict="closed",
        by="client",
        answers="a{2,}",
        after_fin="received",
        server=probing(1, 1, 9),
    ),
    Scenario(
        "prober_has_sent_fin",
        (says("client"), stops_sending("server"), wait(3.5), closes("client"), wait(0.2)),
        verdict="closed",
        by="server",
        answers="a{2,}",
        after_fin="sent",
        server=probing(1, 1, 9),
        reads="end of file",
    ),
    Scenario(
        "interval_longer_than_idle",
        (says("client"), wait(1.5), cable("client", "down"), until_gone("server")),
        verdict="timed_out",
        by="server",
        answers="a+-{2}",
        server=probing(1, 3, 2),
        claims=("idle", "interval"),
        reads="ETIMEDOUT",
    ),
    Scenario(
        "switched_on_late",  # the first probe comes 3.7 s after the last word, though the idle time is 2 s
        (says("client"), wait(1.7), sets("server", probing(2, 1, 3)), wait(6.5)),
        verdict="open",
        answers="a{2,}",
        server=probing(2, 1, 3, late=True),
        reads="EAGAIN",
    ),
    Scenario(
        "idle_time_shortened_late",  # idle already for longer, so the kernel probes at once
        (sets("server", probing(60, 1, 3)), says("client"), wait(2.6), sets("server", probing(2, 1, 3)), wait(4.7)),
        verdict="open",
        answers="a{2,}",
        server=probing(2, 1, 3, late=True),
        reads="EAGAIN",
    ),
    Scenario(
        "established_idle_over_ipv6",
        (says("client"), wait(5), closes("client"), wait(0.1), closes("server"), wait(0.3)),
        verdict="closed",
        by="client",
        answers="a{4,}",
        server=probing(1, 1, 3),
        version=6,
    ),
]

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.parametrize("scenario", [pytest.param(each, id=each.name) for each in SCENARIOS]),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Every scenario's future truth; they are played side by side."""
    if reason := why_not(("ip", "tcpdump")):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("fresh_truth")
    with ThreadPoolExecutor(len(SCENARIOS)) as pool:
        return {scenario.name: pool.submit(play, scenario, folder) for scenario in SCENARIOS}


@pytest.fixture
def truth(played, scenario):
    """What the kernels say of a scenario."""
    return played[scenario.name].result()


@pytest.fixture
def judged(truth):
    """What the analysis makes of its capture."""
    (flow,) = analyzing.analyze(truth.capture).flows
    return flow.judged


def side_of(judged, who):
    """The endpoint, a or b, that a host is."""
    return "a" if PORTS[judged.record.a.port] == who else "b"


def answers_to(judged, who):
    """What came back for each probe of a host, a letter each."""
    return "".join(LETTERS[probe.answer] for probe in judged.record.probes_from(side_of(judged, who)))


def test_it_happened_as_meant(scenario, truth):
    """The server's application reads what the scenario is about."""
    if scenario.reads is not None:
        assert scenario.reads == truth.reads


def test_probes_are_those_the_kernel_sent(scenario, truth, judged):
    """Each end's keepalive probes are as many as its kernel counted, no more and no less."""
    assert truth.probes == {who: len(judged.record.probes_from(side_of(judged, who))) for who in BOTH}


def test_window_probes_are_those_the_kernel_sent(scenario, truth, judged):
    """Each end's zero-window probes are as many as its kernel counted."""
    found = judged.record.zero_window_probes
    assert truth.window_probes == {who: sum(probe.sender == side_of(judged, who) for probe in found) for who in BOTH}


def test_answers_are_those_the_scenario_lets_through(scenario, judged):
    """Each probe is answered, or not, as the cable and the sockets allow."""
    assert re.fullmatch(scenario.answers, answers_to(judged, "server"))
    assert re.fullmatch(scenario.client_answers, answers_to(judged, "client"))


def test_probes_know_whose_fin_they_follow(scenario, judged):
    """The last probe says whether a FIN had passed."""
    after_fin = judged.record.probes[-1].after_fin if judged.record.probes else None
    assert scenario.after_fin == after_fin


def test_the_verdict_is_what_was_done(scenario, judged):
    """The ending and who brought it about are those that the scenario staged."""
    by = None if scenario.by is None else side_of(judged, scenario.by)
    assert (scenario.verdict, by) == (judged.ending.verdict.value, judged.ending.by)


@pytest.mark.parametrize("who", BOTH)
def test_settings_contain_the_options_in_force(scenario, judged, who):
    """Whatever is said of a host's settings holds, and a value is the one that was set."""
    keepalive = scenario.options(who).keepalive
    settings = judged.settings(side_of(judged, who))
    if settings is None:
        return
    timers = {"idle": keepalive.idle_s, "interval": keepalive.interval_s}
    timers["period"] = max(timers.values())
    for name, option_s in timers.items():
        if timer := getattr(settings, name):
            assert timer.low_ns <= option_s * SECONDS <= timer.high_ns, name
            assert timer.value_ns in {None, option_s * SECONDS}, name
    if settings.count:
        assert settings.count.low <= keepalive.count <= (settings.count.high or keepalive.count)
        assert settings.count.value in {None, keepalive.count}


def test_a_value_is_claimed_where_the_probes_determine_it(scenario, judged):
    """A setting that the train shows beyond doubt is stated, not only bounded."""
    settings = judged.settings(side_of(judged, "server"))
    assert [] == [name for name in scenario.claims if getattr(settings, name).value_ns is None]
