"""``keepalive share``: a copy of a capture that can be given away."""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, values
from analyzer.cli import options as shared
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse

    from analyzer.sharing import Shared

OWNER_ONLY: Final = 0o600
EPILOG: Final = """\
Removed: all data, names, comments, descriptions and unknown options. Replaced:
every address, by the key; hosts of one network stay in one network. Kept:
times, lengths, ports, and TCP's numbers and flags. The copy is read again and
must tell the same story, or none is kept.

examples:
  keepalive share capture.pcap shared.pcapng
  keepalive share capture.pcap shared.pcapng --key team.key --map mine.csv
  keepalive share capture.pcap - | ssh host 'cat > shared.pcapng'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EPILOG
    group = parser.add_argument_group("input and output")
    group.add_argument("file", metavar="IN", help="a capture (pcap, pcapng, also gzip or zstd); - is stdin")
    group.add_argument("out", metavar="OUT", type=values.out, help="the copy, a pcapng; - is stdout")
    group.add_argument("--force", action="store_true", help="overwrite an existing OUT")
    group = parser.add_argument_group("what is hidden")
    group.add_argument(
        "--key",
        metavar="FILE",
        help="the key: files shared with the same key stay comparable; it is created if it does not exist, and is for "
        "nobody else (default: a random key, then forgotten)",
    )
    group.add_argument("--map", metavar="FILE", help="write which address became which, as CSV: for yourself")
    ports = group.add_mutually_exclusive_group()
    ports.add_argument(
        "--keep-ports", action="store_true", help="leave ports as they are (the default: a service is its port)"
    )
    ports.add_argument("--hide-ports", action="store_true", help="give ports other numbers too, of the same kind")
    group.add_argument(
        "--shift-times",
        action="store_true",
        help="move all times by up to ten years, by the key: back, but never before 1970",
    )


def run(options: argparse.Namespace) -> int:
    """Write the copy, and say what is gone; return the exit status."""
    from analyzer.capture.scrub.copy import Wishes
    from analyzer.cli.reading import Progress
    from analyzer.cli.spool import as_file
    from analyzer.sharing import share

    _check(options)
    key = _key(options.key) if options.key else None
    with as_file(options.file) as path, Progress(options.file) as progress:
        try:
            done = share(
                path,
                options.out,
                key=key,
                wishes=Wishes(hide_ports=options.hide_ports, keep_map=bool(options.map)),
                shift=options.shift_times,
                force=options.force,
                progress=progress,
            )
        except BrokenPipeError:
            raise
        except OSError as error:
            name = "standard output" if options.out == "-" else options.out
            raise shared.UsageError(f"{name}: {error.strerror or error}") from None
    if options.map:
        _write_map(options.map, done.scrubbed.pseudonyms)
    _say(options.out, done, ports=not options.hide_ports, times=not options.shift_times)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what would destroy or give away something.

    Raises:
        UsageError: OUT is IN or the key, is there, or is a terminal; the map is there.
    """
    shared.refuse_terminal([options.file])
    if options.out == "-":
        if sys.stdout.isatty():
            raise shared.UsageError("standard output is a terminal; name a file, or pipe it: ... - > OUT.pcapng")
    else:
        named = ((options.file, "the capture itself"), (options.key, "the key"), (options.map, "the map"))
        for other, what in named:
            if other and other != "-" and _is_same(options.out, other):
                raise shared.UsageError(f"{options.out} is {what}")
        shared.refuse_overwrite(options.out, force=options.force)
    if options.map:
        shared.refuse_overwrite(options.map, force=options.force)


def _is_same(one: str, other: str) -> bool:
    """Say whether two paths are one file, or will be."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)


def _key(path: str) -> bytes:
    """Return the key of a file, which is made if it is not there.

    Raises:
        UsageError: it cannot be read or made, or holds no key.
    """
    from analyzer.capture.scrub.pseudonyms import KEY_OCTETS

    try:
        text = Path(path).read_bytes()
    except FileNotFoundError:
        key = os.urandom(KEY_OCTETS)
        _write_private(path, key.hex().encode() + b"\n", replace=False)
        return key
    except (OSError, ValueError) as error:
        raise shared.UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_OCTETS:
        raise shared.UsageError(f"{path}: is not a key; expected {2 * KEY_OCTETS} hexadecimal digits")
    return key


def _write_map(path: str, pseudonyms: dict[str, str]) -> None:
    """Write which address became which."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["address", "pseudonym"])
    writer.writerows(sorted(pseudonyms.items()))
    _write_private(path, out.getvalue().encode(), replace=True)


def _write_private(path: str, octets: bytes, *, replace: bool) -> None:
    """Write a file that nobody else may read.

    Raises:
        UsageError: it cannot be written.
    """
    from analyzer.output import whole

    try:
        with whole(path, replace=replace) as file:
            os.fchmod(file.fileno(), OWNER_ONLY)
            file.write(octets)
    except OSError as error:
        raise shared.UsageError(f"{path}: {error.strerror or error}") from None


def _say(out: str, done: Shared, *, ports: bool, times: bool) -> None:
    """Say what became of the packets, what is gone, what is as it was, and that the story is."""
    from analyzer.words.teller import count

    gone = done.scrubbed
    stream = sys.stderr if out == "-" else sys.stdout
    name = "standard output" if out == "-" else printable(out)
    others = (
        f"{count(gone.addresses, 'IP address', 'IP addresses')}, {count(gone.stations, 'MAC address', 'MAC addresses')}"
    )
    data = f"{count(gone.payload, 'byte')} of data, {count(gone.options, 'TCP option')}"
    kept = ["lengths", *(["ports"] if ports else []), *(["times"] if times else []), "numbers and flags of TCP"]
    told = f"{count(done.told.flows, 'flow')} and {count(done.told.probes, 'probe')}"
    lines = [
        f"{name}: {count(gone.frames, 'packet')}, with other addresses for {others}",
        f"left out: {data}, and of the file all comments, names, descriptions, filters and secrets",
        f"as they were: {', '.join(kept)}",
        f"read again: {told}, the same story as before",
    ]
    if gone.cut_short:
        cut = count(gone.cut_short, "packet")
        lines.append(f"{cut} cut behind the link header or ARP: no more is understood of them")
    if gone.untunnelled:
        lines.append(f"{count(gone.untunnelled, 'packet')} taken out of tunnels, or of link layers that tell too much")
    stream.write("".join(f"{line}\n" for line in lines))
    for warning in done.warnings:
        manner.warn(f"warning: {warning}")
    if gone.damage:
        manner.warn(f"warning: the copy ends where the capture could not be read further: {gone.damage}")
