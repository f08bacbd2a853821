"""The loop that hears of hosts: questions of ARP, stations, and what comes in which order."""

import numpy as np
import pytest

from analyzer.loops.loop import records
from analyzer.segment import WITNESS
from analyzer.track import attend
from analyzer.track.beside import Beside
from analyzer.track.hosts import ASK, HOST, new_host
from tests.notation import START_NS

S = 1_000_000_000


def question():
    """A record of what a station asks."""
    return records(ASK, 1, jit=False)[0]


def test_questions_go_on_until_an_answer():
    """Questions are counted from the first that no answer followed; a row of several that ended is kept."""
    ask = question()
    for at_s in (1, 2, 3):
        attend.note_question(ask, 0, at_s * S, at_s)
    attend.note_question(ask, 4 * S, 9 * S, 9)

    names = ("count", "first_frame", "last_frame", "failed", "failed_frame", "failed_last_frame")
    assert [1, 9, 9, 3, 1, 3] == [ask[name] for name in names]


def test_one_question_that_was_answered_is_no_failure():
    """A single question with an answer leaves nothing."""
    ask = question()
    attend.note_question(ask, 0, S, 1)
    attend.note_question(ask, 2 * S, 9 * S, 9)

    assert (1, 0) == (ask["count"], ask["failed"])


def test_stations_and_ttls_that_change():
    """A change is noted with its frame, and how often there was one; the first is none."""
    (host,) = records(HOST, 1, jit=False)
    new_host(host, S, 1, 7)
    for frame, mac, ttl in ((1, 7, 64), (2, 7, 64), (3, 8, 63), (4, 7, 64)):
        attend.note_station(host, mac, frame * S, frame)
        attend.note_ttl(host, ttl, frame * S, frame)

    assert (8, 4, 2) == (host["mac_before"], host["mac_frame"], host["mac_turns"])
    assert (63, 4, 2) == (host["ttl_before"], host["ttl_frame"], host["ttl_turns"])


def test_the_station_heard_last_and_the_one_before():
    """Of all stations the last is known, and the last that is another."""
    registers = [0] * attend.REGISTERS
    registers[attend.LAST_MAC] = registers[attend.OTHER_MAC] = -1
    for frame, mac in ((1, 7), (2, 8), (3, 8), (4, 9), (5, 9)):
        attend.heard_at(registers, mac, frame * S, frame)

    assert [9, 5, 8, 3] == [
        registers[at] for at in (attend.LAST_MAC, attend.LAST_FRAME, attend.OTHER_MAC, attend.OTHER_FRAME)
    ]


@pytest.mark.parametrize("jit", [False, True])
def test_frames_without_address_show_stations_only(jit):
    """A frame without IP makes its station known, and no host."""
    others = np.zeros(2, dtype=WITNESS)
    others["ts_ns"], others["frame"], others["kind"] = START_NS, [1, 2], 1
    others["src_mac"] = 5
    beside = Beside(jit=jit, seed=3)

    beside.add(others)
    beside.hear(0)

    assert [0, 1] == [int(beside._registers[which]) for which in (attend.HOSTS, attend.STATIONS)]
