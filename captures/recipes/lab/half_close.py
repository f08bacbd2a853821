"""One FIN, and what comes of it: every function a scenario."""

import socket

from captures.recipes.lab.flow import probing
from captures.recipes.lab.parts import howdy, sleep, talking
from captures.recipes.lab.stage import AT_CLIENT, AT_SERVER, Stage, View

_TCP_LINGER2 = 8


def half_close_fin_sender_probes(stage: Stage) -> None:
    """Shut down the client's sending side and let the client itself probe, at its FIN's own number; 2/1/3."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = stage.connect(6301, "client", client=probing(2, 1, 3))
    flow.send("client", b"howdy")
    flow.read("client")
    flow.read_once("server")
    sleep(3)
    flow.shut("client")
    sleep(9)
    flow.expect("half_closed_still_probed", "client", notes="the side which sent FIN is the one probing")


def half_close_both_probe(stage: Stage) -> None:
    """Shut down one direction, probe from both sides (2/2/3, 3/1/3), send in the other, close."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = talking(stage, 6302, "both", client=probing(2, 2, 3), server=probing(3, 1, 3))
    sleep(2)
    flow.shut("client")
    sleep(7)
    flow.send("server", b"late answer")
    sleep(5)
    flow.close("server")
    sleep(0.4)
    flow.close("client")
    sleep(0.3)
    flow.expect("fin_both", "client")


def half_close_then_dead(stage: Stage) -> None:
    """Shut down the client's sending side, then the path dies: the server's RST ends it; 2/1/3."""
    stage.router()
    stage.look(AT_SERVER)
    flow = stage.connect(6303, server=probing(2, 1, 3))
    flow.send("client", b"howdy")
    flow.read_once("server")
    flow.read("client")
    sleep(1)
    flow.shut("client")
    sleep(5)
    stage.cut()
    sleep(8)
    flow.look("server")
    flow.expect("rst_by_prober_after_unanswered", "client", "server")


def fin_then_rst_linger2(stage: Stage) -> None:
    """Shut down, then close with TCP_LINGER2 -1: a FIN, and later a RST that answers no probe; 2/1/3."""
    stage.cable()
    stage.look(AT_SERVER)
    flow = howdy(stage, 6304, probing(2, 1, 3), 1)
    flow.shut("client")
    sleep(5.5)
    flow.sockets["client"].setsockopt(socket.IPPROTO_TCP, _TCP_LINGER2, -1)
    flow.act("TCP_LINGER2 = -1", "client")
    flow.close("client")
    sleep(4)
    flow.expect("rst_abort", "client", "client")
    flow.look("server")


def fin_then_data_rst(stage: Stage) -> None:
    """Close the client; after 6 s of probes the server writes, and a RST answers the data; 2/1/3."""
    stage.cable()
    stage.look(AT_SERVER)
    flow = howdy(stage, 6305, probing(2, 1, 3), 1)
    flow.close("client")
    sleep(6.4)
    flow.send("server", b"too late")
    sleep(3)
    flow.look("server")
    flow.expect("rst_abort", "client", "client", notes="the RST answers data, not a probe")


def simultaneous_close(stage: Stage) -> None:
    """Close both ends within a round trip of 200 ms: the FINs cross; both 2/1/3 before."""
    stage.relayed(delay_s=0.1)
    stage.look(AT_CLIENT, View("middle", "to_server", "middle", ".middle"))
    flow = talking(stage, 6401, "both", client=probing(2, 1, 3), server=probing(2, 1, 3))
    sleep(7.3)
    flow.close("client")
    flow.close("server")
    sleep(1.5)
    why = "the FINs crossed; the client's close() came some ms earlier"
    flow.expect("fin_both", "client", notes=why)
