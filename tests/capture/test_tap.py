"""Opening interfaces: exactly why not, and what scapy's socket gives without a ring."""

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.capture import tap
from analyzer.capture.live_reader import LiveReader
from analyzer.errors import CaptureNotPermittedError, LiveCaptureError
from tests.capture import craft
from tests.loopback import exchange, host  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]


def open_lo(interface="lo", filter_text="", ports=()):
    """Open an interface and close it again."""
    tap.open_tap(interface, filter_text=filter_text, ports=ports, snaplen=100, promiscuous=False).close()


def test_an_interface_that_is_not_there_is_named_beside_those_that_are():
    """The error lists the interfaces there are."""
    with pytest.raises(LiveCaptureError) as raised:
        open_lo("nope0")

    names = ", ".join(tap.interface_names())
    assert f"cannot capture on nope0: there is no such interface. There are: {names}." == str(raised.value)


@pytest.mark.live
def test_a_filter_with_a_mistake_is_shown_with_libpcaps_reason():
    """The error quotes the filter and says what libpcap says."""
    with pytest.raises(LiveCaptureError, match=r'the filter "tcp prot 80" is wrong: .*syntax error'):
        open_lo(filter_text="tcp prot 80")


@pytest.mark.live
def test_an_interface_that_is_down_is_not_waited_for(host):  # noqa: F811
    """The error says how to bring it up."""
    host.ip("link", "add", "quiet0", "type", "veth", "peer", "other0")

    with pytest.raises(LiveCaptureError, match=r"the interface is down. Bring it up with: ip link set quiet0 up"):
        open_lo("quiet0")


def test_ports_and_a_filter_are_one_expression():
    """Ports narrow a filter to TCP of these ports."""
    assert "" == tap.expression("", [])
    assert "host ::1" == tap.expression("host ::1", [])
    assert "tcp and (port 9 or portrange 1-3)" == tap.expression("", [9, 1, 2, 3], only_tcp=True)
    assert "tcp and (port 1 or port 2)" == tap.expression("", [1, 2], only_tcp=True)
    assert "(tcp and (port 1)) or arp or icmp or icmp6" == tap.expression("", [1])
    assert "tcp and (port 1) and (src host ::1)" == tap.expression("src host ::1", [1], only_tcp=True)
    assert "(tcp and (port 1) and (src host ::1)) or arp or icmp or icmp6" == tap.expression("src host ::1", [1])


@pytest.mark.parametrize(
    ("typed", "picks"),
    [
        ("port 5432", True),
        ("tcp port 5432 or tcp port 6379", True),
        ("tcp and (host 10.0.0.7 || net 2001:db8::/32) && src portrange 1-9", True),
        ("tcp port https and dst host db.example.org", True),
        ("host 10.0.0.7", False),
        ("tcp and not port 22", False),
        ("port 53 or udp", False),
        ("tcp port 80 and arp", False),
        ("tcp[13] & 4 != 0", False),
        ("ether host 02:00:00:00:00:01 and tcp", False),
        ("", False),
    ],
)
def test_filters_that_pick_connections(typed, picks):
    """A filter of TCP and ports admits ICMP and ARP too; one that speaks of anything else is left as it is."""
    assert picks == tap.picks_connections(typed)
    assert tap.expression(typed, []) == (f"({typed}) or arp or icmp or icmp6" if picks else typed)
    assert tap.expression(typed, [], only_tcp=True) == typed


@pytest.mark.live
def test_without_privilege_the_remedy_is_exact():
    """A process that may not capture is told of sudo, dumpcap, setcap and containers."""
    code = (
        "import os, sys, scapy.layers.l2, scapy.arch.linux, psutil\n"
        "from analyzer.capture import live_reader, tap\n"
        "from analyzer.errors import CaptureNotPermittedError\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: live_reader.LiveReader('lo')\n"
        "except CaptureNotPermittedError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert "cannot capture on lo: capturing is not permitted. Run it with sudo; or, " in done.stdout, done.stderr
    assert "dumpcap -i IFACE -w - | keepalive report -" in done.stdout
    assert "python3 -m venv --copies, and sudo setcap cap_net_raw+ep its bin/python3 (on /" in done.stdout
    assert "or, in a container, run as root with --cap-add=NET_RAW." in done.stdout


def test_root_in_a_container_is_told_of_the_capability(monkeypatch):
    """Root without the capability needs a flag for the container, not sudo."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert "--cap-add=NET_RAW" in tap.remedy()
    assert "sudo" not in tap.remedy()


def test_elsewhere_the_remedy_is_of_that_system(monkeypatch):
    """On macOS the BPF devices are named."""
    monkeypatch.setattr(sys, "platform", "darwin")

    assert "/dev/bpf" in tap.remedy()
    assert "lo0" == tap.loopback_name()


def test_a_refused_socket_is_a_matter_of_permission(monkeypatch):
    """What the system refuses to open is reported as not permitted."""

    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("scapy.arch.linux.L2ListenSocket", refuse)
    with pytest.raises(CaptureNotPermittedError):
        open_lo()


def test_without_libpcap_the_error_says_what_to_install(monkeypatch):
    """A filter expression without libpcap is refused with the package's name; ports need none."""

    def missing(*_, **__):
        raise ImportError("libpcap is not available. Cannot compile filter !")

    monkeypatch.setattr("scapy.arch.common.compile_filter", missing)
    with pytest.raises(LiveCaptureError, match="apt-get install libpcap"):
        tap._compiled("lo", "udp", from_network=False)


@pytest.mark.live
@pytest.mark.parametrize("interface", ["lo", "any"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("ports", [[4001], []], ids=["ports", "expression"])
def test_without_a_ring_packets_come_one_by_one(host, monkeypatch, interface, address, ports):  # noqa: F811
    """On a system without rings the same packets come from the socket itself, once each and with the kernel's time."""

    def refuse(*_, **__):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(tap.Ring, "__init__", refuse)
    with LiveReader(interface, ports=ports, filter_text="" if ports else "tcp port 4001") as reader:
        exchange(address=address)
        reader.stop()
        batches = list(reader)

    rows = [row for batch in batches for row in batch.rows]
    assert [0x02, 0x12, 0x10] == [int(row["flags"]) for row in rows[:3]]
    assert len(rows) == len(
        {(row["src_port"], row["seq"], row["ack"], row["flags"], row["payload_len"]) for row in rows}
    )
    assert all(1_600_000_000_000_000_000 < int(row["ts_ns"]) for row in rows)


@pytest.mark.live
def test_scapy_may_open_a_socket_where_a_plugin_forbids_it(monkeypatch):
    """A class that was put in place of socket.socket, as pytest-socket does, is stepped around and put back."""

    class Guarded(socket.socket):
        def __new__(cls, *_, **__):
            raise RuntimeError("no sockets in tests")

    monkeypatch.setattr(socket, "socket", Guarded)
    open_lo()

    assert Guarded is socket.socket


class Device:
    """A stand-in for scapy's L2bpfListenSocket, with the methods and attributes that its source has."""

    def __init__(self, iface, promisc, filter):  # noqa: A002 - scapy's name
        self.asked = iface, promisc, filter
        self.left = [(object, craft.ipv4(craft.tcp()), 1_600_000_000.000042 + at) for at in range(3)]
        self.bpf_fd, self._other = os.pipe()

    def recv_raw(self):
        return self.left.pop(0) if self.left else (None, None, None)

    def get_stats(self):
        return (3, 1)

    def set_nonblock(self):
        pass

    def close(self):
        os.close(self.bpf_fd)
        os.close(self._other)


def test_a_bpf_device_gives_frames_of_its_link_type(monkeypatch):
    """On macOS packets come one by one from scapy's device, with its counters; tried only with a stand-in for it."""
    from scapy.config import conf

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(tap, "interface_names", lambda: ["lo0"])
    monkeypatch.setattr(conf, "L2listen", Device)
    monkeypatch.setattr("fcntl.ioctl", lambda *_: struct.pack("I", tap.DLT_RAW))
    with LiveReader("lo0", ports=[80]) as reader:
        asked = reader._tap._socket.asked
        reader.stop()
        rows = [row for batch in reader for row in batch.rows]

    assert ("lo0", False, "(tcp and (port 80)) or arp or icmp or icmp6") == asked
    assert [1_600_000_000_000_042_000 + at * 10**9 for at in range(3)] == [int(row["ts_ns"]) for row in rows]
    assert (3, 1, ["RAW"]) == (reader.taken, reader.lost, reader.link_types)


@pytest.mark.parametrize(
    ("message", "error"),
    [("Permission denied: could not open /dev/bpf0 !", CaptureNotPermittedError), ("No BPF left", LiveCaptureError)],
)
def test_a_device_that_cannot_be_opened_is_told_apart(monkeypatch, message, error):
    """Scapy's error is a matter of permission, or of the device."""
    from scapy.config import conf
    from scapy.error import Scapy_Exception

    def refuse(**_):
        raise Scapy_Exception(message)

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(tap, "interface_names", lambda: ["lo0"])
    monkeypatch.setattr(conf, "L2listen", refuse)
    with pytest.raises(error) as raised:
        open_lo("lo0")

    assert error is type(raised.value)
