"""Peers that die, vanish or restart: every function a scenario."""

from dataclasses import replace

from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.parts import address_removed, dead, howdy_from_a_program, link_down, sleep, talking
from captures.recipes.lab.stage import AT_CLIENT, AT_SERVER, PEER_CLIENT, Stage, View

_GAVE_UP = "rst_by_prober_after_unanswered"


def dead_linkdown_bridge(stage: Stage) -> None:
    """Take the link of a peer behind a switch down; the prober gives up before its ARP entry fails."""
    stage.switch()
    views = (AT_SERVER, View("middle", "br0", "middle", ".middle"))
    flow = dead(stage, 4101, probing(2, 1, 3), link_down(stage), tail_s=10, views=views)
    flow.expect(_GAVE_UP, None, "server")


def dead_linkdown_arp_fails(stage: Stage) -> None:
    """Do the same with short ARP timers and 2/1/6: the entry fails first, later probes and the RST never leave."""
    stage.switch()
    timers = {"base_reachable_time_ms": 1000, "delay_first_probe_time": 1, "retrans_time_ms": 300}
    for name, value in timers.items():
        stage.sysctl("server", f"net.ipv4.neigh.eth0.{name}", value)
    flow = dead(stage, 4107, probing(2, 1, 6), link_down(stage), tail_s=13)
    why = "the application got its error, but the RST (and most probes) died for want of a neighbour entry"
    flow.expect("unseen", notes=why)


def dead_linkdown_permarp(stage: Stage) -> None:
    """Do the same with a permanent neighbour entry, so that all probes leave; 3/1/3."""
    stage.switch()
    stage.fixed_neighbour()
    flow = dead(stage, 4102, probing(3, 1, 3), link_down(stage), tail_s=12, views=(AT_SERVER, PEER_CLIENT))
    flow.expect(_GAVE_UP, None, "server")
    flow.expect("open_at_capture_end", vantage="peer")


def dead_linkdown_direct(stage: Stage) -> None:
    """Take the other end of the prober's own cable down: without carrier, its probes never reach the wire."""
    stage.cable()
    flow = dead(stage, 4103, probing(2, 1, 3), link_down(stage), tail_s=12)
    flow.expect("open_at_capture_end", notes="the application got its error, but nothing of it is in the capture")


def dead_data_pending(stage: Stage) -> None:
    """Leave data outstanding at a dead peer: no probes, but retransmissions until tcp_retries2=5, and no RST."""
    stage.router()
    stage.sysctl("server", "net.ipv4.tcp_retries2", 5)
    flow = dead(stage, 4104, probing(2, 1, 3), lambda _: stage.cut(), tail_s=0.3)
    flow.send("server", b"anybody there?")
    sleep(25)
    flow.expect("silent_at_capture_end")


def dead_early_end(stage: Stage) -> None:
    """Stop looking before the count ran out; 2/2/9."""
    stage.router()
    flow = dead(stage, 4105, probing(2, 2, 9), lambda _: stage.cut(), tail_s=9, warm_s=5)
    flow.expect("silent_at_capture_end")


def dead_sysctl_timers(stage: Stage) -> None:
    """Set only SO_KEEPALIVE; the timers come from the host's parameters 2/1/4; the client probes."""
    stage.router()
    for name, value in {"time": 2, "intvl": 1, "probes": 4}.items():
        stage.sysctl("client", f"net.ipv4.tcp_keepalive_{name}", value)
    options = Options(keepalive=True)
    flow = dead(stage, 4106, options, lambda _: stage.cut(), tail_s=9, views=(AT_CLIENT,), prober="client", warm_s=5)
    flow.expect(_GAVE_UP, None, "client")


def dead_intvl_gt_idle(stage: Stage) -> None:
    """Let 1/3/3 be answered for a while, then not."""
    stage.router()
    views = (AT_SERVER, PEER_CLIENT)
    flow = dead(stage, 4704, probing(1, 3, 3), lambda _: stage.cut(), tail_s=14, views=views, warm_s=9)
    flow.expect(_GAVE_UP, None, "server")
    flow.expect("open_at_capture_end", vantage="peer")


def peer_ns_deleted(stage: Stage) -> None:
    """Remove the peer's host altogether: the router answers with ICMP net unreachable."""
    stage.router()
    stage.look(AT_SERVER)
    flow = stage.connect(4201, server=probing(2, 1, 4))
    flow.send("client", b"howdy")
    flow.read("server")
    sleep(3)
    flow.vanish("client")
    flow.act("host removed", "client")
    stage.demolish("client")
    sleep(10)
    flow.expect(_GAVE_UP, None, "server")


def peer_ns_deleted_orphan(stage: Stage) -> None:
    """Kill the peer's program, drop its output, remove its host: an orphan in FIN-WAIT-1 that answers nothing."""
    stage.router()
    stage.look(AT_SERVER)
    flow = howdy_from_a_program(stage, 4204, probing(2, 1, 4))
    flow.read("server")
    sleep(3)
    stage.iptables("client", "-A", "OUTPUT", "-j", "DROP")
    flow.program.kill()
    flow.program.wait()
    flow.act("client program killed, its output dropped; host removed", "client")
    stage.demolish("client")
    sleep(10)
    flow.expect(_GAVE_UP, None, "server")


def peer_addr_removed(stage: Stage) -> None:
    """Remove the peer's address; with a permanent neighbour entry the probes reach a host that owns it no longer."""
    stage.cable()
    stage.fixed_neighbour()
    views = (AT_SERVER, PEER_CLIENT)
    flow = dead(stage, 4202, probing(1, 2, 3), address_removed(stage), tail_s=11, views=views)
    flow.expect(_GAVE_UP, None, "server")


def peer_addr_removed_arp(stage: Stage) -> None:
    """Remove the peer's address with ARP in use: the neighbour entry goes bad during the probing; 2/2/5."""
    stage.cable()
    flow = dead(stage, 4203, probing(2, 2, 5), address_removed(stage), tail_s=18)
    why = "the last probes and the RST died for want of a neighbour entry; ARP requests are in the capture"
    flow.expect("silent_at_capture_end", notes=why)


def peer_rebooted(stage: Stage) -> None:
    """Let the peer's socket vanish silently: its host answers the next probe with RST; 3/1/4."""
    stage.cable()
    stage.look(AT_SERVER, PEER_CLIENT)
    flow = talking(stage, 4301, server=probing(3, 1, 4))
    sleep(7)
    flow.vanish("client")
    sleep(6)
    flow.expect("rst_by_peer_answering_probe", None, "client")


def peer_rebooted_drop_lifted(stage: Stage) -> None:
    """Kill the client while nothing passes its host; when that is lifted, its host answers with RST; 2/2/6."""
    stage.cable()
    stage.sysctl("client", "net.ipv4.tcp_orphan_retries", 1)
    stage.look(AT_SERVER)
    flow = howdy_from_a_program(stage, 4302, probing(2, 2, 6))
    flow.read("server")
    sleep(3)
    for chain in ("OUTPUT", "INPUT"):
        stage.iptables("client", "-A", chain, "-p", "tcp", "-j", "DROP")
    flow.act("SIGKILL to the client, its output and input dropped", "client")
    flow.program.kill()
    sleep(5.5)
    stage.iptables("client", "-F")
    flow.act("drop lifted", "client")
    sleep(6)
    flow.expect("rst_by_peer_answering_probe", None, "client")


def peer_rebooted_client_probes(stage: Stage) -> None:
    """Let the server's socket vanish while its listener stays; the client probes; 1/3/4."""
    stage.cable()
    stage.look(AT_CLIENT)
    with stage.listener(4303) as listener:
        flow = stage.connect(4303, "client", client=probing(1, 3, 4), listener=listener)
        flow.send("client", b"howdy")
        flow.read("client", "server")
        sleep(8)
        flow.vanish("server")
        sleep(6)
    flow.expect("rst_by_peer_answering_probe", None, "server")


def pcap_nanosecond(stage: Stage) -> None:
    """Capture a death in nanoseconds (magic a1b23c4d); 1/1/2."""
    stage.router()
    views = (replace(AT_SERVER, arguments=("--time-stamp-precision=nano",)),)
    flow = dead(stage, 6203, probing(1, 1, 2), lambda _: stage.cut(), tail_s=6, views=views, warm_s=4)
    flow.expect(_GAVE_UP, None, "server")


def user_timeout_short(stage: Stage) -> None:
    """Set TCP_USER_TIMEOUT 3500 ms, which overrides the count; 1/1/9."""
    _with_user_timeout(stage, 5301, probing(1, 1, 9, user_timeout_ms=3500), 13, 4)


def user_timeout_long(stage: Stage) -> None:
    """Set TCP_USER_TIMEOUT 9000 ms with 2/1/3: probing goes on past the count."""
    _with_user_timeout(stage, 5302, probing(2, 1, 3, user_timeout_ms=9000), 14, 5)


def user_timeout_lt_idle(stage: Stage) -> None:
    """Set TCP_USER_TIMEOUT 1000 ms, less than the idle time of 3 s: one probe, then the end at the next tick."""
    _with_user_timeout(stage, 5303, probing(3, 2, 5, user_timeout_ms=1000), 12, 4)


def _with_user_timeout(stage: Stage, port: int, options: Options, tail_s: float, warm_s: float) -> None:
    """Let a router drop everything."""
    stage.router()
    flow = dead(stage, port, options, lambda _: stage.cut(), tail_s=tail_s, warm_s=warm_s)
    flow.expect(_GAVE_UP, None, "server")
