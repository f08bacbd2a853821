"""The founding bug as a test that fails when it comes back: a server must close when its client has closed.

The same test meets the leaky server, on which it fails (that is what is expected here), and its fixed twin, in
Python and, where it is installed, in Go.
"""

import contextlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GO_SERVER = HERE.parents[1] / "captures" / "go" / "server.go"

leaky = pytest.mark.xfail(raises=AssertionError, strict=True, reason="this server has the bug")
needs_go = [pytest.mark.slow, pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")]


@contextlib.contextmanager
def running(*command):
    """Run a server until the test is over; it says when it listens."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert any("listening on" in line for line in process.stdout), "the server did not start"
            yield
        finally:
            process.kill()


@pytest.fixture(
    params=[
        pytest.param("leaky_server.py", marks=leaky),
        "fixed_server.py",
        pytest.param("go", marks=[leaky, *needs_go]),
        pytest.param("go -fixed", marks=needs_go),
    ]
)
def port(request, keepalive_port, tmp_path):
    """The port of a running server."""
    if request.param.startswith("go"):
        program = str(tmp_path / "server")
        subprocess.run(["go", "build", "-o", program, str(GO_SERVER)], check=True, timeout=300)
        options = request.param.split()[1:]
        command = [program, "-listen", f"127.0.0.1:{keepalive_port}", "-period", "1s", *options]
    else:
        command = [sys.executable, str(HERE / request.param), str(keepalive_port)]
    with running(*command):
        yield keepalive_port


@pytest.mark.live
def test_the_server_closes_when_its_client_does(port, keepalive_capture):
    """After the client's FIN comes the server's, and no keepalive in between."""
    with keepalive_capture(port=port) as capture:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"howdy")
        capture.wait_for("closed", timeout_s=3)

    flow = capture.flow(port=port)
    assert flow.verdict == "closed"
    assert not flow.probes_after_fin
