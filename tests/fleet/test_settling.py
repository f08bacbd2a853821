"""Files on their way to the disk, together."""

import errno
import os

import pytest

from analyzer.fleet.settling import Settling


def test_all_are_on_disk_afterwards(tmp_path, monkeypatch):
    """Each file is settled once, though it was closed meanwhile, and nothing is left open."""
    settled = []
    closed = []
    close = os.close
    monkeypatch.setattr(os, "fsync", lambda descriptor: settled.append((descriptor, os.fstat(descriptor).st_ino)))
    monkeypatch.setattr(os, "close", lambda descriptor: (closed.append(descriptor), close(descriptor)))
    settling = Settling()
    for at in range(20):
        with (tmp_path / str(at)).open("wb") as file:
            settling.take(file.fileno(), file.name)
    settling.wait()
    settling.wait()

    assert sorted(number for _, number in settled) == sorted(path.stat().st_ino for path in tmp_path.iterdir())
    assert sorted(descriptor for descriptor, _ in settled) == sorted(closed)


def test_one_that_cannot_be_is_named(tmp_path, monkeypatch):
    """What the disk refuses is raised with the file's name, after all others are done, and only once."""

    def full(descriptor):
        if os.fstat(descriptor).st_size == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    settling = Settling()
    for at in range(3):
        (tmp_path / str(at)).write_bytes(bytes(at))
        with (tmp_path / str(at)).open("rb") as file:
            settling.take(file.fileno(), file.name)
    with pytest.raises(OSError, match="No space left") as caught:
        settling.wait()
    settling.wait()

    assert str(tmp_path / "1") == caught.value.filename
