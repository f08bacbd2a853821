"""An S3-compatible store on the loopback address, and a proxy before it that fails in every way there is."""

import contextlib
import http.client
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "testing-key",
    "AWS_SECRET_ACCESS_KEY": "testing-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}


@contextlib.contextmanager
def store():
    """Give the address of a store that is empty."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        yield "http://{}:{}".format(*running.get_host_and_port())
    finally:
        running.stop()


def put(address, bucket, folder):
    """Put the files of a folder into a bucket, which is made."""
    place = http.client.HTTPConnection(address.removeprefix("http://"))
    for path, octets in [("", b""), *((f"/{f.relative_to(folder)}", f.read_bytes()) for f in files_in(folder))]:
        place.request("PUT", f"/{bucket}{path}", body=octets)
        answer = place.getresponse()
        answer.read()
        assert 200 == answer.status
    place.close()


def files_in(folder):
    """Return the files of a folder, in order."""
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a store, but for those of which ``fault`` says how they fail."""

    daemon_threads = True

    def __init__(self, address, fault):
        """Listen; ``fault`` gets number, method and path, and returns a fault or nothing.

        Those are ``error``, ``drop``, ``half`` an answer, ``silent`` before it, and ``stuck`` in the middle of it.
        """
        super().__init__(("127.0.0.1", 0), Passing)
        self.store = address.removeprefix("http://")
        self.fault = fault
        self.count = 0
        self.lock = threading.Lock()
        self.over = threading.Event()

    @property
    def address(self):
        """Where it listens."""
        return "http://{}:{}".format(*self.server_address)

    def handle_error(self, request, client_address):
        """Say nothing: connections break here by design."""


class Passing(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        """Pass a request on, and its answer back; or fail."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        with self.server.lock:
            self.server.count += 1
            fault = self.server.fault(self.server.count, self.command, self.path)
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "silent":
            self.server.over.wait()
            self.close_connection = True
            return
        if fault == "error":
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        there = http.client.HTTPConnection(self.server.store)
        there.request(self.command, self.path, body=body, headers=dict(self.headers))
        found = there.getresponse()
        octets = found.read()
        there.close()
        self.send_response(found.status)
        for name, value in found.getheaders():
            if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", found.getheader("Content-Length") or str(len(octets)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(octets[: len(octets) // 2] if fault in {"half", "stuck"} else octets)
        if fault == "stuck":
            self.server.over.wait()
        self.close_connection = fault in {"half", "stuck"}

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def accepting(answer):
    """Give the address of what takes any connection and says the same on each; with nothing, it never says a word."""

    class Saying(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1 << 16)
            if answer:
                self.request.sendall(answer)
            else:
                over.wait()

    over = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Saying) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield "http://{}:{}".format(*server.server_address)
        finally:
            over.set()
            server.shutdown()


@contextlib.contextmanager
def failing(address, fault):
    """Give a proxy before a store."""
    proxy = Proxy(address, fault)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.shutdown()
        proxy.server_close()
        thread.join()
