"""What is to be deployed passes the linters of those who run it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.cli import build
from analyzer.report.metrics import Metrics
from analyzer.survey.overview import CaptureSummary

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CLUSTER = DEPLOY / "fleet" / "dask.yaml"
UNITS = ("keepalive-capture@.service", "keepalive-upload.service", "keepalive-upload.timer")


def test_the_cluster_is_yaml():
    """The manifest for Kubernetes passes yamllint."""
    config = pytest.importorskip("yamllint.config")
    linter = pytest.importorskip("yamllint.linter")
    rules = config.YamlLintConfig("{extends: default, rules: {line-length: {max: 120}, document-start: disable}}")

    assert [] == list(linter.run(CLUSTER.read_text(encoding="utf-8"), rules))


def test_the_cluster_is_of_kubernetes():
    """Each resource is valid by the schemas of Kubernetes, with no field that they do not know."""
    validate = pytest.importorskip("kubernetes_validate")
    yaml = pytest.importorskip("yaml")
    resources = list(yaml.safe_load_all(CLUSTER.read_text(encoding="utf-8")))
    for resource in resources:
        validate.validate(resource, validate.latest_version(), strict=True)

    assert 6 == len(resources)


def test_the_job_calls_the_command_as_it_is():
    """The arguments of the job are options that the verb has."""
    yaml = pytest.importorskip("yaml")
    (job,) = [each for each in yaml.safe_load_all(CLUSTER.read_text(encoding="utf-8")) if each["kind"] == "CronJob"]
    arguments = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    parser, _ = build(whole=True)
    options = parser.parse_args(arguments)

    assert ("s3://tables/keepalive", "tls://keepalive-scheduler:8786") == (options.out, options.scheduler)


def test_units_are_of_systemd(tmp_path):
    """The units for hosts pass systemd's own check; programs that are not installed here are stood in for."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    for name in UNITS:
        text = (DEPLOY / "fleet" / name).read_text(encoding="utf-8")
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text, flags=re.MULTILINE)
        (tmp_path / name.replace("@", "@eth0")).write_text(text)
    names = [str(tmp_path / name.replace("@", "@eth0")) for name in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)

    assert (0, "") == (
        done.returncode,
        "".join(line for line in done.stderr.splitlines(keepends=True) if "/tmp" in line),
    )


def test_the_dashboard_asks_for_metrics_that_there_are():
    """Every metric in the dashboard is one that a watch answers with, and all kinds are shown."""
    pytest.importorskip("prometheus_client")
    dashboard = json.loads((DEPLOY / "grafana-keepalive.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"keepalive_[a-z_]+", target["expr"])
    }
    there = {
        sample.name for family in Metrics(CaptureSummary(["lo"]), lambda: None).collect() for sample in family.samples
    }

    assert set() == asked - there
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert {"keepalive_flows_live", "keepalive_ends_live", "keepalive_probes_total"} <= asked
