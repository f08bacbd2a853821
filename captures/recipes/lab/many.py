"""Many flows at once: every function a scenario."""

import random
from collections.abc import Iterator

from captures.recipes.lab.flow import PEER, SIDES, Flow, Side, probing
from captures.recipes.lab.parts import close_both, only, sleep
from captures.recipes.lab.stage import Stage, View

_PORT = 6100
_KINDS = (
    *("fin_client", "fin_server", "fin_wait2", "dead", "dead_late"),
    *("vanish", "abort", "open", "no_keepalive", "half_close"),
)


def fifty_flows(stage: Stage) -> None:
    """Have 50 flows with assorted endings and timers in one capture; either side may probe."""
    stage.router()
    stage.sample_every_s = 2.0
    for host in ("client", "server"):
        stage.sysctl(host, "net.ipv4.tcp_fin_timeout", 6)
    stage.look(View("middle", "to_client", "middle (client side of the router)"))
    chance = random.Random(2026)
    with stage.listener(_PORT) as listener:
        flows = []
        for number in range(50):
            kind = _KINDS[number % len(_KINDS)]
            prober: Side = "server" if kind in {"fin_wait2", "half_close"} else chance.choice(SIDES)
            options = probing(chance.choice((1, 2, 3)), chance.choice((1, 2, 3)), chance.choice((2, 3, 4)))
            if kind == "dead_late":
                options = probing(3, 3, 9)
            silent = kind == "no_keepalive"
            flow = stage.connect(
                _PORT,
                None if silent else prober,
                client=None if silent else only("client", prober, options),
                server=None if silent else only("server", prober, options),
                listener=listener,
            )
            flow.kind = kind
            flow.notes.append(f"kind: {kind}")
            flow.send("client", b"x" * chance.randint(1, 900))
            if kind != "fin_wait2":
                flow.read("client", "server")
            flows.append(flow)
            sleep(chance.uniform(0.02, 0.09))
        sleep(5)
        _first_endings(stage, flows)
        sleep(2)
        _second_endings(flows, chance)
        sleep(4)
        for flow in _each(flows, "fin_client"):
            close_both(flow, "client", 0.05, 0)
        for flow in _each(flows, "fin_server"):
            close_both(flow, "server", 0.05, 0)
        sleep(7)
        _late_deaths(stage, flows)
        sleep(11)


def _each(flows: list[Flow], kind: str) -> Iterator[Flow]:
    return (flow for flow in flows if flow.kind == kind)


def _first_endings(stage: Stage, flows: list[Flow]) -> None:
    """Let some flows die, some be half-closed, some lose their peer."""
    for flow in _each(flows, "dead"):
        for direction in ("--sport", "--dport"):
            stage.cut("-p", "tcp", direction, str(flow.addresses["client"][1]), noted=False)
        flow.act("router drops the flow")
        if flow.prober == "client":
            flow.expect("rst_by_prober_after_unanswered", None, "client")
        else:
            flow.expect("open_at_capture_end", notes="the prober is behind the drop: the capture sees nothing more")
    for flow in _each(flows, "fin_wait2"):
        flow.read_once("server")
        flow.close("client")
        flow.expect("rst_by_peer_answering_probe", "client", "client")
    for flow in _each(flows, "vanish"):
        gone = PEER["server" if flow.prober == "server" else "client"]
        flow.vanish(gone)
        flow.expect("rst_by_peer_answering_probe", None, gone)


def _second_endings(flows: list[Flow], chance: random.Random) -> None:
    """Abort some flows, half-close some, and leave some as they are."""
    for flow in _each(flows, "abort"):
        aborting: Side = chance.choice(SIDES)
        flow.abort(aborting)
        flow.expect("rst_abort", None, aborting)
    for flow in _each(flows, "half_close"):
        flow.shut("client")
        flow.expect("half_closed_still_probed", "client")
    for flow in _each(flows, "open"):
        flow.expect("open_at_capture_end")
    for flow in _each(flows, "no_keepalive"):
        flow.expect("open_at_capture_end", notes="no keepalive")


def _late_deaths(stage: Stage, flows: list[Flow]) -> None:
    """Drop what some probers send, where the capture still sees the client's."""
    for flow in _each(flows, "dead_late"):
        direction = "--sport" if flow.prober == "client" else "--dport"
        stage.cut("-p", "tcp", direction, str(flow.addresses["client"][1]), noted=False)
        flow.act("router drops the prober's packets")
        flow.expect("silent_at_capture_end" if flow.prober == "client" else "open_at_capture_end")
