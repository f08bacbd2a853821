"""``share(path, out)``: copies of which nothing can be found in the original, and that tell its story."""

import contextlib
import itertools
import os
import re
import stat
import struct
import subprocess
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

import analyzer
from analyzer import explain, sharing
from analyzer.analyzing import analyze
from analyzer.capture.scrub.copy import Wishes
from analyzer.cli import main
from analyzer.comparing import compare
from analyzer.errors import CaptureError
from analyzer.sharing import share
from analyzer.wireshark.tshark import find
from tests.beside import distinct
from tests.capture.craft import IP6_A, Kept, ethernet, ipv4, ipv6, pcap, tcp
from tests.capture.scrub.scrubbing import blocks_of, packets_of
from tests.wireshark.needs import needs_tshark

ROOT = Path(__file__).parents[1]
LAB = ROOT.parent / "shared" / "lab"
FOUNDING = ROOT / "captures" / "founding_go_fin60.pcap"
FOUND = [
    path
    for folder in (ROOT / "captures", ROOT / "captures" / "lab", LAB)
    for path in sorted(folder.glob("*.pcap*"))
    if path.suffix in {".pcap", ".pcapng"}
]


def every(step=1):
    """Every so manieth capture, each once: much of the lab stands in captures/, too."""
    some = distinct(FOUND[::step])
    return pytest.mark.parametrize("path", some, ids=[f"{path.parent.name}-{path.name}" for path in some])


KEY = bytes(range(32))

NOBODYS = {"::", "::1", "0.0.0.0", "255.255.255.255", "00:00:00:00:00:00"}
"""Addresses that are no host's, which every capture has."""


DATA = ("tcp.payload", "udp.payload", "data.data")
HOSTS = (
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4",
    "icmpv6.nd.ns.target_address",
    "icmpv6.nd.na.target_address",
    "icmpv6.opt.linkaddr",
    "eth.src",
    "eth.dst",
    "sll.src.eth",
    "arp.src.hw_mac",
    "arp.dst.hw_mac",
)
SEEN = ("tcp.analysis.flags", "tcp.len", "tcp.seq", "tcp.ack", "tcp.window_size", "frame.time_epoch", "frame.len")
SUMS = ("ip.checksum.status", "tcp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status", "_ws.malformed")


def told(path, *names, options=()):
    """What tshark prints of each frame, as lists."""
    asked = [word for name in names for word in ("-e", name)]
    words = [find(), "-n", "-r", path, "-Y", "frame", *options, "-T", "fields", *asked]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split("\t") for line in lines]


def told_together(paths, folder):
    """What tshark prints of each frame of several captures, by capture: to start it takes longer than to read any."""
    joined = folder / "joined.pcapng"
    subprocess.run([Path(find()).with_name("mergecap"), "-a", "-w", joined, *paths], check=True)
    rest = iter(told(joined, *DATA, *HOSTS))
    by_path = {path: [next(rest) for _ in frames_of(path)] for path in paths}
    assert [] == list(rest)
    return by_path


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A function that returns the copy of a capture, made once.

    The key is always the same: in 192.0.2.0/24 a drawn one gives a host the address of another once in some 60 times.
    """
    folder, made = tmp_path_factory.mktemp("shared"), {}

    def of(path):
        if path not in made:
            made[path] = folder / f"{len(made)}.pcapng"
            share(path, made[path], key=KEY)
        return made[path]

    return of


@pytest.fixture(scope="module")
def contents(copies, tmp_path_factory):
    """What tshark finds in every frame of all captures and of all copies, which is nothing that depends on others."""
    each = distinct(FOUND)
    return told_together([*each, *map(copies, each)], tmp_path_factory.mktemp("joined"))


def payloads(frames):
    """The data of a capture's frames, as tshark finds them."""
    values = [value for frame in frames for value in frame[: len(DATA)]]
    return {bytes.fromhex(part) for value in values for part in value.split(",") if len(part) >= 8}


@needs_tshark
@every()
def test_nothing_of_the_original_is_found(path, copies, contents):
    """No run of four octets of data, no address and no MAC address of the original is in the copy."""
    bodies = b"\0".join(octets for _, octets, _, _ in packets_of(copies(path).read_bytes()))
    data = payloads(contents[path])
    runs = {each[at : at + 4] for each in data for at in range(len(each) - 3)}
    before, after = (addresses(contents[each]) for each in (path, copies(path)))
    headers = b"\0".join(without_data(path, data))

    assert set() == {run for run in runs if run in bodies and run not in headers}
    assert set() == {each for each in before & after if each not in NOBODYS and not is_group(each)}


def addresses(frames):
    """All addresses in the fields of a capture's frames, of IP and of Ethernet, as text."""
    return {part for frame in frames for value in frame[len(DATA) :] for part in value.split(",") if part}


def is_group(text):
    """Whether an address is that of a group."""
    return int(text[:2], 16) & 1 if text.count(":") == 5 else ip_address(text).is_multicast


def without_data(path, data):
    """The frames of a capture less their data, as octets."""
    longest = sorted(data, key=len, reverse=True)
    for octets in frames_of(path):
        for each in longest:
            octets = octets.replace(each, b"")  # noqa: PLW2901 - what is left of it
        yield octets


def frames_of(path):
    """The octets of a capture's frames."""
    from analyzer.capture.formats import open_framing
    from analyzer.capture.frame import NOTES, empty_frames
    from analyzer.capture.source import open_source
    from analyzer.capture.window import Window
    from analyzer.loops.loop import records

    found = []
    with contextlib.closing(open_source(str(path))) as source:
        window = Window(source)
        framing, frames = open_framing("", window), empty_frames(1000, jit=False)
        notes = records(NOTES, 1, jit=False)[0]
        while True:
            while count := framing.index(window, frames, 0, 1000, notes, jit=False):
                found += [bytes(window.view[f["at"] : f["at"] + f["captured"]]) for f in frames[:count]]
            if not window.more():
                return found


@every()
def test_the_story_is_the_same(path, copies):
    """Every flow's story in the copy is the original's, word for word but for addresses."""
    before, after = (analyzer.analyze(each) for each in (path, copies(path)))

    assert [plain(flow, before) for flow in before] == [plain(flow, after) for flow in after]
    assert [flow.verdict for flow in before] == [flow.verdict for flow in after]


def plain(flow, analysis):
    """A story without addresses."""
    story = explain.story(flow.judged, analysis.start_ns())
    lines = [f"{section.heading} {line.text} {line.frames}" for section in story.sections for line in section.lines]
    return [sharing.ADDRESSES.sub("@", line) for line in (story.headline, *lines)]


@needs_tshark
@every(4)
def test_wireshark_sees_the_same(path, copies):
    """Wireshark's labels, numbers, lengths and times are the original's; checksums are right, nothing is malformed."""
    checks = ("tcp.check_checksum:TRUE", "ip.check_checksum:TRUE")
    found = told(copies(path), *SEEN, *SUMS, options=[word for check in checks for word in ("-o", check)])
    status = [frame[len(SEEN) :] for frame in found]

    assert told(path, *SEEN) == [frame[: len(SEEN)] for frame in found]
    assert [] == [frame for frame in status if frame[-1] or any("0" in value.split(",") for value in frame[:-1])]


@needs_tshark
@every(3)
def test_report_explain_and_compare_say_the_same(path, copies, capsys, tmp_path, monkeypatch):
    """What the verbs print of the copy is what they print of the original, but for addresses."""
    monkeypatch.chdir(tmp_path)
    said = []
    for each in (path, copies(path)):
        (tmp_path / "capture").write_bytes(each.read_bytes())
        comparison = compare(Path("capture"))
        monkeypatch.setattr("analyzer.comparing.compare", lambda *_, made=comparison, **__: made)  # told in two forms
        for verb in (("report",), ("explain",), ("compare",), ("compare", "--json")):
            main([*verb, "capture"])
        out = sharing.ADDRESSES.sub("@", capsys.readouterr().out).replace("pcapng", "pcap")
        said.append(re.sub(r"[-\u2500]{3,}", "", out).split())  # lines break elsewhere where addresses are longer

    assert said[0] == said[1]


@pytest.mark.parametrize("text", ["10.0.0.1", "::1", "fd00::1", "fc76:e26:d74e:b195:59b8:e29e:d328:bb4c"])
def test_addresses_are_found_in_sentences(text):
    """An address is found whole, whatever stands behind it."""
    for end in ("", " said", ": said", ", said", "]:80", "."):
        assert f"of @{end}" == sharing.ADDRESSES.sub("@", f"of {text}{end}")


def test_one_key_joins_files(tmp_path):
    """With one key a host has the same pseudonym in every file; without one it has another each time."""
    outs = [tmp_path / f"{at}.pcapng" for at in range(4)]
    for out, key in zip(outs, (KEY, KEY, None, None), strict=True):
        share(FOUNDING, out, key=key)
    ends = [str(next(iter(analyzer.analyze(out))).a) for out in outs]

    assert ends[0] == ends[1]
    assert 3 == len(set(ends))


@every(5)
def test_ports_and_times_can_be_hidden(path, tmp_path):
    """With other ports, or all times moved, the copy shows the same."""
    for at, (wishes, shift) in enumerate(itertools.product((Wishes(), Wishes(hide_ports=True)), (False, True))):
        share(path, tmp_path / f"{at}.pcapng", key=KEY, wishes=wishes, shift=shift)
    starts = [analyzer.analyze(tmp_path / f"{at}.pcapng").captures[0].start_ns for at in range(4)]

    assert starts[0] == starts[2] > starts[1] == starts[3]


def test_times_that_count_from_a_start_are_moved_forward(tmp_path):
    """Times of a few seconds would lie before 1970, where no pcapng can have them."""
    packets = [ethernet(ipv4(tcp(seq=seq, flags=flags))) for seq, flags in ((1, 2), (2, 16), (1, 16), (1, 16))]
    frames = [Kept(octets, (at + 1) * 10**9) for at, octets in enumerate(packets)]
    (tmp_path / "relative.pcap").write_bytes(pcap(frames))
    share(tmp_path / "relative.pcap", tmp_path / "out.pcapng", key=KEY, shift=True)
    starts = [analyzer.analyze(tmp_path / name).captures[0].start_ns for name in ("relative.pcap", "out.pcapng")]

    assert 0 <= starts[0] < 10**15 < starts[1]


def test_a_copy_that_differs_is_not_kept(tmp_path, monkeypatch):
    """If what the copy shows is not the same, it is refused, and nothing is left."""
    scrub = sharing.copy_scrubbed

    def without_the_end(source, write, *rest, **options):
        parts = []
        done = scrub(source, parts.append, *rest, **options)
        for part in parts[:2]:
            write(part)
        [packets] = [part for part in parts if part[:1] == b"\6"][-1:]
        write(packets[: len(packets) - 32 - 68])
        return done

    monkeypatch.setattr(sharing, "copy_scrubbed", without_the_end)
    with pytest.raises(CaptureError, match=r"founding_go_fin60\.pcap: .*no copy was kept"):
        share(FOUNDING, tmp_path / "out.pcapng")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"flows": 2}, "shows 1 flow and 3 probes, its copy 2 flows and 3 probes"),
        ({"stories": {0: "b"}}, "tells another story of flow 0 than its copy"),
        ({"sums": np.ones(2, dtype=np.uint64)}, "does not show the same of all flows as its copy"),
        ({"stories": {1: "c"}}, ""),
    ],
)
def test_how_copies_differ(other, sentence):
    """What differs is said with one sentence."""
    values = {"flows": 1, "probes": 3, "stories": {0: "a"}}

    assert sentence == sharing._difference(sharing.Told(**values), sharing.Told(**values | other), stories=True)


def test_every_column_counts():
    """A change in any column of any flow that is not an address changes the sums."""
    from analyzer.analyzing import read_flows

    batches = [batch for _, batch in read_flows([str(FOUNDING)], analyzer.Analysis()) if batch is not None]

    def sums():
        told = sharing.Told()
        for batch in batches:
            sharing._add(told, batch, 0)
        return told.sums.tolist()

    before = sums()
    for name in ("snd_una", "certainty", "answer_row", "ts_ns", "window"):
        batches[-1].seen[name][-1] += 1
        assert before != sums()
        batches[-1].seen[name][-1] -= 1
    assert before == sums()


def test_text_and_what_is_there_are_refused(tmp_path):
    """Text has no packets, and a file that is there stays."""
    with pytest.raises(CaptureError, match="is text, and share needs packets"):
        share(ROOT / "tests" / "pasted" / "tcpdump_3.txt", tmp_path / "out.pcapng")
    there = tmp_path / "there.pcapng"
    there.write_text("mine")
    with pytest.raises(FileExistsError):
        share(FOUNDING, there)

    assert ["there.pcapng"] == [path.name for path in tmp_path.iterdir()]
    share(FOUNDING, there, force=True)
    assert 39 == sum(kind == 6 for kind, _ in blocks_of(there.read_bytes()))


def test_a_pipe_gets_the_copy_once_it_is_found_good(tmp_path):
    """What is no regular file gets the whole copy."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    share(FOUNDING, pipe, key=KEY)
    octets, _ = reader.communicate(timeout=60)

    assert 39 == len(packets_of(octets))
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_drop_counters_are_the_same(tmp_path):
    """What a capture says of dropped packets, its copy says too."""
    looks = sharing._looks([(0, 0, 5, 9, 7, 0), (0, 0, 20, 31, 2, 1)], 12)

    assert [(5, 1, 0), (8, 1, 7), (20, 2, 0), (sharing.AT_END, 2, 2), (sharing.AT_END, 0, 3)] == looks


@pytest.mark.parametrize("version", [4, 6])
def test_the_router_of_a_redirect_gets_a_pseudonym(version, tmp_path):
    """A copy of a capture with an ICMP redirect names another router, and is found to tell the same story."""
    if version == 4:
        quoted = ipv4(tcp())
        frames = [ethernet(quoted), ethernet(ipv4(struct.pack("!BBH4B", 5, 1, 0, 192, 0, 2, 7) + quoted, 1))]
    else:
        quoted, router = ipv6(tcp()), struct.pack("!QQ", 0xFE80 << 48, 7)
        option = struct.pack("!BB6x", 4, 1 + -(-len(quoted) // 8)) + quoted + bytes(-len(quoted) % 8)
        packet = ipv6(struct.pack("!BBHI", 137, 0, 0, 0) + router + IP6_A + option, 58)
        frames = [ethernet(quoted, 0x86DD), ethernet(packet[:7] + b"\xff" + packet[8:], 0x86DD)]
    source = tmp_path / "redirected.pcap"
    source.write_bytes(pcap([Kept(frame, at, len(frame)) for at, frame in enumerate(frames)]))
    share(source, tmp_path / "shared.pcapng")

    named = [
        analyze(path).flows[0].judged.record.icmp_errors[0].router for path in (source, tmp_path / "shared.pcapng")
    ]
    assert named[0] in {"192.0.2.7", "fe80::7"}
    assert named[1] not in {None, named[0]}
