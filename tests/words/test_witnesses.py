"""What witnesses say."""

from dataclasses import replace

import pytest

from analyzer.judge.judged import JudgedFlow, Witness
from analyzer.words.teller import Teller
from analyzer.words.witnesses import SAYINGS, says, shows_life, witness_lines
from tests.capture.craft import ethernet
from tests.causes.scenes import dead
from tests.judging import scenario

DATA = {
    "sender": "10.0.0.254",
    "version": 4,
    "type": 3,
    "code": 13,
    "count": 2,
    "to": "a",
    "quotes": "probe",
    "address": "10.0.0.2",
    "lasted_ns": 2_000_000_000,
    "from_mac": "02:00:00:00:00:01",
    "to_mac": "02:00:00:00:00:02",
    "mac": "02:00:00:00:00:01",
    "unasked": 1,
    "after_ns": 5_000_000_000,
    "last_after_ns": 9_000_000_000,
    "passed_ns": 3_000_000_000,
    "what": 17,
    "hop": "",
    "own": 1,
    "flows": 2,
    "flow": 7,
    "service": "10.0.0.2:80",
    "agreed": 1,
    "before": 64,
    "after": 63,
    "packets": 9,
}


@pytest.mark.parametrize("key", SAYINGS, ids="-".join)
def test_every_witness_has_a_sentence(key):
    """Each kind of witness is said in one whole sentence."""
    kind, word = key
    t = Teller(scenario("dead_peer_gave_up")[0], 0)
    about = "path" if kind == "icmp" else "b"
    sentence = says(t, Witness(kind, about, (1,), 0, word, DATA))

    assert sentence[0].isupper() or sentence[0].isdigit()
    assert sentence.endswith(".")
    assert "None" not in sentence


def test_lines_carry_frames():
    """Each witness of a flow is a line with its frames."""
    judged = dead().judged()
    lines = witness_lines(Teller(judged, judged.record.first_ns))

    assert isinstance(judged, JudgedFlow)
    assert [line.frames for line in lines] == [witness.frames for witness in judged.witnesses]
    assert lines


def test_what_is_counted_from_is_named():
    """A silence of a host and a sign of its station say from which segment they count."""
    made = dead()
    made.put(11, ethernet(b"", 0x88CC, src=made.mac_b))
    said = made.section("Evidence")

    assert "its last segment here came at +" in said
    assert "9.999 s after the last segment of 10.0.0.2 here" in said
    assert "after that" not in said


@pytest.mark.parametrize(
    ("last_ns", "expected"), [(3_785_000_000_000, "flow 1 h 3 min after"), (5_000_000_000_000, "from 1 h 3 min to 1 h")]
)
def test_a_time_that_reads_the_same_is_said_once(last_ns, expected):
    """From when to when a host was heard is one time where both are written alike."""
    data = DATA | {"after_ns": 3_780_000_000_000, "last_after_ns": last_ns}

    assert expected in says(None, Witness("life_sign", "b", (1,), 0, "heard", data))


@pytest.mark.parametrize(
    ("word", "data", "expected"),
    [
        ("heard", {}, True),
        ("throughout", {}, True),
        ("station", {"own": 1}, True),
        ("station", {"own": 0}, False),
        ("unheard", {}, False),
        ("heard_later", {}, False),
    ],
)
def test_a_host_that_was_there_is_not_dead(word, data, expected):
    """What comes from its address, or from its own station, shows that a host was there meanwhile."""
    seen = replace(dead().judged(), witnesses=(Witness("life_sign", "b", (1,), 0, word, data),))

    assert expected == shows_life(seen)


@pytest.mark.parametrize(
    ("ttl", "expected"), [(64, "came with the TTL (64) of the other packets"), (250, "TTL 250; the")]
)
def test_the_ttl_of_a_rst_is_said_to_be_theirs_only_where_it_is(ttl, expected):
    """Also where something else speaks for the host in whose name it came."""
    data = {"address": "10.0.0.2", "ttl": ttl, "low": 64, "high": 64, "mac": "", "on_link": 0, "strange": ""}

    assert expected in says(None, Witness("same_hop", "b", (15,), 0, "alike", data))
