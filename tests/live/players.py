"""Ends of connections with heartbeats, made of libraries: programs that the live test of heartbeats starts.

``websocket-server PORT [TLS_PORT CERTIFICATE KEY]``, ``websocket-client PORT OWN_PORT [KEYLOG CA]``, ``mqtt PORT
PERIOD_S [KEYLOG CA]``, ``amqp PORT AGREED_S [HOST [CA]]``, ``redis PORT KEYLOG CA``, ``grpc PORT PORT`` and
``keepalive PORT ...`` run until they are killed. Each says on a line what it did.
"""

import socket
import ssl
import sys
import threading
import time
from contextlib import AsyncExitStack

PERIOD_S = 1
BORED_S = 2
"""Who gets no answer for so long gives up."""


def say(*words):
    """Tell the test."""
    print(*words, flush=True)


def trusting(keylog, ca):
    """Return what a client in TLS needs; its secrets go to a file."""
    context = ssl.create_default_context(cafile=ca)
    context.keylog_filename = keylog
    return context


def websocket_server(port, tls_port=None, cert=None, key=None):
    """Send each client a ping every second, and close on who does not answer."""
    import asyncio
    import logging

    from websockets.asyncio.server import serve

    class Pings(logging.Handler):
        """Say what passes."""

        def emit(self, record):
            text = record.getMessage()
            if " PING " in text or " PONG " in text:
                say(getattr(record, "websocket", None) and record.websocket.remote_address[1], text)

    logger = logging.getLogger("pings")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Pings())
    logger.propagate = False

    async def work():
        async def handler(connection):
            await connection.wait_closed()
            say("closed", connection.remote_address[1])

        often = {"ping_interval": PERIOD_S, "ping_timeout": BORED_S, "close_timeout": 1, "logger": logger}
        async with AsyncExitStack() as open_:
            await open_.enter_async_context(serve(handler, "127.0.0.1", port, **often))
            if tls_port:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(cert, key)
                await open_.enter_async_context(serve(handler, "127.0.0.1", tls_port, ssl=context, **often))
            say("ready")
            await asyncio.Future()

    asyncio.run(work())


def websocket_client(port, own_port, keylog=None, ca=None):
    """Connect, in TLS if there is a certificate, and answer pings."""
    import asyncio

    from websockets.asyncio.client import connect

    async def work():
        where, how = f"ws://127.0.0.1:{port}", {}
        if ca:
            where, how = f"wss://127.0.0.1:{port}", {"ssl": trusting(keylog, ca), "server_hostname": "localhost"}
        async with connect(
            where, ping_interval=None, compression=None, local_addr=("127.0.0.1", own_port), **how
        ) as connection:
            say("ready")
            await connection.wait_closed()

    asyncio.run(work())


def mqtt(port, period_s, keylog=None, ca=None):
    """Keep a connection to a broker alive by PINGREQ at such intervals, in TLS if there is a certificate."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id=f"client-{port}")
    if ca:
        client.tls_set_context(trusting(keylog, ca))
    client.on_connect = lambda *_: say("ready")
    client.connect("localhost" if ca else "127.0.0.1", port, keepalive=period_s)
    while client.loop(timeout=0.02) == 0:
        pass
    say("ended")
    time.sleep(600)


def amqp(port, agreed_s, host="127.0.0.1", ca=None):
    """Keep a connection to a broker open with heartbeats as both ends agree."""
    import logging

    import pika

    class Heartbeats(logging.Handler):
        """Say what passes."""

        def emit(self, record):
            say(record.getMessage())

    logger = logging.getLogger("pika.heartbeat")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Heartbeats())
    logger.propagate = False
    tls = pika.SSLOptions(ssl.create_default_context(cafile=ca), "localhost") if ca else None
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, port, heartbeat=agreed_s, ssl_options=tls))
    say("ready")
    connection.process_data_events(600)


def redis(port, keylog, ca):
    """Ask a store in TLS every second whether it is there."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = trusting(keylog, ca).wrap_socket(plain, server_hostname="localhost")
        while True:
            connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            say(connection.recv(100).decode().strip())
            time.sleep(PERIOD_S)


def grpc(lenient_port, strict_port):
    """Ping a server that permits it, and one that does not, every second."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    permits = [
        ("grpc.http2.min_ping_interval_without_data_ms", 100),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 100),
    ]
    servers = []
    for port, options in ((lenient_port, permits), (strict_port, [])):
        servers.append(grpc.server(ThreadPoolExecutor(1), options=options))
        servers[-1].add_insecure_port(f"127.0.0.1:{port}")
        servers[-1].start()
    asks = [
        ("grpc.keepalive_time_ms", 1000 * PERIOD_S),
        ("grpc.keepalive_timeout_ms", 1000 * BORED_S),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    channels = [grpc.insecure_channel(f"127.0.0.1:{port}", options=asks) for port in (lenient_port, strict_port)]
    for channel in channels:
        grpc.channel_ready_future(channel).result(timeout=10)
    say("ready")
    time.sleep(600)


def keepalive(*ports):
    """Connect to each port, say nothing, and have the kernel probe every second; say which connection ends when."""
    idle = []
    for port in ports:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        idle.append((port, connection))
    say("ready")
    for port, connection in idle:
        threading.Thread(target=wait_for_end, args=(port, connection)).start()
    time.sleep(600)


def wait_for_end(port, connection):
    """Say when a connection ends."""
    connection.recv(1)
    say("ended", port)


if __name__ == "__main__":
    PLAYERS = {
        "websocket-server": websocket_server,
        "websocket-client": websocket_client,
        "mqtt": mqtt,
        "amqp": amqp,
        "redis": redis,
        "grpc": grpc,
        "keepalive": keepalive,
    }
    PLAYERS[sys.argv[1]](*(int(word) if word.isdecimal() else word for word in sys.argv[2:]))
