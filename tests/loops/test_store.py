"""A folder for machine code, used only where nobody else can have put or changed anything."""

import os
import stat
from pathlib import Path

import pytest

from analyzer.loops import notices
from analyzer.loops.store import UntrustedError, opened

NOBODY = 65534
CODE = b"\x7fELF and more"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def home(tmp_path):
    """A folder that only this user can write to."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def told(monkeypatch):
    """What is told meanwhile."""
    found = {}
    monkeypatch.setattr(notices, "_TOLD", found)
    return found


@pytest.fixture
def store(home):
    """A folder with one file."""
    store = opened(home / "base", "loops")
    store.keep("one.o", {"symbol": "one"}, CODE)
    yield store
    store.close()


def names(folder):
    """Return what is in a folder."""
    return sorted(each.name for each in folder.iterdir())


def mode(path):
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(path.lstat().st_mode)


def refused(base):
    """Return why a folder is refused."""
    with pytest.raises(UntrustedError) as caught:
        opened(base, "loops")
    return str(caught.value)


def test_what_was_kept_comes_back(store):
    """Another process gets what was written; there is nothing else."""
    again = opened(store.folder.parent, "loops")

    assert ({"symbol": "one"}, CODE) == again.kept("one.o")
    assert again.kept("two.o") is None
    assert ["one.o"] == names(store.folder)
    again.close()


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_folders_and_files_are_private_whatever_the_umask(home, umask):
    """Every folder that is made has mode 0700 and every file 0600."""
    before = os.umask(umask)
    try:
        store = opened(home / "more" / "base", "loops")
        store.keep("one.o", {}, CODE)
    finally:
        os.umask(before)
    store.close()

    assert [0o700] * 3 == [mode(home / below) for below in ("more", "more/base", "more/base/loops")]
    assert 0o600 == mode(home / "more/base/loops/one.o")


def test_a_folder_that_others_could_read_is_closed_to_them(home):
    """A folder of ours that is there with another mode gets the right one."""
    (home / "base" / "loops").mkdir(parents=True)
    (home / "base" / "loops").chmod(0o755)
    opened(home / "base", "loops").close()

    assert 0o700 == mode(home / "base" / "loops")


@pytest.mark.parametrize("which", ["", "base", "base/loops"])
@pytest.mark.parametrize("bits", [0o770, 0o707, 0o722])
def test_a_folder_that_others_can_write_to_is_refused(home, which, bits):
    """Group or others: the folder above, the one chosen, the one below; and nothing is put there."""
    (home / "base" / "loops").mkdir(parents=True, mode=0o700)
    (home / which).chmod(bits)

    assert f"others can write to {(home / which).name}" == refused(home / "base")
    assert [] == names(home / "base" / "loops")


def test_a_shared_folder_above_is_no_danger_but_is_none_to_keep_code_in(home):
    """In a folder such as /tmp nobody can rename what is not theirs; but its names are everybody's to take."""
    (home / "shared").mkdir()
    (home / "shared").chmod(0o1777)
    opened(home / "shared" / "base", "loops").close()

    assert 0o700 == mode(home / "shared" / "base")
    assert "others can write to shared" == refused(home / "shared")
    assert ["base"] == names(home / "shared")


@needs_root
@pytest.mark.parametrize("which", ["", "base", "base/loops"])
def test_a_folder_of_somebody_else_is_refused(home, which):
    """What belongs to another user may be that user's trap, even for root."""
    (home / "base" / "loops").mkdir(parents=True, mode=0o700)
    os.chown(home / which, NOBODY, NOBODY)

    assert f"{(home / which).name} belongs to another user" == refused(home / "base")


@pytest.mark.parametrize("which", ["base", "base/loops"])
def test_a_link_in_place_of_the_folder_is_refused(home, which):
    """From the chosen folder on no link is followed, wherever it leads."""
    (home / "elsewhere" / "loops").mkdir(parents=True, mode=0o700)
    (home / which).parent.mkdir(exist_ok=True, mode=0o700)
    (home / which).symlink_to(home / "elsewhere" / ("loops" if which == "base/loops" else ""))

    assert f"{Path(which).name} is a link" == refused(home / "base")


@pytest.mark.parametrize("target", ["real", "../{}/real", "{}/real"])
def test_the_users_own_link_above_is_followed(home, target):
    """A cache folder that the user keeps on another disk is the user's."""
    (home / "real").mkdir(mode=0o700)
    (home / "link").symlink_to(home / "real" if target == "{}/real" else target.format(home.name))
    opened(home / "link" / "base", "loops").close()

    assert (home / "real" / "base" / "loops").is_dir()


@needs_root
def test_the_link_of_somebody_else_above_is_not_followed(home):
    """Another user's link leads where that user wants."""
    (home / "real").mkdir(mode=0o700)
    (home / "link").symlink_to(home / "real")
    os.chown(home / "link", NOBODY, NOBODY, follow_symlinks=False)

    assert "the link link belongs to another user" == refused(home / "link" / "base")
    assert [] == names(home / "real")


def test_where_a_link_leads_is_looked_at_too(home):
    """A link to a folder that others can write to is no way round."""
    (home / "open" / "below").mkdir(parents=True)
    (home / "open").chmod(0o777)
    (home / "link").symlink_to(home / "open" / "below")

    assert "others can write to open" == refused(home / "link" / "base")


def test_links_in_a_ring_end(home):
    """Links that lead to each other are given up."""
    (home / "one").symlink_to("two")
    (home / "two").symlink_to("one")

    assert "there are too many links on the way" == refused(home / "one" / "base")


@pytest.mark.parametrize("which", ["base", "base/loops"])
def test_what_is_no_folder_is_refused(home, which):
    """A file in the place of a folder is no folder."""
    (home / which).parent.mkdir(exist_ok=True, mode=0o700)
    (home / which).write_text("in the way")

    assert f"{Path(which).name} is no folder" == refused(home / "base")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system():
    """Where the system lets nobody write, that is no matter of trust."""
    with pytest.raises(FileNotFoundError):
        opened(Path("/proc/none/base"), "loops")


def test_a_folder_that_cannot_be_written_to_is_an_error_of_the_system(home, monkeypatch):
    """A folder on a read-only disk is passed over."""
    monkeypatch.setattr(os, "access", lambda *_, **__: False)

    with pytest.raises(PermissionError):
        opened(home, "loops")


def as_other_users(file, _):
    """Give the file away."""
    os.chown(file, NOBODY, NOBODY)


def as_a_link(file, home):
    """Put a link in place of the file."""
    file.rename(home / "aside")
    file.symlink_to(home / "aside")


def as_a_second_name(file, home):
    """Give the file another name elsewhere."""
    os.link(file, home / "aside")


def as_a_pipe(file, _):
    """Put a pipe in place of the file."""
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(as_other_users, "it belongs to another user", marks=needs_root),
        (lambda file, _: file.chmod(0o660), "others can write to it"),
        (lambda file, _: file.chmod(0o602), "others can write to it"),
        (as_a_link, "Too many levels of symbolic links"),
        (as_a_second_name, "it has another name elsewhere"),
        (as_a_pipe, "it is no regular file"),
        (lambda file, _: os.truncate(file, (64 << 20) + 1), "it is too large"),
        (lambda file, _: os.truncate(file, 40), "it is damaged"),
    ],
    ids=["owner", "group", "others", "link", "hard-link", "pipe", "size", "short"],
)
def test_a_file_that_may_not_be_ours_is_not_used(store, home, told, change, reason):
    """Such a file is told of once, and the next one to keep something takes its place."""
    file = store.folder / "one.o"
    change(file, home)

    assert [None, None] == [store.kept("one.o") for _ in range(2)]
    assert [f"{file} is not used, and compiled anew, as are others like it: {reason}"] == list(told)
    store.keep("one.o", {"symbol": "two"}, CODE)
    assert ({"symbol": "two"}, CODE) == store.kept("one.o")
    assert stat.S_ISREG(file.lstat().st_mode)
    assert 0o600 == mode(file)


def test_a_folder_full_of_such_files_is_told_of_once(store, told):
    """One sentence is enough for files that share their trouble."""
    store.keep("two.o", {}, CODE)
    for name in ("one.o", "two.o"):
        (store.folder / name).chmod(0o666)

    assert [None, None] == [store.kept(name) for name in ("one.o", "two.o")]
    assert 1 == len(told)


def test_what_cannot_be_written_leaves_nothing(home, monkeypatch):
    """A full disk leaves no part of a file."""
    store = opened(home, "loops")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    store.keep("one.o", {}, CODE)

    assert [] == names(store.folder)
    store.close()


def test_a_folder_that_was_put_in_its_place_later_is_not_looked_at(store, home):
    """What was checked is what is used: the open folder, not its name."""
    store.folder.rename(home / "aside")
    store.folder.mkdir()
    (store.folder / "one.o").write_bytes(b"somebody else's")

    assert ({"symbol": "one"}, CODE) == store.kept("one.o")
    store.keep("two.o", {}, CODE)
    assert ["one.o", "two.o"] == names(home / "aside")


def test_no_descriptor_stays_open(home):
    """Looking at folders, trusted or not, leaves nothing open."""
    (home / "open" / "base").mkdir(parents=True)
    (home / "open").chmod(0o777)
    before = names(Path("/proc/self/fd"))
    for _ in range(3):
        refused(home / "open" / "base")
        opened(home / "base", "loops").close()

    assert before == names(Path("/proc/self/fd"))
