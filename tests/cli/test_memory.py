"""The C library is told to keep what is freed, once, and not where somebody else said how."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from analyzer.cli import memory


class Library:
    """A C library that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def mallopt(self, option: int, value: int) -> int:
        """Take an option."""
        self.told.append((option, value))
        return 1


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Stand for the C library of a Linux process whose environment says nothing of memory."""
    told = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: told)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    return told


def test_freed_memory_is_kept_for_who_asks_next(library: Library) -> None:
    """One place for all threads, and nothing of some megabytes goes back to the system at once."""
    memory.keep_what_is_freed()
    assert library.told == [memory.ARENAS, memory.MAPPED, memory.TRIMMED]


@pytest.mark.parametrize("variable", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_what_the_environment_says_of_memory_holds(
    library: Library, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Whoever sets the C library's own variables is not overruled."""
    monkeypatch.setenv(variable, "1")
    memory.keep_what_is_freed()
    assert library.told == []


def test_other_systems_are_left_alone(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Linux is told."""
    monkeypatch.setattr(sys, "platform", "darwin")
    memory.keep_what_is_freed()
    assert library.told == []


def test_another_c_library_does_without(monkeypatch: pytest.MonkeyPatch, library: Library) -> None:
    """One that has no such option is no fault."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep_what_is_freed()
    assert library.told == []
