"""The leaky server's fixed twin: it reads to the end of file and closes, in the code that handles the connection.

python fixed_server.py PORT
"""

import socket
import sys
import threading


def handle(connection):
    """Read until the peer has closed, then close."""
    with connection:
        while connection.recv(1024):
            pass


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    print("listening on", sys.argv[1], flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        threading.Thread(target=handle, args=(connection,), daemon=True).start()
