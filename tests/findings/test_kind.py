"""A record says where its finding is told, and what is advised."""

import re
from dataclasses import astuple

import pytest

from analyzer import explain
from analyzer.findings import CODES, FINDINGS, Advice, Scope, Told, kind_of
from analyzer.judge.verdict import Verdict
from tests.judging import captured, shown


@pytest.mark.parametrize("kind", FINDINGS, ids=CODES)
def test_every_part_of_a_record_is_filled(kind):
    """A record has rows with conditions, every part of its long text in one plain paragraph, and a source."""
    assert kind.rows
    assert all(row.conditions for row in kind.rows)
    assert all(part and "\n" not in part and "  " not in part for part in astuple(kind.text))


@pytest.mark.parametrize("kind", FINDINGS, ids=CODES)
def test_advice_goes_to_somebody_who_exists(kind):
    """Advice to an endpoint needs a finding that is about one."""
    assert kind.advice is not Advice.OWN or kind.scope is Scope.ENDPOINT


@pytest.mark.parametrize("code", CODES)
def test_a_detail_is_one_or_two_sentences(code):
    """A detail is short, ends with a full stop and leaves no hole."""
    judged = shown(code)
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
                "The server probes about every 5.120 s, 12 times a minute. The shortest known idle timeout of a"
                " middlebox is 60 s, so probing every 30 to 45 s would be enough to keep the connection."
            ),
        ),
        (
            "lab/telnet_lost_byte.pcap",
            "not-keepalive-lookalikes",
            "The client sent 12 retransmitted bytes: not keepalive, though Wireshark may say Keep-Alive.",
        ),
    ],
)
def test_details_carry_the_numbers(name, code, expected):
    """A detail has names, counts and durations of its own flow."""
    (judged,), _ = captured(name)

    assert expected == explain.detail(judged.finding(code), judged)


def test_data_can_change_the_advice():
    """Where nothing can have been unread, the advice of an abort is about SO_LINGER alone."""
    (impossible, *_), _ = captured("lab/port_reuse.pcap")
    (possible,), _ = captured("founding_killed_unread.pcap")
    kind = kind_of("abort-without-fin")

    assert "Leave SO_LINGER alone, unless an abort is meant." == kind.advice_of(impossible.finding(kind.code))
    assert kind.text.change == kind.advice_of(possible.finding(kind.code))


def test_a_finding_is_told_in_one_place():
    """Which place that is follows from whether it leads, from the verdict, or from the record."""
    assert Told.STORY is kind_of("dead-peer-detected").told_at(Verdict.TIMED_OUT)
    assert Told.ALSO is kind_of("both-ends-probe").told_at(Verdict.OPEN)
    assert Told.LIMITS is kind_of("headers-cut").told_at(Verdict.OPEN)
    assert Told.STORY is kind_of("headers-cut").told_at(Verdict.UNDETERMINED)
