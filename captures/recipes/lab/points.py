"""Several points of one path, and boxes between them whose every deed is logged: every function a scenario."""

import select
import threading

from captures.recipes.lab.flow import Flow, Side, errno_name, probing
from captures.recipes.lab.parts import sleep, talking
from captures.recipes.lab.stage import Stage, View
from captures.recipes.network import wait_until

_GAVE_UP = "rst_by_prober_after_unanswered"


def _points(stage: Stage, *places: tuple[str, str]) -> None:
    """Capture at these devices of hosts, in their order: a, b, c ..."""
    stage.look(*(View(host, device, host, f".{chr(ord('a') + at)}", "tcp") for at, (host, device) in enumerate(places)))


def _hears_a_reset(flow: Flow) -> None:
    """Wait until a RST reaches the server, which sends its data again until one does."""
    wait_until(lambda: any(each["result"] == "ECONNRESET" for each in flow.saw["server"]), 20)


def _go_on(stage: Stage, port: int) -> None:
    """Let something pass all points at last, by which each capture shows that it still ran."""
    stage.connect(port, None).expect("open_at_capture_end")
    sleep(0.3)


def points_four(stage: Stage) -> None:
    """Lose probes at one router, answers at the next, probes at the third; then the second rejects with a RST."""
    stage.routers("first", "second", "third")
    stage.look_at_rules("first", "second", "third")
    _points(stage, ("client", "eth0"), ("first", "to_server"), ("second", "to_server"), ("server", "eth0"))
    forth, back = (("-p", "tcp", "-s", stage.address[who]) for who in ("client", "server"))
    flow = talking(stage, 7001, "client", client=probing(1, 1, 9))
    sleep(2.5)
    for router, match in (("first", forth), ("second", back), ("third", forth)):
        with stage.refusing(router, *match):
            sleep(2)
        sleep(1)
    with stage.refusing("second", *forth, how=("REJECT", "--reject-with", "tcp-reset")):
        sleep(2)
        flow.send("server", b"are you still there")
        sleep(1)
    _hears_a_reset(flow)
    _go_on(stage, 7101)
    flow.expect("rst_by_peer_answering_probe", None, "server", notes="the RST is that of the second router")


def points_translated(stage: Stage) -> None:
    """Translate, clamp the MSS, strip timestamps and lose answers and probes at one router; the next rejects."""
    stage.routers("first", "second")
    stage.look_at_rules("first", "second")
    _points(stage, ("client", "eth0"), ("server", "eth0"))
    forth = ("-p", "tcp", "-s", stage.address["client"])
    stage.iptables("first", "-t", "nat", "-A", "POSTROUTING", "-o", "to_server", "-j", "MASQUERADE")
    stage.iptables("first", "-t", "mangle", "-A", "FORWARD", "-p", "tcp", "-j", "TCPOPTSTRIP", "--strip-options", "8")
    clamp = ("-p", "tcp", "--tcp-flags", "SYN,RST", "SYN", "-j", "TCPMSS", "--set-mss", "1200")
    stage.iptables("first", "-t", "mangle", "-A", "FORWARD", *clamp)
    flow = talking(stage, 7002, "client", client=probing(1, 1, 9))
    sleep(2.5)
    with stage.refusing("first", "-p", "tcp", "-d", stage.address["client"]):
        sleep(2)
    sleep(1)
    with stage.refusing("first", *forth):
        sleep(2)
    sleep(1)
    with stage.refusing(
        "second", "-p", "tcp", "-d", stage.address["server"], how=("REJECT", "--reject-with", "tcp-reset")
    ):
        sleep(2)
        flow.send("server", b"are you still there")
        sleep(1)
    _hears_a_reset(flow)
    _go_on(stage, 7102)
    flow.expect("rst_by_peer_answering_probe", None, "server", notes="the RST is that of the second router")


class _Proxy(threading.Thread):
    """Passes on what either of two connections brings; where one is reset or dead it resets the other."""

    def __init__(self, front: Flow, back: Flow) -> None:
        """Begin, as the server of ``front`` and the client of ``back``."""
        super().__init__(daemon=True)
        self._halt = threading.Event()
        self._sides: tuple[tuple[Flow, Side], tuple[Flow, Side]] = (front, "server"), (back, "client")
        self.start()

    def run(self) -> None:
        """Pass on until one of them ends."""
        poll, ends = select.poll(), {}
        for (flow, who), other in zip(self._sides, self._sides[::-1], strict=True):
            connection = flow.sockets[who]
            poll.register(connection, select.POLLIN)
            ends[connection.fileno()] = flow, who, connection, other
        while not self._halt.is_set():
            for descriptor, _ in poll.poll(50):
                flow, who, connection, (target, side) = ends[descriptor]
                try:
                    received = connection.recv(65536)
                except OSError as error:
                    flow.see(who, "recv", errno_name(error))
                    target.abort(side)
                    return
                if not received:
                    flow.see(who, "recv", "''", meaning="EOF")
                    target.close(side)
                    flow.close(who)
                    return
                target.sockets[side].sendall(received)

    def stop(self) -> None:
        """End."""
        self._halt.set()
        self.join(5)


def _proxied(stage: Stage, port: int) -> tuple[Flow, Flow, _Proxy]:
    """Connect a client with a proxy, and that with a server behind a router; both probe; one asks, one replies."""
    stage.routers("proxy", "router")
    stage.look_at_rules("router")
    _points(stage, ("client", "eth0"), ("proxy", "any"), ("server", "eth0"))
    stage.ends("client", "proxy")
    front = stage.connect(port, "client", client=probing(1, 1, 9))
    stage.ends("proxy", "server")
    back = stage.connect(port, "client", client=probing(1, 1, 3))
    proxy = _Proxy(front, back)
    front.send("client", b"a request that a proxy passes on")
    front.read("client")
    back.read("server")
    sleep(0.2)
    back.send("server", b"a reply that is longer than what was asked for")
    sleep(3.3)
    return front, back, proxy


def points_proxy(stage: Stage) -> None:
    """Put a proxy between, and let a router lose what it sends to the server: it gives up, and resets the client."""
    front, back, proxy = _proxied(stage, 7003)
    with stage.refusing("router", "-p", "tcp", "-d", stage.address["server"]):
        sleep(5)
        back.send("server", b"are you still there")
        sleep(1)
    proxy.stop()
    _hears_a_reset(back)
    stage.ends("client", "proxy")
    _go_on(stage, 7103)
    stage.ends("proxy", "server")
    _go_on(stage, 7104)
    front.expect("rst_abort", None, "server", notes="the RST is the proxy's, whose other connection timed out")
    back.expect(_GAVE_UP, None, "client")


def points_proxy_reset(stage: Stage) -> None:
    """Put a proxy between, and let the server lose its socket: it resets the proxy, which resets the client."""
    front, back, proxy = _proxied(stage, 7004)
    back.vanish("server")
    sleep(2)
    proxy.stop()
    front.expect("rst_abort", None, "server", notes="the RST is the proxy's, whose other connection was reset")
    back.expect("rst_by_peer_answering_probe", None, "server")


def points_proxy_closed(stage: Stage) -> None:
    """Put a proxy between, and let the client close: the proxy closes both connections, and the server does."""
    front, back, proxy = _proxied(stage, 7005)
    front.close("client")
    sleep(0.5)
    back.close("server")
    sleep(0.5)
    proxy.stop()
    front.expect("fin_both", "client")
    back.expect("fin_both", "client")
