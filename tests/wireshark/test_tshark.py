"""Finding tshark, asking its version, and running it."""

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from analyzer.wireshark import tshark
from analyzer.wireshark.tshark import Run, TsharkFailedError, TsharkMissingError, TsharkTooOldError, columns, find
from tests.wireshark.needs import needs_tshark, put_first

CAPTURES = Path(__file__).parents[2] / "captures"
FOUNDING = str(CAPTURES / "founding_go_fin60.pcap")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A function that puts a shell script called tshark first on PATH."""
    return partial(put_first, tmp_path, monkeypatch)


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """A system without tshark."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def numbers(run):
    """All lines of a run as numbers."""
    return [int(line) for some in run for line in some]


def test_a_missing_tshark_says_how_to_get_it(nothing):
    """Where there is no tshark, the error has the command that installs it here."""
    with pytest.raises(TsharkMissingError, match=r"needs tshark, which comes with Wireshark .*: ") as caught:
        find()

    assert str(caught.value).endswith(tshark.install_command())


def test_a_config_file_in_the_working_directory_starts_no_program(nothing, tmp_path, monkeypatch):
    """A config.ini, which pyshark would obey, may have come with the capture: it is not."""
    from pyshark import config

    wanted = tmp_path / "config.ini"
    wanted.write_text(f"[tshark]\ntshark_path = {sys.executable}\n", encoding="utf-8")
    monkeypatch.setattr(config, "fp_config_path", wanted)
    with pytest.raises(TsharkMissingError):
        find()


@pytest.mark.parametrize(
    ("release", "platform", "expected"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "linux", "sudo apt install tshark"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "linux", "sudo dnf install wireshark-cli"),
        ({"ID": "alpine"}, "linux", "sudo apk add tshark"),
        ({}, "darwin", "brew install wireshark"),
        ({}, "freebsd14", "sudo pkg install tshark"),
        ({"ID": "plan9"}, "linux", "see https://www.wireshark.org/download.html"),
    ],
)
def test_the_command_that_installs_it_depends_on_the_system(monkeypatch, release, platform, expected):
    """Each family of systems has its own command, and an unknown one an address."""

    def read():
        if not release:
            raise OSError
        return release

    monkeypatch.setattr(tshark.platform, "freedesktop_os_release", read)
    monkeypatch.setattr(tshark.sys, "platform", platform)

    assert expected == tshark.install_command()


@needs_tshark
def test_the_version_is_what_tshark_says():
    """The version is the one on the first line of ``tshark -v``."""
    line = subprocess.run([find(), "-v"], check=True, capture_output=True, text=True).stdout.splitlines()[0]

    assert tshark.dotted(tshark.version(find())) in line


@pytest.mark.parametrize(
    ("script", "error", "sentence"),
    [
        ("echo 'TShark 1.12.1 (Git Rev Unknown)'", TsharkTooOldError, "is version 1.12.1; at least 3.0.0 is needed"),
        ("echo 'no version here'", TsharkFailedError, "does not tell its version"),
        ("exit 3", TsharkFailedError, "does not tell its version"),
    ],
)
def test_a_tshark_that_will_not_do_says_why(program, script, error, sentence):
    """An old tshark, and one that does not tell its version, are refused in one sentence."""
    path = program(script)
    with pytest.raises(error, match=sentence):
        tshark.version(path)


@needs_tshark
def test_lines_come_as_tshark_prints_them():
    """A run gives every line, in order."""
    assert list(range(1, 40)) == numbers(Run(("-r", FOUNDING, *columns("%m"))))


def test_what_tshark_says_is_the_error(program):
    """A run that fails gives its lines, then tshark's own words without its name and its advice about root."""
    root = 'Running as user "root" and group "root".'
    program(f"printf '1\\n2\\n'; printf '{root}\\n\\ntshark: not a field\\n  ^~~\\n' >&2; exit 2")
    run = iter(Run(("-r", "x")))

    assert [b"1", b"2"] == [line for some in (next(run),) for line in some]
    with pytest.raises(TsharkFailedError) as caught:
        next(run)
    assert ("not a field", "  ^~~") == caught.value.said
    assert "not a field\n  ^~~" == str(caught.value)
    assert not caught.value.is_damage


def test_a_failure_without_words_names_the_status(program):
    """A tshark that ends without a word has its status named."""
    program("printf 3; exit 7")
    run = iter(Run(()))

    assert [b"3"] == next(run)
    with pytest.raises(TsharkFailedError, match="ended with status 7"):
        next(run)


@needs_tshark
def test_a_cut_file_is_damage(tmp_path):
    """A file that ends within a packet was read up to there."""
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(Path(FOUNDING).read_bytes()[:1500])
    run = Run(("-r", str(cut), *columns("%m")))
    with pytest.raises(TsharkFailedError) as caught:
        numbers(run)

    assert caught.value.is_damage


def test_a_run_that_nobody_wants_any_more_is_ended(program):
    """Leaving a run early ends the program."""
    program("echo 1; exec sleep 600")
    run = Run(())
    for some in run:
        assert [b"1"] == some
        break
    run.stop()

    assert run._process.poll() is not None


@needs_tshark
def test_nothing_here_minds_a_running_event_loop():
    """Inside a coroutine, as in a notebook, a run works as elsewhere."""

    async def work():
        return numbers(Run(("-r", FOUNDING, *columns("%m"))))

    assert 39 == len(asyncio.run(work()))
