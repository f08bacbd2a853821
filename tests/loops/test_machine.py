"""Compiled loops as object files."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from analyzer.loops import machine
from analyzer.loops.loop import loop
from analyzer.loops.machine import Native, cache_folder

pytest.importorskip("numba")
ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"
DTYPE = np.dtype([("count", np.int64), ("side", np.int8)])


@loop
def tally(table, at, note, double):
    """Add a record's count to a note; return the count, doubled or not, and its place."""
    count = table[at]["count"]
    note["count"] += count
    return count * 2 if double else count, at


@loop
def forget(table):
    """Set a count to nothing, and return nothing."""
    table[0]["count"] = 0


@loop
def first_of(numbers):
    """Return the first of some numbers."""
    return numbers[0]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Let compiled code be kept in a folder of the test's own, which is returned."""
    monkeypatch.setattr(machine, "cache_folder", lambda: tmp_path)
    return tmp_path


def native(of):
    """Return a loop's machine code that this process has not loaded yet."""
    return Native(of.__name__, lambda: of._twin("inlined"))


def table():
    """Return a table of two records, the second of which matters."""
    return np.array([(1, 0), (20, 1)], dtype=DTYPE)


def test_arguments_and_results_of_every_kind(folder):
    """Arrays, records, ints and bools go in; ints, one int or nothing come out; what was written is there."""
    rows, notes = table(), np.zeros(1, dtype=DTYPE)

    assert (40, 1) == native(tally)(rows, 1, notes[0], True)
    assert (20, 1) == native(tally)(rows, np.int64(1), notes[0], np.False_)
    assert 40 == notes[0]["count"]
    assert native(forget)(rows) is None
    assert [0, 20] == rows["count"].tolist()
    assert 7 == native(first_of)(np.array([7, 8]))


def test_a_part_of_an_array_is_passed_as_that_part(folder):
    """A slice begins where it begins."""
    assert 8 == native(first_of)(np.arange(10)[8:])


def test_other_types_get_code_of_their_own(folder):
    """The same loop serves arrays of other records, each with its own object file."""
    code = native(tally)
    wider = np.zeros(1, dtype=[("side", np.int8), ("count", np.int32)])
    wider["count"] = 3

    assert (20, 1) == code(table(), 1, table()[0], False)
    assert (3, 0) == code(wider, 0, wider[0], False)
    assert 2 == len(list(folder.glob("tally-*.o")))


def test_compiled_code_is_kept_and_not_compiled_again(folder, monkeypatch):
    """A second process finds the object file, and asks numba for nothing."""
    before = native(tally)(table(), 1, table()[0], False)
    monkeypatch.setitem(sys.modules, "analyzer.loops.compiler", None)

    assert before == native(tally)(table(), 1, table()[0], False)


def test_what_the_command_starts_has_no_numba(tmp_path):
    """Where the loops are at hand, a report of a large capture does not import numba."""
    command = (
        "import sys; from analyzer import analyze\n"
        f"print(analyze({str(CAPTURES / 'founding_go_fin60.pcap')!r}, jit=True).totals.probes, 'numba' in sys.modules)"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", command],
            env=os.environ | {"KEEPALIVE_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]

    assert [["16", "True"], ["16", "False"]] == said


@pytest.mark.parametrize(
    "damage", [lambda code: code[:-1], lambda code: b"{}\n" + code, lambda _: b"", lambda _: b"[]\n"]
)
def test_a_damaged_file_is_made_anew(folder, damage):
    """What is not the code that was written is not run."""
    native(first_of)(np.array([7]))
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))

    assert 7 == native(first_of)(np.array([7]))
    assert len(whole) == len(file.read_bytes())


def test_where_nothing_can_be_kept_it_runs_all_the_same(folder, monkeypatch):
    """A cache folder that vanished, or a full disk, costs only the next process its time."""
    monkeypatch.setattr(machine, "cache_folder", lambda: folder / "vanished")

    assert 7 == native(first_of)(np.array([7]))


def test_code_that_needs_more_than_the_c_library_runs_through_numba(folder, monkeypatch):
    """Where an object file would not do, numba calls and caches its own way."""
    monkeypatch.setattr("analyzer.loops.compiler.compiled", lambda *_: None)

    assert (40, 1) == native(tally)(table(), 1, table()[0], True)
    assert [] == list(folder.glob("*.o"))


def test_an_array_with_gaps_is_refused(folder):
    """A loop that was compiled for a whole array does not run over every other item of one."""
    with pytest.raises(AssertionError, match="contiguous"):
        native(first_of)(np.arange(10)[::2])


def test_two_threads_may_ask_at_once(folder):
    """Both get the result, and one version was made."""
    code = native(first_of)
    results = []
    threads = [threading.Thread(target=lambda: results.append(code(np.array([5, 6])))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [5, 5] == results
    assert 1 == len(code._versions)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Clear the environment of everything that names a cache folder."""
    for name in ("KEEPALIVE_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("KEEPALIVE_CACHE_DIR", ""),
        ("XDG_CACHE_HOME", "keepalive-analyzer"),
        ("HOME", ".cache/keepalive-analyzer"),
        ("LOCALAPPDATA", ".cache/keepalive-analyzer"),
    ],
)
def test_where_compiled_code_is_kept(monkeypatch, bare, name, below):
    """The cache folder is made below the one that the environment names."""
    monkeypatch.setenv(name, str(bare))
    folder = cache_folder.__wrapped__()

    assert bare / below == folder.parent
    assert folder.is_dir()


def test_a_chosen_folder_comes_first(monkeypatch, bare):
    """Our own variable goes before those of the system."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "ours"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "theirs"))

    assert bare / "ours" == cache_folder.__wrapped__().parent


def test_a_folder_that_cannot_be_made_is_passed_over(monkeypatch, bare):
    """Where a folder cannot be made, the next one is taken, at last a temporary one."""
    (bare / "file").write_text("in the way")
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "file"))
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(bare / f"{prefix}made"))

    assert bare / "keepalive-made" == cache_folder.__wrapped__()


def test_a_folder_that_cannot_be_written_is_passed_over(monkeypatch, bare):
    """A folder that is there but not writable is no cache."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "one"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "two"))
    monkeypatch.setattr(os, "access", lambda folder, mode: bare / "two" in Path(folder).parents)

    assert bare / "two/keepalive-analyzer" == cache_folder.__wrapped__().parent


def test_a_home_that_is_no_folder_is_no_home(monkeypatch, bare):
    """A HOME that does not exist is not made."""
    monkeypatch.setenv("HOME", str(bare / "nowhere"))
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(bare))

    assert bare == cache_folder.__wrapped__()


def test_any_changed_loop_renews_the_cache(monkeypatch, bare):
    """The folder's name follows from the sources of all loops, and of the constants frozen into them."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare))
    before = cache_folder.__wrapped__()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "rules.py" else b""))
    constants = cache_folder.__wrapped__()
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "endpoint.py" else b""))
    loop_changed = cache_folder.__wrapped__()
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "verdict.py" else b""))

    assert 3 == len({before, constants, loop_changed})
    assert before == cache_folder.__wrapped__()


def test_files_of_constants_exist():
    """Each file named for its constants is there."""
    package = Path(machine.__file__).parents[1]

    assert [] == [name for name in machine.CONSTANTS if not (package / name).is_file()]
