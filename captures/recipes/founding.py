"""The founding question (Stack Overflow 56569911) and its variations, all on loopback.

A server turns keepalive on with a period of 5 s, reads once and never closes. The client writes
"howdy", sleeps, and goes. Every function writes one capture into the folder it is given.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from captures.recipes.network import Namespace, capture, wait_until
from captures.recipes.sockets import CLIENT_PORT

CAPTURES = Path(__file__).resolve().parent.parent
LINUX_FIN_TIMEOUT_S = 60


@contextlib.contextmanager
def _loopback(out: Path, name: str, fin_timeout_s: int) -> Iterator[Namespace]:
    """Give a host with nothing but loopback, and a capture running on it.

    `fin_timeout_s` is how long its kernel remembers a connection it closed and the peer did not.
    """
    with Namespace("host") as host:
        host.sysctl("net.ipv4.tcp_fin_timeout", fin_timeout_s)
        # One port to choose from: the client gets the same one every time.
        host.sysctl("net.ipv4.ip_local_port_range", f"{CLIENT_PORT} {CLIENT_PORT}")
        with capture(host, "lo", out / f"{name}.pcap"):
            yield host
        print(f"{name}: the kernel sent {host.probes_sent()} keepalive probes")


@contextlib.contextmanager
def _go() -> Iterator[tuple[str, str]]:
    """Build the Go programs and give the paths of server and client."""
    with tempfile.TemporaryDirectory() as built:
        paths = []
        for name in ("server", "client"):
            paths.append(f"{built}/{name}")
            source = str(CAPTURES / "go" / f"{name}.go")
            subprocess.run(("go", "build", "-o", paths[-1], source), check=True, timeout=300)
        yield paths[0], paths[1]


def _wait_for_the_end(host: Namespace, at_most_s: float) -> None:
    """Wait until the server's socket is in CLOSE-WAIT, and then until a reset ends that."""
    wait_until(lambda: host.sockets_in("CLOSE-WAIT") == 1, at_most_s=5)
    wait_until(lambda: host.sockets_in("CLOSE-WAIT") == 0, at_most_s)
    time.sleep(1)


def _founding_go(out: Path, name: str, sleep_s: float, fin_timeout_s: int) -> None:
    """Server and client as asked, until the reset."""
    with _go() as (server, client), _loopback(out, name, fin_timeout_s) as host:
        host.start_server(server)
        host.start(client, "-sleep", f"{sleep_s}s").wait(sleep_s + 5)
        _wait_for_the_end(host, fin_timeout_s + 15)


def founding_go_fin60(out: Path) -> None:
    """Close after 20 s with Linux's FIN-WAIT-2 of 60 s: probes are answered for a minute, then reset."""
    _founding_go(out, "founding_go_fin60", 20, LINUX_FIN_TIMEOUT_S)


def founding_go_fin60_sleep60(out: Path) -> None:
    """Sleep the full minute of the question; the client's own 15 s keepalive shows as well."""
    _founding_go(out, "founding_go_fin60_sleep60", 60, LINUX_FIN_TIMEOUT_S)


def founding_go_fin10(out: Path) -> None:
    """Shorten FIN-WAIT-2 to 10 s: the reset comes that much sooner, so it is what ends the flow."""
    _founding_go(out, "founding_go_fin10", 12, 10)


def _founding_python(out: Path, name: str, period_s: int, sleep_s: float, fin_timeout_s: int) -> None:
    """Run the Python twin of both programs, until the reset."""
    with _loopback(out, name, fin_timeout_s) as host:
        twin = (sys.executable, str(CAPTURES / "founding.py"))
        host.start_server(*twin, "serve", "--period", str(period_s))
        host.start(*twin, "connect", "--sleep", str(sleep_s)).wait(sleep_s + 5)
        _wait_for_the_end(host, fin_timeout_s + 3 * period_s)


def founding_python_fin10(out: Path) -> None:
    """Do the same in Python: not a matter of the language, but the client does not probe here."""
    _founding_python(out, "founding_python_fin10", 5, 12, 10)


def short_timers(out: Path) -> None:
    """Pack the founding question into some six seconds, for the tests; this one is not kept."""
    _founding_python(out, "short_timers", 1, 2.5, 2)


def founding_killed(out: Path) -> None:
    """Kill the client with SIGKILL: its kernel closes for it, so the wire shows the same FIN."""
    with _go() as (server, client), _loopback(out, "founding_killed", 10) as host:
        host.start_server(server)
        victim = host.start(client)
        time.sleep(12)
        victim.send_signal(signal.SIGKILL)
        _wait_for_the_end(host, 25)


def founding_killed_unread(out: Path) -> None:
    """Kill a client that had not read what the server sent: its kernel resets at once."""
    with _loopback(out, "founding_killed_unread", 10) as host:
        twin = (sys.executable, str(CAPTURES / "founding.py"))
        host.start_server(*twin, "serve", "--reply")
        victim = host.start(*twin, "connect")
        time.sleep(12)
        victim.send_signal(signal.SIGKILL)
        wait_until(lambda: host.sockets_in("ESTABLISHED") == 0, at_most_s=5)
        time.sleep(6)  # long enough for another probe, if there were a socket left to send it


def fixed_server(out: Path) -> None:
    """Read to the end of file and close, as the server should: no probe follows the FIN."""
    with _go() as (server, client), _loopback(out, "fixed_server", LINUX_FIN_TIMEOUT_S) as host:
        host.start_server(server, "-fixed")
        host.start(client, "-sleep", "12s").wait(17)
        time.sleep(11)  # two probe periods in which nothing may come


def capture_stops_early(out: Path) -> None:
    """Stop looking while the probes are still being answered: the capture cannot know the end."""
    with _go() as (server, client), _loopback(out, "capture_stops_early", 60) as host:
        host.start_server(server)
        host.start(client, "-sleep", "8s").wait(13)
        time.sleep(23)
