"""What the lab reads off the wire, against the truth of an earlier run that another program wrote."""

import json
import shutil
from pathlib import Path

import pytest

from captures.recipes.lab import wire
from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.wire import Reading, Segment

LAB = Path(__file__).parents[1] / "captures" / "lab"
ACK, FIN, RST, SYN = 16, 1, 4, 2
TRUTHS = [path for path in sorted(LAB.glob("*.json")) if path.stem != "port_reuse"]  # its actions have no times


def as_now(flow):
    """A flow of the earlier run, in the form of today."""
    sides = {flow["client"]: "client", flow["server"]: "server"}
    prober = flow.get("prober")
    return {
        "address_seen_elsewhere": None,
        **flow,
        "prober_side": "both" if isinstance(prober, list) else sides.get(prober),
        "synthetic": "emulated" in flow["options"]["server"],
    }


def read(flow, segments, *, with_copies=False):
    """What a reading finds of a flow."""
    side = wire.of_flow(flow, (0.0, float("inf")))
    sent = [(who, segment) for segment in segments if (who := side(segment)) is not None]
    reading = Reading(flow)
    reading.read(sent, with_copies=with_copies)
    return reading.result(len(sent))


def probes_of(result):
    """Frame, sender, kind and answer of each probe."""
    return [(each["n"], each["from"], each["kind"], each.get("answer"), each.get("answer_n")) for each in result]


@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.stem)
def test_the_probes_are_those_of_the_earlier_run(path):
    """Each probe of a bundled lab capture is found, with its answer, and nothing else is."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    truth = json.loads(path.read_text(encoding="utf-8"))
    segments = wire.tshark(next(LAB.glob(f"{path.stem}.pcap*")))
    copies = truth["capture"]["device"] == "any" or "two interfaces" in truth["capture"]["vantage"]

    for flow, expected in zip(truth["flows"], truth["wire"], strict=True):
        found = read(as_now(flow), segments, with_copies=copies)

        assert probes_of(expected["probe_list"]) == probes_of(found["probe_list"])
        assert [who for who, _ in expected["fins"]] == [who for who, _ in found["fins"]]
        assert [who for who, _ in expected["rsts"]] == [who for who, _ in found["rsts"]]


FLOW = {
    "id": "f1",
    "client": "192.0.2.1:1",
    "server": "192.0.2.2:2",
    "prober_side": "server",
    "synthetic": None,
    "address_seen_elsewhere": None,
    "zero_window_probes_expected": False,
}


def segments(*told):
    """Segments from (sender, seq, ack, flags), a second apart."""
    ends = {"client": (FLOW["client"], FLOW["server"]), "server": (FLOW["server"], FLOW["client"])}
    return [
        Segment(number, float(number), *ends[who], seq, ack, 0, flags, 500, frozenset())
        for number, (who, seq, ack, flags) in enumerate(told, 1)
    ]


def test_a_probe_is_one_below_the_next_number():
    """After a handshake, an empty ACK one below what its sender would send next is a probe; the next ACK answers it."""
    found = read(
        FLOW,
        segments(
            ("client", 0xFFFFFFFF, 0, SYN),
            ("server", 99, 0, SYN | ACK),
            ("client", 0, 100, ACK),
            ("server", 99, 0, ACK),
            ("client", 0, 100, ACK),
            ("server", 99, 0, ACK),
            ("client", 0, 0, RST),
        ),
    )

    expected = [(4, "server", "keepalive", "ack", 5), (6, "server", "keepalive", "rst", 7)]
    assert expected == probes_of(found["probe_list"])
    assert ["client"] == [who for who, _ in found["rsts"]]


def test_where_nothing_of_the_peer_is_seen_the_scenario_says_who_probes():
    """In a capture of one side alone the prober's first empty ACK is taken for a probe, the other side's is not."""
    alone = segments(("server", 7, 3, ACK), ("server", 7, 3, ACK))

    assert 2 == read(FLOW, alone)["probes"]
    assert 0 == read({**FLOW, "prober_side": "client"}, alone)["probes"]


def test_of_copies_the_first_counts():
    """A frame that was captured twice within two milliseconds is one."""
    twice = segments(("server", 7, 3, ACK), ("server", 7, 3, ACK))
    twice[1].time = twice[0].time + 0.001

    assert 1 == read(FLOW, twice, with_copies=True)["probes"]
    assert twice[1].is_copy


def test_options_are_written_down_as_given():
    """What is not given is left to the system."""
    assert Options(keepalive=True, idle_s=2, interval_s=1, count=3) == probing(2, 1, 3)
    assert probing(2, 1).count is None
