"""Firewalls, NAT and routers that say no, or nothing: every function a scenario."""

from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.parts import close_both, dead, sleep, talking
from captures.recipes.lab.stage import AT_CLIENT, PEER_SERVER, Stage, View

_GAVE_UP = "rst_by_prober_after_unanswered"


def fw_silent_drop(stage: Stage) -> None:
    """Let a router silently drop the flow after an idle time; captured at prober, middle and peer; 2/1/5."""
    stage.router()
    views = (AT_CLIENT, View("middle", "to_client", "middle", ".middle"), PEER_SERVER)
    options = probing(2, 1, 5)
    drop = ("-p", "tcp")
    flow = dead(stage, 4401, options, lambda _: stage.cut(*drop), tail_s=11, views=views, prober="client", warm_s=5)
    flow.expect(_GAVE_UP, None, "client")
    flow.expect("open_at_capture_end", vantage="peer")


def _nat(stage: Stage, established_s: int) -> None:
    """Have a NAT that forgets a connection after so long, and drops what it does not know."""
    stage.router()
    stage.sysctl("middle", "net.netfilter.nf_conntrack_tcp_loose", 0)
    stage.iptables("middle", "-t", "nat", "-A", "POSTROUTING", "-o", "to_server", "-j", "MASQUERADE")
    stage.cut("-m", "conntrack", "--ctstate", "INVALID")
    for name in ("established", "unacknowledged"):
        stage.sysctl("middle", f"net.netfilter.nf_conntrack_tcp_timeout_{name}", established_s)
    stage.look(AT_CLIENT, PEER_SERVER)


def nat_idle_expired(stage: Stage) -> None:
    """Let a NAT's entry really expire (3 s, idle time 6 s): later packets are INVALID and dropped; 6/2/3."""
    _nat(stage, 3)
    flow = talking(stage, 4402, "client", client=probing(6, 2, 3))
    sleep(15)
    flow.expect(_GAVE_UP, None, "client")
    flow.expect("open_at_capture_end", vantage="peer")


def nat_kept_open(stage: Stage) -> None:
    """Keep the same NAT (6 s) open by keepalive 3/1/3; then both close."""
    _nat(stage, 6)
    flow = talking(stage, 4403, "client", client=probing(3, 1, 3))
    sleep(16)
    close_both(flow, "client", 0.3, 0.5)


def _reject(stage: Stage, port: int, how: str, options: Options, *, warm_s: float, tail_s: float, peer: bool) -> None:
    """Let a router begin to reject what the client sends, in one way or another."""
    match = ("-A", "FORWARD", "-p", "tcp", "-s", stage.address["client"], "-j", "REJECT", "--reject-with", how)
    views = (AT_CLIENT, PEER_SERVER) if peer else (AT_CLIENT,)
    flow = dead(
        stage,
        port,
        options,
        lambda _: stage.iptables("middle", *match),
        tail_s=tail_s,
        views=views,
        prober="client",
        warm_s=warm_s,
    )
    if how == "tcp-reset":
        why = "the RST is forged by the router (TTL 64 where the peer's is 63)"
        flow.expect("rst_by_peer_answering_probe", None, "server", notes=why)
        flow.expect("open_at_capture_end", vantage="peer")
    else:
        flow.expect(_GAVE_UP, None, "client")


def fw_reject_rst(stage: Stage) -> None:
    """Let a router reject with a RST in the peer's name, of which the peer knows nothing; 2/1/4."""
    stage.router()
    _reject(stage, 4501, "tcp-reset", probing(2, 1, 4), warm_s=7, tail_s=5, peer=True)


def icmp_host_unreachable(stage: Stage) -> None:
    """Let the router answer probes with ICMP host unreachable; 2/1/4."""
    stage.router()
    _reject(stage, 4601, "icmp-host-unreachable", probing(2, 1, 4), warm_s=5, tail_s=9, peer=False)


def icmp_admin_prohibited(stage: Stage) -> None:
    """Let the router answer probes with ICMP communication administratively prohibited; 1/2/3."""
    stage.router()
    _reject(stage, 4602, "icmp-admin-prohibited", probing(1, 2, 3), warm_s=5, tail_s=10, peer=False)


def icmp_admin_recverr(stage: Stage) -> None:
    """Do the same with IP_RECVERR on the prober; 2/1/4."""
    stage.router()
    options = probing(2, 1, 4, receive_errors=True)
    _reject(stage, 4603, "icmp-admin-prohibited", options, warm_s=5, tail_s=9, peer=False)


def icmp_v6_noroute(stage: Stage) -> None:
    """Let the router answer probes over IPv6 with ICMPv6 no route; 2/2/3."""
    stage.router(version=6)
    _reject(stage, 4604, "icmp6-no-route", probing(2, 2, 3), warm_s=5, tail_s=11, peer=False)
