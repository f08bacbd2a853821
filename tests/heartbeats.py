"""Flows with heartbeats, written by what each end sends at which second."""

import importlib.util
import itertools

import pytest

from analyzer.judge.table import PROTOCOL_NAMES
from tests.judging import judge, judge_batches
from tests.notation import follow, parse

OPENING = "# Heartbeats.\n+0 a > b S 0:0(0)\n+.01 b > a S. 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\n"

S = 1_000_000_000
modes = pytest.mark.parametrize(
    "jit",
    [
        False,
        pytest.param(
            True,
            id="compiled",
            marks=pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed"),
        ),
    ],
)


class Talk:
    """A flow in the making: what each end sends at which second, all acknowledged."""

    def __init__(self):
        self.lines = [OPENING.rstrip()]
        self.next = {"a": 1, "b": 1}

    def says(self, at, who, length, *, acked=True, flags="P.", unread=0):
        """Send so many octets, before the peer's last ``unread`` octets were there."""
        peer = "b" if who == "a" else "a"
        first = self.next[who]
        self.next[who] += length
        self.lines.append(
            f"@{at:.3f} {who} > {peer} {flags} {first}:{first + length}({length}) ack {self.next[peer] - unread}"
        )
        if acked:
            at += 0.04
            self.lines.append(f"@{at:.3f} {peer} > {who} . {self.next[peer]}:{self.next[peer]}(0) ack {self.next[who]}")
        return self

    def beats(self, times, length=6, answer=6, who="a", *, after=0.01):
        """Send heartbeats at these times, each answered unless ``answer`` is 0."""
        for at in times:
            self.says(at, who, length, acked=not answer)
            if answer:
                self.says(at + after, "b" if who == "a" else "a", answer)
        return self

    def batch(self):
        """What a capture has of it."""
        return parse("\n".join(self.lines) + "\n").batch()

    def trains(self, *, jit=False):
        """The trains that are found."""
        return [train for batch in follow([self.batch()], jit=jit) for train in batch.trains]


def each(first, period, count):
    """Times at even intervals."""
    return [first + period * at for at in range(count)]


JITTER_S = (0, 3.8, 7.2, 1.1, 6.5, 0.4, 5.9, 2.7, 7.4, 4.6, 0.9, 6.8, 3.3)
"""What a timer of 30 s subtracts from it, up to a quarter (RFC 4271 10)."""


def routers(period):
    """Two ends that beat by themselves, of which each draws how late it is; lists of their times."""
    drawn = [period - period * jitter / 30 for jitter in JITTER_S]
    return [list(itertools.accumulate(drawn[at:] + drawn[:at], initial=20 + period * at / 10)) for at in (0, 5)]


def talk_of(times, length):
    """What passes where the ends beat at these times."""
    talk = Talk()
    for at, who in sorted([(at, who) for who, own in zip("ab", times, strict=True) for at in own]):
        talk.beats([at], length=length, answer=0, who=who)
    return talk


def known(train, *names):
    """Some fields of a train."""
    return tuple(int(train[name]) for name in names)


def flow_of(talk, tail):
    """Return the flow of a talk, judged."""
    (judged,) = judge(parse("\n".join([*talk.lines, tail]) + "\n"))
    return judged


def agreed(talk, tail, protocol, limit_s):
    """The flow of a talk, of a protocol whose ends agreed on so much."""
    (batch,) = follow([parse("\n".join([*talk.lines, tail]) + "\n").batch()])
    batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index(protocol), limit_s * 10**9
    (judged,) = judge_batches([batch])
    return judged
