"""Holds a report to the truth that the lab writes beside each of its captures."""

import json


def differences(report, truth):
    """Return in which probes, answers, verdicts and settings a report says something else than the truth."""
    if len(report["flows"]) != len(truth["flows"]):
        return [f"{len(report['flows'])} flows"]
    found = []
    for flow, made, wire in zip(report["flows"], truth["flows"], truth["wire"], strict=True):
        probes = {
            probe["n"]: (probe.get("answer"), probe.get("answer_n"))
            for probe in wire["probe_list"]
            if probe["kind"] == "keepalive"
        }
        told = {probe["frame"]: (probe["answer"], probe["answer_frame"]) for probe in flow["probes"]}
        if probes != told:
            found.append(f"{made['id']}: probes {sorted(probes.items() ^ told.items())}")
        window_probes = {probe["n"] for probe in wire["probe_list"] if probe["kind"] == "zero_window_probe"}
        if window_probes != {probe["frame"] for probe in flow["zero_window_probes"]}:
            found.append(f"{made['id']}: window probes")
        if made["expected"]["verdict"] not in {None, flow["ending"]["verdict"]}:
            found.append(f"{made['id']}: {flow['ending']['verdict']}, not {made['expected']['verdict']}")
        found += [f"{made['id']}: {line}" for line in wrong_settings(flow, made)]
    return found


def wrong_settings(flow, made):
    """Return which claims of settings the options in force contradict."""
    wrong = []
    for who, side in sides(flow, made).items():
        force = made["options"][who].get("in_force")
        settings = flow["settings"][side]
        if not force or not settings:
            continue
        truths = {"idle_s": force["idle"], "interval_s": force["intvl"], "period_s": max(force["idle"], force["intvl"])}
        for name, set_s in truths.items():
            claim = settings.get(name)
            if claim and not (claim["low"] <= set_s <= claim["high"] and claim["value"] in {None, set_s}):
                wrong.append(f"{name} of the {who} is {set_s}, not {claim}")
    return wrong


def sides(flow, made):
    """Return which end of a flow in the report each side is; none where translation hides it."""
    ends = {flow["a"]: "a", flow["b"]: "b"}
    return {who: ends[made[who]] for who in ("client", "server") if made[who] in ends}


def beside(capture):
    """Return the truth beside a capture."""
    return json.loads(capture.with_suffix(".json").read_text(encoding="utf-8"))
