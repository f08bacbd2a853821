"""Private network namespaces, the links between them, and tcpdump looking on."""

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

_CLONE_NEWNET = 0x40000000
_STOP_TIMEOUT_S = 5
_serial = itertools.count(1)

TCP_STATES = {"ESTABLISHED": "01", "CLOSE-WAIT": "08"}
"""States a recipe waits for, as /proc/net/tcp numbers them."""


def run(*command: str) -> str:
    """Run a command that must succeed and give back what it printed."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout


class Namespace:
    """A network namespace of our own with its loopback up; leaving it ends all we started there."""

    def __init__(self, role: str) -> None:
        """Choose a name no other recipe or program will have."""
        self.name = f"ka-{os.getpid()}-{next(_serial)}-{role}"
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        """Make the namespace."""
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        """End our processes, then remove the namespace with every link in it."""
        self.remove()

    def remove(self) -> None:
        """Do so at once, where a scenario wants the host gone; a second time does nothing."""
        for process in self._processes:
            process.kill()
            process.communicate()  # waits for it, and closes our end of its output
        self._processes.clear()
        if self.exists:
            run("ip", "netns", "del", self.name)

    @property
    def exists(self) -> bool:
        """Whether the namespace is there."""
        return Path("/run/netns", self.name).exists()

    def ip(self, *arguments: str) -> str:
        """Run `ip` on this namespace."""
        return run("ip", "-n", self.name, *arguments)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Move this thread in: sockets made meanwhile belong to the namespace for good."""
        setns = ctypes.CDLL(None, use_errno=True).setns  # os.setns came with Python 3.12
        with (
            Path("/proc/thread-self/ns/net").open() as home,
            Path("/run/netns", self.name).open() as there,
        ):
            if setns(there.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {self.name}")
            try:
                yield
            finally:
                setns(home.fileno(), _CLONE_NEWNET)

    def sysctl(self, key: str, value: str | int) -> None:
        """Set a kernel parameter of this namespace, such as `net.ipv4.tcp_fin_timeout`."""
        with self.inside():
            Path("/proc/sys", *key.split(".")).write_text(str(value))

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a program in the namespace; it is killed when the namespace goes."""
        process = subprocess.Popen(
            ("ip", "netns", "exec", self.name, *command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.append(process)
        return process

    def start_server(self, *command: str) -> subprocess.Popen[str]:
        """Start a program and wait until it says that it is listening."""
        process = self.start(*command)
        assert process.stdout is not None
        for line in process.stdout:
            if "listening on" in line:
                return process
        message = f"{command[0]} ended with status {process.wait()} before it listened"
        raise RuntimeError(message)

    def probes_sent(self) -> int:
        """Count the keepalive probes the kernel says it sent from this namespace."""
        return self.counters().get("TcpExtTCPKeepAlive", 0)

    def counters(self) -> dict[str, int]:
        """Return what the kernel counted for this namespace and is not 0, under nstat's names."""
        with self.inside():
            lines = [
                line
                for table in ("netstat", "snmp")
                for line in Path("/proc/thread-self/net", table).read_text().splitlines()
                if line.startswith(("TcpExt:", "Tcp:", "Icmp:"))
            ]
        counted = {}
        for names, values in zip(lines[::2], lines[1::2], strict=True):
            group, *columns = names.split()
            for column, value in zip(columns, values.split()[1:], strict=True):
                if int(value) and column not in {"RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn"}:
                    counted[group.removesuffix(":") + column] = int(value)
        return counted

    def sockets_in(self, state: str) -> int:
        """Count the TCP sockets of the namespace in a state."""
        with self.inside():
            rows = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
        return sum(row.split()[3] == TCP_STATES[state] for row in rows)


def wait_until(happened: Callable[[], bool], at_most_s: float) -> None:
    """Look ten times a second until something has happened; give up loudly."""
    deadline = time.monotonic() + at_most_s
    while not happened():
        if time.monotonic() > deadline:
            message = f"did not happen within {at_most_s} s"
            raise TimeoutError(message)
        time.sleep(0.1)


def link(client: Namespace, server: Namespace) -> None:
    """Join two namespaces by a cable: 192.0.2.1 and 192.0.2.2, both on eth0."""
    client.ip("link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", server.name)
    _address(client, server)


def bridge(client: Namespace, middle: Namespace, server: Namespace) -> None:
    """Join two namespaces through a switch whose ports are called `client` and `server`."""
    middle.ip("link", "add", "br0", "type", "bridge")
    middle.ip("link", "set", "br0", "up")
    for role, end in (("client", client), ("server", server)):
        middle.ip("link", "add", role, "type", "veth", "peer", "eth0", "netns", end.name)
        middle.ip("link", "set", role, "master", "br0", "up")
    _address(client, server)


def _address(client: Namespace, server: Namespace) -> None:
    """Give both ends their address, and the other's for good.

    Fixed neighbours, because a peer that is gone stops answering ARP too: after that the probes
    would not leave the host, and a capture of them would show nothing.
    """
    for number, other, end in ((1, 2, client), (2, 1, server)):
        end.ip("link", "set", "eth0", "address", f"02:00:00:00:00:0{number}", "up")
        end.ip("address", "add", f"192.0.2.{number}/24", "dev", "eth0")
        neighbour = ("lladdr", f"02:00:00:00:00:0{other}", "dev", "eth0", "nud", "permanent")
        end.ip("neigh", "replace", f"192.0.2.{other}", *neighbour)


@contextlib.contextmanager
def capture(
    namespace: Namespace,
    device: str,
    file: Path,
    expression: str | None = "tcp",
    *,
    arguments: tuple[str, ...] = (),
    tool: str = "tcpdump",
) -> Iterator[subprocess.Popen[str] | None]:
    """Write the packets of a device that fit an expression to a file; every packet is there at the end.

    By tcpdump, or dumpcap, because what the analyzer is held to should not be recorded by itself; by the analyzer's
    own live capture where tcpdump is not installed.
    """
    if shutil.which(tool) is None and not arguments:
        with own_capture(namespace, device, file, expression):
            yield None
        return
    process = subprocess.Popen(
        ("ip", "netns", "exec", namespace.name, *command(tool, device, file, expression, arguments)),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    heard = ""
    while "listening on" not in heard and "File: " not in heard:
        line = process.stderr.readline()
        if not line:
            message = f"{tool} did not start: {heard}"
            raise RuntimeError(message)
        heard += line
    try:
        yield process
        time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            _, summary = process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            _, summary = process.communicate()
        if tool == "tcpdump" and "\n0 packets dropped" not in "\n" + summary:
            print(f"{file.name}: tcpdump lost packets: {summary}", file=sys.stderr)


def command(tool: str, device: str, file: Path, expression: str | None, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command line of a capture by tcpdump or dumpcap."""
    filtered = (expression,) if expression else ()
    if tool == "dumpcap":
        return ("dumpcap", "-q", "-i", device, "-w", str(file), *arguments, *(("-f", *filtered) if filtered else ()))
    how = ("-Z", "root", "-n", "-U", "--immediate-mode", "-B", "16384")  # in KiB: each packet takes a whole snap length
    return ("tcpdump", *how, "-i", device, "-w", str(file), *arguments, *filtered)


@contextlib.contextmanager
def own_capture(namespace: Namespace, device: str, file: Path, expression: str | None = "tcp") -> Iterator[None]:
    """Do what `capture` does without tcpdump."""
    from analyzer.capture.live_reader import LiveReader

    with namespace.inside():
        reader = LiveReader(device, filter_text=expression or "", write=str(file))
    thread = threading.Thread(target=lambda: [None for _ in reader])
    thread.start()
    try:
        yield
        time.sleep(0.3)
    finally:
        reader.stop()
        thread.join()
        reader.close()
        for warning in reader.warnings:
            print(f"{file.name}: {warning}", file=sys.stderr)
