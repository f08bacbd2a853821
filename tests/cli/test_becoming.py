"""Who a live capture goes on as, and with what rights: as the kernel tells of the running process."""

import argparse
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.capture.tap import remedy
from analyzer.cli import becoming, watch
from tests.loopback import exchange, host  # noqa: F401

ROOT = Path(__file__).parents[2]
NONE = "0000000000000000"
FOR_SOCKETS = "0000000000080004"
NOBODY = pwd.getpwnam("nobody")
live = pytest.mark.live


@pytest.fixture
def as_root():
    """Skip without root."""
    if os.geteuid() != 0:
        pytest.skip(f"needs root. {remedy()}")


@pytest.fixture
def readable_by_nobody():
    """Skip where another user could not go on with this Python."""
    check = "import os, sys; os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1])); import numpy, analyzer.watching"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    if subprocess.run(
        [sys.executable, "-c", check, str(NOBODY.pw_uid)], env=environ, check=False, stderr=-3
    ).returncode:
        pytest.skip("another user cannot read this Python or this package")


def threads_of(*arguments, **environ):
    """Let ``keepalive watch`` begin; return what the kernel says of each of its threads, its status and its output."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "analyzer", "watch", "-i", "lo", "-c", "12", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0", **environ},
    )
    ready = process.stderr.readline()
    while ready and "; stop with Ctrl-C" not in ready:
        ready = process.stderr.readline()
    assert ready, "it did not begin"
    found = [
        dict(re.findall(r"^(\w+):\s*(.*?)\s*$", status.read_text(), re.MULTILINE))
        for status in Path(f"/proc/{process.pid}/task").glob("*/status")
    ]
    exchange()
    exchange()
    out, err = process.communicate(timeout=120)
    return found, process.returncode, out + err


@live
def test_root_keeps_no_capability(as_root, host):  # noqa: F811
    """A watch that root began has no capability in any thread, can gain none, and captures all the same."""
    threads, status, out = threads_of()

    assert [(NONE, NONE, NONE, NONE, "1")] == [
        tuple(each[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")) for each in threads
    ]
    assert (0, True) == (status, "in 12 frames" in out or "1 closed" in out), out


@live
def test_sockets_keep_what_looking_at_other_users_processes_takes(as_root, host):  # noqa: F811
    """With --sockets two capabilities stay, and none can be gained."""
    threads, status, _ = threads_of("--sockets")

    assert [(FOR_SOCKETS, FOR_SOCKETS, NONE, "1")] == [
        tuple(each[name] for name in ("CapPrm", "CapEff", "CapBnd", "NoNewPrivs")) for each in threads
    ]
    assert 0 == status


@live
@pytest.mark.parametrize("how", ["sudo", "-Z"])
def test_another_user_goes_on(as_root, readable_by_nobody, host, tmp_path, how):  # noqa: F811
    """Who called sudo, or is named by -Z, goes on with the capture into a file that root opened."""
    arguments, environ = (("-Z", "nobody"), {}) if how == "-Z" else ((), {"SUDO_UID": str(NOBODY.pw_uid)})
    threads, status, out = threads_of("-w", str(tmp_path / "out.pcap"), *arguments, **environ)

    assert [(4 * [str(NOBODY.pw_uid)], 4 * [str(NOBODY.pw_gid)], NONE, "1")] == [
        (each["Uid"].split(), each["Gid"].split(), each["CapEff"], each["NoNewPrivs"]) for each in threads
    ]
    assert (0, True) == (status, f"12 packets are in {tmp_path / 'out.pcap'}" in out), out


@live
def test_root_of_tcpdumps_option_keeps_all(as_root, host):  # noqa: F811
    """-Z root gives up nothing."""
    threads, status, _ = threads_of("-Z", "root")

    assert (0, ["0"]) == (status, [each["NoNewPrivs"] for each in threads])
    assert Path("/proc/self/status").read_text().count(threads[0]["CapEff"])


@live
def test_an_unknown_user_is_refused(as_root, host):  # noqa: F811
    """A name that is nobody's ends with one sentence and status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "watch", "-i", "lo", "-Z", "no-such-user"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (2, "keepalive: -Z no-such-user: there is no such user\n") == (done.returncode, done.stderr)


def test_a_process_that_is_not_the_command_gives_up_nothing(monkeypatch):
    """Where the verb runs in somebody else's process, nobody is looked for and nothing is given up."""
    monkeypatch.setattr(becoming, "whom", lambda _: pytest.fail("it was about to become somebody"))

    assert watch._give_up_rights(argparse.Namespace(user=None, sockets=False)) is None


@pytest.mark.parametrize("called_by", ["", "0", "x", "4294967295", "-1", "99999999999999999999"])
def test_who_called_sudo_must_be_a_user(monkeypatch, called_by):
    """SUDO_UID that names no user, or root, makes nobody of root."""
    monkeypatch.setenv("SUDO_UID", called_by)

    assert becoming.whom(None) is None


def test_a_user_who_is_not_root_becomes_nobody_else(monkeypatch):
    """Without root the user of -Z is refused."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PermissionError, match="only root can become nobody"):
        becoming.whom("nobody")
