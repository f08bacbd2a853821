"""Captures in, ``SegmentBatch`` columns out: framing, decoding, and nothing about flows.

    source -> window -> pcap | pcapng -> headers (scapy_reader for what it defers) -> SegmentBatch

* ``source`` gives octets of files and streams, decompressed; ``window`` slides over them.
* ``formats`` finds out what a file is; ``pcap`` and ``pcapng`` index its frames.
* ``headers`` is the loop that decodes them; ``decoder`` joins it with ``scapy_reader``.
* ``reader`` has ``open_capture``; ``live_reader`` captures from interfaces, through ``decoder.FrameDecoder``.
"""

from analyzer.capture.decoder import FrameDecoder
from analyzer.capture.reader import CaptureReader, open_capture

__all__ = ["CaptureReader", "FrameDecoder", "open_capture"]
