"""One source, two ways to run it."""

import os
from pathlib import Path

import numpy as np
import pytest

from analyzer import kernel as kernels
from analyzer.kernel import cache_folder, freeze, jit_wanted, kernel, pick, records, thaw

DTYPE = np.dtype([("count", np.int64), ("side", np.int8)])


@kernel
def doubled(value):
    """Return twice the value."""
    return value + value


@kernel
def doubled_sum(one, two):
    """Return twice the sum, with the help of another kernel."""
    return doubled(one) + doubled(two)


def test_a_kernel_runs_as_plain_python():
    """Calling a kernel runs its function as it stands, and it keeps name and docstring."""
    assert "aa" == doubled("a")
    assert ("doubled", "Return twice the value.") == (doubled.__name__, doubled.__doc__)
    assert doubled.bare is doubled.choose(jit=False)


def test_the_compiled_twin_gives_the_same():
    """The compiled twin, with the kernels it calls, gives the same results, and is made once."""
    pytest.importorskip("numba")
    twin = doubled_sum.choose(jit=True)

    assert doubled_sum(3, 4) == twin(3, 4)
    assert twin is doubled_sum.compiled
    assert len(twin.signatures) == 1


@pytest.mark.parametrize(
    ("value", "large", "expected"),
    [
        (None, True, True),
        (None, False, False),
        ("0", True, False),
        ("1", False, True),
        ("", True, True),
        ("yes", False, False),
    ],
)
def test_the_environment_overrules_the_size(monkeypatch, value, large, expected):
    """KEEPALIVE_JIT=0 forbids compilation, =1 forces it, anything else leaves it to the size."""
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    if value is not None:
        monkeypatch.setenv("KEEPALIVE_JIT", value)

    assert expected == jit_wanted(large=large)


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
    folder = cache_folder()

    assert bare / below == folder.parent
    assert folder.is_dir()


def test_a_chosen_folder_comes_first(monkeypatch, bare):
    """Our own variable goes before those of the system."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "ours"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "theirs"))

    assert bare / "ours" == cache_folder().parent


def test_a_folder_that_cannot_be_made_is_passed_over(monkeypatch, bare):
    """Where a folder cannot be made, the next one is taken, at last a temporary one."""
    (bare / "file").write_text("in the way")
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "file"))
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(bare / f"{prefix}made"))

    assert bare / "keepalive-made" == cache_folder()


def test_a_folder_that_cannot_be_written_is_passed_over(monkeypatch, bare):
    """A folder that is there but not writable is no cache."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare / "one"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "two"))
    monkeypatch.setattr(os, "access", lambda folder, mode: bare / "two" in Path(folder).parents)

    assert bare / "two/keepalive-analyzer" == cache_folder().parent


def test_a_home_that_is_no_folder_is_no_home(monkeypatch, bare):
    """A HOME that does not exist is not made."""
    monkeypatch.setenv("HOME", str(bare / "nowhere"))
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(bare))

    assert bare == cache_folder()


def test_any_changed_kernel_renews_the_cache(monkeypatch, bare):
    """The folder's name follows from the sources of all kernels, and of the constants frozen into them."""
    monkeypatch.setenv("KEEPALIVE_CACHE_DIR", str(bare))
    before = cache_folder()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "rules.py" else b""))
    constants = cache_folder()
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "tcb.py" else b""))
    kernel_changed = cache_folder()
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "verdict.py" else b""))

    assert 3 == len({before, constants, kernel_changed})
    assert before == cache_folder()


def test_files_of_constants_exist():
    """Each file named for its constants is there."""
    package = Path(kernels.__file__).parent

    assert [] == [name for name in kernels.CONSTANTS if not list(package.rglob(name))]


def test_records_for_either_mode():
    """Plain kernels work on dicts of ints, compiled ones on a structured array; both begin with zeros."""
    assert [{"count": 0, "side": 0}] * 2 == records(DTYPE, 2, jit=False)
    assert [(0, 0)] * 2 == records(DTYPE, 2, jit=True).tolist()


def test_thaw_and_freeze_are_inverse():
    """What is thawed for plain kernels freezes to what it was; compiled ones work on the array itself."""
    array = np.array([(5, -1), (7, 1)], dtype=DTYPE)

    assert [{"count": 5, "side": -1}, {"count": 7, "side": 1}] == thaw(array, jit=False)
    assert array.tolist() == freeze(thaw(array, jit=False), DTYPE).tolist()
    assert array is thaw(array, jit=True)
    assert array is freeze(array, DTYPE)


def test_nothing_freezes_to_nothing():
    """No records freeze to an array without rows, of the right type."""
    assert (0, DTYPE) == (len(freeze([], DTYPE)), freeze([], DTYPE).dtype)


def test_picked_records_equal_indexed_ones():
    """Whole records come out as numpy's own indexing gives them, in any order and more than once."""
    table = np.zeros(5, dtype=[("a", np.int8), ("b", np.int64)])
    table["a"], table["b"] = range(5), range(10, 15)
    wanted = np.array([4, 0, 0, 2])

    assert table[wanted].tolist() == pick(table, wanted).tolist()
    assert table.dtype == pick(table, wanted).dtype
