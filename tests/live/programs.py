"""Programs that have heartbeats, and the namespace in which they run: what the live test of heartbeats starts.

Each starter starts what is installed of its kind, and returns the ports on which it will listen.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from captures.recipes.network import wait_until

PLAYERS = Path(__file__).with_name("players.py")
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Beneath the script that runs it as another user."""
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
START_S = 90
"""A broker in Erlang starts in nine seconds, and in thirty on a machine with much else to do."""
PATIENCE_S = 60
NAP_S = 0.02
HELD_UP_S = 0.25
"""A machine that is so late to go on with who sleeps keeps programs from their own time: nothing can be counted."""
LEAST = 4
"""So many heartbeats, of two seconds or more, pass before anything happens to a program."""
STEADY = 8
"""... of a second: after so many a train is found even where a busy machine holds some up."""
ROUTED = 12
"""So many KEEPALIVEs show a rhythm, with the jitter that BIRD gives them."""
MQTT, MQTT_TLS, MQTT_STOPPED = 18830, 18831, 18832
REDIS, REDIS_STOPPED, NGINX, HAPROXY = 16380, 16381, 16390, 16391
WEBSOCKET, HEALTHY, STOPPED, KILLED, CUT = 18080, 28080, 28081, 28082, 28083
GRPC, GRPC_STRICT, SSH = 18081, 18082, 12222
REDIS_TLS, WEBSOCKET_TLS, HEALTHY_TLS = 16382, 18443, 28443
BGP, AMQP, POSTGRES, AMQP_TLS = 179, 15672, 15432, 15671
NEAR, ENCRYPTED, MORTAL, FAR = "127.0.0.1", "127.0.0.17", "127.0.0.18", "127.0.0.19"
"""Where clients of a broker and of a database find them: as usual, in TLS, to be killed, to be cut off."""
PAIRS = {"healthy": (1, 2), "killed": (3, 4), "cut": (5, 6)}
"""Routers that are neighbours, each at an address one above its number; the second is killed, or cut off."""
CUT_OFF = (FAR, "127.0.0.7")


RECEIVERS = {"pg_receivewal": NEAR, "receiver-tls": ENCRYPTED, "receiver-killed": MORTAL, "receiver-cut": FAR}
"""Who receives a database's log, by the name that its own log calls it."""


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
    at_the_cut: dict = field(default_factory=dict)
    """By name how many heartbeats a program had sent when it was cut off: of what comes later its kernel keeps some."""
    held_up_s: float = 0
    """By how much the machine was late at most to go on with who slept."""

    @contextmanager
    def watched(self):
        """See how late the machine is meanwhile; if it is too late for programs to keep time, let them fail."""
        over = threading.Event()

        def sleep():
            while not over.is_set():
                due = time.monotonic() + NAP_S
                time.sleep(NAP_S)
                self.held_up_s = max(self.held_up_s, time.monotonic() - due)

        watch = threading.Thread(target=sleep)
        watch.start()
        try:
            yield
        except TimeoutError:
            if self.held_up_s <= HELD_UP_S:
                raise
        finally:
            over.set()
            watch.join()

    def said(self, name):
        """Return the lines that a program said."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []

    def count(self, name, pattern):
        """Return how many lines of a program fit."""
        return sum(re.search(pattern, line) is not None for line in self.said(name))

    def beating(self, port, own_port=None, *, named=True, at=None):
        """Return the first connection of these ports that has heartbeats, to an address if one is given."""
        analysis = self.named if named else self.by_form
        ports = {port} if own_port is None else {port, own_port}
        flows = [flow for flow in analysis.flows if ports <= {flow.a.port, flow.b.port}]
        found = (flow for flow in flows if at in {None, flow.b.address} and trains(flow))
        flow = next(found, None)
        assert flow is not None, [(each.a, each.b, each.verdict, len(trains(each))) for each in flows]
        return flow


class Stage:
    """The namespace, and programs in it."""

    def __init__(self, namespace, played, open_):
        self.namespace, self.played, self.open = namespace, played, open_
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

    def foreign(self, user):
        """Make a folder that another user can reach, and return its path; it goes with the stage."""
        folder = self.open.enter_context(tempfile.TemporaryDirectory(prefix="beats-", ignore_cleanup_errors=True))
        shutil.chown(folder, user)
        return folder

    def signal(self, name, which):
        """Send a signal to a program that runs."""
        if name in self.played.running:
            self.played.running[name].send_signal(which)

    def end(self, name, which):
        """Let a program end by a signal, and wait for it."""
        self.signal(name, which)
        if name in self.played.running:
            self.played.running[name].wait(PATIENCE_S)

    def listening_of(self, ports):
        """Wait until somebody listens on all of these ports; return those that have somebody after a long time."""
        with suppress(TimeoutError):
            wait_until(lambda: self.listening(*ports), START_S)
        return [port for port in ports if self.listening(port)]

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


def routers(stage):
    """Start pairs of routers that are neighbours; both are clients and servers, and begin at once."""
    if lacks("bird"):
        return []
    times = "hold time 9; keepalive time 2; connect delay time 1; multihop; strict bind yes;"
    for own, other in [each for first, second in PAIRS.values() for each in ((first, second), (second, first))]:
        where = f"local 127.0.0.{own + 1} as {65000 + own}; neighbor 127.0.0.{other + 1} as {65000 + other};"
        passive = "passive;" if own > other else ""
        peer = f"protocol bgp peer {{ {where} {times} {passive} ipv4 {{ import none; export none; }}; }}"
        head = f"router id 192.0.2.{own};\nlog stderr all;\ndebug protocols all;\nprotocol device {{}}\n"
        conf = stage.file(f"bird{own}.conf", f"{head}{peer}\n")
        stage.start(f"bird-{own}", "bird", "-f", "-c", conf, "-s", f"{stage.played.folder}/bird{own}.ctl")
    return [BGP]


def queues(stage):
    """Start a broker of AMQP, and what tells its nodes of each other."""
    if lacks("pika", "epmd", "erl") or not RABBITMQ.exists():
        return []
    folder = stage.played.folder
    plugins = stage.file("plugins", "[].\n")
    places = "".join(f"listeners.tcp.{at} = {host}:{AMQP}\n" for at, host in enumerate((NEAR, MORTAL, FAR), start=1))
    if stage.certificate:
        cert, key = stage.certificate
        places += f"listeners.ssl.1 = {ENCRYPTED}:{AMQP_TLS}\nssl_options.verify = verify_none\n"
        places += f"ssl_options.cacertfile = {cert}\nssl_options.certfile = {cert}\nssl_options.keyfile = {key}\n"
    conf = stage.file("rabbitmq.conf", f"{places}log.console = true\n")
    settings = {
        "HOME": folder,
        "RUNNING_UNDER_SYSTEMD": "true",  # so that no script waits for the broker
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": conf,
        "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
        "RABBITMQ_LOG_BASE": folder,
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_NODENAME": "beats@localhost",
    }
    stage.start("epmd", "epmd", "-address", "127.0.0.1")
    stage.start("rabbitmq", "env", *(f"{name}={value}" for name, value in settings.items()), str(RABBITMQ))
    return [AMQP, AMQP_TLS] if stage.certificate else [AMQP]


def postgres_program(name):
    """Return where a program of PostgreSQL is, None if nowhere: Debian keeps those of servers out of the way."""
    found = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if os.access(path, os.X_OK)]
    return str(max(found)) if found else shutil.which(name)


def databases(stage):
    """Start a database that asks every three seconds who is still there, one who receives its log, and a session."""
    programs = [postgres_program(name) for name in ("initdb", "postgres", "pg_receivewal", "psql")]
    if None in programs or lacks("setpriv") or not is_user("postgres"):
        return []
    initdb, postgres, receiver, session = programs
    data = stage.foreign("postgres")
    as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    quick = ("--no-sync", "--auth=trust", "--username=postgres", "--wal-segsize=1", "--locale=C")
    made = subprocess.run([*as_user, initdb, "-D", data, *quick], check=False, capture_output=True, text=True, cwd="/")
    if made.returncode != 0:  # where its user may not go to our folder, for one
        stage.file("initdb.log", made.stderr)
        return []
    settings = {
        "listen_addresses": f"{NEAR},{ENCRYPTED},{MORTAL},{FAR}",
        "port": POSTGRES,
        "unix_socket_directories": "",
        "wal_sender_timeout": "6s",
        "tcp_keepalives_idle": 1,
        "tcp_keepalives_interval": 1,
        "log_min_messages": "debug2",
        "fsync": "off",
        "log_line_prefix": "%a ",
    }
    if stage.certificate:
        for name, path in zip(("cert", "key"), stage.certificate, strict=True):
            copied = shutil.copy(path, data)
            shutil.chown(copied, "postgres")
            Path(copied).chmod(0o600)
            settings[f"ssl_{name}_file"] = copied
        settings["ssl"] = "on"
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    stage.start("postgres", *as_user, postgres, "-D", data, *words)
    if not stage.listening_of([POSTGRES]):
        return []
    for name, host in RECEIVERS.items():
        if host == ENCRYPTED and not stage.certificate:
            continue
        log = stage.played.folder / f"{name}-log"
        log.mkdir()
        mode = "require" if host == ENCRYPTED else "disable"
        to = ("-h", host, "-p", str(POSTGRES), "-U", "postgres")
        chosen = ("env", f"PGAPPNAME={name}", f"PGSSLMODE={mode}", receiver, *to)
        stage.start(name, *chosen, "-D", str(log), "-s", "0", "--no-loop", "--no-sync")
    to = ("-h", NEAR, "-p", str(POSTGRES), "-U", "postgres")
    stage.start("psql", "env", "PGSSLMODE=disable", session, *to, "-c", "SELECT pg_sleep(600)")
    return [POSTGRES]


def is_user(name):
    """Say whether there is such a user."""
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def trains(flow, sender=None):
    """Return the trains of a connection, of one end."""
    return [train for train in flow.judged.record.heartbeats if sender in (None, train.sender)]


def needs(played, *names):
    """Skip where a program is not there, or the machine did not let programs go on in time."""
    absent = [name for name in names if name not in played.running]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    if played.held_up_s > HELD_UP_S:
        pytest.skip(f"the machine held the programs up for {played.held_up_s:.2f} s")


def as_many(counted, found):
    """Say whether as many were found as a program counts, within one.

    It may be stopped before it says what was just captured; and where the machine holds up the second by more than a
    quarter of a second, the first is out of step with all others.
    """
    return abs(counted - found) <= 1
