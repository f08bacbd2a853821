"""Frames that can be given away: other addresses, no payload, nothing that is not understood.

    frames -> addresses (loops over headers, which call for pseudonyms) -> enhanced packet blocks

* ``pseudonyms`` gives each address another one, by key, so that common prefixes stay common.
* ``table`` is where loops find what was given.
* ``sums`` has the Internet checksum; ``layers`` and ``network`` copy what they understand of a frame; ``frames`` makes
  blocks of frames.
* ``copy`` reads a capture and writes the other one.
"""
