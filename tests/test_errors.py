"""What can go wrong, in one sentence each."""

import pickle

import pytest

from analyzer.errors import (
    AnalyzerError,
    CaptureError,
    LiveCaptureError,
    NotACaptureError,
    UnsupportedLinkTypeError,
)

ERRORS = [
    (CaptureError("a.pcap", "is empty"), "a.pcap: is empty"),
    (CaptureError("a.pcap", "is damaged", 24), "a.pcap: is damaged at byte 24"),
    (CaptureError("a.pcap", "is damaged", 0), "a.pcap: is damaged at byte 0"),
    (NotACaptureError("a.txt", "is no capture"), "a.txt: is no capture"),
    (UnsupportedLinkTypeError("a.pcap", 147, "has link type 147"), "a.pcap: has link type 147"),
    (LiveCaptureError("eth0", "not permitted"), "cannot capture on eth0: not permitted."),
    (LiveCaptureError("eth0", "not permitted", "Try sudo."), "cannot capture on eth0: not permitted. Try sudo."),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS, ids=lambda value: value if isinstance(value, str) else "")
def test_one_exact_sentence(error, expected):
    """Each error composes the sentence that the user reads from its parts."""
    assert expected == str(error)


@pytest.mark.parametrize("error", [error for error, _ in ERRORS])
def test_everything_raised_on_purpose_is_one_kind(error):
    """One class catches all of them."""
    assert isinstance(error, AnalyzerError)


def test_parts_are_kept():
    """Path, reason, offset, link type, interface and remedy can be asked for."""
    damaged = CaptureError("a.pcap", "is damaged", 24)
    foreign = UnsupportedLinkTypeError("a.pcap", 147, "has link type 147")
    live = LiveCaptureError("eth0", "not permitted", "Try sudo.")

    assert ("a.pcap", "is damaged", 24) == (damaged.path, damaged.reason, damaged.offset)
    assert ("a.pcap", 147, None) == (foreign.path, foreign.link_type, foreign.offset)
    assert ("eth0", "not permitted", "Try sudo.") == (live.interface, live.reason, live.remedy)


def test_a_capture_error_survives_a_process_boundary():
    """An error that comes back from another process reads the same."""
    damaged = CaptureError("a.pcap", "is damaged", 24)

    assert str(damaged) == str(pickle.loads(pickle.dumps(damaged)))
