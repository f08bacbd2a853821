"""Files that are written are whole, or not there."""

import ast
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from analyzer.output import whole
from tests.uncovered import environment

ROOT = Path(__file__).parents[1]
WRITERS = {
    "output.py": "the one helper",
    "capture/pcap_writer.py": "a live capture's file is read while it grows",
    "loops/store.py": "compiled code, in a folder that was looked at",
    "loops/compiler.py": "code to be linked, in a folder that a build has of its own",
    "loops/linking.py": "what was linked, in a folder that a build has of its own",
    "loops/shipped.py": "what compiled code was made of, in a folder that a build has of its own",
}
"""Modules that open files for writing, and why."""


def names(folder):
    """Return what is in a folder."""
    return sorted(each.name for each in folder.iterdir())


def written(path, content=b"new", *, replace=False):
    """Write a file."""
    with whole(path, replace=replace) as file:
        file.write(content)


def test_a_file_is_there_once_it_is_complete(tmp_path):
    """While it is written it has another name, and afterwards nothing else is left."""
    path = tmp_path / "out"
    with whole(path, replace=False) as file:
        file.write(b"new")
        before = path.exists()

    assert not before
    assert b"new" == path.read_bytes()
    assert ["out"] == names(tmp_path)


def interrupted(path, error):
    """Write a part of a file, and then fail."""
    with whole(path, replace=True) as file:
        file.write(bytes(1 << 20))
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_everything_as_it_was(tmp_path, error):
    """What is there stays, what is not does not come, and no part is left."""
    (tmp_path / "old").write_bytes(b"old")
    for name in ("old", "new"):
        with pytest.raises(error):
            interrupted(tmp_path / name, error)

    assert ["old"] == names(tmp_path)
    assert b"old" == (tmp_path / "old").read_bytes()


def test_a_file_that_is_there_is_left_alone(tmp_path):
    """Without leave to replace it nothing is begun."""
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        written(tmp_path / "out")

    assert str(tmp_path / "out") == caught.value.filename
    assert b"old" == (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_a_file_that_comes_meanwhile_is_left_alone(tmp_path, monkeypatch, links):
    """Somebody else's file of that name stays, whether or not the file system knows second names."""
    if not links:

        def refuse(*_):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    written(tmp_path / "alone")
    with pytest.raises(FileExistsError), whole(tmp_path / "out", replace=False):
        (tmp_path / "out").write_bytes(b"theirs")

    assert b"new" == (tmp_path / "alone").read_bytes()
    assert b"theirs" == (tmp_path / "out").read_bytes()
    assert ["alone", "out"] == names(tmp_path)


def test_a_replaced_file_keeps_its_permissions_and_a_new_one_has_those_of_the_umask(tmp_path):
    """A file that only its owner may read stays such a file."""
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "old").chmod(0o600)
    before = os.umask(0o027)
    try:
        written(tmp_path / "old", replace=True)
        written(tmp_path / "new")
    finally:
        os.umask(before)

    assert [0o600, 0o640] == [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "new")]
    assert b"new" == (tmp_path / "old").read_bytes()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path, there):
    """The file that it leads to is written, beside where that one is."""
    (tmp_path / "below").mkdir()
    (tmp_path / "link").symlink_to("below/real")
    if there:
        (tmp_path / "below" / "real").write_bytes(b"old")
    written(tmp_path / "link", replace=True)

    assert (tmp_path / "link").is_symlink()
    assert b"new" == (tmp_path / "below" / "real").read_bytes()


def test_a_pipe_is_written_to_at_once(tmp_path):
    """What is no regular file is not replaced."""
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    written(tmp_path / "pipe")
    reader.join()

    assert [b"new"] == got
    assert ["pipe"] == names(tmp_path)


@pytest.mark.parametrize(
    ("name", "number"),
    [("none/out", errno.ENOENT), ("file/out", errno.ENOTDIR), ("folder", errno.EISDIR), ("n\0", errno.EINVAL)],
)
def test_what_cannot_be_written_is_named(tmp_path, name, number):
    """The error has the name that was asked for, not that of the part."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r".") as caught:
        written(tmp_path / name, replace=True)

    assert (number, str(tmp_path / name)) == (caught.value.errno, caught.value.filename)
    assert ["file", "folder"] == names(tmp_path)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    """The old file is as it was, and the new one's name is in the error."""
    (tmp_path / "out").write_bytes(b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        written(tmp_path / "out", replace=True)

    assert str(tmp_path / "out") == caught.value.filename
    assert ["out"] == names(tmp_path)
    assert b"old" == (tmp_path / "out").read_bytes()


def test_a_device_that_is_full_is_named():
    """Writing that fails says where."""
    with pytest.raises(OSError, match="No space left") as caught:
        written("/dev/full", replace=True)

    assert "/dev/full" == caught.value.filename


KILLED = """
import os, signal, sys
from analyzer.cli import ending
from analyzer.output import whole
# whoever runs the tests may ignore them: nohup, a job in the background
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
for line in sys.stdin:  # each asks for a child that writes: to start a process for each takes longer than the rest
    child = os.fork()
    if child == 0:
        try:
            with ending.in_order():
                print(os.getpid(), flush=True)
                for turn in range(10**9):
                    with whole(sys.argv[1], replace=True) as file:
                        for _ in range(20):
                            file.write(bytes([turn % 256]) * 50_000)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_kills_at_any_moment_leave_no_half_file(tmp_path, number):
    """Fifty times each: the file is whole, that of one turn, and no part is left but by SIGKILL."""
    path = tmp_path / "out"
    path.write_bytes(bytes(1_000_000))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        for turn in range(50):
            print("write", file=parent.stdin, flush=True)
            child = int(parent.stdout.readline())
            time.sleep(turn % 25 * 0.0013 + 0.001)
            os.kill(child, number)
            assert parent.stdout.readline() == "ended\n"
            content = path.read_bytes()

            assert content == content[:1] * 1_000_000
            if number != signal.SIGKILL:
                assert ["out"] == names(tmp_path)
        parent.stdin.close()


def opens_for_writing(call):
    """Say whether a call opens a file for writing, whatever it is called on."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in {"write_text", "write_bytes", "to_csv", "to_parquet", "mkstemp", "copyfile", "copy", "copy2", "move"}:
        owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        return owner in {"shutil", "tempfile"} or (name.startswith(("write_", "to_")) and bool(owner))
    if name == "open":
        words = [ast.unparse(each) for each in (*call.args, *(keyword.value for keyword in call.keywords))]
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "os":
            return any("O_WRONLY" in word or "O_RDWR" in word or "_NEW" in word for word in words) and (
                "os.devnull" not in words
            )
        return any(len(word) <= 5 and set(word[1:-1]) & set("wax+") and word[0] in "'\"" for word in words)
    return False


def test_nothing_else_opens_a_file_for_writing():
    """Every file that is written is written by the helper, but for those that are listed with their reason."""
    package = ROOT / "analyzer"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and opens_for_writing(node)
    }

    assert set(WRITERS) == found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("open(p, 'wb')", True),
        ("Path(p).open('xb')", True),
        ("p.open(mode='a')", True),
        ("open(p, 'r+')", True),
        ("p.write_text(x)", True),
        ("os.open(p, os.O_WRONLY | os.O_CREAT)", True),
        ("shutil.copyfile(a, b)", True),
        ("os.open(os.devnull, os.O_WRONLY)", False),
        ("open(p)", False),
        ("Path(p).open('rb', buffering=0)", False),
        ("a.copy()", False),
    ],
)
def test_what_counts_as_opening_for_writing(code, expected):
    """The rule sees the ways there are, and leaves reading alone."""
    assert expected == opens_for_writing(ast.parse(code).body[0].value)
