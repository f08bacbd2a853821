"""Where and how one looks: twice, late, through tags, with cut headers, large segments. Every function a scenario."""

from dataclasses import replace

from captures.recipes.lab.flow import probing
from captures.recipes.lab.parts import close_both, dead, graceful, howdy, sleep, talking
from captures.recipes.lab.stage import AT_SERVER, LOOPBACK, Stage, View

_GAVE_UP = "rst_by_prober_after_unanswered"
_ANSWERS_DROPPED = (
    "the router drops the ANSWERS after the capture point: they are in the capture, the prober never gets them; "
    "spacing changes from idle to intvl and the prober sends RST all the same"
)


def vlan_tagged(stage: Stage) -> None:
    """Look at a trunk with 802.1Q VLAN 42; 2/1/3, answered, then FIN-WAIT-2 runs out (8 s)."""
    stage.relayed(tags=((0x8100, 42),))
    stage.sysctl("client", "net.ipv4.tcp_fin_timeout", 8)
    stage.look(View("far_middle", "trunk", "middle", expression=None))
    flow = howdy(stage, 5501, probing(2, 1, 3), 5)
    flow.close("client")
    sleep(13)
    flow.expect("rst_by_peer_answering_probe", "client", "client")
    flow.look("server")


def vlan_qinq(stage: Stage) -> None:
    """Look at a trunk with two tags (802.1ad 100, 802.1Q 7); 1/1/3; open."""
    stage.relayed(tags=((0x88A8, 100), (0x8100, 7)))
    stage.look(View("middle", "trunk", "middle", expression=None))
    flow = talking(stage, 5502, server=probing(1, 1, 3))
    sleep(8)
    flow.expect("open_at_capture_end")


def any_router_sll2(stage: Stage) -> None:
    """Look at all devices of a router (LINUX_SLL2): each packet twice; it drops the answers; 2/1/4."""
    stage.router()
    view = View("middle", "any", "middle (any, each packet twice)", arguments=("-y", "LINUX_SLL2"))
    drop = ("-s", stage.address["client"], "-p", "tcp")
    flow = dead(stage, 5601, probing(2, 1, 4), lambda _: stage.cut(*drop), tail_s=10, views=(view,), warm_s=7)
    flow.expect(_GAVE_UP, None, "server", notes=_ANSWERS_DROPPED)


def any_router_sll(stage: Stage) -> None:
    """Look at all devices of a router (LINUX_SLL, no interface number); it drops the probes; 2/1/4."""
    stage.router()
    view = View("middle", "any", "middle (any, each packet twice)", arguments=("-y", "LINUX_SLL"))
    drop = ("-s", stage.address["server"], "-p", "tcp")
    flow = dead(stage, 5602, probing(2, 1, 4), lambda _: stage.cut(*drop), tail_s=10, views=(view,), warm_s=7)
    flow.expect(_GAVE_UP, None, "server")


def midstream_answered(stage: Stage) -> None:
    """Begin to look while the connection is idle; 2/1/3, answered, closed."""
    stage.cable()
    flow = talking(stage, 5701, server=probing(2, 1, 3))
    sleep(5)
    stage.look(AT_SERVER)
    sleep(9)
    close_both(flow, "client", 0.1, 0.4)


def midstream_dead(stage: Stage) -> None:
    """Begin to look when the peer is dead already: nothing but unanswered probes and a RST; 2/2/6."""
    stage.router()
    flow = talking(stage, 5702, server=probing(2, 2, 6))
    sleep(3)
    stage.cut()
    sleep(2.2)
    stage.look(AT_SERVER)
    sleep(14)
    flow.expect("one_sided", None, "server", notes="the prober gave up; of its peer nothing is in the capture")


def midstream_half_closed(stage: Stage) -> None:
    """Begin to look after the client's FIN: probes answered by a minisock, then RST; 2/1/3, tcp_fin_timeout=12."""
    stage.cable()
    stage.sysctl("client", "net.ipv4.tcp_fin_timeout", 12)
    flow = howdy(stage, 5703, probing(2, 1, 3), 1)
    flow.close("client")
    sleep(1)
    stage.look(AT_SERVER)
    sleep(15)
    flow.look("server")
    flow.expect("rst_by_peer_answering_probe", "client", "client", notes="the FIN is not in the capture")


def _dead_with_snaplen(stage: Stage, port: int, snaplen: int) -> None:
    """Let a router drop everything, looked at with cut packets."""
    stage.router()
    views = (replace(AT_SERVER, snaplen=snaplen),)
    flow = dead(stage, port, probing(2, 1, 3), lambda _: stage.cut(), tail_s=8, views=views, warm_s=5)
    flow.expect(_GAVE_UP, None, "server")


def snaplen_40(stage: Stage) -> None:
    """Cut at 40: of the TCP header the ports and half of the sequence number are left; 2/1/3, open."""
    stage.cable()
    stage.look(replace(AT_SERVER, snaplen=40))
    flow = talking(stage, 5803, server=probing(2, 1, 3))
    sleep(8)
    flow.expect("headers_cut", notes="the connection stays open; the capture cannot show it")


def snaplen_54(stage: Stage) -> None:
    """Cut at 54: no TCP options; 2/1/3, dead."""
    _dead_with_snaplen(stage, 5801, 54)


def snaplen_64(stage: Stage) -> None:
    """Cut at 64, options in part; 1/1/3, both close."""
    graceful(stage, 5802, probing(1, 1, 3), 7, "client", views=(replace(AT_SERVER, snaplen=64),))


def snaplen_68(stage: Stage) -> None:
    """Cut at 68: headers with timestamps whole, data not; 2/1/3, dead."""
    _dead_with_snaplen(stage, 5804, 68)


def pcapng_dumpcap(stage: Stage) -> None:
    """Look with dumpcap, as pcapng; 2/1/3, the peer's host is restarted."""
    stage.cable()
    stage.look(replace(AT_SERVER, tool="dumpcap", extension="pcapng", expression="tcp"))
    flow = talking(stage, 6201, server=probing(2, 1, 3))
    sleep(7)
    flow.vanish("client")
    sleep(4)
    flow.expect("rst_by_peer_answering_probe", None, "client")


def pcapng_two_interfaces(stage: Stage) -> None:
    """Look with dumpcap at both devices of a router: copies with interface numbers; it drops the answers; 2/1/3."""
    stage.router()
    view = View(
        "middle",
        "to_client",
        "middle (two interfaces)",
        expression=None,
        tool="dumpcap",
        arguments=("-i", "to_server"),
        extension="pcapng",
    )
    drop = ("-s", stage.address["client"], "-p", "tcp")
    flow = dead(stage, 6202, probing(2, 1, 3), lambda _: stage.cut(*drop), tail_s=8, views=(view,), warm_s=6)
    flow.expect(_GAVE_UP, None, "server", notes=_ANSWERS_DROPPED)


def bulk_then_probes(stage: Stage) -> None:
    """Send 3 MB with segmentation offload (64 KB segments, cut at 160), then be idle; 2/1/3."""
    stage.cable()
    stage.look(replace(AT_SERVER, snaplen=160))
    flow = stage.connect(6601, server=probing(2, 1, 3))
    flow.read("client", "server")
    flow.send_all("server", b"B" * 3_000_000)
    sleep(9)
    close_both(flow, "server", 0.1, 0.4)


def bulk_lo_fin_wait2(stage: Stage) -> None:
    """Send 64 KB segments on lo, then let the client close and the server not; 3/1/3, tcp_fin_timeout=9."""
    stage.loopback()
    stage.sysctl("host", "net.ipv4.tcp_fin_timeout", 9)
    stage.look(replace(LOOPBACK, snaplen=200))
    flow = stage.connect(6602, server=probing(3, 1, 3))
    flow.read("client")
    flow.send_all("server", b"B" * 2_000_000)
    sleep(5)
    flow.close("client")
    sleep(15)
    flow.look("server")
    flow.expect("rst_by_peer_answering_probe", "client", "client")
