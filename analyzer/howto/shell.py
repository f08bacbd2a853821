"""One word of a command line, quoted so that the shell takes it for one word and nothing else.

This module must not know what the words mean.
"""

from __future__ import annotations

import shlex


def posix(word: str) -> str:
    """Return a word for sh, bash and zsh (POSIX.1-2024 XCU 2.2)."""
    return shlex.quote(word)


def posix_line(line: str) -> str:
    """Return a whole command line as one word, for a shell that hands it to another one (ssh)."""
    return shlex.quote(line) if set(line) & set('"$`\\!') else f'"{line}"'


def windows(word: str) -> str:
    """Return a word for cmd.exe and PowerShell: what both take for one word, if it has none of ``"%!`$`` in it.

    Raises:
        ValueError: it has one, and the two shells do not agree on how to write that.
    """
    if set(word) & set('"%!`$'):
        raise ValueError(word)
    plain = bool(word) and all(char.isalnum() or char in "-_.:/\\" for char in word)
    return word if plain else f'"{word}"'
