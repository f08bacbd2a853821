"""Which stack it was, from the form and rhythm of hand-made trains."""

import pytest

from tests.trains import Story, bounds, seconds


def test_bare_header_between_timestamps():
    """A 20-octet header on a connection with timestamps is XNU's, whose answered spacing is idle."""
    settings = Story(timestamps=True).probes(5.04, 5.04, 5.04).settings()

    assert settings.stack == "xnu"
    assert seconds(settings.idle) == 5


def test_one_octet():
    """A probe with an octet is Windows' or illumos', whose answered spacing is idle."""
    settings = Story(octet=True).probes(2.3, 2.0, 2.0).settings()

    assert settings.stack == "windows_or_illumos"
    assert seconds(settings.idle) == 2


def test_an_octet_whose_waits_double_is_illumos():
    """Probes that are sent again as retransmissions are have no interval, and no count decides when it is over."""
    story = Story(octet=True).probes(60.1, 60).silence(60, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6).gives_up(51.2)

    settings = story.settings()

    assert settings.stack == "illumos"
    assert settings.interval is None
    assert seconds(settings.idle) == 60
    assert settings.families == ()


@pytest.mark.parametrize("gaps", [(1, 1, 1, 1, 1), (1, 2, 2, 2, 4), (1, 1.4, 2, 2.8, 4), (1, 2, 4, 4, 4)])
def test_an_octet_whose_waits_do_not_double_is_not(gaps):
    """Equal gaps, and those of which some are missing, are no backoff's."""
    assert Story(octet=True).probes(60.1, 60).silence(60, *gaps).settings().stack == "windows_or_illumos"


def test_milliseconds_may_be_set_with_an_octet():
    """Windows takes milliseconds, so only a round number is claimed there."""
    assert seconds(Story(octet=True).probes(6.2, 6.2).settings().idle) is None


def test_both_forms_are_no_stack():
    """Probes with and without an octet from one endpoint are no known stack's."""
    story = Story().probes(5.1)
    story.octet = True

    assert story.probes(5.12, 5.12).settings().stack is None


def test_empty_probe_alone_tells_nothing():
    """An empty probe with an even rhythm may be Linux's or FreeBSD's."""
    assert Story().probes(5.1, 5.12).settings().stack is None


def test_peer_probes_do_not_disturb_linux():
    """A prober that probes right after it answered the peer's probe is Linux, whose clock that did not restart."""
    story = Story().peer_probe(2.008).probes(1.152).peer_probe(0.87).peer_probe(2.01).probes(0.124)

    settings = story.settings()

    assert settings.stack == "linux"
    assert seconds(settings.idle) == 3
    assert bounds(settings.interval) == (1, pytest.approx(3.004, abs=0.001))


def test_unknown_stack_leaves_both_readings():
    """Where the peer's probe may have restarted the clock, and each reading is a round number, none is claimed."""
    idle = Story().peer_probe(1.008).silence(2.1).settings().idle

    assert seconds(idle) is None
    assert bounds(idle)[0] <= 2
    assert bounds(idle)[1] >= 3
