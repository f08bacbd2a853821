"""Running tshark within bounds, without anybody's settings."""

import os
import sys
import time
from pathlib import Path

import pytest

from analyzer.wireshark import bounded
from analyzer.wireshark.bounded import printed
from analyzer.wireshark.tshark import TsharkFailedError, columns
from tests.wireshark import beating
from tests.wireshark.needs import needs_tshark, put_first

VERSION = "case $1 in -v) echo 'TShark 4.0.17'; exit;; esac"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A function that puts a shell script called tshark first on PATH."""
    return lambda script: put_first(tmp_path, monkeypatch, f"{VERSION}\n{script}")


def test_it_stands_in_an_empty_folder_that_is_its_home(program, tmp_path, monkeypatch):
    """Neither the current folder nor the user's home has anything to say; what else is in the environment stays out."""
    monkeypatch.setenv("SECRET", "s3cret")
    program("pwd; echo $HOME; echo $WIRESHARK_CONFIG_DIR; ls -A | wc -l; env | grep -c SECRET; true")
    folder, home, settings, files, secrets = printed(())

    assert folder == home == settings
    assert str(tmp_path).encode() not in folder
    assert (b"0", b"0") == (files.strip(), secrets)
    assert not Path(folder.decode()).exists()


@needs_tshark
def test_a_script_in_the_users_settings_does_not_run(tmp_path, monkeypatch):
    """Lua in the home of whoever starts it, or where a capture lies, is not run by tshark."""
    marks = tmp_path / "ran"
    for folder in (tmp_path, tmp_path / ".config" / "wireshark", tmp_path / ".local" / "lib" / "wireshark" / "plugins"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "init.lua").write_text(f"io.open('{marks}', 'w'):close()", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.chdir(tmp_path)
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, []))

    assert [b"1", b"2", b"3"] == [line.strip() for line in printed(("-r", path, *columns("%m")))]
    assert not marks.exists()


def test_one_that_hangs_is_ended(program, tmp_path):
    """After the time that it has, tshark is gone, and nobody waits for it."""
    program(f"echo $$ > {tmp_path}/pid; exec sleep 600")
    since_s = time.monotonic()
    with pytest.raises(TsharkFailedError, match=r"did not end within 0\.3 s"):
        printed((), most_s=0.3)

    assert time.monotonic() - since_s < 60
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="bounds from outside are Linux's")
def test_memory_and_output_are_bounded(program, monkeypatch):
    """It may neither take all memory nor fill the disk."""
    monkeypatch.setattr(bounded, "MOST_OUTPUT", 4096)
    program("while [ $(ulimit -f) = unlimited ]; do :; done; ulimit -v; head -c 100000 /dev/zero")
    with pytest.raises(TsharkFailedError):
        printed(())


def test_its_own_words_are_the_error(program):
    """What tshark says before it gives up is said, a few lines at most."""
    program("printf 'tshark: no\\nmore\\n3\\n4\\n5\\n' >&2; exit 2")
    with pytest.raises(TsharkFailedError) as caught:
        printed(())

    assert ("no", "more", "3", "4") == caught.value.said
