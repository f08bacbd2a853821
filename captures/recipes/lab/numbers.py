"""Sequence numbers at their limit, and ports used anew: every function a scenario."""

import time

from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.parts import close_both, sleep
from captures.recipes.lab.stage import AT_CLIENT, AT_SERVER, Stage


def _wrap(stage: Stage, port: int, first_number: int, octets: tuple[int, int], options: Options) -> None:
    """Connect with a chosen ISN, send, be idle, perhaps send and be idle again, close."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = stage.connect(port, "client", client=options, first_number=first_number)
    if octets[0]:
        flow.send("client", b"w" * octets[0])
    flow.read("client", "server")
    sleep(6)
    if octets[1]:
        flow.send("client", b"w" * octets[1])
        sleep(6)
    close_both(flow, "client", 0.1, 0.4)


def seq_wrap_probe_ffffffff(stage: Stage) -> None:
    """Let SND.NXT be 0 and the probe's number 4294967295; 2/1/3."""
    _wrap(stage, 5901, (1 << 32) - 6, (5, 0), probing(2, 1, 3))


def seq_wrap_probe_zero(stage: Stage) -> None:
    """Let SND.NXT be 1 and the probe's number 0; 2/1/3."""
    _wrap(stage, 5902, 0xFFFFFFFF, (1, 0), probing(2, 1, 3))


def seq_wrap_between(stage: Stage) -> None:
    """Let the number wrap in data between two idle phases; 1/1/3."""
    _wrap(stage, 5903, (1 << 32) - 101, (50, 500), probing(1, 1, 3))


def port_reuse(stage: Stage) -> None:
    """Use the same ports three times: ended by RST, by FIN from both (server first), by death."""
    stage.router()
    stage.look(AT_SERVER)
    with stage.listener(6001) as listener:
        first = stage.connect(6001, server=probing(1, 1, 3), listener=listener, client_port=33333)
        first.send("client", b"one")
        first.read("client", "server")
        sleep(4.5)
        first.abort("client")
        first.expect("rst_abort", None, "client")
        sleep(0.5)
        first.over_at = time.time()
        sleep(0.3)
        second = stage.connect(6001, server=probing(2, 1, 3), listener=listener, client_port=33333)
        second.send("client", b"two")
        second.read("client", "server")
        sleep(6.5)
        close_both(second, "server", 0.2, 1.5)
        second.over_at = time.time()
        third = stage.connect(6001, server=probing(1, 2, 2), listener=listener, client_port=33333)
        third.send("client", b"three")
        third.read("client", "server")
        sleep(4)
        stage.cut()
        sleep(10)
        third.expect("rst_by_prober_after_unanswered", None, "server")
