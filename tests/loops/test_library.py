"""All loops in one shared library, loaded; what is in it is tested where it is linked (``test_linking``)."""

import hashlib

from analyzer.loops.library import DIGEST, NAME, Library


def test_where_there_is_no_library_there_are_no_functions(tmp_path):
    """An empty folder is as good as a library without functions."""
    assert Library(tmp_path).address("f") is None


def test_what_the_system_does_not_load_has_no_functions(tmp_path):
    """A file that is whole but no library, as where no code may be run, leaves loops to their object files."""
    (tmp_path / NAME).write_bytes(b"no library")
    (tmp_path / DIGEST).write_text(hashlib.sha256(b"no library").hexdigest())

    assert Library(tmp_path).address("f") is None
