"""A server with the founding mistake: keepalive is on, each connection is read once, and none is ever closed.

python leaky_server.py PORT
"""

import socket
import sys

held = []  # what a deferred Close in a loop without end amounts to
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    print("listening on", sys.argv[1], flush=True)
    while True:
        connection, _ = listener.accept()
        held.append(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        connection.recv(1024)
