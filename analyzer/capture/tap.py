"""``open_tap``: a packet socket on an interface, opened by scapy, with our filter in the kernel; or exactly why not.

On Linux packets come through a ring in shared memory where the kernel has one, else from the socket one by one; on
macOS and the BSDs from a BPF device, through scapy's documented interface (UNTESTED: written from its source).

This module must not know what is in a frame, or where frames go.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import re
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.capture import bpf
from analyzer.capture.linktypes import EN10MB, LINUX_SLL2, RAW
from analyzer.capture.packet_queue import PacketQueue
from analyzer.capture.ring import Ring, counts
from analyzer.errors import CaptureNotPermittedError, LiveCaptureError
from analyzer.howto.wanted import WITNESSES, port_primitives
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.untyped import Foreign

ANY: Final = "any"
DLT_RAW: Final = 12

SOL_PACKET: Final = 263
PACKET_IGNORE_OUTGOING: Final = 23
SO_RCVBUFFORCE: Final = 33
SIOCGIFFLAGS: Final = 0x8913
IFF_UP: Final = 0x1
ETH_P_ALL: Final = 3
ETHERNET: Final = (1, 772)
"""ARPHRD_ETHER and ARPHRD_LOOPBACK: what a frame begins with on these. Elsewhere it begins with IP."""

WORDS: Final = re.compile(r"&&|\|\||[()]|[^\s()&|]+")
NAMING: Final = frozenset({"host", "net", "port", "portrange", "src", "dst"})
"""A name or a number may follow these words of a filter."""
PICKING: Final = NAMING | {"tcp", "ip", "ip6", "and", "or", "&&", "||", "(", ")", "mask"}
"""Words of a filter that picks connections; without ``not``, which may keep out what would be admitted."""

UNFILTERED_BUFFERS: Final = 2
"""Of 24 MiB each: two seconds of 100,000 packets/s, for when the machine is busy with something else."""
QUEUE_OCTETS: Final = 32 << 20
"""Receive buffer where there is no ring."""


def loopback_name() -> str:
    """Return what this system calls loopback."""
    return "lo" if sys.platform == "linux" else "lo0"


def interface_names() -> list[str]:
    """Return the interfaces there are."""
    return [name for _, name in socket.if_nameindex()]


@dataclass(slots=True)
class Tap:
    """Packets of an interface, from the moment this exists."""

    interface: str
    link_type: int
    packets: Ring | PacketQueue
    fileno: int
    _socket: Any
    """scapy's."""
    _lost: int = 0
    _passed: int = 0

    def passed(self) -> tuple[int, int]:
        """Return how many packets passed the filter so far, and how many of these the kernel had to drop."""
        if sys.platform == "linux":
            passed, lost = counts(self._socket.ins, ring=isinstance(self.packets, Ring))
            self._passed += passed
            self._lost += lost
        else:
            self._passed, self._lost = (number or 0 for number in self._socket.get_stats())
        return self._passed, self._lost

    def shut(self) -> None:
        """Let no more packets in; those that came stay."""
        if sys.platform == "linux":
            bpf.attach(self._socket.ins, bpf.NOTHING)

    def trouble(self) -> str:
        """Return ``down``, ``gone`` or ``""``, for an interface from which nothing can come at the moment."""
        if sys.platform != "linux":
            return ""
        if self._socket.ins.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != errno.ENETDOWN:
            return ""
        try:
            socket.if_nametoindex(self.interface)
        except OSError:
            return "gone"
        return "down"

    def close(self) -> None:
        """Let go of the socket and of the memory."""
        self.packets.close()
        self._socket.close()


def open_tap(
    interface: str, *, filter_text: str, ports: Sequence[int], snaplen: int, promiscuous: bool, only_tcp: bool = False
) -> Tap:
    """Open an interface; what is sent after this returns will be seen.

    ``filter_text`` is a filter expression (pcap-filter(7)); ``ports`` narrows it to TCP from or to these; what else is
    admitted says ``expression``.

    Raises:
        LiveCaptureError: no such interface, it is down, the filter is wrong.
        CaptureNotPermittedError: with what would allow it.
    """
    wanted = expression(filter_text, ports, only_tcp=only_tcp)
    if interface != ANY and interface not in interface_names():
        known = ", ".join(interface_names())
        raise LiveCaptureError(interface, "there is no such interface", f"There are: {known}.")
    with real_sockets(), _quiet():
        if sys.platform != "linux":
            return _tap_on_bsd(interface, wanted, promiscuous=promiscuous)
        opened = _open(loopback_name() if interface == ANY else interface, interface, None, promiscuous=promiscuous)
        try:
            easy = ports if not filter_text and len(ports) <= bpf.MAX_PORTS else ()
            return _tap_on_linux(opened, interface, wanted, easy, snaplen, only_tcp=only_tcp)
        except OSError as error:
            opened.close()
            raise LiveCaptureError(interface, error.strerror or str(error)) from error
        except BaseException:
            opened.close()
            raise


def expression(filter_text: str, ports: Sequence[int], *, only_tcp: bool = False) -> str:
    """Return a filter expression narrowed to TCP from or to one of some ports.

    Where connections are picked, by ports or in words, the ICMP and ARP that may say why nothing answers are admitted
    too, unless it is ``only_tcp``; a filter that speaks of anything else than TCP is left as it is.
    """
    narrow = " or ".join(port_primitives(ports))
    if narrow:
        wanted = f"tcp and ({narrow})" + (f" and ({filter_text})" if filter_text else "")
    elif only_tcp or not picks_connections(filter_text):
        return filter_text
    else:
        wanted = filter_text
    return wanted if only_tcp else f"({wanted}) or {WITNESSES}"


def picks_connections(filter_text: str) -> bool:
    """Say whether a filter expression picks TCP or ports, and speaks of nothing but these, hosts and networks."""
    before = ""
    picks = False
    for word in WORDS.findall(filter_text.lower()):
        picks |= word in {"tcp", "port", "portrange"}
        named = before in NAMING and word not in NAMING
        if not (named or word in PICKING or word[0].isdigit() or ":" in word):
            return False
        before = word
    return picks


def _open(name: str, interface: str, filter_text: str | None, *, promiscuous: bool) -> Foreign:
    """Let scapy open a listening socket."""
    import scapy.layers.l2  # noqa: F401 - registers the link layers, so that scapy knows what it opens
    from scapy.config import conf
    from scapy.error import Scapy_Exception

    if sys.platform == "linux":
        from scapy.arch.linux import L2ListenSocket as Listen
    else:
        Listen = conf.L2listen  # noqa: N806 - a class
    try:
        return Listen(iface=name, promisc=promiscuous and name != loopback_name(), filter=filter_text)
    except PermissionError as error:
        raise CaptureNotPermittedError(interface, "capturing is not permitted", remedy()) from error
    except Scapy_Exception as error:
        if "permission" in str(error).lower():
            raise CaptureNotPermittedError(interface, "capturing is not permitted", remedy()) from error
        raise LiveCaptureError(interface, str(error)) from error
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENETDOWN:
            raise _down(interface) from error
        if getattr(error, "errno", None) in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT):
            raise LiveCaptureError(interface, "this system has no packet sockets (AF_PACKET)") from error
        raise LiveCaptureError(interface, getattr(error, "strerror", None) or str(error)) from error


def _tap_on_linux(
    opened: Foreign, interface: str, wanted: str, easy: Sequence[int], snaplen: int, *, only_tcp: bool
) -> Tap:
    """Set up ring, filter and counters; nothing passes before the very end."""
    sock = opened.ins
    bpf.attach(sock, bpf.NOTHING)
    if interface == ANY:
        _bind_to_all(sock)
    elif not _is_up(sock, interface):
        raise _down(interface)
    from_network = interface == ANY or sock.getsockname()[3] not in ETHERNET
    link_type = (LINUX_SLL2 if interface == ANY else RAW) if from_network else EN10MB
    loopback = None
    if interface in (ANY, loopback_name()):
        with contextlib.suppress(OSError):
            loopback = socket.if_nametoindex(loopback_name())
    if interface == loopback_name():
        with contextlib.suppress(OSError):  # since Linux 4.20; the filter drops the copies too, but later
            sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    if easy:
        program = bpf.tcp_ports(easy, icmp=not only_tcp, arp=not only_tcp and (interface == ANY or not from_network))
    elif wanted:
        program = _compiled(interface, wanted, from_network=from_network)
    else:
        program = bpf.EVERYTHING
    program = bpf.prepared(program, snaplen=snaplen, loopback_index=loopback)
    packets: Ring | PacketQueue
    try:
        buffers = 1 if wanted else UNFILTERED_BUFFERS
        packets = Ring(sock, link_type, from_network=from_network, snaplen=snaplen, buffers=buffers)
    except OSError:  # an old or a pretended kernel
        _enlarge(sock)
        cooked = link_type == LINUX_SLL2
        packets = PacketQueue(lambda: receive(sock, from_network=from_network, cooked=cooked), link_type)
    counts(sock, ring=isinstance(packets, Ring))
    try:
        bpf.attach(sock, program)
    except OSError as error:
        packets.close()
        raise LiveCaptureError(interface, f"the kernel refuses the filter ({error.strerror})") from error
    return Tap(interface, link_type, packets, sock.fileno(), opened)


def _compiled(interface: str, wanted: str, *, from_network: bool) -> bpf.Program:
    """Let libpcap compile a filter expression."""
    from scapy.arch.common import compile_filter
    from scapy.error import Scapy_Exception

    link_type = LINUX_SLL2 if interface == ANY else DLT_RAW if from_network else EN10MB
    try:
        compiled = compile_filter(wanted, linktype=link_type)
    except Scapy_Exception as error:
        reason = str(error).rpartition("(")[2].rstrip(")")
        if reason in {"", "-1"}:  # scapy before 2.8 does not pass on what libpcap says
            reason = "syntax error"
        raise LiveCaptureError(interface, f'the filter "{wanted}" is wrong: {reason}', "See pcap-filter(7).") from error
    except (ImportError, OSError) as error:
        raise LiveCaptureError(
            interface,
            "filter expressions need libpcap, which is not installed",
            "Install it (Debian and Ubuntu: apt-get install libpcap0.8), or filter by port only.",
        ) from error
    program = bpf.from_libpcap(compiled)
    if interface == ANY:
        try:
            return bpf.from_cooked(program)
        except ValueError:
            reason = f'the filter "{wanted}" asks for an address of the link, which {ANY} does not show'
            raise LiveCaptureError(interface, reason, "Capture on one interface.") from None
    return bpf.from_network_layer(program) if from_network else program


def receive(sock: Foreign, *, from_network: bool, cooked: bool = False) -> tuple[bytes, int, int] | None:
    """Take one packet from a Linux packet socket: octets, time, length on the wire; None if there is none.

    A ``cooked`` one has a LINUX_SLL2 header in place of its link layer.
    """
    try:
        octets, ancillary, _, address = sock.recvmsg(bpf.MAX_SNAPLEN, 256, socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:  # the interface went down: Tap.trouble says so
        return None
    ts_ns, original = -1, len(octets)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and len(data) == struct.calcsize("@ll"):
            seconds, rest = struct.unpack("@ll", data)
            ts_ns = seconds * 1_000_000_000 + rest
        elif level == SOL_PACKET and kind == 8:  # PACKET_AUXDATA, struct tpacket_auxdata
            status, original, _, mac, net, tag, protocol = struct.unpack_from("@IIIHHHH", data)
            if from_network:
                octets, original = octets[net - mac :], original - (net - mac)
            elif status & 0x10:  # TP_STATUS_VLAN_VALID
                ethertype = protocol if status & 0x40 else 0x8100
                octets = octets[:12] + struct.pack("!HH", ethertype, tag) + octets[12:]
                original += 4
    if cooked:
        name, protocol, kind, hardware, source = address
        index = 0
        with contextlib.suppress(OSError):
            index = socket.if_nametoindex(name)
        head = struct.pack("!HHIHBB8s", protocol, 0, index, hardware, kind, len(source), source[:8])
        octets, original = head + octets, original + len(head)
    return octets, ts_ns, original


def _tap_on_bsd(interface: str, wanted: str, *, promiscuous: bool) -> Tap:
    """Open a BPF device. UNTESTED: nobody had a Mac."""
    opened = _open(interface, interface, wanted or None, promiscuous=promiscuous)
    try:
        import fcntl

        from scapy.arch.bpf.consts import BIOCGDLT

        (link_type,) = struct.unpack("I", fcntl.ioctl(opened.bpf_fd, BIOCGDLT, struct.pack("I", 0)))

        def receive_from_device() -> tuple[bytes, int, int] | None:
            _, octets, time_s = opened.recv_raw()
            return None if octets is None else (octets, round(time_s * 1_000_000) * 1000, len(octets))

        opened.set_nonblock()
        packets = PacketQueue(receive_from_device, RAW if link_type == DLT_RAW else link_type)
    except BaseException:
        opened.close()
        raise
    return Tap(interface, packets.link_type, packets, opened.bpf_fd, opened)


def _is_up(sock: Foreign, interface: str) -> bool:
    import fcntl

    reply = fcntl.ioctl(sock.fileno(), SIOCGIFFLAGS, struct.pack("16sh14x", interface.encode(), 0))
    return bool(struct.unpack_from("h", reply, 16)[0] & IFF_UP)


def _bind_to_all(sock: Foreign) -> None:
    """Take a packet socket off its interface and put it on all; Python's bind knows no such address."""
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("@HHiHBB8x", socket.AF_PACKET, socket.htons(ETH_P_ALL), 0, 0, 0, 0)
    if libc.bind(sock.fileno(), address, len(address)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _down(interface: str) -> LiveCaptureError:
    return LiveCaptureError(interface, "the interface is down", f"Bring it up with: ip link set {interface} up")


def _enlarge(sock: Foreign) -> None:
    """Give a socket the largest receive buffer it may have."""
    for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):  # the latter goes beyond the system's limit, for root
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, QUEUE_OCTETS)


def remedy() -> str:
    """Say what would allow this process to capture."""
    if sys.platform != "linux":
        return "Run it with sudo, or give your user access to /dev/bpf* (Wireshark's ChmodBPF does)."
    if os.geteuid() == 0:
        return "This is root without the capability NET_RAW: start the container with --cap-add=NET_RAW."
    python = Path(sys.executable).resolve()
    return (
        "Run it with sudo; or, where you may run dumpcap (group wireshark), pipe: dumpcap -i IFACE -w - | "
        "keepalive report -; or let a Python capture that only you can run: install keepalive into an environment made "
        "with python3 -m venv --copies, and sudo setcap cap_net_raw+ep its bin/python3 "
        f"(on {python} it would hold for every user); or, in a container, run as root with --cap-add=NET_RAW."
    )


@contextlib.contextmanager
def real_sockets() -> Iterator[None]:
    """Let scapy open sockets although a test plugin (pytest-socket) put its own class in place of socket.socket."""
    guarded = socket.socket
    real = next(each for each in guarded.__mro__ if each.__module__ == "socket" and each.__name__ == "socket")
    socket.socket = real  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        socket.socket = guarded  # type: ignore[misc]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep scapy from warning about what is no problem here: link layers without a class, missing IPv6 routes."""
    log = logging.getLogger("scapy")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
