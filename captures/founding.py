"""The founding question in Python: a twin of go/server.go and go/client.go.

    python captures/founding.py serve               # one recv per connection, never closes
    python captures/founding.py connect --sleep 60  # write "howdy", sleep, close

Unlike Go, Python leaves keepalive off unless told otherwise, so only the server probes here.
Runs on Linux; elsewhere TCP_KEEPIDLE may have another name.
"""

import argparse
import socket
import time


def serve(listen: str, port: int, period_s: int, *, reply: bool) -> None:
    """Accept for ever, read once from each connection, and keep every one of them open."""
    never_closed = []  # what the deferred Close in a loop without end amounts to
    with socket.create_server((listen, port)) as listener:
        print(f"listening on {listen}:{port}", flush=True)
        while True:
            connection, _ = listener.accept()
            never_closed.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # Go's SetKeepAlivePeriod(d) sets both, and leaves the count to the system.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, period_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, period_s)
            if reply:
                connection.sendall(b"hello yourself")
            received = connection.recv(1024)
            print(f"read {len(received)} bytes {received!r}; will not look again", flush=True)


def connect(server: str, port: int, sleep_s: float) -> None:
    """Write five bytes, sleep, close. Nothing is ever read."""
    with socket.create_connection((server, port)) as connection:
        connection.sendall(b"howdy")
        time.sleep(sleep_s)
    print("closed", flush=True)


def main() -> None:
    """Run one of the two ends."""
    parser = argparse.ArgumentParser(description="The founding question in Python.")
    ends = parser.add_subparsers(dest="end", required=True)
    for name in ("serve", "connect"):
        end = ends.add_parser(name)
        end.add_argument("--address", default="127.0.0.1")
        end.add_argument("--port", type=int, default=4001)
        if name == "serve":
            end.add_argument("--period", type=int, default=5, help="seconds, idle and interval")
            end.add_argument("--reply", action="store_true", help="send something nobody reads")
        else:
            end.add_argument("--sleep", type=float, default=60.0, help="seconds before closing")
    arguments = parser.parse_args()
    if arguments.end == "serve":
        serve(arguments.address, arguments.port, arguments.period, reply=arguments.reply)
    else:
        connect(arguments.address, arguments.port, arguments.sleep)


if __name__ == "__main__":
    main()
