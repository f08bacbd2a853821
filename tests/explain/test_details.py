"""Each finding in a sentence or two."""

import re

import pytest

from analyzer import explain
from analyzer.explain.details import DETAILS
from analyzer.findings import CODES
from tests.judging import SHOWN, captured, scenario


def test_every_code_has_its_words():
    """Each finding code has its sentence, and there is none without a code."""
    assert set(CODES) == set(DETAILS)


@pytest.mark.parametrize("code", CODES)
def test_a_detail_is_one_or_two_sentences(code):
    """A detail is short, ends with a full stop and leaves no hole."""
    judged = SHOWN[code]()
    text = explain.detail(judged.finding(code), judged)

    assert text.endswith(".")
    assert text[0].isupper() or text[0].isdigit()
    assert len(re.findall(r"[a-z)][.?!] [A-Z]", text)) <= 2
    assert not re.search(r"None|\{|\bnan\b| {2}", text)


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        (
            "founding_go_fin60.pcap",
            "close-wait-held-by-keepalive",
            (
                "The server did not close in the 61.463 s after the client's FIN; its kernel sent 12 probes"
                " meanwhile, 11 answered."
            ),
        ),
        (
            "founding_go_fin60.pcap",
            "both-ends-probe",
            "Keepalive is on at both ends: 1 probe from the client, 15 from the server, each by its own timer.",
        ),
        (
            "founding_go_fin60.pcap",
            "aggressive-probing",
            (
                "The server probes about every 5.120 s, 12 a minute; the shortest idle limit known of a box on the"
                " way is 60 s."
            ),
        ),
        (
            "lab/telnet_lost_byte.pcap",
            "not-keepalive-lookalikes",
            "From the client 12 octets sent again: not keepalive, though Wireshark may label such segments so.",
        ),
    ],
)
def test_details_carry_the_numbers(name, code, expected):
    """A detail has names, counts and durations of its own flow."""
    (judged,), _ = captured(name)

    assert expected == explain.detail(judged.finding(code), judged)


def test_a_window_that_stays_closed_is_told_without_probes():
    """A closed window that nobody probes has words of its own."""
    (judged,) = scenario("keepalive_under_a_closed_window")

    assert "stayed closed; its peer sent no window probe" in explain.detail(judged.finding("window-closed"), judged)
