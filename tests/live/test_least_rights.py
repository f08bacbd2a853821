"""The recipes of ``deploy/``: a watch works with one capability and no user of consequence, and reading with none."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loopback import exchange, host  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "keepalive-watch.service"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

needs_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")


def may_read():
    """Whether a user that owns nothing can run this Python and read this tree."""
    run = [*AS_NOBODY, "--bounding-set=-all", sys.executable]
    return subprocess.run([*run, "-c", f"open({str(UNIT)!r})"], check=False, capture_output=True).returncode == 0


def as_nobody(*arguments, capabilities="", **options):
    """A program that runs as a user that owns nothing, with these capabilities and no way to others."""
    rights = [f"--inh-caps=-all{capabilities}", f"--bounding-set=-all{capabilities}"]
    rights += [f"--ambient-caps=-all{capabilities}"] if capabilities else []
    return subprocess.Popen(
        [*AS_NOBODY, "--no-new-privs", *rights, sys.executable, "-P", "-m", "analyzer", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0", "HOME": "/nonexistent"},
        **options,
    )


@needs_setpriv
@pytest.mark.live
def test_a_watch_works_with_net_raw_alone(host):  # noqa: F811
    """As the service runs it: a user that owns nothing, CAP_NET_RAW, no new rights; it captures, and has none left."""
    if not may_read():
        pytest.skip("nobody cannot read this tree")
    with as_nobody("watch", "-i", "lo", "--json", capabilities=",+net_raw") as watch:
        assert "stop with Ctrl-C" in watch.stderr.readline()
        exchange()
        status = Path(f"/proc/{watch.pid}/status").read_text(encoding="utf-8")
        watch.send_signal(2)
        out, _ = watch.communicate(timeout=120)
    (flow,) = json.loads(out)["flows"]

    assert "closed" == flow["ending"]["verdict"]
    assert {"0000000000000000"} == set(re.findall(r"^Cap(?:Eff|Prm|Inh|Amb):\t(\w+)", status, re.MULTILINE))


@needs_setpriv
@pytest.mark.live
def test_reading_needs_no_right(tmp_path):
    """As the container runs it: a user that owns nothing, no capability, no home, nowhere to write."""
    if not may_read():
        pytest.skip("nobody cannot read this tree")
    with as_nobody("report", str(ROOT / "captures" / "founding_go_fin60.pcap")) as report:
        out, err = report.communicate(timeout=120)

    assert (0, "") == (report.returncode, err)
    assert "reset_on_probe" in out


def test_the_recipes_ask_for_nothing_else():
    """The service and the container name one capability, and neither runs as root beyond what that needs."""
    unit, dockerfile = UNIT.read_text(encoding="utf-8"), DOCKERFILE.read_text(encoding="utf-8")

    assert ["CAP_NET_RAW"] * 2 == re.findall(r"^(?:Ambient|Bounding|CapabilityBounding)\w+=(.*)$", unit, re.MULTILINE)
    assert {"DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(unit.splitlines())
    assert ["NET_RAW"] == re.findall(r"--cap-add (\S+)", dockerfile)
    assert re.search(r"^USER 65534:65534$", dockerfile, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_service():
    """No line of the service is unknown to systemd."""
    done = subprocess.run(["systemd-analyze", "verify", UNIT], check=False, capture_output=True, text=True, timeout=60)
    said = [line for line in done.stderr.splitlines() if "is not executable" not in line]

    assert [] == said
