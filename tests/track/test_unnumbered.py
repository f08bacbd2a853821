"""What has all that a probe has but its number may be one; whatever else a sender has reason for is none."""

import pytest

from analyzer.segment import ACK, FIN, PSH, URG
from analyzer.track.unnumbered import may_probe, updates_window

S = 1_000_000_000


def asked(ack=200, *, end=(), peer=(), **row):
    """Whether a segment 5 s after everything else may be a probe."""
    ends = {"snd_una": 100, "snd_nxt": 100, "window": 64, "active_ns": 0, "pending_seq": -1}
    peers = {"snd_una": 200, "snd_nxt": 200, "window": 64, "active_ns": 0, "pending_seq": -1}
    segment = {"flags": ACK, "payload_len": 0, "window": 64, "ts_ns": 5 * S}
    return may_probe.plain(ends | dict(end), peers | dict(peer), segment | row, ack)


def test_an_ack_that_says_nothing_may_be_a_probe():
    """An empty ACK on an idle connection, with nothing to acknowledge, may be a probe."""
    assert 1 == asked()
    assert 1 == asked(window=70)


@pytest.mark.parametrize(
    "reason",
    [
        {"flags": ACK | FIN},
        {"flags": ACK | URG},
        {"flags": PSH},
        {"payload_len": 1},
        {"ack": 201},
        {"ack": 199},
        {"peer": {"snd_nxt": 300}},
        {"peer": {"pending_seq": 199}},
        {"end": {"snd_nxt": 150}},
        {"end": {"active_ns": 4.5 * S}},
        {"peer": {"active_ns": 4.5 * S}},
        {"window": 0},
        {"window": 200},
        {"end": {"window": 0}},
    ],
)
def test_what_has_another_reason_is_none(reason):
    """Data, flags, something to acknowledge or outstanding, an answer, a window update, or recent activity."""
    assert 0 == asked(**reason)


def test_under_a_closed_window_silence_is_not_asked_for():
    """Probes of a window come sooner than keepalive."""
    assert 1 == asked(peer={"window": 0, "active_ns": 4.9 * S})


def test_nothing_known_is_no_reason():
    """The first segment of a capture may be a probe."""
    unknown = {"snd_una": -1, "snd_nxt": -1, "window": -1, "active_ns": -1}

    assert 1 == asked(end=unknown, peer=unknown)


@pytest.mark.parametrize(
    ("window", "before", "expected"),
    [(64, -1, False), (64, 64, False), (127, 64, False), (128, 64, True), (31, 64, True), (0, 0, False), (1, 0, True)],
)
def test_window_updates(window, before, expected):
    """A window that doubled, halved, opened or shut is why an ACK was sent."""
    assert expected == updates_window.plain(window, before)
