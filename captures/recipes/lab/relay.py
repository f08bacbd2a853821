"""A program that passes frames on between two devices of a namespace: late, with tags, or not at all."""

import collections
import select
import socket
import struct
import threading
import time
from collections.abc import Callable

from captures.recipes.network import Namespace

Drop = Callable[[int, bytes], bool]
"""Told the device (0 or 1) that a frame came from, and the frame; says whether it is lost."""

_ALL_PROTOCOLS = 3
_OUTGOING = 4  # PACKET_OUTGOING: our own
_TAGS = (b"\x81\x00", b"\x88\xa8")


class Relay:
    """Passes frames on until it is stopped.

    With ``tags``, as (ethertype, value) pairs, the second device is a trunk: frames to it get the tags, frames from it
    lose theirs.
    """

    def __init__(
        self,
        namespace: Namespace,
        devices: tuple[str, str],
        *,
        delay_s: float = 0.0,
        tags: tuple[tuple[int, int], ...] = (),
        drop: Drop | None = None,
    ) -> None:
        """Begin at once."""
        self._delay_s, self._drop = delay_s, drop
        self._tags = b"".join(struct.pack("!HH", *tag) for tag in tags)
        self._sockets = []
        with namespace.inside():
            for device in devices:
                end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
                end.bind((device, _ALL_PROTOCOLS))
                self._sockets.append(end)
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        waiting: collections.deque[tuple[float, int, bytes]] = collections.deque()
        poll = select.poll()
        for end in self._sockets:
            poll.register(end, select.POLLIN)
        number = {end.fileno(): index for index, end in enumerate(self._sockets)}
        while not self._halt.is_set():
            due_ms = max(0, int((waiting[0][0] - time.monotonic()) * 1000)) if waiting else 100
            for descriptor, _ in poll.poll(min(due_ms, 100)):
                source = number[descriptor]
                frame, address = self._sockets[source].recvfrom(70_000)
                if address[2] == _OUTGOING or (self._drop and self._drop(source, frame)):
                    continue
                waiting.append((time.monotonic() + self._delay_s, 1 - source, self._tagged(source, frame)))
            while waiting and waiting[0][0] <= time.monotonic():
                _, target, frame = waiting.popleft()
                try:
                    self._sockets[target].send(frame)
                except OSError:
                    continue  # the device went down: lost, as on a cable

    def _tagged(self, source: int, frame: bytes) -> bytes:
        """Return a frame with the tags of the side that it goes to."""
        if not self._tags:
            return frame
        while frame[12:14] in _TAGS:
            frame = frame[:12] + frame[16:]
        return frame[:12] + self._tags + frame[12:] if source == 0 else frame

    def stop(self) -> None:
        """End the thread and close the sockets."""
        self._halt.set()
        self._thread.join(2)
        for end in self._sockets:
            end.close()
