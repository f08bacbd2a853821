"""Peers that answer, on good paths and bad, and connections without keepalive: every function a scenario."""

from captures.recipes.lab.flow import Side, probing
from captures.recipes.lab.parts import close_both, dead, graceful, howdy, sleep, talking
from captures.recipes.lab.stage import AT_CLIENT, AT_SERVER, PEER_CLIENT, Stage, View

_CABLE_AT_PEER = View("server", "eth0", "peer")


def answered_graceful_2_1(stage: Stage) -> None:
    """Answer every probe, then the client closes and the server follows; 2/1/3."""
    graceful(stage, 4701, probing(2, 1, 3), 13, "client")


def answered_graceful_server_first(stage: Stage) -> None:
    """Answer every probe, then the server, which probes, closes first; 1/1/3."""
    graceful(stage, 4702, probing(1, 1, 3), 9, "server")


def answered_intvl_gt_idle(stage: Stage) -> None:
    """Answer 1/4/3: what spacing holds?"""
    graceful(stage, 4703, probing(1, 4, 3), 20, "client", prober="client", views=(AT_CLIENT,))


def answered_no_data(stage: Stage) -> None:
    """Send not one octet of data: the probe's sequence number is the SYN's own; 2/1/3 and 3/1/3."""
    stage.cable()
    stage.look(AT_SERVER)
    flow = stage.connect(4705, "both", server=probing(2, 1, 3), client=probing(3, 1, 3))
    flow.read("client", "server")
    sleep(11)
    close_both(flow, "client", 0.2, 0.4)


def half_closed_then_closed(stage: Stage) -> None:
    """Let the server stay silent for 7 s after the client's FIN, probing, then close too; 2/1/3."""
    stage.cable()
    stage.look(AT_SERVER)
    flow = howdy(stage, 4706, probing(2, 1, 3), 3)
    close_both(flow, "client", 7, 0.6)


def both_sides(stage: Stage) -> None:
    """Probe from both sides, client 2/1/3 and server 3/2/3; later the router drops all."""
    stage.router()
    stage.look(AT_CLIENT, View("middle", "to_client", "middle", ".middle"))
    flow = talking(stage, 4801, "both", client=probing(2, 1, 3), server=probing(3, 2, 3))
    sleep(13)
    stage.cut()
    sleep(13)
    why = "each side gives up by itself; here only the client's RST shows"
    flow.expect("rst_by_prober_after_unanswered", None, "client", notes=why)


def both_sides_equal(stage: Stage) -> None:
    """Probe from both sides with 2/2/3 set at the same moment: probes cross or alternate; open at the end."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = talking(stage, 4802, "both", client=probing(2, 2, 3), server=probing(2, 2, 3))
    sleep(15)
    flow.expect("open_at_capture_end")


def data_interleaved(stage: Stage) -> None:
    """Have idle phases between data from either side; 2/1/3 on the server."""
    stage.cable()
    stage.look(AT_SERVER)
    flow = stage.connect(4901, server=probing(2, 1, 3))
    flow.read("client", "server")
    phases: tuple[tuple[Side, int, float], ...] = (
        ("client", 5, 5),
        ("server", 700, 3.1),
        ("client", 1, 1.2),
        ("server", 1, 4.4),
        ("client", 4000, 0.7),
        ("server", 2000, 6.3),
    )
    for who, octets, idle_s in phases:
        flow.send(who, b"d" * octets)
        sleep(idle_s)
    close_both(flow, "server", 0.1, 0.5)


def loss_probes(stage: Stage) -> None:
    """Lose every second probe on its way, then none; 3/1/5."""
    stage.router()
    stage.look(AT_SERVER, PEER_CLIENT)
    flow = talking(stage, 5001, server=probing(3, 1, 5))
    sleep(4)
    every_second = ("-m", "statistic", "--mode", "nth", "--every", "2", "--packet", "0")
    stage.cut("-p", "tcp", "-s", stage.address["server"], *every_second)
    sleep(13)
    stage.iptables("middle", "-F")
    sleep(7)
    close_both(flow, "client", 0.1, 0.4)


def loss_acks(stage: Stage) -> None:
    """Lose two of three answers while the probes arrive, then none; 2/1/5."""
    stage.router()
    stage.look(AT_SERVER, PEER_CLIENT)
    flow = talking(stage, 5002, server=probing(2, 1, 5))
    sleep(3)
    from_client = ("-p", "tcp", "-s", stage.address["client"])
    every_third = ("-m", "statistic", "--mode", "nth", "--every", "3", "--packet", "2")
    stage.iptables("middle", "-A", "FORWARD", *from_client, *every_third, "-j", "ACCEPT")
    stage.cut(*from_client)
    sleep(16)
    stage.iptables("middle", "-F")
    sleep(6)
    flow.expect("open_at_capture_end")


def slow_path_answered(stage: Stage) -> None:
    """Have a round trip of 600 ms: answers come late; 1/1/3; open."""
    stage.relayed(delay_s=0.3)
    stage.look(AT_SERVER, PEER_CLIENT)
    flow = talking(stage, 6402, server=probing(1, 1, 3))
    sleep(11)
    flow.expect("open_at_capture_end")


def ipv6_dead(stage: Stage) -> None:
    """Answer over IPv6, 2/1/3, until the router drops."""
    stage.router(version=6)
    flow = dead(stage, 5401, probing(2, 1, 3), lambda _: stage.cut(), tail_s=8, warm_s=7)
    flow.expect("rst_by_prober_after_unanswered", None, "server")


def ipv6_graceful(stage: Stage) -> None:
    """Answer over IPv6, 1/2/3, and close from both ends."""
    stage.cable(version=6)
    stage.look(View("client", "eth0", "peer"))
    flow = talking(stage, 5402, server=probing(1, 2, 3), text=b"howdy6")
    sleep(11)
    close_both(flow, "client", 0.1, 0.4)


def dup_acks(stage: Stage) -> None:
    """Lose two data segments: duplicate ACKs and a fast retransmission, then idle probes; 2/1/3, RTT 40 ms."""
    large = 0

    def drop(source: int, frame: bytes) -> bool:
        nonlocal large
        if source == 1 and len(frame) > 1000:
            large += 1
            return large in (5, 30)
        return False

    stage.relayed(delay_s=0.02, drop=drop)
    stage.look(AT_SERVER, PEER_CLIENT)
    flow = stage.connect(6801, server=probing(2, 1, 3))
    flow.read("client", "server")
    flow.send_all("server", b"D" * 200_000)
    sleep(8)
    close_both(flow, "server", 0.2, 0.6)


def no_keepalive_idle(stage: Stage) -> None:
    """Do without keepalive: data, 10 s of idleness, data; open."""
    stage.cable()
    stage.look(_CABLE_AT_PEER)
    flow = stage.connect(6701, None)
    flow.read("client", "server")
    flow.send("client", b"howdy")
    sleep(10)
    flow.send("server", b"still here")
    sleep(2)
    flow.expect("open_at_capture_end")


def no_keepalive_half_closed(stage: Stage) -> None:
    """Do without keepalive: the client closes, the server never does, nothing more happens."""
    stage.cable()
    stage.sysctl("client", "net.ipv4.tcp_fin_timeout", 4)
    stage.look(_CABLE_AT_PEER)
    flow = stage.connect(6702, None)
    flow.send("client", b"howdy")
    flow.read_once("server")
    sleep(1)
    flow.close("client")
    sleep(9)
    flow.expect("half_closed_still_probed", "client", notes="half closed, and nobody probes")


def syn_only(stage: Stage) -> None:
    """Never answer the SYNs (dropped), with keepalive set before connect; 1/1/3."""
    stage.router()
    stage.cut()
    stage.look(AT_CLIENT)
    flow = stage.flow("client")
    near = stage.socket("client")
    flow.sockets["client"] = near
    near.bind((stage.address["client"], 0))
    flow.addresses = {"client": near.getsockname()[:2], "server": (stage.address["server"], 6704)}
    flow.set("client", probing(1, 1, 3))
    near.settimeout(9)
    flow.act("connect()", "client")
    try:
        near.connect((stage.address["server"], 6704))
    except OSError as error:
        flow.see("client", "connect", type(error).__name__)
    flow.expect("never_established")
