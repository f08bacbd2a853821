"""What passes beside a flow that falls silent: every function a scenario, with the cause that kernels made true.

The causes expected stand in tests/live/test_causes.py: an analyzer says them, and has no part in making them.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import time
from dataclasses import replace

from captures.recipes.lab.flow import Flow, Options, probing
from captures.recipes.lab.parts import dead, link_down, sleep
from captures.recipes.lab.stage import AT_CLIENT, AT_SERVER, Stage, View

_GAVE_UP = "rst_by_prober_after_unanswered"


def beside_link_down(stage: Stage) -> None:
    """Take the link of a peer on the same switch down: ARP asks for it in vain."""
    stage.switch()
    flow = dead(stage, 4801, probing(2, 1, 5), link_down(stage), tail_s=12)
    flow.expect("silent_at_capture_end", notes="the RST died for want of a neighbour entry")


def beside_link_down_tcp_only(stage: Stage) -> None:
    """Do the same with a capture that is filtered to the port: ARP could not be in it."""
    stage.switch()
    views = (View("server", "eth0", "prober", "", "tcp port 4802"),)
    flow = dead(stage, 4802, probing(2, 1, 5), link_down(stage), tail_s=12, views=views)
    flow.expect("silent_at_capture_end", notes="the RST died for want of a neighbour entry")


def beside_host_down_behind_router(stage: Stage) -> None:
    """Take the link of a peer behind a router down: the router says that it cannot reach the host."""
    stage.router()
    flow = dead(stage, 4803, probing(2, 1, 9), lambda _: _down_and_forgotten(stage), tail_s=16)
    flow.expect(_GAVE_UP, None, "server")


def _down_and_forgotten(stage: Stage) -> None:
    """Take the client's link down without taking the router's carrier away, and let the router ask anew."""
    client = stage.hosts["client"]
    client.ip("link", "set", "eth0", "arp", "off")
    stage.iptables("client", "-A", "INPUT", "-j", "DROP")
    stage.hosts["middle"].ip("neigh", "flush", "dev", "to_client")


def beside_host_removed(stage: Stage) -> None:
    """Remove the peer's host with its cable: the router has no route to that network any more."""
    stage.router()

    def remove(flow: Flow) -> None:
        flow.vanish("client")
        stage.demolish("client")

    flow = dead(stage, 4804, probing(2, 1, 5), remove, tail_s=10)
    flow.expect(_GAVE_UP, None, "server")


def beside_route_removed(stage: Stage) -> None:
    """Take the route to the peer's network out of the router."""
    stage.router()

    def remove(_: object) -> None:
        network = stage.address["client"].rsplit(".", 1)[0] + ".0/24"
        stage.hosts["middle"].ip("route", "del", network, "dev", "to_client")
        stage.act(f"[middle] ip route del {network}")

    flow = dead(stage, 4805, probing(2, 1, 5), remove, tail_s=10)
    flow.expect(_GAVE_UP, None, "server")


def beside_arp_silent(stage: Stage) -> None:
    """Let the peer answer no ARP, and the prober forget where it is: its probes cannot leave."""
    stage.switch()

    def silence(_: object) -> None:
        stage.hosts["client"].ip("link", "set", "eth0", "arp", "off")
        stage.iptables("client", "-A", "OUTPUT", "-j", "DROP")
        stage.hosts["server"].ip("neigh", "flush", "dev", "eth0")

    flow = dead(stage, 4806, probing(2, 1, 9), silence, tail_s=14)
    flow.expect("unseen", notes="probes and RST die for want of a neighbour entry")


def beside_address_moved(stage: Stage) -> None:
    """Move the peer's address to another machine on the same switch, which announces it."""
    stage.switch()
    other = stage._host("other")  # noqa: SLF001 - a third machine, which no other scenario has
    stage._cable(other, "eth0", stage.hosts["middle"], "to_other")  # noqa: SLF001
    stage.hosts["middle"].ip("link", "set", "to_other", "master", "br0")

    def move(_: object) -> None:
        stage.hosts["client"].ip("addr", "del", f"{stage.address['client']}/24", "dev", "eth0")
        other.sysctl("net.ipv4.conf.eth0.arp_notify", 1)
        other.ip("link", "set", "eth0", "down")
        other.ip("addr", "add", f"{stage.address['client']}/24", "dev", "eth0")
        other.ip("link", "set", "eth0", "up")
        stage.act(f"{stage.address['client']} moved from client to other")

    dead(stage, 4807, probing(3, 1, 5), move, tail_s=8, warm_s=4)


def beside_prohibited(stage: Stage) -> None:
    """Let the router reject the connection: administratively prohibited."""
    stage.router()

    def reject(_: object) -> None:
        stage.iptables("middle", "-A", "FORWARD", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited")

    flow = dead(stage, 4808, probing(2, 1, 4), reject, tail_s=9)
    flow.expect(_GAVE_UP, None, "server")


def beside_port_unreachable(stage: Stage) -> None:
    """Let the peer's own packet filter reject the connection, as iptables does by default."""
    stage.cable()

    def reject(_: object) -> None:
        stage.iptables("client", "-A", "INPUT", "-p", "tcp", "-j", "REJECT")

    flow = dead(stage, 4809, probing(2, 1, 4), reject, tail_s=9)
    flow.expect(_GAVE_UP, None, "server")


def beside_filter_drops(stage: Stage) -> None:
    """Let the peer's own packet filter drop the connection, while its host answers ARP."""
    stage.cable()

    def drop(_: object) -> None:
        stage.iptables("client", "-A", "INPUT", "-p", "tcp", "-j", "DROP")

    flow = dead(stage, 4810, probing(2, 1, 9), drop, tail_s=14)
    flow.expect(_GAVE_UP, None, "server")


def beside_forgotten_alone(stage: Stage) -> None:
    """Let the router drop one connection of two, while the other goes on."""
    stage.router()
    stage.look(AT_SERVER)
    flow = stage.connect(4811, server=probing(2, 1, 9))
    flow.send("client", b"howdy")
    flow.read("server")
    other = stage.connect(4812, None)
    sleep(4)
    stage.cut("-p", "tcp", "-m", "multiport", "--ports", "4811")
    for _ in range(14):
        other.send("client", b"tick")
        sleep(1)
    other.read("server")
    flow.expect(_GAVE_UP, None, "server")
    other.expect("open_at_capture_end")


def beside_all_forgotten(stage: Stage) -> None:
    """Let the router drop all of two connections with one host."""
    stage.router()
    stage.look(AT_SERVER)
    flows = [stage.connect(port, server=probing(2, 1, 6)) for port in (4813, 4814)]
    sleep(5)
    stage.cut()
    sleep(12)
    for flow in flows:
        flow.expect(_GAVE_UP, None, "server")


def beside_service_restarted(stage: Stage) -> None:
    """Let a service lose its connections without a word, be down for a while, and come back."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = stage.connect(4815, "client", client=probing(4, 1, 5))
    flow.send("client", b"howdy")
    flow.read("server")
    sleep(2)
    flow.vanish("server")
    flow.act("service lost its connections", "server")
    sleep(5)
    for _ in range(2):
        with contextlib.closing(stage.socket("client")) as again, contextlib.suppress(ConnectionRefusedError):
            again.connect((stage.address["server"], 4815))
        sleep(1)
    with stage.listener(4815), contextlib.closing(stage.socket("client")) as again:
        again.connect((stage.address["server"], 4815))
        sleep(1)


def beside_path_mtu(stage: Stage) -> None:
    """Let a link behind the router be narrower than both ends know, and no ICMP tell."""
    stage.router()
    stage.look(AT_SERVER)
    flow = stage.connect(4816, "client", client=probing(2, 1, 20), server=Options())
    flow.send("client", b"howdy")
    flow.read("server")
    sleep(1)
    stage.hosts["middle"].ip("link", "set", "to_client", "mtu", "700")
    stage.iptables("middle", "-A", "OUTPUT", "-p", "icmp", "-j", "DROP")
    flow.send("server", b"x" * 1400)
    sleep(14)
    flow.expect("open_at_capture_end")


def beside_program_hung(stage: Stage) -> None:
    """Let the client's program wait for a reply that the server's never sends, while the kernel answers probes."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = stage.connect(4817, "client", client=probing(5, 5, 5))
    flow.send("client", b"a request")
    until = time.monotonic() + 36
    while time.monotonic() < until:
        sleep(1)
    flow.expect("open_at_capture_end")


def beside_filtered_to_port(stage: Stage) -> None:
    """Take the link of a peer on the same switch down; the capture is filtered to the port, and its pcapng says so."""
    stage.switch()
    view = View("server", "eth0", "prober", "", "tcp port 4818", tool="dumpcap", extension="pcapng")
    flow = dead(stage, 4818, probing(2, 1, 5), link_down(stage), tail_s=12, views=(view,))
    flow.expect("silent_at_capture_end", notes="the RST died for want of a neighbour entry")


def beside_rebooted(stage: Stage) -> None:
    """Let the server's host lose its connection and its timestamp clock, as by a reboot, and accept new ones."""
    stage.cable()
    stage.sysctl("server", "net.ipv4.tcp_timestamps", 2)  # one clock for all connections, counted from its start
    stage.look(AT_CLIENT)
    with stage.listener(4819) as listening:
        first = stage.connect(4819, None, listener=listening)
        sleep(1)
        flow = stage.connect(4819, "client", client=probing(3, 1, 5), listener=listening)
        flow.send("client", b"howdy")
        flow.read("server")
        sleep(1)
        flow.vanish("server")
        first.vanish("server")
        stage.sysctl("server", "net.ipv4.tcp_timestamps", 1)  # from an offset by chance on
        flow.act("host lost its connections, and its clock is another", "server")
        sleep(4)
        with contextlib.closing(stage.socket("client")) as again:
            again.connect((stage.address["server"], 4819))
            sleep(1)


def beside_reset_by_filter(stage: Stage) -> None:
    """Let the router reject the connection with a RST in the peer's name."""
    stage.router()

    def reject(_: object) -> None:
        stage.iptables("middle", "-A", "FORWARD", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")

    flow = dead(stage, 4820, probing(2, 1, 4), reject, tail_s=5)
    flow.expect("rst_by_peer_answering_probe", None, "client", notes="the RST is the router's (TTL 64, not 63)")


def beside_conntrack_forgot(stage: Stage) -> None:
    """Let a stateful router forget a connection that is idle for 2 s, and drop it as INVALID; another is kept busy."""
    stage.router()
    stage.sysctl("middle", "net.netfilter.nf_conntrack_tcp_loose", 0)
    stage.cut("-m", "conntrack", "--ctstate", "INVALID")
    for name in ("established", "unacknowledged"):
        stage.sysctl("middle", f"net.netfilter.nf_conntrack_tcp_timeout_{name}", 2)
    stage.look(AT_SERVER)
    flow = stage.connect(4821, server=probing(5, 1, 5))
    flow.send("client", b"howdy")
    flow.read("server")
    other = stage.connect(4822, None)
    for _ in range(26):
        other.send("client", b"tick")
        sleep(0.5)
    other.read("server")
    flow.expect(_GAVE_UP, None, "server")
    other.expect("open_at_capture_end")


def beside_asymmetric_route(stage: Stage) -> None:
    """Let the peer's answers go another way, past the router that is looked at: nothing died."""
    stage.router()
    client, server = stage.hosts["client"], stage.hosts["server"]
    stage._cable(client, "eth1", server, "eth1")  # noqa: SLF001 - a second way, which no other scenario has
    for host, number in ((client, 1), (server, 2)):
        host.ip("addr", "add", f"10.9.9.{number}/30", "dev", "eth1")
        for device in ("all", "eth0", "eth1"):
            host.sysctl(f"net.ipv4.conf.{device}.rp_filter", 0)

    def turn(_: object) -> None:
        client.ip("route", "add", f"{stage.address['server']}/32", "via", "10.9.9.2")
        stage.act("[client] route to the server by the other cable")

    views = (View("middle", "to_server", "middle"),)
    flow = dead(stage, 4823, probing(2, 1, 3), turn, tail_s=10, views=views)
    flow.expect("open_at_capture_end", notes="the answers are not in the capture, and arrive")


def beside_capture_drops(stage: Stage) -> None:
    """Stop the capturing program while much else passes, so that frames are dropped, and look away at the end."""
    stage.cable()
    stage.look(replace(AT_SERVER, expression=None, tool="dumpcap", arguments=("-B", "1"), extension="pcapng"))
    flow = stage.connect(4824, server=probing(2, 1, 5))
    flow.send("client", b"howdy")
    flow.read("server")
    sleep(3)
    with stage.hosts["client"].inside():
        flooding = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stage.paused(), flooding as flood:
        for _ in range(4000):
            flood.sendto(bytes(1400), (stage.address["server"], 9))
        sleep(5)
    sleep(3)
    flow.expect("open_at_capture_end")


def beside_stopped_program(stage: Stage) -> None:
    """Stop the server's program (SIGSTOP): its kernel takes a request and answers probes, nobody replies."""
    stage.cable()
    stage.look(AT_CLIENT)
    echo = (
        "import socket, sys\n"
        "l = socket.create_server((sys.argv[1], 4825)); print('ready', flush=True); c, _ = l.accept()\n"
        "while data := c.recv(100): c.sendall(data)\n"
    )
    program = stage.hosts["server"].start(sys.executable, "-c", echo, stage.address["server"])
    assert program.stdout is not None
    program.stdout.readline()
    flow = stage.flow("client")
    near = stage.socket("client")
    near.connect((stage.address["server"], 4825))
    flow.sockets["client"] = near
    flow.addresses = {"client": near.getsockname()[:2], "server": (stage.address["server"], 4825)}
    flow.set("client", probing(5, 5, 5))
    flow.send("client", b"a request")
    flow.read_once("client")
    sleep(2)
    program.send_signal(signal.SIGSTOP)
    flow.act("SIGSTOP", "server")
    flow.send("client", b"another one")
    sleep(36)
    flow.expect("open_at_capture_end")
    stage.stop_looking()  # its kernel answers with a RST when the program is killed
    program.kill()
    program.wait()
