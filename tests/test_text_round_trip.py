"""What tcpdump and tshark print of captures is explained as the captures are, as far as the text can carry it.

``make texts`` tries all of them, ``python -m tests.test_text_round_trip`` prints the table of docs/text.md.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

import analyzer

ROOT = Path(__file__).parents[1]
LAB = ROOT.parent / "shared" / "lab"
CAPTURES = [*sorted((ROOT / "captures").glob("*.pcap")), *sorted(LAB.glob("*.pcap"))]

FORMS = {
    "tcpdump -n": ["-n"],
    "tcpdump -nS": ["-n", "-S"],
    "tcpdump -nv": ["-n", "-v"],
    "tcpdump -ne": ["-n", "-e"],
    "tcpdump -tt": ["-tt"],
    "tcpdump -tttt": ["-tttt"],
    "tcpdump": [],
    "tcpdump -nttt": ["-n", "-ttt"],
    "tcpdump -nttttt": ["-n", "-ttttt"],
    "tcpdump -nvv": ["-n", "-vv"],
    "tcpdump -nX": ["-n", "-X"],
    "tcpdump -nxx": ["-n", "-xx"],
    "tshark -n": None,
}
OCTETS = {"tcpdump -nX", "tcpdump -nxx"}
NUMBERED = OCTETS | {"tcpdump -nvv", "tshark -n"}
LOST = {"any_router_sll": 1}
"""Probes that text without numbers cannot show: what they follow was not captured, so they may acknowledge it."""

SAMPLE = 1 if os.environ.get("KEEPALIVE_ALL_TEXTS") else 4
"""Of so many pairs of capture and form one is tried in every run, as many of each form; ``make texts`` tries all."""

HURRY = {"RES_OPTIONS": "timeout:1 attempts:1"}
"""What tcpdump asks for a name for a second at most: where no name server answers, it would wait for five."""

needs = {
    name: pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
    for name in ("tcpdump", "tshark")
}


def printed(path, form, folder):
    """The text of a capture, in a file."""
    words = ["tshark", "-n", "-r", path] if FORMS[form] is None else ["tcpdump", "-r", path, *FORMS[form]]
    text = subprocess.run(words, capture_output=True, check=False, env=os.environ | HURRY).stdout
    out = Path(folder) / f"{path.stem}.txt"
    out.write_bytes(text)
    return out


@functools.lru_cache(maxsize=4)
def said(path):
    """What the flows of a capture or text say."""
    return [flow.fields for flow in analyzer.analyze(path)]


def compared(path, form, folder):
    """What a text says beside what the capture says, as counts."""
    found = Counter()
    of_capture, of_text = said(path), said(printed(path, form, folder))
    found["flows"] = len(of_capture)
    found["other flows"] = abs(len(of_capture) - len(of_text))
    for flow, other in zip(of_capture, of_text, strict=False):
        probes, others = ({probe["frame"]: probe for probe in each["probes"]} for each in (flow, other))
        found["probes"] += len(probes)
        found["found"] += len(probes.keys() & others.keys())
        found["invented"] += len(others.keys() - probes.keys())
        found["certain"] += sum(probe["certainty"] == "certain" for probe in others.values())
        found["verdicts"] += flow["ending"]["verdict"] == other["ending"]["verdict"]
        found["undetermined"] += other["ending"]["verdict"] == "undetermined" != flow["ending"]["verdict"]
        found["sure of too much"] += sum(
            probe["certainty"] == "certain" and probes.get(frame, probe)["certainty"] != "certain"
            for frame, probe in others.items()
        )
    return found


@pytest.mark.parametrize(
    ("path", "form"),
    [
        pytest.param(path, form, marks=needs[form.split()[0]], id=f"{form.replace(' ', '')}-{path.stem}")
        for at, path in enumerate(CAPTURES)
        for which, form in enumerate(FORMS)
        if (at + which) % SAMPLE == 0
    ],
)
def test_a_text_says_what_its_capture_says(path, form, tmp_path):
    """Every probe is found, none is invented, verdicts are the same, and no text is surer than its capture."""
    found = compared(path, form, tmp_path)

    lost = 0 if form in NUMBERED else LOST.get(path.stem, 0)
    assert (0, 0, 0) == (found["other flows"], found["invented"], found["sure of too much"])
    assert found["probes"] - lost == found["found"]
    assert found["flows"] == found["verdicts"]


@needs["tcpdump"]
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_octets_say_all(path, tmp_path):
    """A text with octets from the link header on says all that its capture says, to the microsecond."""
    if path.stem == "pcap_nanosecond":
        pytest.skip("tcpdump prints its times without their last digits")

    assert json.dumps(said(path)) == json.dumps(said(printed(path, "tcpdump -nxx", tmp_path)))


def table():
    """The table of all forms, as Markdown."""
    columns = ("flows", "verdicts", "undetermined", "probes", "found", "invented", "certain")
    yield f"| text | captures | {' | '.join(columns)} |"
    yield f"|---|{'---|' * (len(columns) + 1)}"
    for form in FORMS:
        total, count = Counter(), 0
        for path in CAPTURES:
            with tempfile.TemporaryDirectory() as folder:
                total += compared(path, form, folder)
            count += 1
        yield f"| `{form}` | {count} | {' | '.join(str(total[column]) for column in columns)} |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table())
