"""Bounds of idle limits against real boxes that forget: what the analyzer says must hold what was set.

IPVS needs a kernel that has it, and ipvsadm. It forgets by the kernel's timer wheel, up to an eighth late and never
early, so that a silence may survive that is longer than one that did not.
"""

import contextlib
import shutil
import socket
import subprocess
import threading
import time

import pytest

from analyzer.analyzing import analyze
from captures.recipes.lab import playing
from captures.recipes.lab.stage import AT_CLIENT, Stage

FLOWS = 50
PORT = 4890
ENOUGH = b"that is all, thank you"
"""The server answers this with a FIN."""


def forgetful(stage, limit_s):
    """Let the router forget a connection after so long, and drop what it does not know."""
    stage.sysctl("middle", "net.netfilter.nf_conntrack_tcp_loose", 0)
    stage.cut("-m", "conntrack", "--ctstate", "INVALID")
    for name in ("established", "unacknowledged"):
        stage.sysctl("middle", f"net.netfilter.nf_conntrack_tcp_timeout_{name}", limit_s)


def balanced(stage, limit_s):
    """Let the router balance connections by IPVS, whose entries live so long."""
    with stage.hosts["middle"].inside():
        address, server = stage.address["server"].rsplit(".", 1)[0] + ".9", stage.address["server"]
        for command in (
            ("ip", "address", "add", f"{address}/32", "dev", "lo"),
            ("ipvsadm", "-A", "-t", f"{address}:{PORT}", "-s", "rr"),
            ("ipvsadm", "-a", "-t", f"{address}:{PORT}", "-r", f"{server}:{PORT}", "-m"),
            ("ipvsadm", "--set", str(limit_s), str(limit_s), "0"),
        ):
            subprocess.run(command, check=True, capture_output=True)
    stage.address["server"] = address


def echo(listening, until):
    """Answer on every connection, until that is set."""
    open_sockets = []

    def answer(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(100):
                connection.sendall(data)
                if data == ENOUGH:
                    connection.shutdown(socket.SHUT_WR)

    while not until.is_set():
        with contextlib.suppress(TimeoutError):
            connection, _ = listening.accept()
            connection.settimeout(None)
            open_sockets.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()
    for connection in open_sockets:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def silences(limit_s, flows):
    """So many silences, from well below a limit to well above it."""
    return [limit_s * (0.55 + 0.9 * at / (flows - 1)) for at in range(flows)]


def tried(out, limit_s, box, flows=FLOWS, says=b"howdy"):
    """What an analysis says of a capture of so many connections that are silent once, through a box with this limit."""
    with Stage("limits", "idle limits", out, 200 + limit_s) as stage:
        stage.router()
        with stage.listener(PORT) as listening:
            box(stage, limit_s)
            stage.look(AT_CLIENT)
            listening.settimeout(0.2)
            over = threading.Event()
            serving = threading.Thread(target=echo, args=(listening, over), daemon=True)
            serving.start()
            waiting = []
            for silence_s in silences(limit_s, flows):
                near = stage.socket("client")
                near.settimeout(10)
                near.connect((stage.address["server"], PORT))
                near.sendall(says)
                near.recv(100)
                waiting.append((time.monotonic() + silence_s, near))
            for at_s, near in sorted(waiting, key=lambda entry: entry[0]):
                time.sleep(max(at_s - time.monotonic(), 0))
                with contextlib.suppress(OSError):
                    near.sendall(b"still there?")
            time.sleep(5)
            stage.stop_looking()
            over.set()
            for _, near in waiting:
                near.close()
            serving.join()
    return analyze(out / "limits.pcap", jit=False).idle_limits()


def missing(box):
    """Why a box cannot be set up here, or None."""
    reason = playing.why_not([])
    if reason is None and box is balanced and shutil.which("ipvsadm") is None:
        return "IPVS needs ipvsadm, and the kernel's module ip_vs"
    return reason


def forgets_nothing(stage, limit_s):
    """Let the router be one that keeps no connections."""


def found_of(*given, **options):
    """What is said of the service, or a skip where the box cannot be set up."""
    box = given[2]
    if reason := missing(box):
        pytest.skip(reason)
    try:
        found = tried(*given, **options)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the box cannot be set up here: {error.stderr!r}")
    return next(limit for limit in found if limit.service)


@pytest.mark.live
@pytest.mark.slow
def test_the_bounds_hold_the_limit_that_is_set(tmp_path):
    """A limit of 6 s lies between the longest silence that is survived and the shortest that is not."""
    service = found_of(tmp_path, 6, forgetful, 20)

    assert service.is_hard
    assert service.low_ns < 6.1e9
    assert service.high_ns > 5.9e9


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("says", [b"howdy", ENOUGH], ids=["open", "half-closed"])
@pytest.mark.parametrize("limit_s", [6, 10, 20])
def test_the_bounds_hold_what_ipvs_is_told(tmp_path, limit_s, says):
    """Nothing fails before IPVS's timeout, and nothing survives it by more than an eighth; no known box is named."""
    service = found_of(tmp_path, limit_s, balanced, says=says)

    assert service.is_hard
    assert service.half_closed == (says == ENOUGH)
    assert service.shortest.ns > (limit_s - 0.1) * 1e9
    assert service.longest.ns < (limit_s * 9 / 8 + 0.1) * 1e9
    assert service.advised_s < limit_s
    assert service.fits == ()


@pytest.mark.live
@pytest.mark.slow
def test_where_there_is_no_limit_none_is_claimed(tmp_path):
    """Connections through a router that keeps no state survive every silence, and nothing is said of a limit."""
    if reason := missing(forgets_nothing):
        pytest.skip(reason)

    assert tried(tmp_path, 5, forgets_nothing, 10) == []
