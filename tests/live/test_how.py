"""The recipes of ``keepalive how`` are run as printed, on a loopback of our own, and what they name reads it."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import AnalyzerError
from analyzer.howto import CASES, Wanted
from tests.loopback import connected, host, probe_every_second  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60

STAND_INS = {
    "sudo": 'exec "$@"',
    "ssh": 'shift; exec sh -c "$*"',
    "docker": 'echo "$STAND_IN_PID"',
    "kubectl": '[ "$1" = debug ] && exit 0\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"',
    "keepalive": f'exec {shlex.quote(sys.executable)} -m analyzer "$@"',
}
"""What is not here, or not wanted in a test: each runs what it is given where it stands."""

WRITTEN = {"both": "*.pcap", "dumpcap": "*.pcapng", "text": "*.txt"}
"""What a recipe writes, where it is not keepalive.pcap."""
PROGRAM = {"dumpcap": "dumpcap", "container": "nsenter"}
RUNNABLE = [case for case in CASES if case.name not in {"pktmon", "windows"}]


@pytest.fixture
def shell(tmp_path):
    """A function that starts a command line in a folder of its own, with stand-ins for what is not here."""
    stand_ins = tmp_path / "bin"
    stand_ins.mkdir()
    for name, body in STAND_INS.items():
        (stand_ins / name).write_text(f"#!/bin/sh\n{body}\n")
        (stand_ins / name).chmod(0o755)
    folder = tmp_path / "here"
    folder.mkdir()
    with subprocess.Popen(["sleep", "infinity"]) as inside, contextlib.ExitStack() as at_end:
        at_end.callback(inside.kill)
        environment = {
            **os.environ,
            "PATH": f"{stand_ins}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "STAND_IN_PID": str(inside.pid),
            "KEEPALIVE_JIT": "0",
        }

        def start(line):
            return at_end.enter_context(
                subprocess.Popen(
                    ["bash", "-c", line],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            )

        start.folder = folder
        yield start


def wait_until(condition):
    """Wait for a condition, and return what it gave."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(condition.__name__)


@pytest.mark.live
@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: case.name)
def test_a_recipe_captures_what_its_reader_explains(case, host, shell):  # noqa: F811
    """Its last command captures two answered probes and the close, Ctrl-C ends it, and each reader named reads that."""
    program = PROGRAM.get(case.name, "tcpdump")
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    interface = "lo" if case.name in {"mirror", "macos"} else None  # theirs are not here
    recipe = case.make(Wanted(("127.0.0.1",), (4001,), interface))
    for step in recipe.steps[:-1]:
        assert 0 == shell(step.line).wait(PATIENCE_S)
    capture = shell(recipe.steps[-1].line)
    said = []

    def is_listening():
        said.append(capture.stderr.readline())
        return "istening on" in said[-1] or said[-1].startswith("File:") or not said[-1]

    def captured():
        with contextlib.suppress(AnalyzerError):
            for path in shell.folder.glob(WRITTEN.get(case.name, "keepalive.pcap*")):
                for flow in analyzer.analyze(path):
                    return len(flow.fields["probes"]), flow.verdict
        return 0, ""

    def two_probes():
        return captured()[0] >= 2

    def the_close():
        return captured()[1] == "closed"

    wait_until(is_listening)
    assert capture.poll() is None, said
    with connected() as (client, server):
        probe_every_second(server)
        wait_until(two_probes)
        client.shutdown(1)
        server.recv(1)
        server.close()
        client.recv(1)
    wait_until(the_close)
    os.killpg(capture.pid, signal.SIGINT)
    capture.communicate(timeout=PATIENCE_S)
    for name in ("CLIENT.pcap", "SERVER.pcap") if case.name == "both" else ():
        shutil.copy(next(shell.folder.glob("*.pcap")), shell.folder / name)
    for line in recipe.read:
        reader = shell(line)
        out, err = reader.communicate(timeout=PATIENCE_S)

        assert (0, "") == (reader.returncode, err)
        assert "4001" in out or "the same story as before" in out
