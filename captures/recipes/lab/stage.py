"""Where a scenario plays: hosts and what lies between them, captures, and what is written beside each.

Hosts are namespaces of their own, called `client`, `server`, `middle` (a router, a switch or a relay) and `far_middle`;
on loopback there is one, `host`. Each has its own kernel counters and parameters; nothing touches the host's own
namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from captures.recipes.lab.flow import PEER, SIDES, Flow, Options, Side, hostport
from captures.recipes.lab.relay import Drop, Relay
from captures.recipes.network import Namespace, capture, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYTHING: Final = "tcp or icmp or icmp6 or arp"
REFUSED: Final = 1
"""Group of the netfilter log with what a router refuses."""
MADE: Final = 2
"""And with what it makes."""
_REPAIR, _REPAIR_QUEUE, _QUEUE_SEQ = 19, 20, 21  # TCP_REPAIR and its like are not in the socket module
_SEND_QUEUE, _RECEIVE_QUEUE = 2, 1
_SOCKETS = re.compile(r"^(\S+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)(.*\n(?:[ \t]+\S.*\n?)?)", re.MULTILINE)


@dataclass(frozen=True)
class View:
    """Where and how to look on."""

    host: str
    device: str
    vantage: str
    suffix: str = ""
    """What is added to the scenario's name, for a second capture of it."""
    expression: str | None = EVERYTHING
    snaplen: int | None = None
    tool: str = "tcpdump"
    arguments: tuple[str, ...] = ()
    extension: str = "pcap"


LOOPBACK: Final = View("host", "lo", "both (lo)")
AT_CLIENT: Final = View("client", "eth0", "prober")
AT_SERVER: Final = View("server", "eth0", "prober")
PEER_CLIENT: Final = View("client", "eth0", "peer", ".peer")
PEER_SERVER: Final = View("server", "eth0", "peer", ".peer")


def queue_numbers(connection: socket.socket) -> tuple[int, int]:
    """Return a socket's SND.NXT and RCV.NXT, through repair mode."""
    tcp = socket.IPPROTO_TCP
    connection.setsockopt(tcp, _REPAIR, 1)
    numbers = []
    for queue in (_SEND_QUEUE, _RECEIVE_QUEUE):
        connection.setsockopt(tcp, _REPAIR_QUEUE, queue)
        numbers.append(connection.getsockopt(tcp, _QUEUE_SEQ) & 0xFFFFFFFF)
    connection.setsockopt(tcp, _REPAIR, -1)
    return numbers[0], numbers[1]


class Stage:
    """One scenario's hosts, flows and captures; leaving it takes everything away and writes the truth."""

    def __init__(self, name: str, description: str, out: Path, number: int, *, sampled: bool = True) -> None:
        """``number`` sets the scenario's addresses apart from those of others.

        ``sampled`` has the states of sockets written down now and then, which takes a process each time.
        """
        self.name, self.description, self.out, self.number = name, description, out, number
        self.hosts: dict[str, Namespace] = {}
        self.flows: list[Flow] = []
        self.sample_every_s = 1.0
        self.topology = ""
        self.place: dict[Side, str] = {"client": "client", "server": "server"}
        self.address: dict[Side, str] = {}
        self._started = time.time()
        self._actions: list[dict[str, Any]] = []
        self._captures: list[dict[str, Any]] = []
        self._counters: dict[str, dict[str, int]] = {}
        self._halt = threading.Event()
        self._hosts_stack = contextlib.ExitStack()
        self._looking = contextlib.ExitStack()
        self._tools: dict[str, subprocess.Popen[str] | None] = {}
        self._sampler = threading.Thread(target=self._sample if sampled else self._halt.wait, daemon=True)

    def __enter__(self) -> Self:
        """Begin to sample."""
        self._sampler.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Stop looking, read the counters, take everything away, write the truth."""
        with self._hosts_stack:
            for flow in self.flows:
                flow.finish()
            self._looking.close()
            self._halt.set()
            self._sampler.join(5)
            for key, host in self.hosts.items():
                if host.exists:
                    self._counters[key] = host.counters()
            for flow in self.flows:
                flow.drop()
        for each in self._captures:
            truth = {
                "name": each["name"],
                "description": self.description,
                "kernel": " ".join(os.uname()[i] for i in (0, 2, 4)),
                "topology": self.topology,
                "capture": each,
                "failed": None if error is None else repr(error),
                "actions": self._actions,
                "flows": [flow.truth(each["vantage"]) for flow in self.flows],
                "kernel_counters": self._counters,
            }
            (self.out / f"{each['name']}.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")

    @property
    def files(self) -> list[str]:
        """The captures that were made, by name."""
        return [each["file"] for each in self._captures]

    def act(self, what: str) -> None:
        """Write down what was done to no flow in particular."""
        now = time.time()
        self._actions.append({"t": round(now, 6), "rel": round(now - self._started, 4), "what": what})

    # hosts and what lies between them ──────────────────────────────────────────────────────────────────────────────

    def _host(self, key: str, *, forwards: bool = False) -> Namespace:
        host = self._hosts_stack.enter_context(Namespace(key.replace("_", "-")))
        self.hosts[key] = host
        host.sysctl("net.ipv4.icmp_ratelimit", 0)
        if forwards:
            host.sysctl("net.ipv4.ip_forward", 1)
            host.sysctl("net.ipv6.conf.all.forwarding", 1)
        return host

    def _cable(self, near: Namespace, device: str, far: Namespace, far_device: str) -> None:
        peer = ("peer", "name", far_device, "netns", far.name)
        run("ip", "link", "add", device, "netns", near.name, "type", "veth", *peer)
        near.ip("link", "set", device, "up")
        far.ip("link", "set", far_device, "up")

    def _addressed(self, client: str, server: str, prefix: int) -> None:
        """Give both hosts their addresses."""
        self.address = {"client": client, "server": server}
        for who in SIDES:
            no_detection = ("nodad",) if ":" in client else ()
            cidr = f"{self.address[who]}/{prefix}"
            self.hosts[who].ip("addr", "add", cidr, "dev", "eth0", *no_detection)

    def loopback(self) -> None:
        """Have one host, and both ends on it."""
        self._host("host")
        self.place = {"client": "host", "server": "host"}
        self.address = {"client": "127.0.0.1", "server": "127.0.0.1"}
        self.topology = "one namespace, lo"

    def cable(self, *, version: Literal[4, 6] = 4) -> None:
        """Have two hosts on one cable."""
        self._cable(self._host("client"), "eth0", self._host("server"), "eth0")
        net = 10 + self.number
        if version == 6:
            self._addressed(f"fd00:{net}::1", f"fd00:{net}::2", 64)
        else:
            self._addressed(f"10.{net}.0.1", f"10.{net}.0.2", 24)
        self.topology = "client --veth-- server"

    def router(self, *, version: Literal[4, 6] = 4) -> None:
        """Have a router between the hosts, its devices called to_client and to_server."""
        middle = self._host("middle", forwards=True)
        net = 10 + self.number
        ends = {"client": f"fd00:{net}:1::", "server": f"fd00:{net}:2::"}
        if version == 4:
            ends = {"client": f"10.{net}.1.", "server": f"10.{net}.2."}
        bits, quick = (64, ("nodad",)) if version == 6 else (24, ())
        for who in SIDES:
            host, start, device = self._host(who), ends[who], f"to_{who}"
            self._cable(host, "eth0", middle, device)
            middle.ip("addr", "add", f"{start}1/{bits}", "dev", device, *quick)
            host.ip("addr", "add", f"{start}2/{bits}", "dev", "eth0", *quick)
            host.ip("route", "add", "default", "via", f"{start}1")
            self.address[who] = f"{start}2"
        self.topology = "client --veth-- middle (router) --veth-- server"

    def routers(self, *between: str) -> None:
        """Have hosts of these names in a row between client and server; each device is named for whom it leads to.

        They pass packets on, but for one that is called ``proxy``.
        """
        net, row = 10 + self.number, ["client", *between, "server"]
        for key in row:
            self._host(key, forwards=key in between and key != "proxy")
        for number, (near, far) in enumerate(itertools.pairwise(row), start=1):
            ends = (
                (near, "eth0" if near == "client" else "to_server"),
                (far, "eth0" if far == "server" else "to_client"),
            )
            self._cable(self.hosts[near], ends[0][1], self.hosts[far], ends[1][1])
            for place, (key, device) in enumerate(ends, start=1):
                self.hosts[key].ip("addr", "add", f"10.{net}.{number}.{place}/24", "dev", device)
                offload_off(self.hosts[key], device)
        for number, key in enumerate(row):
            if number + 1 < len(row):
                self.hosts[key].ip("route", "add", "default", "via", f"10.{net}.{number + 1}.2")
            else:
                self.hosts[key].ip("route", "add", "default", "via", f"10.{net}.{number}.1")
            for behind in range(1, number):
                self.hosts[key].ip("route", "add", f"10.{net}.{behind}.0/24", "via", f"10.{net}.{number}.1")
        self.address = {"client": f"10.{net}.1.1", "server": f"10.{net}.{len(row) - 1}.2"}
        self.topology = " --veth-- ".join(row)

    def ends(self, client: str, server: str) -> None:
        """Choose between which neighbours the next connection is."""
        row = list(self.hosts)
        net, number = 10 + self.number, row.index(client) + 1
        self.place = {"client": client, "server": server}
        self.address = {"client": f"10.{net}.{number}.1", "server": f"10.{net}.{row.index(server)}.2"}

    def switch(self) -> None:
        """Have a switch between the hosts, called br0."""
        middle = self._host("middle")
        middle.ip("link", "add", "br0", "type", "bridge")
        middle.ip("link", "set", "br0", "up")
        for who in SIDES:
            self._cable(self._host(who), "eth0", middle, f"to_{who}")
            middle.ip("link", "set", f"to_{who}", "master", "br0")
        net = 10 + self.number
        self._addressed(f"10.{net}.0.1", f"10.{net}.0.2", 24)
        self.topology = "client --veth-- middle (switch) --veth-- server"

    def relayed(
        self, *, delay_s: float = 0.0, tags: tuple[tuple[int, int], ...] = (), drop: Drop | None = None
    ) -> None:
        """Have a program between the hosts that passes frames on late, or not; with tags two, and a trunk between."""
        middle = self._host("middle")
        middle.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        behind = middle
        if tags:
            behind = self._host("far_middle")
            behind.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self._cable(self._host("client"), "eth0", middle, "to_client")
        self._cable(self._host("server"), "eth0", behind, "to_server")
        net = 10 + self.number
        self._addressed(f"10.{net}.0.1", f"10.{net}.0.2", 24)
        for who in SIDES:
            offload_off(self.hosts[who], "eth0")
        if tags:
            self._cable(middle, "trunk", behind, "trunk")
            relays = [
                Relay(middle, ("to_client", "trunk"), tags=tags),
                Relay(behind, ("to_server", "trunk"), tags=tags),
            ]
            self.topology = "client -- relay == tagged trunk == relay -- server"
        else:
            relays = [Relay(middle, ("to_client", "to_server"), delay_s=delay_s, drop=drop)]
            self.topology = f"client -- relay (delay {delay_s} s each way) -- server"
        for relay in relays:
            self._hosts_stack.callback(relay.stop)

    def sysctl(self, key: str, name: str, value: str | int) -> None:
        """Set a kernel parameter of a host."""
        self.hosts[key].sysctl(name, value)
        self.act(f"[{key}] sysctl {name}={value}")

    def iptables(self, key: str, *arguments: str, noted: bool = True) -> None:
        """Change what a host lets through; ip6tables where the hosts have IPv6 addresses."""
        program = "ip6tables" if ":" in self.address["client"] else "iptables"
        with self.hosts[key].inside():
            run(program, "-w", *arguments)
        if noted:
            self.act(f"[{key}] {program} {' '.join(arguments)}")

    def cut(self, *match: str, noted: bool = True) -> None:
        """Let the router drop silently what matches, or everything."""
        self.iptables("middle", "-A", "FORWARD", *match, "-j", "DROP", noted=noted)

    @contextlib.contextmanager
    def refusing(self, key: str, *match: str, how: tuple[str, ...] = ("DROP",)) -> Iterator[None]:
        """Let a router refuse what matches meanwhile; each packet of it is in the log that `look_at_rules` captures."""
        for jump in (("NFLOG", "--nflog-group", str(REFUSED)), how):  # a chain, so that both begin and end at once
            self.iptables(key, "-A", "FORWARD-REFUSED", "-p", "tcp", "-j", *jump, noted=False)
        rule = ("FORWARD", *match, "-j", "FORWARD-REFUSED")
        self.iptables(key, "-A", *rule)
        self.act(f"[{key}] FORWARD-REFUSED: {' '.join(how)}")
        try:
            yield
        finally:
            self.iptables(key, "-D", *rule)
            self.iptables(key, "-F", "FORWARD-REFUSED", noted=False)

    def look_at_rules(self, *routers: str) -> None:
        """Capture what these routers refuse, packet by packet, and the RSTs that they make, as their kernels log it."""
        for key in routers:
            made = ("-p", "tcp", "--tcp-flags", "RST", "RST", "-j", "NFLOG", "--nflog-group", str(MADE))
            self.iptables(key, "-A", "OUTPUT", *made, noted=False)
            self.iptables(key, "-N", "FORWARD-REFUSED", noted=False)
            for group, what in ((REFUSED, "refused"), (MADE, "made")):
                self.look(View(key, f"nflog:{group}", f"what {key} {what}", f".{key}-{what}", None))

    def fixed_neighbour(self) -> None:
        """Let the server keep the client's hardware address for good, so that probes leave whatever happens there."""
        shown = self.hosts["client"].ip("link", "show", "eth0")
        (hardware,) = re.findall(r"link/ether (\S+)", shown)
        neighbour = ("lladdr", hardware, "dev", "eth0", "nud", "permanent")
        self.hosts["server"].ip("neigh", "replace", self.address["client"], *neighbour)

    def demolish(self, key: str) -> None:
        """Remove a host before the end; its counters are read first."""
        self._counters[key] = self.hosts[key].counters()
        self.hosts[key].remove()

    # captures ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, *views: View) -> None:
        """Capture from now on."""
        for view in views:
            name = self.name + view.suffix
            file = self.out / f"{name}.{view.extension}"
            snaplen = ("-s", str(view.snaplen)) if view.snaplen else ()
            self._tools[name] = self._looking.enter_context(
                capture(
                    self.hosts[view.host],
                    view.device,
                    file,
                    view.expression,
                    arguments=(*snaplen, *view.arguments),
                    tool=view.tool,
                )
            )
            self._captures.append(
                {
                    "name": name,
                    "file": file.name,
                    "vantage": view.vantage,
                    "host": view.host,
                    "device": view.device,
                    "tool": view.tool,
                    "snaplen": view.snaplen,
                    "filter": view.expression,
                    "arguments": list(view.arguments),
                }
            )

    def stop_looking(self) -> None:
        """End all captures before the scenario does."""
        self._looking.close()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the capturing programs meanwhile: what does not fit into their buffers is dropped."""
        programs = [each for each in self._tools.values() if each is not None]
        for each in programs:
            each.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for each in programs:
                each.send_signal(signal.SIGCONT)

    # flows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def flow(self, prober: Side | Literal["both"] | None = "server") -> Flow:
        """Return a flow whose sockets are yet to be made."""
        flow = Flow(f"f{len(self.flows) + 1}", self._started, prober)
        self.flows.append(flow)
        return flow

    def socket(self, who: Side) -> socket.socket:
        """Return a new socket on the host of one side."""
        with self.hosts[self.place[who]].inside():
            return socket.socket(socket.AF_INET6 if ":" in self.address[who] else socket.AF_INET)

    def listener(self, port: int, receive_buffer: int | None = None) -> socket.socket:
        """Return a listening socket of the server; a buffer has to be small before the handshake promises a window."""
        listening = self.socket("server")
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listening.bind((self.address["server"], port))
        listening.listen(64)
        return listening

    def connect(
        self,
        port: int,
        prober: Side | Literal["both"] | None = "server",
        *,
        client: Options | None = None,
        server: Options | None = None,
        listener: socket.socket | None = None,
        client_port: int = 0,
        first_number: int | None = None,
    ) -> Flow:
        """Connect the client to the server and set the options; ``first_number`` is the client's ISN."""
        flow = self.flow(prober)
        listening = listener or self.listener(port, server.receive_buffer if server else None)
        near = self.socket("client")
        if client_port:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        near.bind((self.address["client"], client_port))
        if first_number is not None:
            near.setsockopt(socket.IPPROTO_TCP, _REPAIR, 1)
            near.setsockopt(socket.IPPROTO_TCP, _REPAIR_QUEUE, _SEND_QUEUE)
            signed = first_number - (1 << 32) if first_number >= 1 << 31 else first_number
            near.setsockopt(socket.IPPROTO_TCP, _QUEUE_SEQ, signed)
            near.setsockopt(socket.IPPROTO_TCP, _REPAIR, 0)
            flow.act(f"initial sequence number set to {first_number}", "client")
        near.connect((self.address["server"], port))
        far, seen = listening.accept()
        flow.sockets = {"client": near, "server": far}
        flow.addresses = {"client": near.getsockname()[:2], "server": (self.address["server"], port)}
        if seen[:2] != flow.addresses["client"]:
            flow.client_as_server_sees_it = hostport(*seen[:2])
        flow.act("connected and accepted")
        for who, options in (("client", client), ("server", server)):
            if options is not None:
                flow.set(who, options)
        if listener is None:
            listening.close()
        return flow

    # what is sampled ───────────────────────────────────────────────────────────────────────────────────────────────

    def _sample(self) -> None:
        """Write down each socket's state and timer now and then, as `ss` shows them."""
        while not self._halt.wait(self.sample_every_s):
            for key in {*self.place.values()} & {*self.hosts}:
                with contextlib.suppress(OSError), self.hosts[key].inside():  # OSError: the host was demolished
                    shown = subprocess.run(("ss", "-tinoeaH"), capture_output=True, text=True, check=False, timeout=30)
                    self._note(shown.stdout)

    def _note(self, shown: str) -> None:
        for state, received, unsent, local, peer, rest in _SOCKETS.findall(shown):
            timer = re.search(r"timer:\(([^)]*)\)", rest)
            for flow in self.flows:
                if flow.over_at and time.time() > flow.over_at:
                    continue
                for who in SIDES:
                    others = {flow.endpoint(PEER[who]), flow.client_as_server_sees_it if who == "server" else None}
                    if local == flow.endpoint(who) and peer in others:
                        sample = flow.stamp(
                            side=who, state=state, timer=timer[1] if timer else None, recvq=int(received)
                        )
                        flow.sampled.append({**sample, "sendq": int(unsent)})


def offload_off(host: Namespace, device: str) -> None:
    """Switch a device's checksum and segmentation offload off: frames as they are on a wire (ethtool's ioctl)."""
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for what in (0x17, 0x1F, 0x24):  # ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO
            value = ctypes.create_string_buffer(struct.pack("II", what, 0))
            request = struct.pack("16sP", device.encode(), ctypes.addressof(value)) + bytes(16)
            fcntl.ioctl(control, 0x8946, request)  # SIOCETHTOOL
