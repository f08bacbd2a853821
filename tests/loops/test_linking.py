"""The shared library of all loops."""

import ctypes
import subprocess

import numpy as np
import pytest

pytest.importorskip("numba")
from analyzer.loops import compiler, linking, machine
from analyzer.loops.library import DIGEST, NAME, Library
from analyzer.loops.loop import loop

needs_linker = pytest.mark.skipif(linking.linker() is None, reason="there is no linker that was tried")


@loop
def cleared(numbers):
    """Clear an array, which takes memset, and return how long it is."""
    for at in range(len(numbers)):
        numbers[at] = 0
    return len(numbers)


@loop
def largest(numbers):
    """Return the largest of some numbers."""
    found = numbers[0]
    for at in range(len(numbers)):
        found = max(found, numbers[at])
    return found


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """What two loops are linked of, and what ``machine`` must know of each."""
    folder = tmp_path / "parts"
    folder.mkdir()
    monkeypatch.setenv(linking.PARTS_VARIABLE, str(folder))
    numbers = np.array([7, 9, 8])
    known = [
        compiler.compiled(each.twin("inlined"), (numbers,), machine.OF_THE_C_LIBRARY)[0] for each in (cleared, largest)
    ]
    compiler.put_stand_in(folder, machine.FREES_NOTHING)
    return sorted(folder.iterdir()), known


@needs_linker
def test_a_library_does_what_the_loops_do(parts, tmp_path):
    """Each function is found by its symbol, and gives what its loop gives, without another linker."""
    files, (of_cleared, of_largest) = parts
    numbers = np.array([7, 9, 8])

    assert "" == linking.link(files, tmp_path)
    library = Library(tmp_path)
    calls = [machine._loaded(each, library.address(each["symbol"]), (numbers,)) for each in (of_largest, of_cleared)]

    assert [9, 3] == [call(numbers) for call in calls]
    assert [0, 0, 0] == numbers.tolist()
    assert library.address("no_such_loop") is None


@needs_linker
def test_a_library_asks_for_nothing_by_version(parts, tmp_path):
    """It loads beside any C library: it names none, and takes no version of a function."""
    linking.link(parts[0], tmp_path)
    said = subprocess.run(["readelf", "-dVW", tmp_path / NAME], capture_output=True, text=True, check=True).stdout

    assert "Dynamic section" in said
    assert "NEEDED" not in said
    assert "TEXTREL" not in said
    assert "No version information found" in said


@needs_linker
def test_what_cannot_be_linked_is_no_library(tmp_path):
    """The linker's last sentence says why, and nothing is left."""
    broken = tmp_path / "broken.o"
    broken.write_bytes(b"no code")
    folder = tmp_path / "made"
    folder.mkdir()

    assert "broken.o" in linking.link([broken], folder)
    assert [] == list(folder.iterdir())


def test_without_a_linker_there_is_no_library(tmp_path, monkeypatch):
    """On a system where none was tried, or none is installed, that is what is said."""
    monkeypatch.setattr(linking.shutil, "which", lambda _: None)
    assert linking.linker() is None

    monkeypatch.undo()
    monkeypatch.setattr(linking.sys, "platform", "darwin")
    assert "no linker that was tried is here" == linking.link([], tmp_path)


@needs_linker
@pytest.mark.parametrize("damaged", [NAME, DIGEST])
def test_a_damaged_library_is_not_loaded(parts, tmp_path, monkeypatch, damaged):
    """One octet more, in the library or in its digest, and no function is found; it is not even opened."""
    files, (of_cleared, _) = parts
    linking.link(files, tmp_path)
    with (tmp_path / damaged).open("ab") as file:
        file.write(b"0")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("was opened"))

    assert Library(tmp_path).address(of_cleared["symbol"]) is None
