"""Real programs as truth: their heartbeats are found, named and counted as the programs themselves say.

All programs run side by side in a namespace of their own, for some twelve seconds, and are captured once; a program
that is not installed is left out, and its cases say so. After the first heartbeats some are stopped, one is killed, one
is cut off.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import analyzer
from captures.recipes.network import Namespace, capture, wait_until

PLAYERS = Path(__file__).with_name("players.py")
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
PATIENCE_S = 25
LEAST = 4
"""So many heartbeats pass before anything happens to a program."""
MQTT, MQTT_TLS, MQTT_STOPPED = 18830, 18831, 18832
REDIS, REDIS_STOPPED, NGINX, HAPROXY = 16380, 16381, 16390, 16391
WEBSOCKET, HEALTHY, STOPPED, KILLED, CUT = 18080, 28080, 28081, 28082, 28083
GRPC, GRPC_STRICT, SSH = 18081, 18082, 12222
REDIS_TLS, WEBSOCKET_TLS, HEALTHY_TLS = 16382, 18443, 28443

SERVERS = {"mosquitto", "mosquitto-stopped", "redis", "redis-stopped", "nginx", "haproxy", "sshd", "websockets", "grpc"}

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="ip is not installed"),
]


def lacks(*names):
    """Return what of programs and modules is not installed."""
    return [
        name
        for name in names
        if not (shutil.which(name) or importlib.util.find_spec(name.partition(".")[0]) is not None)
    ]


@dataclass
class Played:
    """What was played: the capture, and what the programs said."""

    folder: Path
    capture: Path
    running: dict = field(default_factory=dict)
    """By name the processes that were started."""
    named: object = None
    by_form: object = None

    def said(self, name):
        """Return the lines that a program said."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []

    def count(self, name, pattern):
        """Return how many lines of a program fit."""
        return sum(re.search(pattern, line) is not None for line in self.said(name))

    def beating(self, port, own_port=None, *, named=True):
        """Return the first connection of these ports that has heartbeats."""
        analysis = self.named if named else self.by_form
        ports = {port} if own_port is None else {port, own_port}
        return next(flow for flow in analysis.flows if ports <= {flow.a.port, flow.b.port} and trains(flow))


class Stage:
    """The namespace, and programs in it."""

    def __init__(self, namespace, played):
        self.namespace, self.played = namespace, played
        self.certificate = () if lacks("openssl") else certificate(played.folder)

    def start(self, name, *command):
        """Start a program whose words go to a file."""
        log = self.played.folder / f"{name}.log"
        quoted = " ".join(f"'{word}'" for word in command)
        self.played.running[name] = self.namespace.start("sh", "-c", f"exec {quoted} > {log} 2>&1")

    def play(self, name, *words):
        """Start one of our own players."""
        self.start(name, sys.executable, str(PLAYERS), *map(str, words))

    def file(self, name, text):
        """Write a file, and return its path."""
        path = self.played.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def signal(self, name, which):
        """Send a signal to a program that runs."""
        if name in self.played.running:
            self.played.running[name].send_signal(which)

    def listening(self, *ports):
        """Say whether somebody listens on all of these ports."""
        with self.namespace.inside():
            rows = [row.split() for row in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
        return set(ports) <= {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}


def certificate(folder):
    """Make a certificate of localhost, and return its path and that of the key."""
    paths = str(folder / "cert.pem"), str(folder / "key.pem")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", paths[1])
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-out", paths[0])
    subprocess.run(["openssl", "req", "-x509", *key, *name], check=True, capture_output=True)
    return paths


def brokers(stage):
    """Start MQTT brokers: a healthy one, with TLS too, and one to be stopped."""
    if lacks("mosquitto", "openssl", "paho.mqtt"):
        return []
    cert, key = stage.certificate
    common = "allow_anonymous true\nuser root\nlog_dest stderr\nlog_type all\nlog_timestamp false\n"
    tls = f"listener {MQTT_TLS} 127.0.0.1\ncertfile {cert}\nkeyfile {key}\n"
    healthy = stage.file("mqtt.conf", f"{common}listener {MQTT} 127.0.0.1\n{tls}")
    stopped = stage.file("mqtt2.conf", f"{common}listener {MQTT_STOPPED} 127.0.0.1\n")
    stage.start("mosquitto", "mosquitto", "-c", healthy)
    stage.start("mosquitto-stopped", "mosquitto", "-c", stopped)
    return [MQTT, MQTT_TLS, MQTT_STOPPED]


def redis_has_tls():
    """Say whether this Redis was built with TLS."""
    linked = ("ldd", shutil.which("redis-server"))
    return "libssl" in subprocess.run(linked, check=True, capture_output=True, text=True).stdout


def stores(stage):
    """Start Redis twice, and two balancers that count only data, in front of one."""
    if lacks("redis-server", "redis-cli"):
        return []
    for name, port in (("redis", REDIS), ("redis-stopped", REDIS_STOPPED)):
        stage.start(name, "redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1")
    ports = [REDIS, REDIS_STOPPED]
    if stage.certificate and redis_has_tls():
        cert, key = stage.certificate
        tls = ("--tls-port", str(REDIS_TLS), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
        plain = ("--port", "0", "--save", "", "--bind", "127.0.0.1")
        stage.start("redis-tls", "redis-server", *plain, *tls, "--tls-ca-cert-file", cert)
        ports.append(REDIS_TLS)
    if not lacks("nginx") and STREAM_MODULE.exists():
        server = f"server {{ listen 127.0.0.1:{NGINX}; proxy_pass 127.0.0.1:{REDIS}; proxy_timeout 3s; }}"
        head = f"load_module {STREAM_MODULE};\ndaemon off;\nmaster_process off;\npid {stage.played.folder}/nginx.pid;\n"
        conf = f"{head}error_log stderr;\nevents {{}}\nstream {{ {server} }}\n"
        stage.start("nginx", "nginx", "-e", "stderr", "-c", stage.file("nginx.conf", conf))
        ports.append(NGINX)
    if not lacks("haproxy"):
        timeouts = "timeout connect 1s\n timeout client 3s\n timeout server 3s\n"
        conf = f"defaults\n mode tcp\n {timeouts}listen l\n bind 127.0.0.1:{HAPROXY}\n server s 127.0.0.1:{REDIS}\n"
        stage.start("haproxy", "haproxy", "-db", "-f", stage.file("haproxy.conf", conf))
        ports.append(HAPROXY)
    return ports


def shell(stage):
    """Start a server of SSH, with keys of its own."""
    if lacks("sshd", "ssh", "ssh-keygen"):
        return []
    folder = stage.played.folder
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "user.pub").rename(folder / "authorized")
    Path("/run/sshd").mkdir(exist_ok=True)
    options = {
        "Port": SSH,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized",
        "StrictModes": "no",
        "PidFile": "none",
        "UsePAM": "no",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    stage.start("sshd", shutil.which("sshd"), "-D", "-e", "-f", "/dev/null", *words)
    return [SSH]


def clients(stage, ports):
    """Start whoever sends heartbeats to these ports."""
    folder = stage.played.folder
    if MQTT in ports:
        stage.play("mqtt", "mqtt", MQTT, 2)
        stage.play("mqtt-tls", "mqtt", MQTT_TLS, 2, folder / "keys.log", folder / "cert.pem")
        stage.play("mqtt-stopped", "mqtt", MQTT_STOPPED, 2)
    for name, port in (("redis", REDIS), ("stopped", REDIS_STOPPED), ("nginx", NGINX), ("haproxy", HAPROXY)):
        if port in ports:
            stage.start(f"cli-{name}", "redis-cli", "-p", str(port), "-r", "-1", "-i", "1", "ping")
    idle = [port for port in (NGINX, HAPROXY) if port in ports]
    if idle:
        stage.play("keepalive", "keepalive", *idle)
    if REDIS_TLS in ports:
        stage.play("cli-tls", "redis", REDIS_TLS, folder / "keys.log", stage.certificate[0])
    if WEBSOCKET_TLS in ports:
        secrets = (folder / "keys.log", stage.certificate[0])
        stage.play(f"websocket-{HEALTHY_TLS}", "websocket-client", WEBSOCKET_TLS, HEALTHY_TLS, *secrets)
    if WEBSOCKET in ports:
        for own in (HEALTHY, STOPPED, KILLED, CUT):
            stage.play(f"websocket-{own}", "websocket-client", WEBSOCKET, own)
    if SSH in ports:
        where = ("-p", str(SSH), "-i", str(folder / "user"), "-F", "/dev/null", "-o", "StrictHostKeyChecking=no")
        often = ("-o", "UserKnownHostsFile=/dev/null", "-o", "ServerAliveInterval=1")
        stage.start("ssh", "ssh", "-vvv", "-N", *where, *often, "root@127.0.0.1")


def act(stage, ports):
    """Let heartbeats pass, do what is done to some programs, and let the others go on."""
    played = stage.played
    enough = {
        "mosquitto": rf"Received PINGREQ from client-{MQTT}",
        "mosquitto-stopped": "Sending PINGRESP",
        "websockets": f"{STOPPED} < PONG",
        "cli-stopped": "PONG",
    }
    waited = {name: pattern for name, pattern in enough.items() if name in played.running}
    wait_until(lambda: all(played.count(name, each) >= LEAST for name, each in waited.items()), PATIENCE_S)
    for name in ("mosquitto-stopped", "redis-stopped", f"websocket-{STOPPED}"):
        stage.signal(name, signal.SIGSTOP)
    stage.signal(f"websocket-{KILLED}", signal.SIGKILL)
    if WEBSOCKET in ports:
        for way in ("--dport", "--sport"):
            with stage.namespace.inside():
                rule = ("INPUT", "-i", "lo", "-p", "tcp", way, str(CUT), "-j", "DROP")
                subprocess.run(["iptables", "-w", "-A", *rule], check=True, capture_output=True)
    if MQTT in ports:
        wait_until(lambda: "ended" in played.said("mqtt-stopped"), PATIENCE_S)
    if WEBSOCKET in ports:
        wait_until(lambda: f"closed {CUT}" in played.said("websockets"), PATIENCE_S)
    gone = [f"ended {port}" for port in (NGINX, HAPROXY) if port in ports]
    wait_until(lambda: set(gone) <= set(played.said("keepalive")), PATIENCE_S)
    for name in sorted(played.running, key=lambda name: name in SERVERS):  # so that nobody says more than is captured
        stage.signal(name, signal.SIGSTOP)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play everything that is installed, once."""
    folder = tmp_path_factory.mktemp("programs")
    result = Played(folder, folder / "programs.pcap")
    with ExitStack() as open_, Namespace("beats") as namespace:
        stage = Stage(namespace, result)
        open_.callback(lambda: [stage.signal(name, signal.SIGCONT) for name in result.running])
        with capture(namespace, "lo", result.capture):
            ports = [*brokers(stage), *stores(stage), *shell(stage)]
            if not lacks("websockets", "iptables"):
                tls = (WEBSOCKET_TLS, *stage.certificate) if stage.certificate else ()
                stage.play("websockets", "websocket-server", WEBSOCKET, *tls)
                ports += [WEBSOCKET, *tls[:1]]
            if not lacks("grpc"):
                stage.play("grpc", "grpc", GRPC, GRPC_STRICT)
            wait_until(lambda: stage.listening(*ports), PATIENCE_S)
            clients(stage, ports)
            act(stage, ports)
    result.by_form, result.named = analyzer.analyze(result.capture), analyzer.analyze(result.capture)
    result.told = analyzer.name_heartbeats(result.named, folder / "keys.log")
    return result


def trains(flow, sender=None):
    """Return the trains of a connection, of one end."""
    return [train for train in flow.judged.record.heartbeats if sender in (None, train.sender)]


def needs(played, *names):
    """Skip where a program is not there."""
    absent = [name for name in names if name not in played.running]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")


def as_many(counted, found):
    """Say whether as many were found as a program counts, within one.

    It may be stopped before it says what was just captured; and where the machine holds up the second by more than a
    quarter of a second, the first is out of step with all others.
    """
    return abs(counted - found) <= 1


CASES = [
    ("mosquitto", MQTT, None, "a", "MQTT", ("mosquitto", f"Received PINGREQ from client-{MQTT}$")),
    ("cli-redis", REDIS, None, "a", "Redis", ("cli-redis", "PONG")),
    ("websockets", WEBSOCKET, HEALTHY, "b", "WebSocket", ("websockets", f"^{HEALTHY} > PING")),
    ("ssh", SSH, None, "a", "SSH", ("ssh", "receive packet: type 82")),
    ("nginx", NGINX, None, "a", "Redis", ("cli-nginx", "PONG")),
    ("haproxy", HAPROXY, None, "a", "Redis", ("cli-haproxy", "PONG")),
]
"""A program that has to run, the ports, who beats, the protocol, and whose log counts them."""


PERIODS_S = {"mosquitto": 2}
"""A broker drops a client of 1 s that a busy machine holds up for half a second more."""


@pytest.mark.parametrize(
    ("program", "port", "own", "sender", "protocol", "log"), CASES, ids=[case[0] for case in CASES]
)
def test_a_healthy_program(played, program, port, own, sender, protocol, log):
    """The train is found and named, its period is that which was set, and all that the program counts was answered."""
    needs(played, program)
    flow = played.beating(port, own)
    (train,) = trains(flow, sender)

    assert [] == played.told
    assert (protocol, "dissector") == (train.protocol, train.named_by)
    assert 0.95 < train.period_ns / (PERIODS_S.get(program, 1) * 1e9) < 1.05
    assert train.sent == train.answered
    assert as_many(played.count(*log), train.answered)
    assert 0 == train.missed
    assert not {"program-hung", "heartbeats-missed", "heartbeats-stopped"} & set(flow.codes)


def test_pings_of_grpc(played):
    """A channel that pings each second is found by a server that permits it, and refused by one that does not."""
    needs(played, "grpc")
    (lenient,), (strict,) = (trains(played.beating(port), "a") for port in (GRPC, GRPC_STRICT))
    refused = played.beating(GRPC_STRICT).judged.finding("too-many-pings")

    assert ("HTTP/2", None, 0) == (lenient.protocol, lenient.refused_frame, lenient.missed)
    assert 0.95e9 < lenient.period_ns < 1.05e9
    assert strict.refused_frame == refused.data["refused_frame"]
    assert 0 < played.count("grpc", "too_many_pings")


IN_TLS = [
    ("mosquitto", MQTT_TLS, "a", "MQTT", 2, ("mosquitto", f"Received PINGREQ from client-{MQTT_TLS}$")),
    ("redis-tls", REDIS_TLS, "a", "Redis", 1, ("cli-tls", "PONG")),
    (f"websocket-{HEALTHY_TLS}", WEBSOCKET_TLS, "b", "WebSocket", 1, ("websockets", f"^{HEALTHY_TLS} > PING")),
]
"""A program that has to run, its port, who beats, the protocol, how often, and whose log counts."""


@pytest.mark.parametrize(
    ("program", "port", "sender", "protocol", "period_s", "log"), IN_TLS, ids=["mosquitto", "redis", "websockets"]
)
def test_a_heartbeat_in_tls(played, program, port, sender, protocol, period_s, log):
    """In TLS a train is found by form, with the program's count; with the secrets of the connection it is named."""
    needs(played, program)
    (form,), (train,) = (trains(played.beating(port, named=named), sender) for named in (False, True))

    assert (None, "form", None) == (form.protocol, form.named_by, form.limit_ns)
    assert 0.95 < form.period_ns / (period_s * 1e9) < 1.05
    assert form.sent == form.answered
    assert as_many(played.count(*log), form.sent)
    assert (protocol, "dissector") == (train.protocol, train.named_by)
    assert (2_000_000_000 if protocol == "MQTT" else None) == train.limit_ns


def test_a_broker_that_is_stopped(played):
    """Its kernel goes on to acknowledge, its client gives up: the broker's program hangs."""
    needs(played, "mosquitto-stopped")
    flow = played.beating(MQTT_STOPPED)

    assert ("b", "a") == tuple(flow.judged.finding(code).about for code in ("program-hung", "heartbeats-missed"))
    assert as_many(played.count("mosquitto-stopped", "Sending PINGRESP"), trains(flow, "a")[0].answered)
    assert 1 == trains(flow, "a")[0].missed


def test_a_client_that_is_stopped(played):
    """A server that pings a stopped client waits in vain for one pong, and closes."""
    needs(played, "websockets")
    flow = played.beating(WEBSOCKET, STOPPED)

    assert ("a", "b") == tuple(flow.judged.finding(code).about for code in ("program-hung", "heartbeats-missed"))
    assert as_many(played.count("websockets", f"^{STOPPED} < PONG"), trains(flow, "b")[0].answered)


def test_one_answer_that_is_still_awaited(played):
    """Who waits for a stopped store for longer than any answer took has missed one, and nothing more is claimed."""
    needs(played, "cli-stopped")
    (train,) = trains(played.beating(REDIS_STOPPED), "a")

    assert 1 == train.missed
    assert as_many(played.count("cli-stopped", "PONG"), train.answered)
    assert "heartbeats-missed" not in played.beating(REDIS_STOPPED).codes


def test_a_client_that_is_killed_did_not_hang(played):
    """Whose kernel closes its connection answered until then."""
    needs(played, "websockets")
    flow = played.beating(WEBSOCKET, KILLED)

    assert as_many(played.count("websockets", f"^{KILLED} < PONG"), trains(flow, "b")[0].answered)
    assert not {"program-hung", "heartbeats-missed"} & set(flow.codes)


def test_a_path_that_is_cut_is_no_program_that_hangs(played):
    """What no kernel acknowledges says nothing of a program."""
    needs(played, "websockets")
    flow = played.beating(WEBSOCKET, CUT)

    assert as_many(played.count("websockets", f"^{CUT} < PONG"), trains(flow, "b")[0].answered)
    assert "program-hung" not in flow.codes


@pytest.mark.parametrize(("balancer", "port"), [("nginx", NGINX), ("haproxy", HAPROXY)])
def test_a_balancer_that_counts_only_data(played, balancer, port):
    """It closes the connection that only keepalive probes, in spite of them, and leaves the one with heartbeats."""
    needs(played, balancer)
    (idle,) = [flow for flow in played.named.flows if flow.b.port == port and not trains(flow)]
    record = idle.judged.record

    assert 2.5e9 < record.fins[0].ts_ns - record.first_ns < 4.5e9
    assert "b" == record.fins[0].sender
    assert all(probe.answer_frame is not None for probe in record.probes)
    assert len(record.probes) > 0
    assert played.beating(port).judged.record.last_ns - record.fins[0].ts_ns > 5e9
