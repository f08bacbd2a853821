"""The JSON of joined captures keeps its schema and says what the story says."""

import json
from pathlib import Path

import jsonschema
import pytest

from analyzer.joining import join
from analyzer.report.joint_json import write_json
from tests.judging import CAPTURES
from tests.vantages import ACK, PSH, World, keepalive

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "analyzer" / "schema" / "join-1.schema.json").read_text(encoding="utf-8")
)
LAB = CAPTURES / "lab"


def written(joined):
    """Return the JSON of what was joined."""
    pieces = []
    write_json(joined, pieces.append)
    return json.loads("".join(pieces))


@pytest.mark.parametrize(
    "paths",
    [
        (LAB / "fw_reject_rst.pcap", LAB / "fw_reject_rst.peer.pcap"),
        (LAB / "fw_silent_drop.pcap", LAB / "fw_silent_drop.peer.pcap"),
        (LAB / "nat_idle_expired.pcap", LAB / "nat_idle_expired.peer.pcap"),
        (LAB / "any_router_sll.pcap",),
    ],
)
def test_it_keeps_its_schema(paths):
    """What is written is what the schema that ships with the package describes."""
    jsonschema.validate(written(join(*paths)), SCHEMA)


def test_clocks_that_drift_and_were_set_keep_it_too(tmp_path):
    """Offsets are seconds with bounds, drift parts in a million, steps instants."""
    made = World(offset_s=37.25, step=(9.0, 5.0), nat="203.0.113.9")
    keepalive(made, lost=(2,))

    found = written(join(*made.write(tmp_path)))

    jsonschema.validate(found, SCHEMA)
    point = found["points"][1]
    assert point["offset_s"]["low"] <= 37.25 <= point["offset_s"]["high"]
    assert [5] == [round(step["by_s"], 2) for step in point["steps"]]
    assert {"ends": ["a"], "a": ["192.0.2.1:40000", "203.0.113.9:40000"], "b": ["198.51.100.1:443"] * 2} == (
        found["flows"][0]["translation"]
    )
    assert {"answered": 7, "lost": 1} == found["summary"]["probes"]


def test_a_proven_reset_and_its_place_are_there():
    """Who made the RST, between which points, and how sure that is."""
    ending = written(join(LAB / "fw_reject_rst.pcap", LAB / "fw_reject_rst.peer.pcap"))["flows"][0]["ending"]

    assert {
        "verdict": "reset_on_probe",
        "by": "between",
        "by_certainty": "proven",
        "between": [1, 0],
        "point": 0,
        "frame": 21,
    } == {name: value for name, value in ending.items() if name != "time_s"}


def test_what_a_capture_lacks_is_named(tmp_path):
    """Where nothing is proven because a capture lacks others, one of these is named, and nowhere else."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(3.0, "a", ACK | PSH, a + 31, b + 1, b"some data", missed="B")
    made.send(3.1, "b", ACK, b + 1, a + 40)
    made.send(4.0, "a", ACK, a + 40, b + 1, fate="lost")
    made.send(5.0, "a", ACK | PSH, a + 40, b + 1, b"more")
    made.send(5.1, "b", ACK, b + 1, a + 44)

    found = written(join(*made.write(tmp_path)))

    jsonschema.validate(found, SCHEMA)
    assert [("acknowledged", None), ("lacks_others", {"point": 0, "frame": 8})] == [
        (packet["why"], packet.get("lacks")) for packet in found["flows"][0]["packets"]
    ]
