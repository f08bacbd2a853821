"""JSON and CSV: the schema, and the truth that is known of each capture."""

import io
import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from analyzer.analyzing import analyze
from analyzer.report import export
from tests.beside import LAB

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"
SCHEMA = json.loads((ROOT / "analyzer" / "schema" / "report-1.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
CATALOGUE = tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]

LAB_VERDICTS = {
    "fin_both": "closed",
    "half_closed_still_probed": "half_closed",
    "rst_by_peer_answering_probe": "reset_on_probe",
    "rst_by_prober_after_unanswered": "timed_out",
    "rst_abort": "aborted",
    "silent_at_capture_end": "silent",
    "open_at_capture_end": "open",
}


def report_of(*paths):
    """The JSON report of some captures, read back."""
    analysis = analyze(*paths)
    out = io.StringIO()
    export.write_json(analysis.captures, analysis, analysis.totals, out.write, several=len(paths) > 1)
    return json.loads(out.getvalue())


def undescribed(value, schema, path=""):
    """Names of fields that the schema does not describe."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "oneOf" in schema and "$ref" in schema["oneOf"][0]:
        yield from undescribed(value, schema["oneOf"][0], path)
    elif isinstance(value, list):
        for item in value:
            yield from undescribed(item, schema.get("items", {}), path)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in schema.get("properties", {}):
                yield from undescribed(item, schema["properties"][name], f"{path}.{name}")
            elif "additionalProperties" not in schema:
                yield f"{path}.{name}"


def test_the_schema_is_one():
    """The schema that ships is a JSON Schema of 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert "https://json-schema.org/draft/2020-12/schema" == SCHEMA["$schema"]


def test_flows_and_findings_bring_their_filters():
    """A flow has the filters that select it, and each finding those that select its frames."""
    flow = report_of(CAPTURES / "founding_go_fin60.pcap")["flows"][0]
    by_code = {finding["code"]: finding["filters"] for finding in flow["findings"]}

    assert flow["filters"]["wireshark"].endswith("frame.number >= 1 && frame.number <= 39")
    assert {"wireshark": "frame.number in {14..15, 38..39}", "tcpdump": flow["filters"]["tcpdump"]} == by_code[
        "fin-wait-2-expired"
    ]


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["file"])
def test_reports_follow_the_schema_and_the_truth(entry):
    """The report of each capture is valid, has no undescribed field, and says what is known of the capture."""
    report = report_of(CAPTURES / entry["file"])

    assert [] == [error.message for error in VALIDATOR.iter_errors(report)]
    assert [] == sorted(set(undescribed(report, SCHEMA)))
    flows = [flow for flow in report["flows"] if flow["ending"]["verdict"] != "undetermined"]
    assert [expected(flow) for flow in entry["flows"]] == [
        found(flow, truth) for flow, truth in zip(flows, entry["flows"], strict=True)
    ]
    assert sum(flow["probes"] for flow in entry["flows"]) == report["summary"]["probes"]
    assert sum(flow["answered"] for flow in entry["flows"]) == report["summary"]["probes_answered"]
    assert sum(flow["probes_after_fin"] for flow in entry["flows"]) == report["summary"]["probes_after_fin"]


def expected(truth):
    """What the catalogue says of a flow."""
    return {
        "a": truth["a"],
        "b": truth["b"],
        "verdict": truth["verdict"],
        "by": truth.get("by"),
        "probes": truth["probes"],
        "after_fin": truth["probes_after_fin"],
        "answered": truth["answered"],
        "frames": truth["probe_frames"],
        "windows": truth.get("zero_window_probe_frames", []),
        "fins": truth["fin_frames"],
        "resets": truth["reset_frames"],
    }


def found(flow, truth):
    """The same from the report."""
    return {
        "a": flow["a"],
        "b": flow["b"],
        "verdict": flow["ending"]["verdict"],
        "by": flow["ending"]["by"] if "by" in truth else None,
        "probes": len(flow["probes"]),
        "after_fin": sum(probe["after_fin"] is not None for probe in flow["probes"]),
        "answered": sum(probe["answer"] in {"ack", "data"} for probe in flow["probes"]),
        "frames": [probe["frame"] for probe in flow["probes"]],
        "windows": [probe["frame"] for probe in flow["zero_window_probes"]],
        "fins": [fin["frame"] for fin in flow["fins"]],
        "resets": [reset["frame"] for reset in flow["resets"]],
    }


@pytest.mark.parametrize("folder", [CAPTURES / "lab", LAB], ids=["captures/lab", "shared/lab"])
def test_reports_of_the_lab_say_what_the_kernels_did(folder):
    """Probes, their answers and verdicts equal the truth that was recorded beside each lab capture."""
    truths = sorted(folder.glob("*.json"))
    if not truths:
        pytest.skip(f"{folder} is not here")
    wrong = []
    for path in truths:
        truth = json.loads(path.read_text(encoding="utf-8"))
        report = report_of(next(folder.glob(f"{path.stem}.pcap*")))
        wrong += [f"{path.stem}: {error.message}" for error in VALIDATOR.iter_errors(report)]
        if len(report["flows"]) != len(truth["flows"]):
            wrong.append(f"{path.stem}: {len(report['flows'])} flows")
            continue
        for flow, made, wire in zip(report["flows"], truth["flows"], truth["wire"], strict=True):
            known = {
                probe["n"]: (probe.get("answer"), probe.get("answer_n"))
                for probe in wire["probe_list"]
                if probe["kind"] == "keepalive"
            }
            seen = {probe["frame"]: (probe["answer"], probe["answer_frame"]) for probe in flow["probes"]}
            verdict = "unestablished" if path.stem == "syn_only" else LAB_VERDICTS[made["expected"]["ending"]]
            if (known, verdict) != (seen, flow["ending"]["verdict"]):
                wrong.append(f"{path.stem}: {flow['ending']} {sorted(known.items() ^ seen.items())}")

    assert [] == [line for line in wrong if not excused(line)]


# What the vantage point cannot show, and the report therefore does not say; see the sentence beside each.
EXCUSED = {
    "snaplen_40": "only the ports are left of the TCP headers",
}


def excused(line):
    """Whether a difference has a reason."""
    return line.split(":")[0].split(".")[0] in EXCUSED


def test_several_captures_are_one_report():
    """With several captures each flow names its own, and the report is valid."""
    report = report_of(CAPTURES / "founding_go_fin60.pcap", CAPTURES / "dead_peer_silence.pcap")

    assert [] == list(VALIDATOR.iter_errors(report))
    assert [0, 1] == [flow["capture"] for flow in report["flows"]]
    assert 2 == report["summary"]["flows"]


def test_the_contract_of_the_founding_flow():
    """The fields that programs rely on have the values that the founding capture is known to hold."""
    report = report_of(CAPTURES / "founding_go_fin60.pcap")
    flow = report["flows"][0]
    probe = flow["probes"][-1]

    assert (1, "pcap", ["EN10MB"], 39) == (
        report["schema"],
        report["captures"][0]["format"],
        report["captures"][0]["link_types"],
        report["captures"][0]["frames"],
    )
    assert {"frame": 39, "from": "a", "answers_probe": 38, "kind": "no_socket"}.items() <= flow["resets"][0].items()
    assert ("received", "rst", 39, "certain") == tuple(
        probe[name] for name in ("after_fin", "answer", "answer_frame", "certainty")
    )
    assert ("reset_on_probe", "a", 39) == tuple(flow["ending"][name] for name in ("verdict", "by", "frame"))
    assert {"a": "CLOSED", "b": "CLOSED"} == flow["states"]
    assert {"a": 5, "b": 0} == flow["payload_bytes"]
    assert 5 == flow["settings"]["b"]["idle_s"]["value"]
    assert "close-wait-held-by-keepalive" in [finding["code"] for finding in flow["findings"]]
    assert all(finding["detail"] for finding in flow["findings"])
