"""Closed windows: probes that ask for the window, and keepalive under one. Every function a scenario."""

import socket
import struct

from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.parts import close_both, sleep
from captures.recipes.lab.stage import AT_CLIENT, Stage

_SMALL = Options(receive_buffer=4096)


def _window(connection: socket.socket) -> int:
    """Return the window that the peer last advertised (tcpi_snd_wnd)."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int(struct.unpack_from("I", info, 228)[0])


def zero_window_pending(stage: Stage) -> None:
    """Leave data pending at a closed window: window probes; after 16 s the receiver reads, keepalive follows; 1/1/3."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = stage.connect(5101, "client", client=probing(1, 1, 3), server=_SMALL)
    flow.window_probes = True
    flow.overfill("client")
    sleep(16)
    flow.act("receiver starts to read", "server")
    flow.read("client", "server")
    sleep(7)
    close_both(flow, "client", 0.2, 0.4)


def zero_window_nothing_pending(stage: Stage) -> None:
    """Fill the window exactly, with nothing pending: real keepalive at a closed window; 2/1/3."""
    stage.cable()
    stage.look(AT_CLIENT)
    flow = stage.connect(5102, "client", client=probing(2, 1, 3), server=_SMALL)
    near = flow.sockets["client"]
    written = 0
    for _ in range(400):
        if not (window := _window(near)):
            break
        written += near.send(b"z" * min(window, 400))
        sleep(0.05)
    flow.act(f"filled the window exactly with {written} bytes, it is now {_window(near)}", "client")
    sleep(12)
    flow.expect("open_at_capture_end")


def zero_window_dead(stage: Stage) -> None:
    """Leave data pending at a closed window, then the path dies: unanswered window probes; 1/1/3."""
    stage.router()
    stage.look(AT_CLIENT)
    flow = stage.connect(5103, "client", client=probing(1, 1, 3), server=_SMALL)
    flow.window_probes = True
    flow.overfill("client")
    sleep(5)
    stage.cut()
    sleep(26)
    flow.expect("silent_at_capture_end")
