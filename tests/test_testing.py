"""A capture beside a test, without pytest's help: asking, waiting, asserting, saving."""

import socket
import threading
import time

import pytest

from analyzer import testing
from analyzer.analyzing import analyze
from analyzer.testing import capture, free_port
from tests.loopback import connected, exchange, host, probe_every_second, send_datagrams  # noqa: F401

live = pytest.mark.live


@pytest.mark.parametrize("port", [70000, -1, "4001", 1.5, True, [80, "x"]])
def test_a_port_that_is_none_is_one_sentence(port):
    """What is no port is refused before anything is captured."""
    with pytest.raises(ValueError, match=r" is not a port; expected a number from 0 to 65535, or several$"):
        capture(port=port)


@live
def test_a_capture_sees_a_connection_from_its_first_packet(host):  # noqa: F811
    """A server that closes is found closed."""
    with capture(port=4001) as packets:
        exchange()
    flow = packets.flow(port=4001)

    assert "closed" == flow.verdict
    assert "handshake" == flow.judged.record.starts_with


@live
def test_what_was_sent_is_seen_at_once(host):  # noqa: F811
    """Inside the with statement a question is answered with everything sent before it."""
    with capture(port=4001) as packets, connected() as (client, server):
        client.sendall(b"howdy")
        server.recv(9)
        sent = packets.flow().judged.record.facts_a.payload_bytes
        client.shutdown(socket.SHUT_WR)
        states = packets.flow().states

    assert 5 == sent
    assert "CLOSE-WAIT" == states["server"]


@live
def test_waiting_ends_when_it_happens(host):  # noqa: F811
    """Probes, a FIN, a RST and a verdict are waited for, each until it is there."""
    with capture(port=4001) as packets, connected() as (client, server):
        probe_every_second(server)
        client.sendall(b"howdy")
        server.recv(9)
        probed = packets.wait_for("probe", timeout_s=120)
        assert packets.wait_for("answer", port=4001).probes[0].answer == "ack"
        client.shutdown(socket.SHUT_WR)
        assert packets.wait_for("fin").fins
        assert packets.wait_for("half_closed").verdict == "half_closed"
        assert len(packets.wait_for("probe", count=2, timeout_s=8).probes) == 2
        assert packets.wait_for(lambda flow: flow.probes_after_fin, timeout_s=8)

    assert 1 == len(probed.probes)


@live
def test_waiting_in_vain_fails_with_the_story(host):  # noqa: F811
    """After the deadline the message says what did not happen, and what did."""
    with capture(port=4001, timeout_s=0.2) as packets:
        exchange()
        with pytest.raises(AssertionError, match=r"rst did not happen within 0\.2 s") as raised:
            packets.wait_for("rst")
        with pytest.raises(AssertionError, match="probe 3 times did not happen within"):
            packets.wait_for("probe", count=3, timeout_s=0.01)

    assert "Closed by both ends" in str(raised.value)


@live
def test_waiting_for_something_unknown_is_refused(host):  # noqa: F811
    """The error lists what can be waited for."""
    with capture(port=4001) as packets, pytest.raises(ValueError, match="there are flow, established, data, probe"):
        packets.wait_for("pobe")


@live
def test_waiting_after_the_end_fails_at_once(host):  # noqa: F811
    """Nothing more happens in a capture that has ended."""
    with capture(port=4001) as packets:
        exchange()
    assert packets.wait_for("closed")
    since_s = time.monotonic()
    with pytest.raises(AssertionError):
        packets.wait_for("rst", timeout_s=120)

    assert time.monotonic() - since_s < 120


@live
def test_one_flow_is_asked_for_and_not_another(host):  # noqa: F811
    """No connection and several are told apart from the one, with what was captured."""
    with capture(port=[4001, 4002]) as packets:
        with pytest.raises(AssertionError, match="no connection with port 4001 was captured\n\n0 packets of port 4001"):
            packets.flow(port=4001)
        exchange(4001)
        exchange(4002)
        exchange(4002)

    assert "closed" == packets.flow(port=4001).verdict
    assert 2 == len(packets.flows(port=4002))
    with pytest.raises(AssertionError, match="2 connections with port 4002 were captured; ask flows"):
        packets.flow(port=4002)


@live
def test_silence_counts_to_the_end_of_the_capture(host):  # noqa: F811
    """A capture that waited knows that nothing came, although no packet says so."""
    with capture(port=4001) as packets, connected() as (client, _):
        client.sendall(b"howdy")
        flow = packets.wait_for(
            lambda flow: flow.judged.record.end_ns - flow.judged.record.last_ns > 3 * 10**8, timeout_s=5
        )

    assert "open" == flow.verdict


@live
def test_the_story_of_many_flows_is_short(host):  # noqa: F811
    """A few flows are told, and the others named."""
    with capture(port=4001) as packets:
        for _ in range(7):
            exchange()
    story = packets.story()

    assert "Flow 4: " in story
    assert "Flow 5: " not in story
    assert "and also:\n<flow 5 127.0.0.1:" in story


@live
def test_packets_and_story_can_be_saved(host, tmp_path):  # noqa: F811
    """The pcap gives the same flows again, and the text is the story."""
    packets = capture(port=4001, keep=True)
    with packets:
        exchange()
    written = packets.save(tmp_path / "new" / "folder", "name")
    kept = packets._folder
    packets.discard()
    packets.discard()

    assert ["name.txt", "name.pcap"] == [path.name for path in written]
    assert packets.story() + "\n" == written[0].read_text(encoding="utf-8")
    assert ["closed"] == [flow.verdict for flow in analyze(str(written[1])).flows]
    assert not (tmp_path / kept).exists()


@live
def test_a_capture_is_used_once_and_in_a_with_statement(host):  # noqa: F811
    """Asking before the start, and starting again, are errors that say what to do."""
    packets = capture(port=4001)
    with pytest.raises(RuntimeError, match="use it in a with statement"):
        packets.flows()
    packets.stop()
    with packets:
        pass
    with pytest.raises(RuntimeError, match="make another"), packets:
        pass


@live
def test_an_error_in_the_thread_is_raised_where_it_is_asked(host, monkeypatch):  # noqa: F811
    """What went wrong while capturing is not lost."""

    def break_down(*_):
        raise OSError("broken")

    monkeypatch.setattr("analyzer.watching.Intake.feed", break_down)
    with capture(port=4001) as packets:
        exchange()
        packets._thread.join(5)
        with pytest.raises(OSError, match="broken"):
            packets.flows()


@live
def test_without_a_port_everything_is_captured(host):  # noqa: F811
    """All connections are seen, and a filter narrows them."""
    with capture() as packets, capture(filter_text="port 4002") as some:
        exchange(4001)
        send_datagrams(3)
        exchange(4002)

    assert [True, True] == [bool(packets.flows(port)) for port in (4001, 4002)]
    assert [False, True] == [bool(some.flows(port)) for port in (4001, 4002)]


def test_free_ports_differ():
    """A port is free, and the next one is another."""
    ports = {free_port() for _ in range(5)}

    assert 5 == len(ports)


@pytest.mark.parametrize(("worker", "share"), [("gw0", 0), ("gw3", 3), ("master", 0), ("gw103", 3)])
def test_each_worker_has_its_own_ports(monkeypatch, worker, share):
    """Workers of pytest-xdist are given ports from ranges of their own."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)

    assert testing.FIRST_PORT + share * testing.SHARE <= free_port() < testing.FIRST_PORT + (share + 1) * testing.SHARE


def test_taken_ports_are_passed_over(monkeypatch):
    """A port that somebody listens on is not handed out; if all are taken, that is said."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw97")
    first = free_port()
    with socket.create_server(("127.0.0.1", first + 1)):
        assert free_port() not in (first, first + 1)

    monkeypatch.setattr(testing, "SHARE", 0)
    with pytest.raises(RuntimeError, match="no port is free from"):
        free_port()


@live
def test_captures_of_several_threads_do_not_mix(host):  # noqa: F811
    """Each capture sees its own port only."""
    seen = {}

    def run(port):
        with host.inside(), capture(port=port) as packets:
            exchange(port)
        seen[port] = [flow.verdict for flow in packets.flows()]

    threads = [threading.Thread(target=run, args=(port,)) for port in range(4001, 4005)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {port: ["closed"] for port in range(4001, 4005)} == seen
