"""``keepalive completion``: completion for bash, zsh, fish and tcsh, made from the parser by shtab."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from analyzer.cli import extras

if TYPE_CHECKING:
    import argparse

SHELLS: Final = ("bash", "zsh", "fish", "tcsh")
EXAMPLES: Final = """\
examples:
  eval "$(keepalive completion bash)"                 in ~/.bashrc
  keepalive completion zsh > ~/.zfunc/_keepalive      a folder of $fpath
  keepalive completion fish > ~/.config/fish/completions/keepalive.fish
"""
FILES: Final = frozenset({"files", "more_files", "file", "other_file", "out", "output", "html", "write", "key", "map"})
"""What is completed with names of files."""
FOLDERS: Final = frozenset({"parquet"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's argument."""
    parser.epilog = EXAMPLES
    parser.add_argument("shell", metavar="{" + ",".join(SHELLS) + "}", choices=SHELLS, help="for which shell")


def run(options: argparse.Namespace) -> int:
    """Print the script; return the exit status."""
    sys.stdout.write(script(options.shell))
    return 0


def script(shell: str) -> str:
    """Return the script for a shell.

    Raises:
        MissingExtraError: shtab is not installed.
    """
    from analyzer import cli

    shtab = extras.needed("shtab", "completion")
    parser, by_name = cli.build(whole=True)
    for verb in by_name.values():
        for action in verb.actions():
            if action.dest in FILES:
                setattr(action, "complete", shtab.FILE)  # noqa: B010 - shtab asks for an attribute that argparse has not
            elif action.dest in FOLDERS:
                setattr(action, "complete", shtab.DIRECTORY)  # noqa: B010 - as above
            elif action.dest in WORDS:
                _offer_words(action)
    return str(shtab.complete(parser, shell)).rstrip("\n") + "\n"


WORDS: Final = frozenset({"fail_on", "code"})
"""What is completed with verdicts, findings and causes."""


def _offer_words(action: argparse.Action) -> None:
    """Let a shell offer the words that reports have; others are still taken."""
    from analyzer.report.rule_tables import codes

    action.choices = codes()
