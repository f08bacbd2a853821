"""Rights are given up for good, and what was opened before stays open."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.capture.privileges import Capability, give_up

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="capabilities are Linux's")
ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")


def after(code):
    """What a process prints that gives up its rights and then runs some code."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.split()


STATUS = """
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
sets = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
print(*(int(status[name], 16) for name in sets), int(status["NoNewPrivs"]))
"""


@pytest.mark.usefixtures("_no_change_here")
def test_nothing_is_left():
    """No set of capabilities has any, and no program that is started can get one."""
    code = f"from analyzer.capture.privileges import give_up; print(give_up()){STATUS}"
    done, effective, permitted, inheritable, bounding, ambient, no_new = after(code)

    assert ("True", "0", "0", "0", "0", "1") == (done, effective, permitted, inheritable, ambient, no_new)
    assert "0" == bounding or os.geteuid() != 0


@as_root
@pytest.mark.usefixtures("_no_change_here")
def test_what_is_asked_for_is_kept():
    """A capability that is still needed stays, and no other."""
    code = (
        "from analyzer.capture.privileges import Capability, give_up; "
        f"print(give_up(keep=[Capability.SYS_PTRACE])){STATUS}"
    )
    _, effective, permitted, *_ = after(code)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    held = int(status.partition("CapPrm:")[2].split()[0], 16)
    expected = held & 1 << Capability.SYS_PTRACE

    assert (str(expected), str(expected)) == (effective, permitted)


@as_root
@pytest.mark.usefixtures("_no_change_here")
def test_an_open_socket_stays_and_no_other_can_be_opened():
    """A packet socket opened before still receives; afterwards nobody gets one."""
    code = """
import socket
from analyzer.capture.privileges import give_up
opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
give_up()
opened.bind(("lo", 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"howdy, packet socket", ("127.0.0.1", 9))
while b"howdy, packet socket" not in opened.recv(2048):
    pass
print("received")
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
except PermissionError:
    print("refused")
"""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        pytest.skip("packet sockets are not permitted here")

    assert ["received", "refused"] == after(code)


@pytest.fixture
def _no_change_here():
    """The process of the tests keeps what it may do."""
    status = Path("/proc/self/status")
    before = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith(("Cap", "NoNew"))]
    yield
    after = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith(("Cap", "NoNew"))]
    assert before == after


def test_elsewhere_nothing_changes(monkeypatch):
    """On a system without capabilities nothing is done, and that is said."""
    monkeypatch.setattr("sys.platform", "darwin")

    assert not give_up()
