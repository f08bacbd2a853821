"""A capture is read in the folder it came in: nothing else that lies there is run or obeyed, in any process."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.analyzing import SYN
from tests.planted import plant
from tests.uncovered import environment

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "captures"
MIB = 1 << 20
HALF = 17 * MIB
"""Two captures of so many octets are read in processes of their own."""
COMMAND = "from analyzer.cli import command\nif __name__ == '__main__':\n    command()\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with a capture and much else; whatever ran left its name in ``witness``."""
    plant(tmp_path)
    shutil.copy(CAPTURES / "founding_go_fin60.pcap", tmp_path / "one.pcap")
    yield tmp_path
    assert not (tmp_path / "witness").exists()


def run(folder, *words, code=COMMAND, **environment):
    """Run the command there as the installed script does: a file that lies elsewhere."""
    script = folder.parent / f"{folder.name}-script" / "script"
    script.parent.mkdir(exist_ok=True)
    script.write_text(code)
    return subprocess.run(
        [sys.executable, script, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0", **environment},
        capture_output=True,
        check=False,
        timeout=300,
    )


def large(path):
    """Write a pcapng file with one frame, and then long blocks that nobody knows."""

    def block(kind, body):
        length = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + length + body + length

    frame = SYN
    packet = struct.pack("<5I", 0, 0, 1, len(frame), len(frame)) + frame + bytes(-len(frame) % 4)
    path.write_bytes(
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        + block(1, struct.pack("<HHI", 1, 0, 65535))
        + block(6, packet)
        + HALF // MIB * block(0x0BAD0BAD, bytes(MIB))
    )


def test_what_is_planted_would_be_run(folder):
    """Python with the current folder on its path runs a module from there, so this can be seen."""
    words = [sys.executable, "-c", "import pickle"]
    done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, check=False)
    seen = (folder / "witness").read_text()
    (folder / "witness").unlink()

    assert 1 == done.returncode
    assert "pickle" in seen


@pytest.mark.parametrize("words", [("report",), ("explain",), ("report", "--json"), ("report", "--html", "out.html")])
def test_reading_a_capture(folder, tmp_path_factory, words):
    """Each verb gives what it gives elsewhere, and says nothing more."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(folder / "one.pcap", elsewhere)
    verb, *options = words
    here, there = (run(each, verb, "one.pcap", *options) for each in (folder, elsewhere))

    assert (0, b"") == (here.returncode, here.stderr)
    assert there.stdout == here.stdout
    if options == ["--html", "out.html"]:
        assert (elsewhere / "out.html").read_bytes() == (folder / "out.html").read_bytes()


def test_captures_in_processes_of_their_own(folder):
    """The processes that read capture points side by side, and their helper, import nothing from the folder."""
    for name in ("a.pcapng", "b.pcapng"):
        large(folder / name)
    done = run(folder, "report", "a.pcapng", "b.pcapng", "--separate")

    assert (0, b"") == (done.returncode, done.stderr)
    assert b"2 flows" in done.stdout


def test_pictures(folder, tmp_path_factory):
    """A matplotlibrc of the folder does not count."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(folder / "one.pcap", elsewhere)
    here, there = (run(each, "plot", "one.pcap", "-o", "out.svg") for each in (folder, elsewhere))

    assert (0, b"", b"out.svg\n") == (here.returncode, here.stderr, here.stdout)
    assert (0, b"") == (there.returncode, there.stderr)
    assert (elsewhere / "out.svg").read_bytes() == (folder / "out.svg").read_bytes()


def test_the_compiler(folder, tmp_path_factory):
    """Settings of numba in the folder are neither obeyed nor complained about, at import and when it compiles."""
    pytest.importorskip("numba")
    cache = tmp_path_factory.mktemp("cache")
    cache.chmod(0o700)
    # who sets something of numba's gets nothing that came along with the program: it does compile
    code = (
        "from analyzer.loops import choice; assert choice.ready(); from numba.core import config; print(config.DUMP_IR)"
    )
    done = run(folder, code=code, KEEPALIVE_JIT="", KEEPALIVE_CACHE_DIR=str(cache), NUMBA_OPT="3")

    assert (0, b"", b"0\n") == (done.returncode, done.stderr, done.stdout)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("path", ["{}", ".:{}", ":{}", "{}:"])
def test_tshark(folder, path):
    """The second opinion is that of the tshark of the system, with the settings of the user."""
    done = run(folder, "compare", "one.pcap", PATH=path.format(os.environ["PATH"]))

    assert (0, b"") == (done.returncode, done.stderr)
    assert b"tshark" in done.stdout.lower() or b"wireshark" in done.stdout.lower()


@pytest.mark.parametrize("path", [".", "", ":"])
def test_a_tshark_of_the_folder_is_none(folder, path):
    """Where there is no other tshark than the planted one, there is none."""
    done = run(folder, "compare", "one.pcap", PATH=path)

    assert 2 == done.returncode
    assert b"needs tshark" in done.stderr
