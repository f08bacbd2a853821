"""Tables of flows, probes and findings agree with the flows as objects."""

import numpy as np
import pytest

from analyzer import explain
from analyzer.report import objects
from analyzer.report.tables import TABLES, table
from tests.notation import START_NS
from tests.tables import scenario_names
from tests.test_together import flows_of

NAMES = scenario_names()


def rows_of(name, flows, order=None):
    """Return a table as dicts."""
    cells = table(name, flows, START_NS, order)
    columns = [each.plain() for each in cells.values()]
    return [dict(zip(cells, values, strict=True)) for values in zip(*columns, strict=True)]


def value(timer):
    """Return the value of a timer or count of the JSON."""
    return timer and timer["value"]


@pytest.mark.parametrize("first", range(0, len(NAMES), 40))
def test_flows_are_those_of_the_json(first):
    """Each row says of its flow what the JSON says."""
    flows, _ = flows_of(NAMES[first : first + 40])
    for row, one in zip(rows_of("flows", flows), flows, strict=True):
        flow = objects.flow_object(one.judged, START_NS)
        expected = {
            "capture": 0,
            **{
                name: flow[name] for name in ("flow", "a", "b", "initiator", "starts_with", "first_frame", "last_frame")
            },
            **{name: flow[name] for name in ("first_s", "last_s")},
            "probes_answered": sum(probe["answer"] in {"ack", "data"} for probe in flow["probes"]),
            "probes_after_fin": sum(probe["after_fin"] is not None for probe in flow["probes"]),
            "zero_window_probes": len(flow["zero_window_probes"]),
            "verdict": flow["ending"]["verdict"],
            "by": flow["ending"]["by"],
            "ending_frame": flow["ending"]["frame"],
            "ending_s": flow["ending"]["time_s"],
            "findings": " ".join(finding["code"] for finding in flow["findings"]),
        }
        cause = flow["ending"]["cause"] or {"code": "", "certainty": "", "instead": []}
        expected |= {"cause": cause["code"], "cause_certainty": cause["certainty"]}
        expected["cause_instead"] = " ".join(cause["instead"])
        for side in ("a", "b"):
            settings = flow["settings"][side] or {"idle_s": None, "interval_s": None, "count": None}
            expected |= {
                f"segments_{side}": flow["segments"][side],
                f"payload_bytes_{side}": flow["payload_bytes"][side],
                f"probes_{side}": sum(probe["from"] == side for probe in flow["probes"]),
                f"idle_{side}_s": value(settings["idle_s"]),
                f"interval_{side}_s": value(settings["interval_s"]),
                f"count_{side}": value(settings["count"]),
                f"fin_{side}_s": next((fin["time_s"] for fin in flow["fins"] if fin["from"] == side), None),
                f"state_{side}": flow["states"][side],
            }

        assert expected == row


@pytest.mark.parametrize("first", range(0, len(NAMES), 40))
def test_probes_and_findings_are_those_of_the_json(first):
    """Each probe and each finding of a flow is a row, in order."""
    flows, _ = flows_of(NAMES[first : first + 40])
    probes, findings = [], []
    for one in flows:
        flow = objects.flow_object(one.judged, START_NS)
        of = {"capture": 0, "flow": flow["flow"]}
        for probe in flow["probes"]:
            peer = "b" if probe["from"] == "a" else "a"
            probes.append({**of, "sender": flow[probe["from"]], "receiver": flow[peer], **probe})
        for finding, said in zip(one.judged.findings, flow["findings"], strict=True):
            frames = " ".join(map(str, finding.frames))
            detail = explain.detail(finding, one.judged)
            findings.append({**of, "code": said["code"], "about": said["about"], "frames": frames, "detail": detail})

    assert probes == rows_of("probes", flows)
    assert findings == rows_of("findings", flows)


@pytest.mark.parametrize("name", TABLES)
def test_flows_in_another_order(name):
    """Rows go with their flows, whatever the order asked for."""
    flows, _ = flows_of(["dead_peer_gave_up", "orderly_close", "both_ends_probe"])
    order = np.arange(len(flows))[::-1]
    by_flow = [rows_of(name, flows.take(np.array([at]))) for at in range(len(flows))]

    assert [row for rows in reversed(by_flow) for row in rows] == rows_of(name, flows, order)
