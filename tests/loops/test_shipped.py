"""Machine code that came with the program."""

from types import SimpleNamespace

import pytest

from analyzer.loops import choice, machine, shipped
from analyzer.loops.machine import file_name
from analyzer.loops.store import written

ABOUT = {"loop": "some.loop", "types": "int", "symbol": "f", "results": 0}


@pytest.fixture
def along(monkeypatch, tmp_path):
    """Code of one loop that came along, in the folder of this platform and these sources, which is returned."""
    for name in [name for name in machine.os.environ if name.startswith("NUMBA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setattr(machine, "store", lambda: None)
    monkeypatch.setattr(machine, "_DISTRUSTED", type(machine._DISTRUSTED)())
    place = shipped.place(tmp_path)
    place.mkdir()
    (place / file_name("some.loop", "int")).write_bytes(written(ABOUT, b"code"))
    shipped._here.cache_clear()
    yield place
    shipped._here.cache_clear()


def test_what_came_along_is_used_without_a_cache(along):
    """A loop's code is found for its types, and for no others, where nothing can be kept."""
    assert (ABOUT, b"code") == machine.kept("some.loop", "int")
    assert machine.kept("some.loop", "bool") is None
    assert machine.kept("other.loop", "int") is None


def test_nobody_compiles_what_came_along(along, monkeypatch):
    """Without a crew, at once: not even a rehearsal is needed to find out what is missing."""
    monkeypatch.setattr(choice, "_REHEARSALS", [lambda: pytest.fail("rehearsed")])

    assert choice._started_crew(behind=False) is None


def test_damaged_code_is_not_run(along):
    """A file that is not whole counts as one that is not there."""
    file = along / file_name("some.loop", "int")
    file.write_bytes(file.read_bytes()[:-1])

    assert machine.kept("some.loop", "int") is None


def test_a_library_beside_it_has_the_code_already(along, monkeypatch):
    """Where the library has the function, that is what is called; else its object file is linked."""
    monkeypatch.setattr(shipped, "_library", lambda folder: SimpleNamespace(address={"f": 64}.get))
    assert (ABOUT, 64) == machine.kept("some.loop", "int")

    monkeypatch.setattr(shipped, "_library", lambda folder: SimpleNamespace(address={"g": 64}.get))
    assert (ABOUT, b"code") == machine.kept("some.loop", "int")


def test_code_of_other_sources_is_not_used(along):
    """Where the sources were changed, what was made of them before is in a folder that nobody asks for."""
    along.rename(along.parent / "0123456789abcdef")
    shipped._here.cache_clear()

    assert not shipped.is_there()
    assert machine.kept("some.loop", "int") is None


def test_only_the_sources_that_are_listed_beside_it_are_read(along, monkeypatch):
    """Code whose list of sources leads to the name of its folder is used without looking for sources anywhere else."""
    shipped.list_sources(along)
    monkeypatch.setattr(shipped, "sources", lambda: pytest.fail("looked for sources"))
    monkeypatch.setattr("analyzer.loops.sources.sources", lambda *_: pytest.fail("looked for sources"))

    assert along == shipped._here()


@pytest.mark.parametrize("listed", ["no/such/file.py\n", "segment.py\n", "/etc/hostname\n", "a\0b\n", "\udcff\n"])
def test_a_list_of_other_sources_counts_for_nothing(along, listed):
    """A list that names what is gone, or not all sources, is as good as none: all sources are looked at."""
    (along / shipped.LIST).write_bytes(listed.encode("utf-8", "surrogateescape"))

    assert along == shipped._here()

    along.rename(along.parent / "0123456789abcdef")
    shipped._here.cache_clear()

    assert shipped._here() is None


def test_who_tells_numba_what_to_do_gets_that(along, monkeypatch):
    """With a setting of numba's in the environment, code is made as it says."""
    monkeypatch.setenv("NUMBA_OPT", "1")
    shipped._here.cache_clear()

    assert not shipped.is_there()


def test_distrust_is_of_what_came_along_too(along):
    """Once compiled code gave wrong results, none that was made before is used."""
    machine.distrust()

    assert machine.kept("some.loop", "int") is None


@pytest.mark.parametrize(("machine_name", "least"), [("x86_64", "x86-64"), ("aarch64", "generic")])
def test_code_is_for_the_least_processor(monkeypatch, machine_name, least):
    """What is shipped asks for no more than every processor of its kind has, whichever made it."""
    monkeypatch.setattr(shipped.os, "uname", lambda: SimpleNamespace(machine=machine_name))

    assert least == shipped.baseline()
