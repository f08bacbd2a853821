"""Connections whose programs send heartbeats in the clear, octet by octet as their protocols have them."""

import struct
from itertools import count

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
FLAGS = {"S": 2, "S.": 18, ".": 16, "P.": 24, "F.": 0x11}


def _frame(source, target, ports, numbers, flags, data):
    tcp = struct.pack("!HHIIBBHHH", *ports, *numbers, 0x50, FLAGS[flags], 8192, 0, 0) + data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, source, target)
    return (b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + tcp).ljust(60, b"\0")


def talk(port, client_port, said, *, closes=None):
    """Return the frames of a connection, with their times: ``said`` has (second, who, octets), ``closes`` when, who."""
    numbers, frames = {"a": 1000, "b": 5000}, []

    def put(at, who, flags, data=b""):
        peer = "b" if who == "a" else "a"
        hosts, ports = ((A, B), (client_port, port)) if who == "a" else ((B, A), (port, client_port))
        acked = numbers[peer] if flags != "S" else 0
        frames.append((at, _frame(*hosts, ports, (numbers[who], acked), flags, data)))
        numbers[who] += len(data) + ("S" in flags)

    put(0, "a", "S")
    put(0.01, "b", "S.")
    put(0.02, "a", ".")
    for at, who, data in said:
        put(at, who, "P.", data)
        put(at + 0.001, "b" if who == "a" else "a", ".")
    if closes is not None:
        put(*closes, "F.")
    return frames


def beats(beat, answer=None, before=(), *, period=10, times=6):
    """Return what is said: heartbeats of a, answered by b, behind what came before."""
    said = list(before)
    for at in (period * (number + 1) for number in range(times)):
        said.append((at, "a", beat))
        if answer is not None:
            said.append((at + 0.01, "b", answer))
    return said


def pcap(path, *talks):
    """Write connections into a pcap file, side by side, and return its path."""
    frames = sorted((each for frames in talks for each in frames), key=lambda each: each[0])
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at, data in frames:
            file.write(struct.pack("<IIII", int(at), round(at % 1 * 1_000_000), len(data), len(data)) + data)
    return str(path)


def _smb2(*, response):
    head = struct.pack("<HHIHHIIQIIQ16s", 64, 0, 0, 13, 1, int(response), 0, 5, 0, 0, 0, b"")
    body = b"\xfeSMB" + head + struct.pack("<HH", 4, 0)
    return struct.pack(">I", len(body)) + body


def _diameter(flags):
    avps = b"".join(struct.pack(">IB", code, 0x40) + b"\0\0\x0c" + b"host" for code in (264, 296))
    return b"\x01" + (20 + len(avps)).to_bytes(3, "big") + bytes([flags]) + b"\0\x01\x18" + bytes(12) + avps


def _iscsi(first):
    return bytes([first, 0x80]) + bytes(14) + struct.pack(">I", 7) + b"\xff" * 4 + bytes(24)


_BGP = b"\xff" * 16
_SIP = b"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\n\
Call-ID: 1@a\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
_UPGRADE = b"GET /c HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
_UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
_STREAM = b"<?xml version='1.0'?><stream:stream to='b' xmlns='jabber:client' \
xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
_FIX = b"35=0\x0149=A\x0156=B\x0134=3\x0152=20240101-00:00:00\x01"
_TUNE = "0100000000000c000a00%s07ff0002000000%sce"
_H = bytes.fromhex
_ASKED = b"d\0\0\0\x16k" + bytes(16) + b"\1"


def _open(idle_ms):
    """Return the header of AMQP 1.0, and its ``open`` with an idle timeout (2.7.1: the fifth field)."""
    fields = b"\xa1\x01c" + b"@@@" + b"\x70" + struct.pack(">I", idle_ms)
    performative = b"\0\x53\x10\xc0" + bytes([1 + len(fields), 5]) + fields
    return b"AMQP\0\1\0\0" + struct.pack(">IBBH", 8 + len(performative), 2, 0, 0) + performative


def _fix(kind, more=b""):
    """Return a message of FIX, with its length and checksum."""
    body = kind + b"\x0149=A\x0156=B\x0134=3\x0152=20240101-00:00:00\x01" + more
    message = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
    return message + b"10=%03d\x01" % (sum(message) % 256)


TALKS = {
    "MQTT": beats(
        b"\xc0\0", b"\xd0\0", [(1, "a", _H("101000044d5154540402003c000474657374")), (1.1, "b", _H("20020000"))]
    ),
    "Redis": beats(b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
    "NATS": beats(b"PING\r\n", b"PONG\r\n"),
    "STOMP": beats(b"\n", None, [(1, "b", b"CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0")]),
    "MySQL": beats(_H("010000000e"), _H("0700000100000002000000")),
    "SMB2": beats(_smb2(response=False), _smb2(response=True)),
    "iSCSI": beats(_iscsi(0x40), _iscsi(0x20)),
    "Diameter": beats(_diameter(0x80), _diameter(0)),
    "SIP": beats(b"\r\n\r\n", b"\r\n", [(1, "a", _SIP)]),
    "XMPP": beats(
        b"<iq from='a@b' to='b' id='c2s1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        b"<iq from='b' to='a@b' id='c2s1' type='result'/>",
        [(1, "a", _STREAM)],
    ),
    "XMPP, a space": beats(b" ", None, [(1, "a", _STREAM)]),
    "IRC": beats(b"PING :irc.example\r\n", b":irc.example PONG irc.example :irc.example\r\n"),
    "SMPP": beats(struct.pack(">IIII", 16, 0x15, 0, 3), struct.pack(">IIII", 16, 0x80000015, 0, 3)),
    "FIX": beats(b"8=FIX.4.4\x019=%d\x01%s10=100\x01" % (len(_FIX), _FIX)),
    "IEC 104": beats(_H("680443000000"), _H("680483000000")),
    "AMQP": beats(
        _H("08000000000000ce"),
        None,
        [(1, "a", b"AMQP\0\0\x09\x01"), (1.1, "b", _H(_TUNE % ("1e", "3c"))), (1.2, "a", _H(_TUNE % ("1f", "0f")))],
    ),
    "AMQP 1.0": beats(_H("0000000802000000"), None, [(1, "a", b"AMQP\0\1\0\0"), (1.1, "b", b"AMQP\0\1\0\0")]),
    "BGP": beats(
        _BGP + _H("001304"),
        None,
        [
            (1, "a", _BGP + _H("001d0104fde8005ac000020100")),
            (1.1, "b", _BGP + _H("001d0104fde80009c000020200")),
        ],
    ),
    "HTTP/2": [
        *beats(
            _H("0000080600000000000102030405060708"),
            _H("0000080601000000000102030405060708"),
            [
                (1, "a", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _H("000000040000000000")),
                (1.1, "b", _H("000000040000000000")),
            ],
        ),
        (60.1, "b", _H("000016070000000000" + "00000000" + "0000000b") + b"too_many_pings"),
    ],
    "WebSocket": beats(_H("89840102030400010203"), _H("8a0401030106"), [(1, "a", _UPGRADE), (1.1, "b", _UPGRADED)]),
    "WebSocket, from the middle": beats(_H("89840102030400010203"), _H("8a0401030106")),
    "PostgreSQL": beats(b"d\0\0\0&r" + bytes(33)),
    "AMQP 1.0, agreed": beats(
        _H("0000000802000000"),
        None,
        [(1, "a", _open(20_000)), (1.1, "b", _open(8_000))],
    ),
    "FIX, agreed": beats(_fix(b"35=0"), None, [(1, "a", _fix(b"35=A", b"98=0\x01108=10\x01"))]),
    "IRC ISON": beats(b"ISON friend other\r\n", b":irc.example 303 me :friend\r\n"),
    "HTTP request": beats(b"GET /up HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "Modbus read": beats(_H("000100000006010300000001"), _H("00010000000501030200ff")),
    "MySQL query": beats(_H("0900000003") + b"SELECT 1", _H("0700000100000002000000")),
    "PostgreSQL query": beats(b"Q\0\0\0\x0eSELECT 1;\0", b"Z\0\0\0\x05I"),
    "Redis command": beats(b"*2\r\n$3\r\nGET\r\n$4\r\nbeat\r\n", b"$2\r\n42\r\n"),
    "MQTT PUBLISH": beats(
        _H("320b0003742f7400") + b"\x0121.5",
        _H("40020001"),
        [(1, "a", _H("101000044d5154540402003c000474657374")), (1.1, "b", _H("20020000"))],
    ),
    "AMQP basic.publish": beats(
        _H("01000100000010003c0028000000076d65747269637300ce" + "0200010000000e003c000000000000000000020000ce"),
        _H("0100010000000d003c0050000000000000000100ce"),
        [(1, "a", b"AMQP\0\0\x09\x01")],
    ),
    "PostgreSQL primary": beats(_ASKED, b"d\0\0\0&r" + bytes(33)),
    "Redis replication": beats(b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$3\r\n420\r\n"),
    "none": beats(b"tick", b"tock"),
}
"""By what is said: what heartbeats are of stands before a comma, or before AMQP's version."""


def _websocket_close(code, reason):
    return bytes([0x88, 2 + len(reason)]) + struct.pack(">H", code) + reason


_MQTT_5 = [(1, "a", _H("101100044d5154540502003c00000474657374")), (1.1, "b", _H("2003000000"))]
_FATAL = b"SFATAL\0C57P01\0Mbye\0\0"
_CAUSE = _H("0100002c8000011a") + bytes(12) + _H("000001084000000c") + b"host" + _H("000001114000000c00000000")
FAREWELLS = {
    "BGP NOTIFICATION 4/0, hold timer expired": (TALKS["BGP"], _BGP + _H("0015030400")),
    "BGP NOTIFICATION 6/2, administrative shutdown": (TALKS["BGP"], _BGP + _H("0015030602")),
    "MQTT DISCONNECT 0x8D, keep alive timeout": (beats(b"\xc0\0", b"\xd0\0", _MQTT_5), _H("e0028d00")),
    "AMQP connection.close 320, connection forced": (
        TALKS["AMQP"],
        _H("01000000000014000a0032014009") + b"SHUTDOWN!" + _H("00000000ce"),
    ),
    "WebSocket Close 1011, keepalive ping timeout": (
        TALKS["WebSocket"],
        _websocket_close(1011, b"keepalive ping timeout"),
    ),
    "WebSocket Close 1011, internal error": (TALKS["WebSocket"], _websocket_close(1011, b"ping\n\t1,2 \0timeout\r")),
    "HTTP/2 GOAWAY, keepalive or ping timeout": (
        TALKS["HTTP/2"][:-1],
        _H("0000140700000000000000000000000000") + b"ping_timeout",
    ),
    "Diameter Disconnect-Peer-Request 0, rebooting": (TALKS["Diameter"], _CAUSE),
    "PostgreSQL error 57P01, admin shutdown": (
        TALKS["PostgreSQL query"],
        b"E" + struct.pack(">I", 4 + len(_FATAL)) + _FATAL,
    ),
    "MySQL error 4031, disconnected because of inactivity": (TALKS["MySQL"], _H("0d000000ffbf0f") + b"#HY000bye!"),
    "NATS -ERR, stale connection": (TALKS["NATS"], b"-ERR 'Stale Connection'\r\n"),
    "IRC ERROR, ping timeout": (TALKS["IRC"], b"ERROR :Closing Link: me (Ping timeout: 240 seconds)\r\n"),
}
"""By why b ends a connection, what had been said, and what b says last."""


def farewells(path):
    """Write all of FAREWELLS into one file; return its path, and what flow is of which, by the client's port."""
    clients = {50_000 + at: each for at, each in enumerate(FAREWELLS)}
    talks = [
        talk(9001 + client - 50_000, client, [*said, (75, "b", last)])
        for client, (said, last) in zip(clients, FAREWELLS.values(), strict=True)
    ]
    return pcap(path, *talks), clients


def everything(path):
    """Write all of TALKS into one file; return its path, and what flow is of which, by the client's port."""
    ports = count(7001)
    clients = {40_000 + at: each for at, each in enumerate(TALKS)}
    return pcap(path, *(talk(next(ports), client, TALKS[each]) for client, each in clients.items())), clients
