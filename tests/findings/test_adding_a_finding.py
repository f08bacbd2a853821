"""docs/adding-a-finding.md is true: who follows it has a finding in every output, and touches nothing else."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.findings import FindingKind

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-finding.md").read_text(encoding="utf-8")
CODE = "probes-with-an-octet"
CAPTURE = "captures/lab/windows_like_answered.pcap"


def blocks():
    """The page's titled blocks: path to text."""
    found = re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', PAGE, re.DOTALL | re.MULTILINE)
    return dict(found)


def insert(text, diff):
    """Put each added line of a diff behind the line that stands before it there."""
    before = None
    for line in diff.splitlines():
        if line.startswith("+"):
            assert text.count(f"\n{before}\n") == 1, before
            text = text.replace(f"\n{before}\n", f"\n{before}\n{line[1:]}\n")
        before = line[1:]
    return text


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in which the page was followed to the letter."""
    copy = tmp_path_factory.mktemp("project")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "analyzer", copy / "analyzer", ignore=unwanted)
    for folder in ("scenarios", "findings"):
        shutil.copytree(ROOT / "tests" / folder, copy / "tests" / folder, ignore=unwanted)
    for path in [*(ROOT / "tests").glob("*.py"), ROOT / "pyproject.toml"]:
        shutil.copy(path, copy / path.relative_to(ROOT))
    (copy / "captures").symlink_to(ROOT / "captures")
    for name, text in blocks().items():
        path = copy / name
        path.write_text(insert(path.read_text(encoding="utf-8"), text) if path.exists() else text, encoding="utf-8")
    return copy


def run(project, *arguments):
    """Run a module of the copy's Python with these arguments; its process is not counted in coverage."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTEST"))}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=env | {"KEEPALIVE_JIT": "0", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_shows_the_checklist_s_four_places():
    """The example has a scenario, a record, its place in the table and a test."""
    folders = {str(Path(name).parent) for name in blocks()}

    assert {"tests/scenarios", "analyzer/findings/kinds", "analyzer/findings", "tests/findings/kinds"} == folders


def test_the_page_explains_every_field_of_a_record():
    """The table of fields has all fields, and no field that there is not."""
    explained = set(re.findall(r"(?m)^\| `(\w+)` \|", PAGE)) | {"told_by"}

    assert {field.name for field in dataclasses.fields(FindingKind)} == explained


def test_rules_print_the_new_finding(project):
    """`keepalive rules --tables` has its row, and `keepalive rules CODE` its long text."""
    tables = run(project, "analyzer", "rules", "--tables").stdout
    one = run(project, "analyzer", "rules", CODE).stdout

    assert f"{CODE}  about the endpoint" in tables
    assert tables.index("both-ends-probe") < tables.index(CODE) < tables.index("not-keepalive-lookalikes")
    assert "Probes that carry an octet" in one
    assert "- A probe of it carries an octet." in one
    assert "RFC 9293 3.8.4 MUST-27" in one


def test_json_has_the_new_finding(project):
    """The JSON report has it with endpoint, frames, detail and numbers, and `--fail-on` knows it."""
    done = run(project, "analyzer", "report", CAPTURE, "--json", "--fail-on", CODE)
    (found,) = [f for f in json.loads(done.stdout)["flows"][0]["findings"] if f["code"] == CODE]

    assert 1 == done.returncode
    assert ("b", [11, 13, 18, 20, 22]) == (found["about"], found["frames"])
    assert "5 of the server's 5 probes carried an octet." == found["detail"]
    assert {"octets": 5, "probes": 5} == found["data"]


def test_the_story_tells_the_new_finding(project):
    """`keepalive explain` has its sentence with its frames, and no advice, for there is nothing to change."""
    story = run(project, "analyzer", "explain", CAPTURE).stdout
    also = story.split("\nAlso\n")[1]

    assert "5 of the server's 5 probes carried an octet." in also
    assert "Probes that carry an octet" not in story


def test_the_checks_of_all_findings_accept_it(project):
    """Its own test, and those of every record and scenario, pass in the copy."""
    done = run(
        project,
        *("pytest", "-q", "-p", "no:cacheprovider", "tests/findings", "tests/test_scenarios.py"),
        *(
            "--ignore=tests/findings/test_adding_a_finding.py",
            "-k",
            f"octet_probes or {CODE} or codes or spelt or looked",
        ),
    )

    assert 0 == done.returncode, done.stdout
    assert "passed" in done.stdout


def test_the_example_is_in_the_house_format(project):
    """The example passes format and lint as it stands on the page."""
    names = [name for name in blocks() if name.endswith(".py")]

    for check in (("ruff", "format", "--check"), ("ruff", "check", "--no-cache")):
        done = run(project, *check, *names)
        assert 0 == done.returncode, done.stdout + done.stderr


def test_a_finding_without_a_scenario_is_refused(project):
    """Without its scenario the new record does not pass."""
    (scenario,) = [project / name for name in blocks() if name.endswith(".pkt")]
    kept = scenario.read_text(encoding="utf-8")
    scenario.unlink()
    try:
        done = run(project, "pytest", "-q", "-p", "no:cacheprovider", "tests/findings/test_table.py", "-k", CODE)
    finally:
        scenario.write_text(kept, encoding="utf-8")

    assert 1 == done.returncode
    assert f"no scenario says that it finds {CODE}" in done.stdout
