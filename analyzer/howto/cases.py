"""THE TABLE of recipes: for each case the commands, how to stop them, what reads the file, and why they are so.

A case is a row of CASES: a name, a title, how far its commands were tried, and a function that makes them. Values have
been checked (``wanted``), and each is one quoted word of a line (``shell``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.howto.shell import posix, posix_line, windows
from analyzer.howto.wanted import LENGTH_4, network
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.howto.wanted import Wanted

FILE: Final = "keepalive.pcap"
ANY: Final = "any"
IMAGE: Final = "nicolaka/netshoot"
"""An image that has tcpdump."""
DEBUGGER: Final = "keepalive-dump"
RING: Final = (50, 100)
"""Files, and millions of bytes of each."""
WINDOWS_FILTERS: Final = 32
"""This many filters has pktmon."""

RUN: Final = "run by our tests, on Linux"
RUN_IN_PART: Final = "run by our tests on Linux, with stand-ins for {}"
NOT_RUN: Final = "not run by our tests ({}); written from the documentation"


@dataclass(frozen=True, slots=True)
class Step:
    """A command line, and where it is run."""

    line: str
    where: str = ""
    """Empty: here."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a command line, and why it is there."""

    part: str
    because: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to capture in one case."""

    steps: tuple[Step, ...]
    stop: str
    """A sentence, or more."""
    read: tuple[str, ...]
    """Commands that read what was captured; none where the capture goes straight into one."""
    why: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table."""

    name: str
    title: str
    tried: str
    make: Callable[[Wanted], Recipe]
    """Raises ValueError, with a sentence, where the case cannot have what is wanted."""
    names: str = ""
    """What ``Wanted.name`` is here, in a word in capitals; empty if it has no use."""
    has_namespace: bool = False


# ── reasons, each in one place ───────────────────────────────────────────────────────────────────────────────────────


def _of_interface(wanted: Wanted, interface: str) -> Reason:
    if interface == ANY:
        return Reason(
            "-i any",
            "every interface, so that it does not matter which way the packets go. The price: what passes two of them "
            "(a bridge, a container's) is there twice, which keepalive recognises, and of MAC addresses only the "
            "sender's is kept. Where you know the way, name it with --interface.",
        )
    if wanted.interface is None:
        return Reason(f"-i {interface}", "the connection does not leave this host.")
    return Reason(
        f"-i {interface}", "one interface: each packet once, with its link header, which shows who sent a RST."
    )


def _of_length(wanted: Wanted, option: str = "-s") -> Reason:
    length = wanted.length
    if length == LENGTH_4:
        because = (
            "the headers of link, IPv4 and TCP, and of what an ICMP error quotes; no less, or the last options of TCP "
            "(timestamps, SACK) are cut off. Only the first bytes of the data are in the file."
        )
    else:
        because = (
            "the headers of link, IPv6 and TCP, and of what an ICMPv6 error quotes; no less, or errors do not show "
            f"which connection they are about; {LENGTH_4} are enough where all is IPv4 (an address as --host tells). "
            "Only the first bytes of the data are in the file."
        )
    return Reason(f"{option} {length}", f"{because} The full length of each packet is noted.")


OF_FILTER: Final = Reason(
    "or arp or icmp or icmp6",
    "what shows why a host fell silent: nobody answers its ARP, a router says host unreachable, neighbour discovery. "
    "With the connection alone, a dead host and a forgotten connection look the same.",
)
OF_FLUSH: Final = Reason(
    "-U", "each packet is written when it comes, so that nothing is lost if the capture is killed, and can be read now."
)
OF_WRITE: Final = Reason(
    "-w",
    "packets, not text: text of tcpdump does not show the number of a segment without data, and that is what tells a "
    "probe.",
)
OF_SHARE: Final = Reason(
    "share", "makes a copy with other addresses and no data, which can be attached to a public ticket."
)
BEGIN: Final = "Start it before the connection is opened, if you can: then it is known who opened it, and each number."
STOP: Final = (
    f"Stop it with Ctrl-C, after the end, or after two probes at least. {BEGIN} If tcpdump says that packets were "
    "dropped by the kernel, say so when you give the file away, and try again with -B 16384."
)


def _dump(wanted: Wanted, interface: str, to: str, *more: str) -> str:
    """Return a command line of tcpdump."""
    words = ["tcpdump", "-i", posix(interface), "-s", str(wanted.length), *more, "-U", "-w", to, posix(wanted.filter)]
    return " ".join(words)


def _here(wanted: Wanted) -> str:
    """Return the interface to capture on, on this host."""
    return wanted.interface or ("lo" if wanted.is_local else ANY)


def _why(wanted: Wanted, interface: str, *more: Reason) -> tuple[Reason, ...]:
    return (_of_interface(wanted, interface), _of_length(wanted), OF_FILTER, OF_FLUSH, *more)


# ── cases ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _this_host(wanted: Wanted) -> Recipe:
    interface = _here(wanted)
    line = f"sudo {_dump(wanted, interface, FILE)}"
    read = (f"keepalive explain {FILE}", f"keepalive share {FILE} shared.pcapng")
    return Recipe((Step(line),), STOP, read, _why(wanted, interface, OF_WRITE, OF_SHARE))


def _both(wanted: Wanted) -> Recipe:
    interface = _here(wanted)
    dump = _dump(wanted, interface, '"$(hostname).pcap"')
    return Recipe(
        (Step(f"sudo {dump}", "on each of the two hosts, at the same time"),),
        f"{STOP} Then bring the two files to one place.",
        ("keepalive report --separate CLIENT.pcap SERVER.pcap", "keepalive explain --separate CLIENT.pcap SERVER.pcap"),
        _why(
            wanted,
            interface,
            Reason("$(hostname)", "the files must not have one name."),
            Reason(
                "both",
                "what one host sent and the other did not get was lost between them; a RST that neither sent was made "
                "there. One capture alone cannot show that.",
            ),
        ),
    )


def _days(wanted: Wanted) -> Recipe:
    interface = _here(wanted)
    files, size = RING
    dump = _dump(wanted, interface, FILE, "-C", str(size), "-W", str(files), "-Z", '"$(id -un)"')
    return Recipe(
        (Step(f"sudo {dump}"),),
        "Stop it with Ctrl-C. Run it in tmux or screen, which go on when you log out.",
        (f"keepalive report {FILE}*",),
        _why(
            wanted,
            interface,
            Reason(
                f"-C {size} -W {files}",
                f"at most {files} files of {size} MB: the oldest is overwritten, so that the disk never fills "
                f"({files * size / 1000:g} GB at most). keepalive reads them as one capture, in order of their times.",
            ),
            Reason(
                '-Z "$(id -un)"',
                "the files are yours; without it tcpdump becomes a user of its own on some systems, who may not open "
                "the second file here.",
            ),
        ),
    )


def _remote(wanted: Wanted) -> Recipe:
    interface = wanted.interface or ANY
    expression = wanted.filter if wanted.ports else f"({wanted.filter}) and not tcp port 22"
    dump = f"sudo tcpdump -i {posix(interface)} -s {wanted.length} -U -w - {posix(expression)}"
    line = f"ssh {posix(wanted.name or 'HOST')} {posix_line(dump)} > {FILE}"
    own = (
        ()
        if wanted.ports
        else (Reason("not tcp port 22", "else each packet that is sent to you would make another one."),)
    )
    return Recipe(
        (Step(line),),
        f"{STOP} The remote sudo must not ask for a password (sudo -v there, before).",
        (f"keepalive explain {FILE}",),
        _why(wanted, interface, *own, Reason("-w -", "the packets come through ssh; nothing is written on the host.")),
    )


def _mirror(wanted: Wanted) -> Recipe:
    interface = wanted.interface or "eth1"
    plain = wanted.filter
    tagged = f"({plain}) or (vlan and ({plain})) or (vlan and ({plain}))"
    line = f"sudo tcpdump -i {posix(interface)} -s {wanted.length + 8} -U -w {FILE} {posix(tagged)}"
    return Recipe(
        (Step(line),),
        STOP,
        (f"keepalive explain {FILE}",),
        (
            Reason(
                f"-i {interface}",
                "the interface that the switch copies to; never any, because what is for others is shown only to an "
                "interface that is named.",
            ),
            Reason(
                "vlan and (...)",
                "a filter looks behind no VLAN tag unless told so: once for one tag, again for a second.",
            ),
            Reason(
                f"-s {wanted.length + 8}",
                f"{wanted.length} for the headers, and 8 for two tags; no less, or they are cut.",
            ),
            OF_FILTER,
            OF_FLUSH,
        ),
    )


def _container(wanted: Wanted) -> Recipe:
    interface = wanted.interface or ANY
    name = posix(wanted.name or "CONTAINER")
    pid = f"\"$(docker inspect --format '{{{{.State.Pid}}}}' {name})\""
    line = f"sudo nsenter --target {pid} --net {_dump(wanted, interface, FILE)}"
    return Recipe(
        (Step(line, "on the host that runs the container"),),
        STOP,
        (f"keepalive explain {FILE}",),
        _why(
            wanted,
            interface,
            Reason(
                "--net",
                "the network of the container, as its processes see it, with the tcpdump and the files of the host: "
                "nothing is installed in the container. Its name for podman: podman inspect instead.",
            ),
        ),
    )


def _pod(wanted: Wanted) -> Recipe:
    interface = wanted.interface or ANY
    pod = posix(wanted.name or "POD")
    space = f" --namespace {posix(wanted.namespace)}" if wanted.namespace else ""
    add = f"kubectl debug{space} {pod} --profile=netadmin --image={IMAGE} --container={DEBUGGER} -- sleep 1d"
    dump = _dump(wanted, interface, "-")
    return Recipe(
        (Step(add), Step(f"kubectl exec{space} {pod} --container={DEBUGGER} -- {dump} > {FILE}")),
        f"{STOP} The container that was added ends by itself after a day.",
        (f"keepalive explain {FILE}",),
        _why(
            wanted,
            interface,
            Reason(
                "debug ... sleep 1d",
                "a container beside yours in the pod's network that may capture (netadmin); the pod is not restarted.",
            ),
            Reason(
                "exec ... -w -",
                "not kubectl debug -it: a terminal changes bytes, and what is written before it is attached is lost.",
            ),
        ),
    )


def _macos(wanted: Wanted) -> Recipe:
    interface = wanted.interface or ("lo0" if wanted.is_local or not wanted.hosts else "en0")
    because = {
        "lo0": "connections within this Mac: they pass lo0 alone.",
        "en0": "the first network card; networksetup -listallhardwareports shows the names of the others.",
    }.get(interface, "one interface: each packet once.")
    line = f"sudo {_dump(wanted, interface, FILE)}"
    why = (Reason(f"-i {interface}", because), _of_length(wanted), OF_FILTER, OF_FLUSH, OF_WRITE)
    return Recipe((Step(line),), STOP, (f"keepalive explain {FILE}",), why)


def _dumpcap(wanted: Wanted) -> Recipe:
    interface = wanted.interface or ("lo" if wanted.is_local else ANY)
    line = f"sudo dumpcap -i {posix(interface)} -s {wanted.length} -w {FILE}ng -f {posix(wanted.filter)}"
    return Recipe(
        (Step(line),),
        f"Stop it with Ctrl-C, after the end, or after two probes at least. {BEGIN}",
        (f"keepalive explain {FILE}ng",),
        (
            _of_interface(wanted, interface),
            _of_length(wanted),
            OF_FILTER,
            Reason(
                "-w ...pcapng",
                "a pcapng keeps how many packets were dropped, and the filter: so it is known what cannot be there.",
            ),
        ),
    )


def _wireshark_on_windows(wanted: Wanted) -> Recipe:
    try:
        interface = windows(wanted.interface or (r"\Device\NPF_Loopback" if wanted.is_local else "Ethernet"))
    except ValueError:
        raise ValueError(f"{wanted.interface} has a character that Windows' shells do not take as it is") from None
    program = '"C:\\Program Files\\Wireshark\\dumpcap.exe"'
    line = f"{program} -i {interface} -s {wanted.length} -w {FILE}ng -f {windows(wanted.filter)}"
    return Recipe(
        (
            Step(f"{program} -D", "in a Command Prompt of an administrator, to see the names of interfaces"),
            Step(line, "there too"),
        ),
        f"Stop it with Ctrl-C, after the end, or after two probes at least. {BEGIN}",
        (f"keepalive explain {FILE}ng",),
        (
            Reason(f"-i {interface}", "Windows has no interface any; loopback is one of its own, which Npcap adds."),
            _of_length(wanted),
            OF_FILTER,
        ),
    )


def _pktmon(wanted: Wanted) -> Recipe:
    for host in wanted.hosts:
        if network(host) is None:
            raise ValueError(f"pktmon knows no names of hosts; give the address of {host}")
    both = [
        f"{address}{port}"
        for address in ([f" -i {host}" for host in dict.fromkeys(wanted.hosts)] or [""])
        for port in ([f" -p {port}" for port in dict.fromkeys(wanted.ports)] or [""])
    ]
    adds = [f"pktmon filter add keepalive -t TCP{each}" for each in both]
    adds += ["pktmon filter add arp -d ARP", "pktmon filter add icmp -t ICMP", "pktmon filter add icmp6 -t ICMPv6"]
    if len(adds) > WINDOWS_FILTERS:
        raise ValueError(f"pktmon takes {WINDOWS_FILTERS} filters, and these hosts and ports make {len(adds)}")
    where = "in a Command Prompt of an administrator"
    lines = [
        "pktmon filter remove",
        *adds,
        f"pktmon start --capture --comp nics --pkt-size {wanted.length} --file-name keepalive.etl",
    ]
    after = ["pktmon stop", f"pktmon etl2pcap keepalive.etl --out {FILE}ng"]
    return Recipe(
        (*(Step(line, where) for line in lines), *(Step(line, "after the end") for line in after)),
        f"pktmon stop stops it, after the end, or after two probes at least. {BEGIN}",
        (f"keepalive explain {FILE}ng",),
        (
            Reason("pktmon", "comes with Windows 10, Server 2019 and later; nothing is installed."),
            Reason("filter remove", "filters of before would let more pass."),
            Reason(
                "filter add",
                "a packet is kept if one filter fits it; two ports or two addresses in one would have to fit both.",
            ),
            Reason("-d ARP ... -t ICMPv6", OF_FILTER.because),
            Reason(
                "--comp nics",
                "network cards alone: otherwise each packet appears once for every layer of the stack that it passes.",
            ),
            _of_length(wanted, "--pkt-size"),
            Reason("etl2pcap", "older versions of pktmon call it pktmon pcapng."),
        ),
    )


def _text(wanted: Wanted) -> Recipe:
    interface = _here(wanted)
    line = f"sudo tcpdump -i {posix(interface)} -n -e -vv -tttt -l {posix(wanted.filter)} | tee keepalive.txt"
    return Recipe(
        (Step(line),),
        f"Stop it with Ctrl-C, after the end, or after two probes at least. {BEGIN}",
        ("keepalive explain keepalive.txt",),
        (
            _of_interface(wanted, interface),
            Reason("-vv", "the number of every segment: without it a probe can only be guessed."),
            Reason("-e", "MAC addresses, and with -vv the TTL: they show who sent a RST."),
            Reason("-n", "addresses, not names: asking for names takes time, and two hosts may have one."),
            Reason("-tttt", "the date too, so that it can be found in logs."),
            Reason("-l", "each line at once."),
            OF_FILTER,
        ),
    )


CASES: Final = (
    Case("here", "On this host (Linux)", RUN, _this_host),
    Case("both", "At both ends: what one sent, and the other did not get", RUN, _both),
    Case("days", "For days, in files that take a bounded part of the disk", RUN, _days),
    Case("remote", "On another host, into a file here", RUN_IN_PART.format("ssh"), _remote, "HOST"),
    Case("container", "In the network of a container", RUN_IN_PART.format("docker"), _container, "CONTAINER"),
    Case("pod", "In a pod of Kubernetes", RUN_IN_PART.format("kubectl"), _pod, "POD", has_namespace=True),
    Case("mirror", "On a port that a switch copies to, with VLAN tags", RUN, _mirror),
    Case("macos", "On a Mac", NOT_RUN.format("no Mac; its tcpdump command runs on Linux"), _macos),
    Case("pktmon", "On Windows, with what it has", NOT_RUN.format("no Windows"), _pktmon),
    Case("windows", "On Windows, with Wireshark's dumpcap", NOT_RUN.format("no Windows"), _wireshark_on_windows),
    Case("dumpcap", "With Wireshark's dumpcap (Linux)", RUN, _dumpcap),
    Case("text", "As text to paste, where no file can be given", RUN, _text),
)
