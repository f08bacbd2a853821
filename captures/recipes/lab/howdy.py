"""The founding question with other timers, other FIN-WAIT-2 limits, and other ways to go: every function a scenario.

The client says howdy and closes, or is killed; the server read once, probes, and never closes.
"""

from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.parts import go_programs, howdy, howdy_from_a_program, sleep
from captures.recipes.lab.stage import AT_SERVER, LOOPBACK, PEER_CLIENT, Stage

_FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"


def _on_loopback(stage: Stage, port: int, fin_timeout_s: int, options: Options, hold_s: float, tail_s: float) -> None:
    """Play the question on loopback until the reset."""
    stage.loopback()
    stage.sysctl("host", _FIN_TIMEOUT, fin_timeout_s)
    stage.look(LOOPBACK)
    flow = howdy(stage, port, options, hold_s)
    flow.close("client")
    flow.expect("rst_by_peer_answering_probe", "client", "client")
    sleep(tail_s)
    flow.look("server")
    sleep(0.3)


def howdy_lo_fin60(stage: Stage) -> None:
    """Close after 5 s on lo, with 5/5 and a FIN-WAIT-2 of 60 s (a minisock, which answers until it expires)."""
    _on_loopback(stage, 4001, 60, probing(5, 5), 5, 73)


def howdy_lo_fin10(stage: Stage) -> None:
    """Do the same with tcp_fin_timeout=10."""
    _on_loopback(stage, 4002, 10, probing(5, 5), 5, 22)


def howdy_lo_fin90(stage: Stage) -> None:
    """Take 7/4 and 90 s, more than TCP_TIMEWAIT_LEN: a full socket for 30 s, then a minisock for 60 s."""
    _on_loopback(stage, 4010, 90, probing(7, 4), 2, 106)


def howdy_lo_fin65(stage: Stage) -> None:
    """Take 3/1 and 65 s: how long does FIN-WAIT-2 last?"""
    _on_loopback(stage, 4011, 65, probing(3, 1), 2, 25)


def howdy_lo_cut_short(stage: Stage) -> None:
    """Stop looking while the half-closed connection is still being probed; 2/3/4."""
    stage.loopback()
    stage.look(LOOPBACK)
    flow = howdy(stage, 4003, probing(2, 3, 4), 3)
    flow.close("client")
    flow.expect("half_closed_still_probed", "client")
    sleep(17)


def howdy_veth_fin10(stage: Stage) -> None:
    """Play it over a cable, 3/2/4, tcp_fin_timeout=10 at the client; both ends captured."""
    stage.cable()
    stage.sysctl("client", _FIN_TIMEOUT, 10)
    stage.look(AT_SERVER, PEER_CLIENT)
    flow = howdy(stage, 4004, probing(3, 2, 4), 4)
    flow.close("client")
    flow.expect("rst_by_peer_answering_probe", "client", "client")
    sleep(18)
    flow.look("server")


def howdy_sigkill(stage: Stage) -> None:
    """Kill the client, a process of its own, with SIGKILL: an ordinary FIN; 3/2/4, tcp_fin_timeout=8."""
    stage.cable()
    stage.sysctl("client", _FIN_TIMEOUT, 8)
    stage.look(AT_SERVER)
    flow = howdy_from_a_program(stage, 4005, probing(3, 2, 4))
    sleep(4)
    flow.act("SIGKILL to the client", "client")
    flow.program.kill()
    flow.expect("rst_by_peer_answering_probe", "client", "client", notes="kill -9 sends an ordinary FIN")
    sleep(16)
    flow.look("server")


def howdy_sigkill_unread(stage: Stage) -> None:
    """Kill the client with unread data in its socket: the kernel sends RST, not FIN."""
    stage.cable()
    stage.look(AT_SERVER)
    flow = howdy_from_a_program(stage, 4006, probing(2, 1, 3))
    flow.send("server", b"you never read this")
    flow.read("server")
    sleep(5)
    flow.act("SIGKILL to the client", "client")
    flow.program.kill()
    flow.expect("rst_abort", None, "client")
    sleep(4)


def howdy_close_unread(stage: Stage) -> None:
    """Close with unread data: RST instead of FIN (lo)."""
    stage.loopback()
    stage.look(LOOPBACK)
    flow = howdy(stage, 4007, probing(2, 2, 3), 1)
    flow.read("server")
    flow.send("server", b"reply nobody reads")
    sleep(5)
    flow.close("client")
    flow.expect("rst_abort", None, "client")
    sleep(3)


def howdy_go_lo_fin60(stage: Stage) -> None:
    """Run real Go programs on lo: SetKeepAlivePeriod(5s), one read; write, 5 s, close; tcp_fin_timeout=60."""
    stage.loopback()
    go_programs(stage, 4008, LOOPBACK, period_s=5, hold_s=5, tail_s=71)


def howdy_go_veth_fin10(stage: Stage) -> None:
    """Run the Go programs over a cable, period 3 s, the client sleeps 7 s, tcp_fin_timeout=10."""
    stage.cable()
    stage.sysctl("client", _FIN_TIMEOUT, 10)
    go_programs(stage, 4009, AT_SERVER, period_s=3, hold_s=7, tail_s=16)
