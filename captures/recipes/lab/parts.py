"""Beginnings and endings that several scenarios share."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from captures.recipes.lab.flow import PEER, Flow, Options, Side
from captures.recipes.lab.stage import AT_SERVER, Stage, View

if TYPE_CHECKING:
    from collections.abc import Callable

CAPTURES = Path(__file__).resolve().parents[2]

sleep = time.sleep


def howdy(stage: Stage, port: int, server: Options, hold_s: float) -> Flow:
    """Let the client say howdy, the server read it once, and time pass."""
    flow = stage.connect(port, server=server)
    flow.send("client", b"howdy")
    flow.read_once("server")
    sleep(hold_s)
    return flow


def howdy_from_a_program(stage: Stage, port: int, server: Options) -> Flow:
    """Do so with a client that is a program of its own, which can be killed."""
    flow = stage.flow()
    with stage.listener(port) as listener:
        client = (sys.executable, str(CAPTURES / "founding.py"), "connect", "--sleep", "600")
        where = ("--address", stage.address["server"], "--port", str(port))
        flow.program = stage.hosts["client"].start(*client, *where)
        far, peer = listener.accept()
    flow.sockets["server"] = far
    flow.addresses = {"client": peer[:2], "server": (stage.address["server"], port)}
    flow.act("accepted")
    flow.set("server", server)
    flow.read_once("server")
    return flow


def go_programs(stage: Stage, port: int, view: View, *, period_s: int, hold_s: int, tail_s: float) -> Flow:
    """Let captures/go/lab play both ends: keepalive with a period, one read, no close; the client closes later."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/lab"
        source = str(CAPTURES / "go" / "lab" / "main.go")
        subprocess.run(("go", "build", "-o", program, source), check=True, timeout=300)
        stage.look(view)
        flow = stage.flow()
        address = f"{stage.address['server']}:{port}"
        server = stage.hosts[stage.place["server"]].start(program, "server", address, str(period_s))
        assert server.stdout is not None
        server.stdout.readline()  # it listens
        flow.addresses["server"] = (stage.address["server"], port)
        client = stage.hosts[stage.place["client"]].start(program, "client", address, str(hold_s))
        assert client.stdout is not None
        local, client_port = json.loads(client.stdout.readline())["local"].rsplit(":", 1)
        flow.addresses["client"] = (local, int(client_port))
        flow.options["server"] = {"keepalive": True, "go": f"SetKeepAlivePeriod({period_s}s)"}
        flow.options["client"] = {"keepalive": True, "go": "Dial's default KeepAlive of 15 s"}
        flow.act(f"go client writes howdy, sleeps {hold_s} s, closes", "client")
        flow.expect("rst_by_peer_answering_probe", "client", "client")
        sleep(hold_s + tail_s)
        server.send_signal(signal.SIGUSR1)  # read again, and write
        _write_down(flow, "server", server.communicate(timeout=10)[0])
        _write_down(flow, "client", client.communicate(timeout=10)[0])
    return flow


def _write_down(flow: Flow, who: Side, said: str) -> None:
    """Take what a program said, a JSON object a line, as what it saw."""
    for line in said.splitlines():
        told: dict[str, Any] = json.loads(line)
        flow.saw[who].append({"t": told.pop("t"), "call": told.pop("what"), "result": told})


def dead(
    stage: Stage,
    port: int,
    options: Options,
    kill: Callable[[Flow], object],
    *,
    tail_s: float,
    views: tuple[View, ...] = (AT_SERVER,),
    prober: Side = "server",
    warm_s: float = 2.5,
) -> Flow:
    """Let one end probe, the other answer for a while, and then something kill it."""
    stage.look(*views)
    flow = stage.connect(port, prober, client=only("client", prober, options), server=only("server", prober, options))
    flow.send("client", b"howdy")
    flow.read("client", "server")
    sleep(warm_s)
    kill(flow)
    sleep(tail_s)
    return flow


def only(who: Side, chosen: Side, options: Options) -> Options | None:
    """Return the options if this end is the chosen one."""
    return options if who == chosen else None


def link_down(stage: Stage) -> Callable[[Flow], object]:
    """Return what takes the client's link down."""

    def kill(flow: Flow) -> None:
        flow.act("ip link set eth0 down", "client")
        stage.hosts["client"].ip("link", "set", "eth0", "down")

    return kill


def address_removed(stage: Stage) -> Callable[[Flow], object]:
    """Return what takes the client's address away."""

    def kill(flow: Flow) -> None:
        flow.act("ip addr del", "client")
        stage.hosts["client"].ip("addr", "del", f"{stage.address['client']}/24", "dev", "eth0")

    return kill


def close_both(flow: Flow, first: Side, between_s: float, after_s: float) -> None:
    """Close both ends, one after the other."""
    flow.close(first)
    sleep(between_s)
    flow.close(PEER[first])
    sleep(after_s)
    flow.expect("fin_both", first)


def graceful(
    stage: Stage,
    port: int,
    options: Options,
    idle_s: float,
    first: Side,
    *,
    prober: Side = "server",
    views: tuple[View, ...] = (AT_SERVER,),
) -> Flow:
    """Let every probe be answered for a while, then both ends close."""
    stage.cable()
    stage.look(*views)
    flow = stage.connect(port, prober, client=only("client", prober, options), server=only("server", prober, options))
    flow.send("client", b"howdy")
    flow.read("client", "server")
    sleep(idle_s)
    close_both(flow, first, 0.2, 0.5)
    return flow


def talking(
    stage: Stage,
    port: int,
    prober: Side | Literal["both"] | None = "server",
    *,
    client: Options | None = None,
    server: Options | None = None,
    text: bytes = b"howdy",
) -> Flow:
    """Connect, let the client speak, and both ends read from then on."""
    flow = stage.connect(port, prober, client=client, server=server)
    flow.send("client", text)
    flow.read("client", "server")
    return flow
