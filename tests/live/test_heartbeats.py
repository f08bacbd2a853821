"""Real programs as truth: their heartbeats are found, named and counted as the programs themselves say.

All programs run side by side in a namespace of their own, for some twelve seconds, and are captured once; a program
that is not installed is left out, and its cases say so. After the first heartbeats some are stopped, one is killed, one
is cut off.
"""

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack

import pytest

import analyzer
from captures.recipes.network import Namespace, capture, wait_until
from tests.live.programs import (
    AMQP,
    AMQP_TLS,
    BGP,
    CUT,
    CUT_OFF,
    ENCRYPTED,
    FAR,
    GRPC,
    GRPC_STRICT,
    HAPROXY,
    HEALTHY,
    HEALTHY_TLS,
    KILLED,
    LEAST,
    MORTAL,
    MQTT,
    MQTT_STOPPED,
    MQTT_TLS,
    NEAR,
    NGINX,
    PAIRS,
    PATIENCE_S,
    POSTGRES,
    RECEIVERS,
    REDIS,
    REDIS_STOPPED,
    REDIS_TLS,
    ROUTED,
    SSH,
    STEADY,
    STOPPED,
    WEBSOCKET,
    WEBSOCKET_TLS,
    Played,
    Stage,
    as_many,
    brokers,
    databases,
    lacks,
    needs,
    queues,
    routers,
    shell,
    stores,
    trains,
)

SERVERS = {"mosquitto", "mosquitto-stopped", "redis", "redis-stopped", "nginx", "haproxy", "sshd", "websockets", "grpc"}

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="ip is not installed"),
]


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
    if AMQP in ports:
        stage.play("amqp", "amqp", AMQP, 2)
        stage.play("amqp-stopped", "amqp", AMQP, 2)
        stage.play("amqp-killed", "amqp", AMQP, 4, MORTAL)
        stage.play("amqp-cut", "amqp", AMQP, 4, FAR)
    if AMQP_TLS in ports:
        stage.play("amqp-tls", "amqp", AMQP_TLS, 4, ENCRYPTED, stage.certificate[0])
    if SSH in ports:
        where = ("-p", str(SSH), "-i", str(folder / "user"), "-F", "/dev/null", "-o", "StrictHostKeyChecking=no")
        often = ("-o", "UserKnownHostsFile=/dev/null", "-o", "ServerAliveInterval=1")
        stage.start("ssh", "ssh", "-vvv", "-N", *where, *often, "root@127.0.0.1")


def act(stage, ports):
    """Let heartbeats pass, do what is done to some programs, and let the others go on."""
    played = stage.played
    enough = {
        "mosquitto": (rf"Received PINGREQ from client-{MQTT}", LEAST),
        "mosquitto-stopped": ("Sending PINGRESP", LEAST),
        "websockets": (f"{STOPPED} < PONG", STEADY),
        "cli-stopped": ("PONG", STEADY),
    }
    waited = {name: what for name, what in enough.items() if name in played.running}
    wait_until(lambda: all(played.count(name, each) >= least for name, (each, least) in waited.items()), PATIENCE_S)
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
    if AMQP in ports:
        wait_until(lambda: played.count("amqp-stopped", "Received heartbeat frame") >= STEADY, PATIENCE_S)
        stage.signal("amqp-stopped", signal.SIGSTOP)
        wait_until(lambda: played.count("rabbitmq", "missed heartbeats from client"), PATIENCE_S)
    if BGP in ports:
        wait_until(lambda: played.count("bird-1", "Sending KEEPALIVE") >= ROUTED, PATIENCE_S)
    if POSTGRES in ports:
        wait_until(lambda: all(asked(played, name) > LEAST for name in RECEIVERS if name in played.running), PATIENCE_S)
    end_others(stage, ports)
    gone = [f"ended {port}" for port in (NGINX, HAPROXY) if port in ports]
    wait_until(lambda: set(gone) <= set(played.said("keepalive")), PATIENCE_S)
    for name in sorted(played.running, key=lambda name: name in SERVERS):  # so that nobody says more than is captured
        stage.signal(name, signal.SIGSTOP)


def asked(played, receiver):
    """Return how often a database asked who receives its log, as its own log says."""
    return played.count("postgres", f"^{receiver} .*sending replication keepalive")


def end_others(stage, ports):
    """Kill a router, a client of a broker and one of a database, cut off another of each, and wait for who notices."""
    played = stage.played
    if BGP in ports:
        wait_until(lambda: min(kept_alive(played, own) for own in (3, 4, 5, 6)) >= STEADY, PATIENCE_S)
    if AMQP in ports:
        names = ("amqp-killed", "amqp-cut")
        wait_until(lambda: all(sent_by(played, name) >= STEADY for name in names), PATIENCE_S)
    for name in ("bird-4", "amqp-killed", "receiver-killed"):
        stage.signal(name, signal.SIGKILL)
    if lacks("iptables"):
        return
    said = {f"bird-{own}": kept_alive(played, own) for own in PAIRS["cut"]}
    said |= {"amqp-cut": sent_by(played, "amqp-cut"), "receiver-cut": asked(played, "receiver-cut")}
    played.at_the_cut.update(said)
    for host in CUT_OFF:
        for way in ("-s", "-d"):
            with stage.namespace.inside():
                rule = ("INPUT", "-i", "lo", "-p", "tcp", way, host, "-j", "DROP")
                subprocess.run(["iptables", "-w", "-A", *rule], check=True, capture_output=True)
    if BGP in ports:
        wait_until(lambda: played.count("bird-5", "Hold timer expired"), PATIENCE_S)
    if POSTGRES in ports:
        wait_until(lambda: played.count("postgres", "^receiver-cut .*replication timeout"), PATIENCE_S)


def kept_alive(played, own):
    """Return how many KEEPALIVEs a router says that it sent."""
    return played.count(f"bird-{own}", "Sending KEEPALIVE")


def is_count(played, name, said, found):
    """Say whether as many were found as a program says, or, of one that was cut off, as its kernel may have sent."""
    if name not in played.at_the_cut:
        return as_many(said, found)
    return played.at_the_cut[name] - 1 <= found <= said + 1


def sent_by(played, client):
    """Return how many heartbeats a client of a broker says that it sent: it says so twice."""
    return played.count(client, "Sending heartbeat frame") // 2


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play everything that is installed, once."""
    folder = tmp_path_factory.mktemp("programs")
    result = Played(folder, folder / "programs.pcap")
    with ExitStack() as open_, Namespace("beats") as namespace:
        stage = Stage(namespace, result, open_)
        open_.callback(lambda: stage.end("postgres", signal.SIGQUIT))  # it ends its children, too
        open_.callback(lambda: [stage.signal(name, signal.SIGCONT) for name in result.running])
        with capture(namespace, "lo", result.capture):
            ports = [*routers(stage), *queues(stage), *databases(stage)]
            ports += [*brokers(stage), *stores(stage), *shell(stage)]
            if not lacks("websockets", "iptables"):
                tls = (WEBSOCKET_TLS, *stage.certificate) if stage.certificate else ()
                stage.play("websockets", "websocket-server", WEBSOCKET, *tls)
                ports += [WEBSOCKET, *tls[:1]]
            if not lacks("grpc"):
                stage.play("grpc", "grpc", GRPC, GRPC_STRICT)
            ports = stage.listening_of(ports)
            with result.watched():
                clients(stage, ports)
                act(stage, ports)
    result.by_form, result.named = analyzer.analyze(result.capture), analyzer.analyze(result.capture)
    result.told = analyzer.name_heartbeats(result.named, folder / "keys.log")
    return result


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


LATE_NS = 1.2e9
"""Who sets a timer of a second anew each time is late by as much as a busy machine holds it up."""


@pytest.mark.parametrize(("sender", "router"), [("a", "bird-1"), ("b", "bird-2")])
def test_routers(played, sender, router):
    """KEEPALIVEs of both routers are counted as each logs them, in spite of their jitter, and the hold time is read."""
    needs(played, "bird-1", "bird-2")
    (train,) = trains(played.beating(BGP, at="127.0.0.3"), sender)

    assert ("BGP", "dissector", 9_000_000_000) == (train.protocol, train.named_by, train.limit_ns)
    assert as_many(played.count(router, "Sending KEEPALIVE"), train.sent)
    assert 1.5e9 < train.period_ns < 2.1e9  # what BIRD draws from 2 s
    assert train.answered is None


def test_routers_by_form(played):
    """Without a name the KEEPALIVEs of the router that comes first are a train; the other's may look like answers."""
    needs(played, "bird-1", "bird-2")
    found = trains(played.beating(BGP, named=False, at="127.0.0.3"))

    counted = max(played.count(router, "Sending KEEPALIVE") for router in ("bird-1", "bird-2"))

    assert all("form" == train.named_by and 1.5e9 < train.period_ns < 2.1e9 for train in found)
    assert STEADY <= max(train.sent for train in found) <= counted + 1


@pytest.mark.parametrize(("pair", "at"), [("killed", "127.0.0.5"), ("cut", "127.0.0.7")])
def test_a_router_that_is_killed_or_cut_off(played, pair, at):
    """KEEPALIVEs of both are counted as each logs them; neither a dead peer nor a cut path is a program that hangs."""
    needs(played, *(f"bird-{own}" for own in PAIRS[pair]))
    flow = played.beating(BGP, at=at)

    for own in PAIRS[pair]:
        sender = "a" if flow.a.address == f"127.0.0.{own + 1}" else "b"
        (train,) = trains(flow, sender)
        assert ("BGP", 9_000_000_000) == (train.protocol, train.limit_ns)
        assert is_count(played, f"bird-{own}", kept_alive(played, own), train.sent)
    assert "program-hung" not in flow.codes
    if pair == "killed":
        assert not {"heartbeats-missed", "heartbeats-stopped"} & set(flow.codes)


@pytest.mark.parametrize(("client", "at"), [("amqp-killed", MORTAL), ("amqp-cut", FAR)])
def test_a_client_of_a_broker_that_is_killed_or_cut_off(played, client, at):
    """Its heartbeats are counted as it says, and neither its death nor a cut path is a program that hangs."""
    needs(played, "rabbitmq", client)
    flow = played.beating(AMQP, at=at)
    (train,) = trains(flow, "a")

    assert ("AMQP", 4_000_000_000) == (train.protocol, train.limit_ns)
    assert is_count(played, client, sent_by(played, client), train.sent)
    assert "program-hung" not in flow.codes


@pytest.mark.parametrize(("receiver", "at"), [("receiver-killed", MORTAL), ("receiver-cut", FAR)])
def test_a_replica_that_is_killed_or_cut_off(played, receiver, at):
    """What the server asked is counted as its log says, and neither a dead replica nor a cut path is one that hangs."""
    needs(played, "postgres", receiver)
    flow = played.beating(POSTGRES, at=at)

    assert is_count(played, receiver, asked(played, receiver), trains(flow, "b")[0].sent)
    assert "program-hung" not in flow.codes


def test_a_broker_in_tls(played):
    """In TLS heartbeats of both ends, which meet every time, are all counted by form: a train each, or answers."""
    needs(played, "rabbitmq", "amqp-tls")
    found = {train.sender: train for train in trains(played.beating(AMQP_TLS, named=False))}
    said = {"a": sent_by(played, "amqp-tls"), "b": played.count("amqp-tls", "Received heartbeat frame")}

    if (
        len(found) == 1
    ):  # one end's came right behind the other's every time: only their meaning tells them from answers
        ((sender, train),) = found.items()
        assert as_many(said[sender], train.sent)
        assert as_many(said["b" if sender == "a" else "a"], train.answered)
        return
    assert set(said) == set(found)
    for sender, train in found.items():
        assert ("form", None, None) == (train.named_by, train.limit_ns, train.answered)
        assert 1.9e9 < train.period_ns < 2 * LATE_NS
        assert as_many(said[sender], train.sent)


def test_a_database_in_tls(played):
    """In TLS what a server asks its replica is a train by form, answered, and as many as its log says."""
    needs(played, "postgres", "receiver-tls")
    (train,) = trains(played.beating(POSTGRES, named=False, at=ENCRYPTED))

    assert ("b", "form") == (train.sender, train.named_by)
    assert as_many(asked(played, "receiver-tls"), train.sent)
    assert as_many(train.sent, train.answered)
    assert 2.85e9 < train.period_ns < 3 * LATE_NS


def of_amqp(played, *, stopped):
    """The connection of the client that is stopped, which the broker resets, or of the other."""
    flows = [flow for flow in played.named.flows if AMQP in {flow.a.port, flow.b.port} and flow.b.address == NEAR]
    return next(flow for flow in flows if ("aborted" == flow.verdict) == stopped)


def test_a_broker_of_which_both_ends_beat(played):
    """Heartbeats of both ends are counted as the client says, and what the ends agreed on is read."""
    needs(played, "rabbitmq", "amqp")
    flow = of_amqp(played, stopped=False)

    for sender, said in (("a", "Sending heartbeat frame"), ("b", "Received heartbeat frame")):
        (train,) = trains(flow, sender)
        lines = 2 if sender == "a" else 1  # pika says twice what it sends
        assert ("AMQP", "dissector", 2_000_000_000) == (train.protocol, train.named_by, train.limit_ns)
        assert as_many(played.count("amqp", said) // lines, train.sent)
        assert 0.95e9 < train.period_ns < LATE_NS


def test_a_client_of_which_both_ends_beat_is_stopped(played):
    """A client that is stopped sends no heartbeats while its kernel acknowledges: it hung, and the broker gave up."""
    needs(played, "rabbitmq", "amqp-stopped")
    flow = of_amqp(played, stopped=True)
    (own,), (brokers_own,) = trains(flow, "a"), trains(flow, "b")

    assert as_many(played.count("amqp-stopped", "Sending heartbeat frame") // 2, own.sent)
    assert brokers_own.last_ns - own.last_ns > 2e9
    assert "b" == flow.judged.finding("heartbeats-missed").about
    assert "a" == flow.judged.finding("program-hung").about


def test_a_database_that_asks_its_replica(played):
    """The server asks every three seconds, who receives its log answers, and its own log counts as many of both."""
    needs(played, "postgres", "pg_receivewal")
    flow = played.beating(POSTGRES, at=NEAR)
    (asks,) = trains(flow)

    assert ("b", "PostgreSQL primary", "dissector") == (asks.sender, asks.protocol, asks.named_by)
    assert as_many(asked(played, "pg_receivewal"), asks.sent)
    assert as_many(played.count("postgres", "^pg_receivewal .*write .* flush .* apply"), asks.answered)
    assert 2.85e9 < asks.period_ns < 3 * LATE_NS


def test_what_a_database_calls_keepalive(played):
    """``tcp_keepalives_idle`` is TCP's: a client that waits for its answer has no heartbeats, and is probed."""
    needs(played, "postgres", "psql")
    flows = [flow for flow in played.named.flows if POSTGRES in {flow.a.port, flow.b.port} and flow.b.address == NEAR]
    (idle,) = [flow for flow in flows if not trains(flow)]

    assert {"b"} == {probe.sender for probe in idle.judged.record.probes}
    assert all(probe.answer_frame is not None for probe in idle.judged.record.probes[:-1])


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
