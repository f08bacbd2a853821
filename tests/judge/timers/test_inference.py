"""Timers joined: from hand-made trains, from simulated probers, and from every capture whose truth was recorded."""

import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from analyzer.judge.events import Reset
from analyzer.judge.timers import inference
from analyzer.judge.verdict import Ending, Verdict
from analyzer.tolerances import EARLY_NS
from tests.beside import LAB, lab, or_skip
from tests.judging import scenario
from tests.probers import Prober, in_order, judged, timers_of
from tests.trains import S, Story, made, seconds

ROOT = Path(__file__).parents[3]
CAPTURES = ROOT / "captures"


def test_all_answers_unheard():
    """A prober that gives up although every probe was answered heard none of the answers."""
    flow, ending = Story(ttl=63).probes(1.02, 1.024, 1.024).flow()
    last = flow.probes[-1]
    reset = made(Reset, frame=99, ts_ns=last.ts_ns + S + 24_000_000, sender="b", kind="gave_up", accepted_end=True)
    ending = Ending(Verdict.TIMED_OUT, "b", 99, reset.ts_ns, "prober-gave-up")

    settings = inference.infer(flow._replace(resets=(reset,)), ending, "b")

    assert (1, 1, None) == (seconds(settings.idle), seconds(settings.interval), settings.period)
    assert settings.count.gave_up_after == 3


def test_families_of_a_triple():
    """What is inferred is looked up among known software, as families."""
    settings = Story().probes(15.1, 15.1).silence(15.1, 5.12, 5.12).settings()

    assert settings.families == ("hiredis, redis-cli",)


def test_nobody_probed():
    """An endpoint that sent no probes has no settings."""
    assert inference.infer(*Story().data(1).flow(), "b") is None


def test_suspected_probes_show_nothing():
    """Probes of a one-sided capture are suspected, and no timers are inferred from them."""
    settings = Story(midstream=True).silence(0, 5.12, 5.12, 5.12).settings()

    assert (None, None, None, None) == (settings.idle, settings.interval, settings.period, settings.count)


# ── simulated probers ──


@pytest.mark.parametrize("lossy", [False, True], ids=["no losses, seen anywhere", "losses, seen at the prober"])
def test_simulated_probers(lossy):
    """Whatever the stack, its clock, the delays and the peer's doings, every claim is right, and much is claimed."""
    told = Counter()
    wrong = []
    for seed in range(600):
        prober = Prober(seed, lossy=lossy)
        flow = prober.flow()
        if flow is None:
            continue
        settings = inference.infer(*flow, "b")
        for name in ("idle", "interval", "period"):
            verdict_of_it = judged(getattr(settings, name), getattr(prober, name))
            told[name, verdict_of_it] += 1
            if verdict_of_it not in {"none", "bounds", "right"}:
                wrong.append((seed, name, verdict_of_it))
        if settings.count is not None and settings.count.value not in {None, prober.count}:
            wrong.append((seed, "count", settings.count.value))
        if settings.stack == "linux" and prober.bsd:
            wrong.append((seed, "stack", "linux"))

    assert [] == wrong
    assert told["idle", "right"] > 300
    assert told["interval", "right"] > 150
    assert told["period", "right"] > 300


# ── recorded captures ──


def flows_of(path):
    """Return record and ending of each flow of a capture."""
    from analyzer.analyzing import analyze

    return [(flow.judged.record, flow.judged.ending) for flow in analyze(path).flows]


def options_of(role):
    """Return (idle, interval, count) in seconds that a lab endpoint had in force, or None if it did not probe."""
    if "emulated" in role:
        return role["idle"], role["intvl"], None
    if "go" in role:
        return (15, 15, 9) if "Dial" in role["go"] else (3, 3, 9)
    force = role.get("in_force")
    return (force["idle"], force["intvl"], force["cnt"]) if force and "idle" in force else None


def truths_of_lab(path):
    """Return for each flow of a lab capture its endpoints' options, by address and port."""
    flows = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["flows"]
    return [{flow[who]: options_of(flow["options"][who]) for who in ("client", "server")} for flow in flows]


def truths_of_ours():
    """Return for each capture of our own recipes its path and its endpoints' options; flow's a is the client."""
    listed = tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]
    for entry in listed:
        if entry["file"].startswith("lab/"):
            continue
        truth = {}
        for who, end in (("client", "a"), ("server", "b")):
            options = entry["options"].get(who, {})
            idle_s = options.get("TCP_KEEPIDLE", options.get("TCP_KEEPALIVE"))
            known = (idle_s, options.get("TCP_KEEPINTVL"), options.get("TCP_KEEPCNT")) if idle_s else None
            for flow in entry["flows"]:
                truth[flow[end]] = known
        if any(truth.values()):
            yield CAPTURES / entry["file"], [truth] * len(entry["flows"])


def score(captures):
    """Return how claims compare with truths, as a count by quantity and judgement, and what is wrong."""
    told, wrong = Counter(), []
    for path, truths in captures:
        for (flow, ending), truth in zip(flows_of(path), truths, strict=False):
            for side in ("a", "b"):
                settings = inference.infer(flow, ending, side)
                if settings is None:
                    continue
                idle_s, interval_s, count = truth[str(flow.endpoint(side))]
                elsewhere = settings.stack in {"xnu", "windows_or_illumos"}
                period_s = idle_s if elsewhere else max(idle_s, interval_s)
                known = {"idle": idle_s, "interval": interval_s, "period": period_s}
                verdicts = {name: judged(getattr(settings, name), value_s * S) for name, value_s in known.items()}
                verdicts["count"] = judged_count(settings.count, count)
                told.update(verdicts.items())
                wrong += [
                    (path.name, side, *each) for each in verdicts.items() if each[1] not in {"none", "bounds", "right"}
                ]
    return told, wrong


def judged_count(count, truth):
    """Say how a claimed count compares with the truth."""
    if count is None:
        return "none"
    if truth is not None and not count.low <= truth <= (count.high or truth):
        return "outside its bounds"
    if count.value is None:
        return "bounds"
    return "right" if count.value == truth else "wrong"


def lab_captures(folder):
    """Return the captures of a folder that have their truth beside them, with it."""
    paths = sorted(path for path in folder.glob("*.pcap*") if path.with_suffix(".json").exists())
    return [(path, truths_of_lab(path)) for path in paths]


def test_every_claim_about_the_shared_lab_is_right():
    """Over all 57 lab captures every value equals the option in force and every bound holds it; most are claimed."""
    or_skip(lab(), "the lab")

    told, wrong = score(lab_captures(LAB))

    print(sorted(told.items()))  # noqa: T201 - shown by pytest -s
    assert [] == wrong
    assert told["idle", "right"] >= 52
    assert told["period", "right"] >= 52
    assert told["interval", "right"] >= 21


def test_every_claim_about_our_captures_is_right():
    """Over the committed captures every value equals the option in force and every bound holds it; most are claimed."""
    told, wrong = score([*lab_captures(CAPTURES / "lab"), *truths_of_ours()])

    print(sorted(told.items()))  # noqa: T201 - shown by pytest -s
    assert [] == wrong
    assert told["idle", "right"] >= 39
    assert told["period", "right"] >= 39
    assert told["interval", "right"] >= 12
    assert told["count", "right"] >= 1


def test_bounds_are_in_order():
    """The bounds of every duration claimed of any capture are in order and hold its value."""
    paths = [path for folder in (CAPTURES, LAB) for path in sorted(folder.glob("**/*.pcap*"))]
    told, wrong = Counter(), []
    for path in paths:
        for flow, ending in flows_of(path):
            for side in ("a", "b"):
                claims = timers_of(inference.infer(flow, ending, side))
                told.update(list(claims))
                wrong += [(path.name, side, name) for name, timer in claims.items() if not in_order(timer)]

    assert [] == wrong
    assert min(told.values()) > 10


@pytest.mark.parametrize("lossy", [False, True], ids=["no losses", "losses"])
def test_bounds_of_simulated_probers_are_in_order(lossy):
    """So are those of simulated probers, some of which start a tick early."""
    wrong, early = [], 0
    for seed in range(600, 1200):
        prober = Prober(seed, lossy=lossy)
        flow = prober.flow()
        if flow is None:
            continue
        first = flow[0].probes[0]
        early += first.idle_ns is not None and prober.idle > first.idle_ns >= prober.idle - EARLY_NS
        claims = timers_of(inference.infer(*flow, "b"))
        wrong += [(seed, name) for name, timer in claims.items() if not in_order(timer)]

    assert [] == wrong
    assert early > 0


@pytest.mark.parametrize(
    ("name", "interval_s"), [("reset_far_below_is_forged", 2), ("reset_one_below_while_established", 1)]
)
def test_resets_without_effect_between_unanswered_probes_hide_no_interval(name, interval_s):
    """The next probe comes sooner behind such a RST than a timer that it restarts would send it."""
    judged = scenario(name)[0]

    assert interval_s * S == judged.settings("b").interval.value_ns
