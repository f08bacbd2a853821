"""The kernel's own view of sockets, as a watch tells it."""

import os
import socket
import sys

import pytest

from analyzer.cli.kernel import Kernel, kernel_object, kernel_text, with_ways
from analyzer.report.live_screen import KernelView
from analyzer.track.flow import Endpoint
from tests.judging import captured

VIEW = KernelView("CLOSE-WAIT", "keepalive", 3_500_000_000, 2, "4711 (server)")


def test_json_has_what_the_kernel_says():
    """Times are seconds; a socket without a timer or a holder has null there."""
    assert {
        "state": "CLOSE-WAIT", "timer": "keepalive", "timer_s": 3.5, "unanswered": 2, "holders": "4711 (server)",
    } == kernel_object(VIEW)  # fmt: skip
    bare = kernel_object(KernelView("TIME-WAIT", "", 0, 0, ""))
    assert (None, None) == (bare["timer_s"], bare["holders"])


def test_a_line_of_the_log_names_state_and_holder():
    """Each end that is on this host is named by its role."""
    (judged,), _ = captured("founding_go_fin60.pcap")
    views = {"a": KernelView("FIN-WAIT-2", "", 0, 0, ""), "b": VIEW}

    assert "; kernel: client FIN-WAIT-2, no process; kernel: server CLOSE-WAIT, pid 4711 (server)" == "".join(
        kernel_text(judged, views)
    )


def test_what_the_kernel_says_later_is_told_as_such():
    """A state of another moment than the event's bears how much later it is."""
    (judged,), _ = captured("founding_go_fin60.pcap")

    assert ["; kernel 5.354 s later: server CLOSE-WAIT, pid 4711 (server)"] == list(
        kernel_text(judged, {"b": VIEW}, 5_354_000_000)
    )
    assert ["; kernel: server CLOSE-WAIT, pid 4711 (server)"] == list(kernel_text(judged, {"b": VIEW}, 300_000_000))


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
def test_a_flow_of_other_hosts_has_no_view():
    """What is not a socket of this host is not asked about."""
    (judged,), _ = captured("founding_go_fin60.pcap")

    assert {} == Kernel(frozenset({judged.record.b.port})).views(judged)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
def test_who_closed_a_socket_no_longer_holds_it():
    """From the first look behind its close on a socket is held by no process, though it lives on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
        ends = Endpoint(*client.getsockname()), Endpoint(*server.getsockname())
        ask = Kernel(frozenset({ends[1].port}))
        with server:
            open_ = ask.sockets()[ends]
            client.close()
            assert server.recv(1) == b""
            ask._asking.at_once()
            closed = ask.sockets()[ends]

    assert [os.getpid()] == [holder.pid for holder in open_.holders]
    assert closed.state.startswith("FIN-WAIT-")
    assert closed.holders == ()


def test_flows_stay_as_they_are_where_nobody_is_asked():
    """Without --sockets nothing is added to the witnesses."""
    flows = [object()]

    assert flows == list(with_ways(flows, None))
