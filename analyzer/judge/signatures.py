"""Tables of numbers seen in the field: what programs and systems set, what middleboxes and closing ends allow.

The file's law: every row names its source, and nothing here is a verdict. A triple of timers is a family of
programs, never one of them; a limit of a middlebox near a silence is a hint, never a culprit. Numbers stand in the
unit in which their sources give them, whole seconds (``*_s``); durations that come in are nanoseconds, as everywhere
in the core.

It must not know flows, captures or words for the user.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Final

from analyzer.values import dataclass

_NS_PER_S: Final = 1_000_000_000

ROUND_S: Final = (
    *(1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 75, 90, 100, 120),
    *(180, 240, 300, 600, 900, 1800, 3600, 7200),
)
"""Durations that people and programs choose for a keepalive timer (field guide 9.4)."""


class Stack(Enum):
    """A family of TCP implementations, told apart by the form and the rhythm of its probes."""

    __hash__ = object.__hash__  # its own hash is Python code, and millions are asked for

    LINUX = "linux"
    """Empty probe, with timestamps where negotiated; answered spacing is max(idle, interval)."""
    XNU = "xnu"
    """Empty probe with a bare 20-byte header on a connection with timestamps."""
    ONE_OCTET = "windows_or_illumos"
    """A probe that carries one byte."""
    ILLUMOS = "illumos"
    """One that carries one byte, and is sent again as a retransmission is, after twice the time."""


class Chosen(Enum):
    """What a row of SOFTWARE holds instead of a number."""

    BY_SYSTEM = "by the system"
    """The program sets none: the system's default is in force."""
    BY_CALLER = "by the caller"
    """Whatever the program's author passed."""
    AS_IDLE = "as idle"
    """The same as the idle time."""


_SYSTEM, _CALLER, _AS_IDLE = Chosen.BY_SYSTEM, Chosen.BY_CALLER, Chosen.AS_IDLE


@dataclass(frozen=True, slots=True)
class Defaults:
    """A system's own timers, in force where nobody sets others."""

    name: str
    stack: Stack | None
    """None where the form of the probe does not give the system away."""
    idle_s: int
    interval_s: int
    count: int
    source: str


DEFAULTS: Final = (
    Defaults("Linux default", Stack.LINUX, 7200, 75, 9, "net/ipv4/tcp_timer.c; /proc/sys/net/ipv4/tcp_keepalive_*"),
    Defaults("macOS default", Stack.XNU, 7200, 75, 8, "xnu-11417.101.15 bsd/netinet/tcp_timer.h 185-187"),
    Defaults("FreeBSD default", None, 7200, 75, 8, "FreeBSD 14 sys/netinet/tcp_timer.h"),
    Defaults(
        "Windows default", Stack.ONE_OCTET, 7200, 1, 10, "MSDN SIO_KEEPALIVE_VALS; technet nettracer 2010; WSL #10741"
    ),
)


@dataclass(frozen=True, slots=True)
class Software:
    """What a program, library or recommendation sets."""

    name: str
    idle_s: int | Chosen
    interval_s: int | Chosen
    count: int | Chosen
    source: str
    stack: Stack | None = None
    """The only stack it runs on; None: any."""
    on_windows: bool = False
    """Whether Windows is where it is mostly run, so that its idle time alone is a hint there."""
    opens: bool | None = None
    """Whether it only ever opens connections, or only accepts them (False); None: either."""


SOFTWARE: Final = (
    Software("Go net (1.13 to 1.22)", 15, 15, _SYSTEM, "strace Go 1.19; golang/go 1abf3aa, #31510, 5bd7e9c5"),
    Software("Go net (1.23 and later)", 15, 15, 9, "golang/go #62254 KeepAliveConfig"),
    Software("Go http.DefaultTransport", 30, 30, _SYSTEM, "strace Go 1.19", opens=True),
    Software("Go net/http server (1.12 and earlier)", 180, 180, _SYSTEM, "golang/go #31510, #18427", opens=False),
    Software("Go SetKeepAlivePeriod", _CALLER, _AS_IDLE, _SYSTEM, "go 1.19 src/net/tcpsockopt_unix.go, _darwin.go"),
    Software("pgx", 300, 300, _SYSTEM, "jackc/pgx #1992", opens=True),
    Software(
        "curl tool", 60, 60, _SYSTEM, "strace curl 7.88; curl.se --keepalive-time (count 9 since 8.9)", opens=True
    ),
    Software("Node.js setKeepAlive(true, ms)", _CALLER, 1, 10, "strace Node.js 20"),
    Software("Node.js HTTP agent", 1, 1, 10, "strace Node.js 20", opens=True),
    Software("Redis server", 300, 100, 3, "redis anet.c anetKeepAlive: interval is idle / 3"),
    Software("hiredis, redis-cli", 15, 5, 3, "hiredis REDIS_KEEPALIVE_INTERVAL 15", opens=True),
    Software("redis-py", 30, 5, 3, "redis-py 8.1.0 _defaults.py", opens=True),
    Software("MongoDB drivers", 120, 10, 9, "pymongo 4.20 pool_shared.py", opens=True),
    Software("mongod, mongos", 300, 1, _SYSTEM, "mongo kMaxKeepIdleSecs, kMaxKeepIntvlSecs (upper limits)"),
    Software("Chrome", 45, 45, _SYSTEM, "chromium net kTCPKeepAliveSeconds", on_windows=True, opens=True),
    Software(
        "Firefox in its first minute",
        10,
        1,
        4,
        "firefox all.js network.http.tcp_keepalive",
        on_windows=True,
        opens=True,
    ),
    Software("Firefox, later", 600, 1, 4, "firefox all.js network.http.tcp_keepalive", on_windows=True, opens=True),
    Software("SQL Server", 30, 1, _SYSTEM, "Microsoft Configuration Manager ms190771", on_windows=True),
    Software("Azure Database for PostgreSQL", 120, 30, 9, "Azure server parameters page"),
    Software("GKE recommended sysctls", 60, 60, 5, "gitlab charts #2519 quoting GCP", Stack.LINUX),
    Software("InterSystems IRIS", 300, _SYSTEM, _SYSTEM, "InterSystems RACS_TCPKeepAliveInterval"),
    Software("KumoMTA proxy", 300, 30, 3, "KumoMTA documentation"),
)
"""Programs that leave all three to the system (libpq, Java, SO_KEEPALIVE alone) show as a row of DEFAULTS."""
ONLY_OPEN: Final = frozenset(row.name for row in SOFTWARE if row.opens is True)
"""What is never found at the end that was called."""
ONLY_CALLED: Final = frozenset(row.name for row in SOFTWARE if row.opens is False)
"""What is never found at the end that opened the connection."""


def of_end(names: tuple[str, ...], *, opens: bool | None) -> tuple[str, ...]:
    """Return the programs but for those that are never at such an end of a connection; all where that is unknown."""
    elsewhere: frozenset[str] = frozenset() if opens is None else ONLY_CALLED if opens else ONLY_OPEN
    return tuple(name for name in names if name not in elsewhere)


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a duration: bounds, equal where the value is known."""

    low_ns: int
    high_ns: int

    @property
    def is_exact(self) -> bool:
        """Whether there is only one value."""
        return self.low_ns == self.high_ns

    def holds(self, duration_s: int) -> bool:
        """Say whether a number of seconds lies within."""
        return self.low_ns <= duration_s * _NS_PER_S <= self.high_ns


_ANY: Final = Span(0, 1 << 62)


@lru_cache(maxsize=4096)
def families(
    idle: Span | None, interval: Span | None, period: Span | None, count: int | None, stack: Stack | None
) -> tuple[str, ...]:
    """Return the rows of DEFAULTS and SOFTWARE that fit what is known; none if neither idle nor period is known.

    ``period`` is the spacing of answered probes: max(idle, interval) on Linux, idle elsewhere; an unknown stack may
    be either. ``count`` is after how many unanswered probes the prober gave up, None if some may be unseen: a row with
    another count, which a user timeout could explain, does not fit.

    A row whose idle time is the caller's fits only where idle and interval are known, else it would fit everything. So
    does a row at a one-byte probe, unless its program is at home on Windows: most sources are of Unix, where other
    calls set the timers, and idle alone says little of a program that is rarely met there.
    """
    if not any(span is not None and span.is_exact for span in (idle, period)):
        return ()
    both = _is_exact(idle) and _is_exact(interval)
    caller_s = idle.low_ns // _NS_PER_S if both and idle is not None else None
    systems = tuple(row for row in DEFAULTS if row.stack in ((stack,) if stack else (Stack.LINUX, None)))

    def fits(triple: tuple[int, int, int] | None) -> bool:
        if triple is None or count not in (None, triple[2]):
            return False
        return (
            (idle or _ANY).holds(triple[0])
            and (interval or _ANY).holds(triple[1])
            and any((period or _ANY).holds(spacing_s) for spacing_s in _spacings(triple, stack))
        )

    return (
        *(row.name for row in systems if fits((row.idle_s, row.interval_s, row.count))),
        *(
            row.name
            for row in SOFTWARE
            if row.stack in (None, stack or Stack.LINUX)
            and (both or row.on_windows or stack is not Stack.ONE_OCTET)
            and any(fits(_resolved(row, system, caller_s)) for system in systems)
        ),
    )


def _is_exact(span: Span | None) -> bool:
    return span is not None and span.is_exact


def _resolved(row: Software, system: Defaults, caller_s: int | None) -> tuple[int, int, int] | None:
    """Return idle, interval and count in force where a program runs on a system; None if that shows no program.

    So it is where the idle time is the caller's and unknown, or the rest is what the system does by itself.
    """
    idle_s = {_SYSTEM: system.idle_s, _CALLER: caller_s}[row.idle_s] if isinstance(row.idle_s, Chosen) else row.idle_s
    if idle_s is None:
        return None
    if isinstance(row.interval_s, Chosen):
        interval_s = idle_s if row.interval_s is _AS_IDLE else system.interval_s
    else:
        interval_s = row.interval_s
    count = system.count if isinstance(row.count, Chosen) else row.count
    if row.idle_s is _CALLER and (interval_s, count) == (system.interval_s, system.count):
        return None
    return idle_s, interval_s, count


def _spacings(triple: tuple[int, int, int], stack: Stack | None) -> tuple[int, ...]:
    """Return the spacings that answered probes may have: either kind where the stack is unknown."""
    longer_s = max(triple[0], triple[1])
    if stack is None:
        return triple[0], longer_s
    return (longer_s,) if stack is Stack.LINUX else (triple[0],)


class Behaviour(Enum):
    """What a middlebox does once its idle limit is over."""

    SILENT = "silent"
    """It forgets the flow and drops what comes later."""
    RST_ON_NEXT = "rst_on_next"
    """It forgets the flow and answers the next segment with RST."""
    RST_AT_LIMIT = "rst_at_limit"
    """It sends RST, or closes, when the limit is over."""
    SILENT_OR_RST = "silent_or_rst"
    """One or the other, by configuration or by what the packets meet next."""


@dataclass(frozen=True, slots=True)
class Middlebox:
    """An idle limit of something between the endpoints."""

    name: str
    idle_s: int
    behaviour: Behaviour
    source: str
    half_closed: bool = False
    """Whether the limit holds only after a FIN."""
    keepalive_helps: bool = True
    """Whether a probe counts as traffic for it."""
    in_steps: bool = False
    """Whether it forgets by a timer of the Linux kernel, which runs in steps, so that it may be late (``LATE``)."""

    @property
    def latest_ns(self) -> int:
        """The longest that it may remember a flow, in nanoseconds."""
        limit_ns = self.idle_s * _NS_PER_S
        return limit_ns + limit_ns // LATE if self.in_steps else limit_ns


LATE: Final = 8
"""A timer of the Linux kernel runs late by a part of its time, one in so many at most, and never early (timer.c:
LVL_CLK_SHIFT)."""
MIDDLEBOXES: Final = (
    Middlebox("AWS Network Load Balancer", 350, Behaviour.RST_ON_NEXT, "AWS NLB update-idle-timeout; kupczynski.info"),
    Middlebox("AWS NAT gateway", 350, Behaviour.RST_ON_NEXT, "AWS lambda-vpc-timeout (the RST unverified)"),
    Middlebox("AWS Network Firewall", 350, Behaviour.SILENT, "AWS API_FlowTimeouts"),
    Middlebox("AWS Gateway Load Balancer", 350, Behaviour.SILENT, "AWS API_FlowTimeouts"),
    Middlebox("AWS security group (Nitro v6)", 350, Behaviour.SILENT, "AWS API_ConnectionTrackingConfiguration"),
    Middlebox("AWS security group", 432_000, Behaviour.SILENT, "AWS API_ConnectionTrackingConfiguration"),
    Middlebox(
        "AWS Application Load Balancer",
        60,
        Behaviour.RST_AT_LIMIT,
        "AWS edit-load-balancer-attributes",
        keepalive_helps=False,
    ),
    Middlebox(
        "AWS Classic Load Balancer", 60, Behaviour.RST_AT_LIMIT, "AWS config-idle-timeout", keepalive_helps=False
    ),
    Middlebox("Azure Load Balancer", 240, Behaviour.SILENT_OR_RST, "Azure load-balancer-tcp-reset"),
    Middlebox("Google Cloud VPC firewall", 600, Behaviour.SILENT, "gitlab charts #2519 quoting GCP"),
    Middlebox("Linux conntrack", 432_000, Behaviour.SILENT_OR_RST, "nf_conntrack_tcp_timeout_established"),
    Middlebox(
        "Linux conntrack, FIN seen", 120, Behaviour.SILENT_OR_RST, "nf_conntrack_tcp_timeout_fin_wait", half_closed=True
    ),
    Middlebox(
        "Linux conntrack, FIN acknowledged",
        60,
        Behaviour.SILENT_OR_RST,
        "nf_conntrack_tcp_timeout_close_wait",
        half_closed=True,
    ),
    Middlebox(
        "Linux IPVS",
        900,
        Behaviour.SILENT_OR_RST,
        "ip_vs_proto_tcp.c tcp_timeouts; ipvsadm(8) --set; a RST was seen",
        in_steps=True,
    ),
    Middlebox(
        "Linux IPVS, FIN from the server",
        120,
        Behaviour.SILENT_OR_RST,
        "ip_vs_proto_tcp.c tcp_timeouts, FIN_WAIT",
        half_closed=True,
        in_steps=True,
    ),
    Middlebox(
        "Linux IPVS, FIN from the client",
        60,
        Behaviour.SILENT_OR_RST,
        "ip_vs_proto_tcp.c tcp_timeouts, CLOSE_WAIT",
        half_closed=True,
        in_steps=True,
    ),
    Middlebox("Cisco ASA", 3600, Behaviour.SILENT_OR_RST, "Cisco ASA CLI guide, timeout conn"),
    Middlebox(
        "Cisco ASA, half-closed", 600, Behaviour.SILENT, "Cisco ASA CLI guide, timeout half-closed", half_closed=True
    ),
    Middlebox("FortiADC", 3600, Behaviour.SILENT, "Fortinet FortiADC CLI reference"),
    Middlebox("RFC 5382 least established timeout", 7440, Behaviour.SILENT_OR_RST, "RFC 5382 REQ-5"),
)
"""Only limits with a source that states them; Azure NAT gateway and others without one are left out."""
SHORTEST_LIMIT_NS: Final = min(row.idle_s for row in MIDDLEBOXES) * _NS_PER_S
"""No known box forgets a flow in a shorter silence (field guide 6)."""


REFUSES: Final = {
    Behaviour.SILENT: False,
    Behaviour.RST_ON_NEXT: True,
    Behaviour.RST_AT_LIMIT: True,
    Behaviour.SILENT_OR_RST: None,
}
"""Whether what comes after the limit draws a RST; None where it may or may not."""


def middleboxes_within(
    silence_ns: int, *, half_closed: bool = False, survived_ns: int = 0, refused: bool | None = None
) -> tuple[Middlebox, ...]:
    """Return the middleboxes that forget a flow within such a silence, those with the shortest limit first.

    Not those whose limit a silence refutes that the flow survived before it was half closed; nor, if it is known
    whether what came next was ``refused`` with a RST or got no answer, those that do the other.
    """
    fits = (
        row
        for row in MIDDLEBOXES
        if row.half_closed <= half_closed
        and row.idle_s * _NS_PER_S <= silence_ns
        and (row.half_closed or row.latest_ns > survived_ns)
        and (refused is None or REFUSES[row.behaviour] in (None, refused))
    )
    return tuple(sorted(fits, key=lambda row: row.idle_s))


class Parting(Enum):
    """How a closing end leaves FIN-WAIT-2."""

    SILENT = "silent"
    """Nothing is sent; the next probe meets no socket and draws a RST without ACK."""
    RST_ACK = "rst_ack"
    """It sends RST,ACK by itself."""


@dataclass(frozen=True, slots=True)
class FinWait2:
    """How long a stack keeps FIN-WAIT-2 for a closed socket whose peer does not close, and how it leaves it."""

    name: str
    low_s: int
    high_s: int | None
    """None: every probe prolongs it."""
    parting: Parting
    source: str


FIN_WAIT_2: Final = (
    FinWait2(
        "Linux", 60, 66, Parting.SILENT, "tcp_fin_timeout 60 plus a granule of the timer wheel (5.12 s at HZ=100)"
    ),
    FinWait2(
        "macOS 12 and later", 60, 61, Parting.RST_ACK, "xnu-8019 and later: tcp_timer.c 1050-1063, fin_timeout 60"
    ),
    FinWait2(
        "macOS 11 and earlier", 120, 600, Parting.SILENT, "xnu-4903 to 7195: keepcnt * keepintvl of the closed socket"
    ),
    FinWait2("FreeBSD", 600, None, Parting.SILENT, "FreeBSD 14 tcp_timer_2msl: re-armed while segments arrive"),
)


def default_count(stack: Stack | None) -> int | None:
    """Return how many unanswered probes a stack allows where nobody sets it; an empty probe is taken for Linux's.

    None where it is no number but time that decides (illumos).
    """
    return next((row.count for row in DEFAULTS if row.stack is (stack or Stack.LINUX)), None)
