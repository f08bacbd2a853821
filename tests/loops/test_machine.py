"""Compiled loops as object files."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from analyzer.loops import machine, notices, shipped
from analyzer.loops.loop import loop
from analyzer.loops.machine import Native
from analyzer.loops.store import opened, read

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
    tmp_path.chmod(0o700)
    store = opened(tmp_path, "loops")
    monkeypatch.setattr(machine, "store", lambda: store)
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    yield store.folder
    store.close()


@pytest.fixture
def sentences(monkeypatch):
    """What is told meanwhile, and only that."""
    told = {}
    monkeypatch.setattr(notices, "_TOLD", told)
    return told


def native(of):
    """Return a loop's machine code that this process has not loaded yet."""
    return Native(of.__name__, of.twin)


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


def test_an_array_in_the_place_of_one_that_is_gone_is_itself(folder):
    """What is known of an array by its address is forgotten with it, whatever comes to lie there."""
    code = native(first_of)

    firsts = [code(np.full(1 + value % 7, value)) for value in range(200)]

    assert list(range(200)) == firsts
    assert len(machine._ARRAYS) < 200


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


COMPILES = {"NUMBA_OPT": "3"}
"""Who tells numba what to do, be it what it does anyway, gets nothing that came along with the program."""
LACKING = "analyzer.track.leaving."
"""Small loops that every report calls: to compile all takes a minute of two processors."""


@pytest.fixture
def all_but_some(monkeypatch, tmp_path):
    """A folder for what is compiled by ``COMPILES``, which has all that was compiled before, but for a few loops."""
    for name, value in {"KEEPALIVE_CACHE_DIR": str(tmp_path), **COMPILES}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(machine, "_DISTRUSTED", threading.Event())
    folder = machine.store.__wrapped__()
    here = shipped._listed(shipped.FOLDER)  # if nothing is, all is compiled
    for path in here.glob("*.o") if here else ():
        if not path.name.startswith(LACKING):
            about, code = read(path.read_bytes())
            folder.keep(path.name, about, code)
    folder.close()
    return folder.folder


def test_what_the_command_starts_has_no_numba(all_but_some, tmp_path):
    """A report by compiled loops does not import numba: a crew does, the first time, and then nobody."""
    assert not any(all_but_some.glob(f"{LACKING}*"))
    command = (
        "import sys; from analyzer import analyze\n"
        f"print(analyze({str(CAPTURES / 'founding_go_fin60.pcap')!r}, jit=True).totals.probes, 'numba' in sys.modules)"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", command],
            env=os.environ
            | {"KEEPALIVE_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": ""}
            | COMPILES,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]

    assert [["16", "False"]] * 2 == said
    assert any(all_but_some.glob(f"{LACKING}*"))


def flipped(content, at):
    """Return content with the last bit of one octet changed."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: b"{}\n" + content,
        lambda _: b"",
        lambda _: b"[]\n",
        lambda content: content.replace(b'"results": 0', b'"results": 9'),
        lambda content: flipped(content, content.index(b'"symbol"') + 12),
        lambda content: flipped(content, len(content) // 2),
        lambda content: flipped(content, 0),
    ],
    ids=["short", "more-before", "empty", "other", "result", "symbol", "code", "magic"],
)
def test_a_damaged_file_is_made_anew(folder, sentences, damage):
    """What is not what was written, head or code, is not run, which is told."""
    native(first_of)(np.array([7]))
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))

    assert file.read_bytes() != whole
    assert 7 == native(first_of)(np.array([7]))
    assert 7 == native(first_of)(np.array([7]))
    assert [f"{file} is not used, and compiled anew, as are others like it: it is damaged"] == list(sentences)


def test_code_under_the_name_of_another_loop_is_not_run(folder):
    """A file that is whole, but that of another loop, is compiled over."""
    native(first_of)(np.array([7]))
    native(forget)(table())
    of_first, of_forget = (next(folder.glob(f"{name}-*.o")) for name in ("first_of", "forget"))
    of_forget.write_bytes(of_first.read_bytes())
    rows = table()

    assert native(forget)(rows) is None
    assert [0, 20] == rows["count"].tolist()


def test_where_nothing_can_be_kept_it_runs_all_the_same(folder, monkeypatch):
    """A cache folder that vanished costs only the next process its time."""
    folder.rmdir()

    assert 7 == native(first_of)(np.array([7]))


def test_without_a_folder_it_runs_from_memory(folder, monkeypatch):
    """Where there is no folder to trust, code is compiled, run, and kept nowhere."""
    monkeypatch.setattr(machine, "store", lambda: None)

    assert 7 == native(first_of)(np.array([7]))
    assert [] == list(folder.iterdir())


def test_numba_may_be_asked_to_call_what_it_compiled(folder, monkeypatch):
    """KEEPALIVE_JIT=numba gives the same by numba's own way, and keeps nothing."""
    monkeypatch.setenv("KEEPALIVE_JIT", "numba")
    monkeypatch.setattr(machine, "_loaded", None)
    rows, notes = table(), np.zeros(1, dtype=DTYPE)

    assert (40, 1) == native(tally)(rows, 1, notes[0], True)
    assert native(forget)(rows) is None
    assert 7 == native(first_of)(np.array([7, 8]))
    assert [] == list(folder.iterdir())


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
def bare(monkeypatch, tmp_path, sentences):
    """Clear the environment of everything that names a cache folder."""
    for name in ("KEEPALIVE_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "_home_of_the_effective_user", lambda: "")
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def store():
    """What finds the folder, as in a fresh process."""
    found = []

    def find():
        found.append(machine.store.__wrapped__())
        return found[-1]

    yield find
    for each in found:
        if each is not None:
            each.close()


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("KEEPALIVE_CACHE_DIR", ""),
        ("XDG_CACHE_HOME", "keepalive-analyzer"),
        ("HOME", ".cache/keepalive-analyzer"),
    ],
)
def test_where_compiled_code_is_kept(monkeypatch, bare, store, name, below):
    """The cache folder is made below the one that the environment names."""
    monkeypatch.setenv(name, str(bare))
    folder = store().folder

    assert bare / below == folder.parent
    assert 0o700 == folder.stat().st_mode & 0o7777


def test_without_a_home_in_the_environment_it_is_that_of_the_user(monkeypatch, bare, store):
    """A service that is started without HOME keeps its code in the home of its user."""
    monkeypatch.setattr(machine, "_home_of_the_effective_user", lambda: str(bare))

    assert bare / ".cache/keepalive-analyzer" == store().folder.parent


def test_a_chosen_folder_comes_first(monkeypatch, bare, store):
    """Our own variable goes before those of the system."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "ours"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "theirs"))

    assert bare / "ours" == store().folder.parent


def test_a_folder_that_cannot_be_made_is_passed_over(monkeypatch, bare, store, sentences):
    """Where a folder cannot be made, the next one is taken."""
    (bare / "empty").mkdir(mode=0o700)
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", "/proc/none/loops")
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "two"))

    assert bare / "two/keepalive-analyzer" == store().folder.parent
    assert [] == list(sentences)


def test_a_folder_that_others_can_write_to_is_passed_over_and_told(monkeypatch, bare, store, sentences):
    """Where others could have put machine code, none is looked for; the next folder is taken."""
    (bare / "open").mkdir()
    (bare / "open").chmod(0o777)
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "open"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "two"))

    assert bare / "two/keepalive-analyzer" == store().folder.parent
    assert [] == list((bare / "open").iterdir())
    assert [f"compiled code in {bare / 'open'} is not used: others can write to open"] == list(sentences)


@pytest.mark.parametrize("home", ["nowhere", None])
def test_without_any_folder_nothing_is_made(monkeypatch, bare, store, sentences, home):
    """A HOME that does not exist is not made, nothing is left in the temporary folder, and what it costs is told."""
    if home:
        monkeypatch.setenv("HOME", str(bare / home))
    monkeypatch.setenv("TMPDIR", str(bare))
    monkeypatch.setattr("tempfile.tempdir", None)

    assert store() is None
    assert [] == list(bare.iterdir())
    assert [machine.NOWHERE] == list(sentences)


def test_settings_of_the_compiler_have_code_of_their_own(monkeypatch, bare, store):
    """Code that was compiled with other settings of numba is not taken for what is wanted now."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare))
    before = store().folder
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")

    assert before != store().folder
